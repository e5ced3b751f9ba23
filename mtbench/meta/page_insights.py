"""Sections of the report's page: nuisances, sensitivity, confusions, languages.

Conventions
-----------
As in :mod:`mtbench.meta.report_page`. *plot* returns the image of a plot's name, empty where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mtbench.meta.nuisances import TOLERANCE, Movement
from mtbench.meta.page_parts import fold, format_number, format_p, format_range, make_table, mark
from mtbench.meta.report_data import Report
from mtbench.speech import display_name


def show_nuisances(report: Report, plot: Callable[[str], str]) -> str:
    """Return how far nuisances and controls differ from the ground truth."""
    head: tuple[str, ...] = (
        "against the ground truth",
        "measure",
        "movement, points or bits",
        "p",
        f"below {TOLERANCE:g} points",
        "surely",
    )
    titles = report.titles

    def rows(found: Iterable[Movement], judged: bool) -> list[Sequence[Any]]:
        out: list[Sequence[Any]] = []
        for row in found:
            cells: list[Any] = [
                row.system,
                titles[row.measure],
                format_number(row.difference, 2),
                format_p(row.p),
            ]
            if judged:
                cells += [mark(row.within_tolerance), mark(row.surely_within_tolerance)]
            out.append(cells)
        return out

    text = ""
    if report.nuisances:
        text += (
            "<p>Another face and a trembling forehead say nothing: AVLR should not move by more than a point "
            "or two. <em>Surely</em>: the whole interval says so.</p>"
        )
        text += plot("nuisances") + make_table(head, rows(report.nuisances, True))
    if report.controls:
        text += "<p>For comparison, a face that says nothing and one that says something else.</p>"
        text += make_table(head[:4], rows(report.controls, False))
    return text


def show_sensitivity(report: Report, plot: Callable[[str], str]) -> str:
    """Return how many clips are needed, and in which noise."""
    found = report.sensitivity
    rows = [
        (
            f"{row.better} / {row.worse}",
            format_number(row.difference, 1),
            format_number(row.effect, 2),
            "no number helps" if row.clips_needed is None else row.clips_needed,
            format_range(row.clips_ci95),
        )
        for row in found.amplitudes.get("avlr", ())
    ]
    head: tuple[str, ...] = (
        "amplitudes (AVLR)",
        "difference, points",
        "difference / spread",
        "clips needed",
        "95 %",
    )
    text = ""
    if rows:
        text += (
            "<p>Clips that a paired comparison needs to tell two amplitudes apart at 95 % with 80 % power.</p>"
            + plot("sensitivity")
            + fold("Every pair of amplitudes", make_table(head, rows))
        )
    best = [
        (
            f"{row.better} / {row.worse}, {unit}",
            row.condition,
            format_number(row.effect, 2),
            "n/a" if row.published is None else format_number(row.published_effect, 2),
            format_range(row.gain_over_published_ci95),
            ", ".join(name or "" for name in row.not_separable_from_best),
        )
        for unit, group in found.conditions.items()
        for row in group.best
    ]
    if best:
        head = ("pair", "best condition", "effect", "at −7.5 dB babble", "gain, 95 %", "as good as the best")
        text += (
            "<p>Which noise at which level separates best.</p>" + plot("conditions") + make_table(head, best)
        )
    return text


def show_confusions(report: Report, plot: Callable[[str], str]) -> str:
    """Return what was confused without sound; empty without phones."""
    found = report.confusions
    if found is None:
        return ""
    rows = [(row.reference, row.recognized, f"{100 * row.share:.1f} %", row.count) for row in found.largest]
    return (
        f"<p>Phones of the ground truth as the recognizer saw them, without sound, {found.n_clips} clips.</p>"
        + plot("confusions")
        + fold("Largest confusions", make_table(("said", "recognized", "share of the class", "phones"), rows))
    )


def show_fairness(report: Report, plot: Callable[[str], str]) -> str:
    """Return the spread over languages and the traits that are associated with it."""
    found = report.fairness["words"]
    if not found.languages:
        return ""
    titles = {
        "avlr": "AVLR",
        "gain_over_static": "gain over a static face",
        "gain_over_sound": "gain over sound alone",
    }
    rows = [
        (
            titles[name],
            f"{row.mean:.1f}",
            f"{display_name(row.lowest.language)} {row.lowest.estimate:.1f}",
            f"{display_name(row.highest.language)} {row.highest.estimate:.1f}",
            f"{row.standard_deviation:.1f}",
            "n/a" if row.spread_beyond_chance is None else f"{row.spread_beyond_chance:.1f}",
        )
        for name, row in found.spread.items()
    ]
    head: tuple[str, ...] = ("of the ground truth", "mean", "lowest", "highest", "deviation", "beyond chance")
    causes = [
        (
            titles[row.score],
            row.title,
            f"{row.spearman:.2f}",
            format_p(row.p),
            format_p(row.p_holm),
            row.n,
        )
        for row in found.correlates
    ]
    text = plot("languages") + make_table(head, rows) + plot("correlates")
    if causes:
        head = ("score", "trait", "Spearman over languages", "p", "p, corrected", "languages")
        text += "<p>What goes with it; an association is no cause.</p>" + make_table(head, causes)
    return text
