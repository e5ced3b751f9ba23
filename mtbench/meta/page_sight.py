"""Section of the report's page on whether the recognizer reads the benchmark's true motion.

Conventions
-----------
As in :mod:`mtbench.meta.report_page`; the measurement is :class:`mtbench.results.Sight`.
"""

from __future__ import annotations

from html import escape
from typing import Any

from mtbench.meta.page_parts import format_number, make_table, mark
from mtbench.meta.report_data import Report

#: Rows of the table: their titles, and names of the numbers with sound and without; ``""`` where there is none.
_ROWS = (
    ("the true mouth", ("true", "v.true")),
    ("one that never moves", ("static", "")),
    ("that of another clip", ("shuffled", "v.shuffled")),
    ("one that never moves - the true one, points", ("static-true", "")),
    ("that of another clip - the true one, points", ("shuffled-true", "v.shuffled-true")),
    ("percentile of the true one among other clips' by probability (chance 50)", ("", "percentile")),
    ("the true one is first among them, %", ("", "first")),
)


def show_sight(report: Report) -> str:
    """Return the numbers by which the true motion beats its controls or does not; empty where nobody looked."""
    sight = report.sight
    if sight is None:
        return ""
    if sight.reason is not None:
        return f"<p>{escape(sight.describe())}.</p>"
    text = (
        f"<p>{escape(sight.recognizer)} was shown the true mouths of {sight.n_clips} clips beside still ones and those "
        "of other clips. It reads the motion where the true ones are better with sound by both differences, and "
        "without sound by their rank, each with its whole interval.</p>"
    )
    rows: list[tuple[Any, ...]] = [
        (title, *(format_number(sight.numbers.get(name), 1) for name in names)) for title, names in _ROWS
    ]
    rows.append(("the true motion is read", mark(sight.reads), ""))
    return text + make_table((f"error in % of {sight.counted}", str(sight.condition), "without sound"), rows)
