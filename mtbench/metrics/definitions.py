"""The table of definitions: what ``mtbench ls metrics --markdown`` prints and ``docs/metrics.md`` holds."""

from __future__ import annotations

from collections.abc import Iterable

from mtbench.metrics.base import Metric
from mtbench.metrics.registry import METRICS

_UNITS = {"m2": "m²", "fraction": "0 … 1"}


def describe_direction(metric: Metric) -> str:
    """Return which values are better, in a word or two.

    Examples
    --------
    >>> describe_direction(METRICS["lve_mm"]), describe_direction(METRICS["fdd_m2"])
    ('lower', 'zero')
    """
    if metric.higher_is_better is None:
        return "zero" if not metric.optional else "the truth's"
    return "higher" if metric.higher_is_better else "lower"


def render_definitions(metrics: Iterable[Metric] | None = None) -> str:
    """Return the tables of all metrics in Markdown: what every run has, what is measured on request, sources, failures.

    Parameters
    ----------
    metrics : iterable of Metric, optional
        By default all that are registered.

    Examples
    --------
    >>> print(render_definitions([METRICS["mve_mm"]]).splitlines()[4])
    | `mve_mm` | mean distance of all vertices, mean over frames | mm | lower | frame |
    """
    found = list(METRICS.values() if metrics is None else metrics)
    always, asked = ([m for m in found if m.optional is optional] for optional in (False, True))
    lines = ["In every run:", "", *_tabulate(always)]
    if asked:
        lines += ["", "Measured on request (`--metrics`):", "", *_tabulate(asked)]
    lines += ["", "Where they come from, and what they are known not to see:", ""]
    lines += _rows(
        ("metric", "source", "known failures"),
        ((f"`{m.name}`", m.source or "–", m.failures or "–") for m in found),
    )
    return "\n".join(lines) + "\n"


def _tabulate(metrics: Iterable[Metric]) -> list[str]:
    header = ("metric", "definition", "unit", "better", "default over clips")
    return _rows(
        header,
        (
            (
                f"`{m.name}`",
                m.definition or m.title,
                _UNITS.get(m.unit, m.unit),
                describe_direction(m),
                m.aggregation if m.overall == m.aggregation else f"{m.aggregation}; {m.overall}",
            )
            for m in metrics
        ),
    )


def _rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [header, tuple("---" for _ in header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines]
