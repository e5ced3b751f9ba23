"""The tables of an ablation, as Markdown, JSON and CSV.

Conventions
-----------
Those of :mod:`mtbench.reference_model.ablation.results`. Nothing here computes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mtbench.reference_model.ablation.results import AVLR, Ablation, Effect, Measure
from mtbench.results import ALPHA
from mtbench.speech import display_name, headline_rate

if TYPE_CHECKING:
    from mtbench.results import SummaryRow


def format_tables(ablation: Ablation) -> str:
    """Return the table of numbers, then one of differences for each measure, in Markdown."""
    from mtbench.results import Table

    places = ("all", *ablation.languages)
    header = ["language", "texts"]
    for measure in ablation.measures:
        shown = "%" if measure is AVLR else measure.unit
        header += [f"{measure.title} {shown} {v.mark}" for v in ablation.variants]
    rows = []
    for place in places:
        cells = [name_language(place), str(sum(ablation.sources.get(c, 0) for c in _codes(place, ablation)))]
        for measure in ablation.measures:
            cells += [
                _number(ablation.numbers.get((v.key, measure.metric, place)), measure)
                for v in ablation.variants
            ]
        rows.append(tuple(cells))
    legend = "; ".join(f"{v.mark} {v.title}" for v in ablation.variants)
    notes = [f"{legend}. ±: half of the 95 % interval. * character error rate."]
    tables = [Table("LVE and AVLR by language" if AVLR in ablation.measures else "LVE by language",
                    tuple(header), tuple(rows), tuple(notes)).to_markdown()]  # fmt: skip
    for measure in ablation.measures:
        pairs = [e for e in ablation.overall() if e.measure == measure]
        header = ["language", *(f"{e.variant.mark} − {e.reference.mark}" for e in pairs)]
        lines, strong = [], set()
        for i, place in enumerate(places):
            found = [ablation.effect(e.reference, e.variant, measure, place) for e in pairs]
            lines.append((name_language(place), *(_difference(e) for e in found)))
            strong |= {(i, j) for j, e in enumerate(found, 1) if e is not None and e.significant}
        note = (
            "[95 % interval of the paired difference], p after Holm's correction: over the languages of a column, for "
            f"the mean over all {len(ablation.overall())} tests of means on this page. Bold: below {ALPHA:g}. "
            "Above 0 the first is worse."
        )
        title = f"Paired differences in {measure.title}, {measure.unit}"
        tables.append(Table(title, tuple(header), tuple(lines), (note,), frozenset(strong)).to_markdown())
    return "\n".join(tables)


def name_language(code: str) -> str:
    """Return a language's name, marked where its AVLR counts characters; ``"all"`` is the mean."""
    if code == "all":
        return "mean of languages"
    return display_name(code) + ("*" if headline_rate(code) == "cer" else "")


def _codes(place: str, ablation: Ablation) -> tuple[str, ...]:
    return ablation.languages if place == "all" else (place,)


def _number(row: SummaryRow | None, measure: Measure) -> str:
    if row is None or row.estimate is None:
        return "n/a"
    half = "" if row.ci95 is None else f" ±{(row.ci95[1] - row.ci95[0]) / 2:.{measure.digits}f}"
    return f"{row.estimate:.{measure.digits}f}{half}"


def _difference(effect: Effect | None) -> str:
    if effect is None:
        return "n/a"
    d, digits = effect.difference, effect.measure.digits
    interval = "" if d.ci95 is None else f" [{signed(d.ci95[0], digits)}, {signed(d.ci95[1], digits)}]"
    return f"{signed(d.difference, digits)}{interval}, {show_p(d.p_holm)}"


def signed(value: float, digits: int) -> str:
    """Return *value* with a sign; zero has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def show_p(p: float) -> str:
    """Return ``"p = 0.012"``, ``"p < 0.001"``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def to_json(ablation: Ablation) -> dict[str, Any]:
    """Return the ablation as JSON values."""
    return {
        "schema": 1,
        "benchmark": ablation.benchmark,
        "judge": ablation.judge,
        "clips": ablation.clips,
        "warnings": list(ablation.warnings),
        "sources": dict(ablation.sources),
        "variants": [asdict(v) for v in ablation.variants],
        "numbers": [
            {"variant": key, **row.to_json()} for (key, _, _), row in ablation.numbers.items()
        ],
        "differences": [
            {
                "reference": e.reference.key,
                "variant": e.variant.key,
                "significant": e.significant,
                **asdict(e.difference),
            }
            for e in ablation.effects
        ],
    }  # fmt: skip


def to_csv(ablation: Ablation) -> str:
    """Return one line for each variant, measure and language: the number, and how it differs from its references."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = ["difference", "difference_low", "difference_high", "p", "p_holm", "significant"]
    head = ["variant", "measure", "unit", "language", "estimate", "low", "high", "clips"]
    writer.writerow([*head, "reference", *columns])
    for (key, metric, language), row in ablation.numbers.items():
        low, high = row.ci95 or ("", "")
        values = [key, metric, row.unit, language, row.estimate, low, high, row.n_clips]
        found = [
            e for e in ablation.effects
            if (e.variant.key, e.measure.metric, e.difference.language) == (key, metric, language)
        ]  # fmt: skip
        for e in found:
            d = e.difference
            ends = d.ci95 or ("", "")
            writer.writerow([*values, e.reference.key, d.difference, *ends, d.p, d.p_holm, e.significant])
        if not found:
            writer.writerow([*values, *[""] * 7])
    return stream.getvalue()
