"""Section of the report's page on readability bits beside AVLR.

Conventions
-----------
As in :mod:`mtbench.meta.report_page`.
"""

from __future__ import annotations

from typing import Any

from mtbench.meta.bits import BitsReport, FaceGain
from mtbench.meta.page_parts import fold, format_number, format_range, make_table
from mtbench.meta.report_data import Report


def show_bits(report: Report) -> str:
    """Return what readability bits say of every system, and how many clips they save; empty without them."""
    found = report.bits
    if found is None:
        return ""
    text = (
        "<p>By how many bits a phone (token) a face makes what was said more probable to the recognizer, in the same "
        f"sound (<code>{found.condition}</code>): than a face that does not move"
        + (", and than other clips' faces of the same system" if _has_others(found) else "")
        + ". Higher is better; below zero the face makes it believe something else.</p>"
    )
    avlr = {system.name: system.scores.get("avlr") for system in report.systems}
    head = ["system", "AVLR, %", "bits over a static face", "share of the true face's, %"]
    if _has_others(found):
        head.append("bits over other clips' faces")

    def cells(gain: FaceGain) -> list[Any]:
        row = [gain.system, format_number(avlr.get(gain.system), 1), format_number(gain.over_static, 2)]
        row.append(format_number(gain.kept, 1))
        return [*row, format_number(gain.over_others, 2)] if _has_others(found) else row

    below = [gain for gain in found.gains if _misleads(gain)]
    if below:
        text += "<p>Faces that are surely worse than none:</p>" + make_table(head, map(cells, below))
    text += fold("Every system", make_table(head, map(cells, found.gains)))
    titles = report.titles
    rows = [
        (
            f"{row.better} / {row.worse}",
            titles.get(row.measure, row.measure),
            "no number helps" if row.clips is None else row.clips,
            "no number helps" if row.clips_of_avlr is None else row.clips_of_avlr,
            "n/a" if row.ratio is None else f"{row.ratio:.2f}",
            format_range(row.ratio_ci95),
        )
        for row in found.savings
    ]
    if rows:
        text += "<p>Clips that tell an amplitude from the true one, beside those that AVLR needs.</p>"
        text += make_table(("pair", "by", "clips", "clips by AVLR", "ratio", "95 %"), rows)
    return text


def _has_others(found: BitsReport) -> bool:
    return any(gain.over_others is not None for gain in found.gains)


def _misleads(gain: FaceGain) -> bool:
    number = gain.over_static
    return number is not None and number.ci95 is not None and number.ci95[1] < 0
