"""How numbers are computed: made from what metrics and signatures say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from mtbench.leaderboard.site.sections import Section
from mtbench.metrics import METRICS, Metric, describe_direction
from mtbench.results import KEY_MEANINGS, Signature
from mtbench.statistics import REPLICATES, SEED, TRIALS


def make_methods(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what the template of the page on methods is filled with."""
    present = {row.metric for s in sections for e in s.all for row in e.run.summary}
    metrics = [metric for metric in METRICS.values() if metric.name in present]
    return {
        "title": "Methods",
        "page": "methods",
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "definition": show_code(metric.definition or metric.title),
                "unit": metric.unit.replace("m2", "m²"),
                "better": describe_direction(metric),
                "average": _describe_average(metric),
                "source": show_code(metric.source or "–"),
                "failures": show_code(metric.failures or "–"),
            }
            for metric in metrics
        ],
        "replicates": f"{REPLICATES:,}",
        "trials": f"{TRIALS:,}",
        "seed": SEED,
        "keys": KEY_MEANINGS,
        "settings": [(section, _explain(section)) for section in sections],
    }


def _describe_average(metric: Metric) -> str:
    within, overall = metric.aggregation, metric.overall
    return within if within == overall else f"{within} within a language, {overall} over all"


def _explain(section: Section) -> list[tuple[str, str, str]]:
    """Return key, meaning and value of what the first column's numbers follow from."""
    run = section.first
    name = "headline|av" if "headline|av" in run.signatures else next(iter(sorted(run.signatures)), None)
    if name is None:
        return []
    return [
        (key, KEY_MEANINGS.get(key, ("", ""))[1], value)
        for key, value in Signature.parse(run.signatures[name]).fields
    ]


def show_code(text: str) -> Markup:
    """Return *text* of a definition with what stands between backticks as code.

    Examples
    --------
    >>> print(show_code("as `wer` <b>"))
    as <code>wer</code> &lt;b&gt;
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )
