"""The page of a meta-evaluation's report: one HTML file with everything in it.

Conventions
-----------
Nothing here computes: every number stands in the report. Plots are embedded as images, so that the file needs
no other; all text that comes from outside (names of systems, recognizers, benchmarks) is escaped. Intervals are
95 %, in square brackets.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from mtbench.meta.monotonicity import CurveCheck, LanguageSteps
from mtbench.meta.page_bits import show_bits
from mtbench.meta.page_insights import show_confusions, show_fairness, show_nuisances, show_sensitivity
from mtbench.meta.page_parts import (
    STYLE,
    fold,
    format_number,
    format_p,
    format_plain,
    format_range,
    make_table,
    mark,
)
from mtbench.meta.page_sight import show_sight
from mtbench.meta.report_data import Report
from mtbench.speech import display_name

#: What each plot shows, for those who cannot see it.
_ALT = {
    "ordering": "Rank correlation and pairwise accuracy of every metric with intervals, system and clip level",
    "families": "Spearman correlation of every metric within every family of degradations",
    "curves": "Error rate over the strength of every degradation, overall and language by language",
    "noise": "Error rate over the signal-to-noise ratio for every noise",
    "nuisances": "Movement of AVLR by changes that should cost nothing",
    "sensitivity": "Clips needed to tell a reduced amplitude from the ground truth",
    "conditions": "Size of the effect in one clip at every signal-to-noise ratio and noise",
    "confusions": "Viseme classes said against recognized, video only",
    "languages": "AVLR of the ground truth and its gains in every language",
    "correlates": "AVLR of the ground truth against traits of the languages",
}


def render_page(report: Report, plots: Mapping[str, bytes]) -> str:
    """Return the page.

    Parameters
    ----------
    report : Report
        Made by :func:`mtbench.meta.report.make_report`.
    plots : mapping of str to bytes
        SVG by name, as :func:`mtbench.meta.plots.draw_plots` returns them; empty without matplotlib.
    """
    facts = report.facts
    recognizer, where = str(facts.get("recognizer", "unnamed recognizer")), str(facts.get("benchmark", ""))
    name = f"AVLR by {recognizer}"

    def plot(key: str) -> str:
        if key not in plots:
            return ""
        data = base64.b64encode(plots[key]).decode()
        return f'<p class="wide"><img src="data:image/svg+xml;base64,{data}" alt="{escape(_ALT[key])}"></p>'

    missing_plots = ""
    if not plots:
        missing_plots = (
            '<p class="note">Without plots: they need matplotlib, which '
            "<code>pip install multitalk-bench[report]</code> brings.</p>\n"
        )
    sections = [
        ("What was reached", _targets(report)),
        ("Whether the true motion is read", show_sight(report)),
        (f"The order of systems: {name} and its rivals", _order(report, plot)),
        ("Readability bits beside it", show_bits(report)),
        (f"Curves of {name}", _curves(report, plot)),
        ("What should cost nothing", show_nuisances(report, plot)),
        ("How many clips, which noise", show_sensitivity(report, plot)),
        ("What lips cannot tell apart", show_confusions(report, plot)),
        ("Languages", show_fairness(report, plot)),
        (f"All systems: {name}", _systems(report)),
        ("How this was made", _facts(report)),
    ]
    body = "\n".join(f"<h2>{escape(title)}</h2>\n{text}" for title, text in sections if text)
    verdict = "".join(f'<p class="verdict">{escape(line)}</p>\n' for line in report.verdict)
    title = f"Does {name} measure lip readability?"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{len(report.systems)} systems with known faults, {report.n_clips} clips in "
        f"{len(report.languages)} languages of {escape(where)}. AVLR is the headline error rate under "
        f"<code>{escape(report.condition)}</code>. The figures hold for this recognizer.</p>\n"
        f"{verdict}{missing_plots}{body}\n</body>\n</html>\n"
    )


def _targets(report: Report) -> str:
    rows = [
        (
            row.name,
            format_plain(row.reached),
            "" if row.ci95 is None else format_range(row.ci95),
            format_plain(row.wanted),
            row.reason if row.met is None else mark(row.met),
        )
        for row in (*report.targets, *report.bits_targets)
    ]
    return make_table(("figure", "reached", "95 %", "wanted", "met"), rows)


def _order(report: Report, plot: Callable[[str], str]) -> str:
    titles = report.titles
    accuracy = report.pairwise_accuracy
    rows = []
    for name, title in titles.items():
        cells: list[Any] = [title]
        for table in (
            report.spearman_system,
            report.spearman_clip,
            report.kendall_system,
            report.kendall_clip,
        ):
            cells.append(format_number(table.measures.get(name), 3))
        for found in (accuracy.system, accuracy.clip):
            cells.append("n/a" if found is None else format_number(found.measures.get(name), 3))
        rows.append(cells)
    system, clip = report.spearman_system, report.spearman_clip
    head: tuple[str, ...] = (
        "metric",
        "Spearman, system",
        "Spearman, clip",
        "Kendall, system",
        "Kendall, clip",
    )
    text = (
        "<p>Within a family of degradations the order of systems is known. Numbers are means over "
        f"{system.n_families} families ({system.n_systems} systems); a vector without any order counts "
        f"as 0 ({system.n_constant} of AVLR at system level, {clip.n_constant} at clip level). "
        f"System level: p {escape(format_p(system.p))} ({escape(system.p_method)}); clip level: "
        f"p {escape(format_p(clip.p))} ({escape(clip.p_method)}).</p>"
    )
    text += make_table((*head, "pairs right, system", "pairs right, clip"), rows)
    families = [
        (
            family,
            row.n_systems,
            format_number(row, 3),
            format_p(row.p),
            format_number(clip.families.get(family), 3),
        )
        for family, row in system.families.items()
    ]
    text += plot("ordering") + plot("families")
    head = ("family (AVLR)", "systems", "Spearman, system", "p, system", "Spearman, clip")
    text += fold("Every family", make_table(head, families))
    leads = [
        (
            titles[name],
            format_number(row.lead_of_avlr, 3),
            format_number(clip.measures[name].lead_of_avlr, 3),
        )
        for name, row in system.measures.items()
        if row.lead_of_avlr is not None and clip.measures[name].lead_of_avlr is not None
    ]
    head = ("AVLR's Spearman minus that of", "system level", "clip level")
    return text + fold("AVLR against the others, paired", make_table(head, leads))


def _curves(report: Report, plot: Callable[[str], str]) -> str:
    rows = []
    for curve in report.curves.values():
        for family, checks in curve.checks.items():
            if "avlr" in checks:
                rows.append(_check_row(family, checks["avlr"]))
    noise = [
        _check_row(f"{name}: {c.system}", c.check)
        for name, group in report.noise.words.items()
        for c in group.curves
        if c.modality == "av"
    ]
    head: tuple[str, ...] = (
        "curve",
        "steps",
        "significantly reversed",
        "interval below zero",
        "largest reversal",
        "monotone",
    )
    text = (
        "<p>More damage must score worse. A step is reversed where the next level scores significantly better "
        "(paired, corrected for the number of steps).</p>"
    )
    text += plot("curves") + make_table(head, rows)
    languages = [
        (
            display_name(code),
            row.n_steps,
            row.n_below_interval,
            ", ".join(f"{worse} below {better}" for better, worse in row.steps),
        )
        for code, row in _language_steps(report).items()
    ]
    text += fold(
        "Every language",
        "<p>Steps whose own interval lies below zero; where nothing changes, one in forty does by chance.</p>"
        + make_table(("language", "steps", "below zero", "which"), languages),
    )
    return text + plot("noise") + (make_table(head, noise) if noise else "")


def _language_steps(report: Report) -> dict[str, LanguageSteps]:
    """AVLR's steps over all curves together, by language."""
    total: dict[str, LanguageSteps] = {}
    for curve in report.curves.values():
        for code, row in curve.languages_below_interval.get("avlr", {}).items():
            so_far = total.get(code, LanguageSteps(0, 0, ()))
            total[code] = LanguageSteps(
                so_far.n_steps + row.n_steps,
                so_far.n_below_interval + row.n_below_interval,
                so_far.steps + row.steps,
            )
    return total


def _check_row(name: str, check: CurveCheck) -> Sequence[Any]:
    steps = check.steps
    largest = check.largest_reversal
    where = "none"
    if largest is not None:
        where = f"{largest.worse} below {largest.better}: {format_number(largest.difference, 1)}"
    return (
        name,
        len(steps),
        sum(step.reversed for step in steps),
        sum(step.below_interval for step in steps),
        where,
        ("yes",) if check.monotone else ("no",),
    )


def _systems(report: Report) -> str:
    measures = report.measures
    rows = [
        (
            s.name,
            s.family,
            *(format_number(s.scores[m.name], 1 if m.unit == "%" else 3) for m in measures),
        )
        for s in report.systems
    ]
    head: tuple[str, ...] = ("system", "family", *(f"{m.title}, {m.unit}" for m in measures))
    return fold(f"{len(rows)} systems", make_table(head, rows))


def _facts(report: Report) -> str:
    long = ("sources", "frames")
    rows = [(key, str(value)) for key, value in report.facts.items() if key not in long]
    rows += [("bootstrap", f"{report.replicates} draws of sources within languages, seed {report.seed}")]
    missing = [
        f"{m.title}: {len(m.not_scored)} systems not scored ({', '.join(m.not_scored)})"
        for m in report.measures
        if m.not_scored
    ]
    notes = "".join(f'<p class="note">{escape(line)}</p>' for line in missing)
    return make_table(("what", "value"), rows) + notes
