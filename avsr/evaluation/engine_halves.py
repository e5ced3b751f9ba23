"""The model card's part on held-out speech engines: which voices a figure is of, and which half of their clips.

Conventions
-----------
Rows are those of :func:`mtbench.avsr.evaluation.error_table.evaluate` under the conditions that
:func:`mtbench.avsr.evaluation.conditions.list_conditions` gives with ``halves=True``; the table is in
per cent, Markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mtbench.avsr.evaluation.conditions import ENGINES_ALL, HALVES, list_conditions
from mtbench.avsr.evaluation.error_rows import ErrorRow

HEADING = "## Held-out engines: which voices, which half"
_TEXT = """Voices *that ship* are those of `openhead-engines`, in English, Russian and Catalan; *all* adds the Italian,
Czech and Hindi ones of `openhead-engines-all`, which are cut from recordings under the GPL and therefore built on
demand (`mtbench benchmark build openhead-engines --all`). `docs/sound-licenses.md` says which voice is which.
Checkpoints may be chosen on the *development* half; the other tables of this card are of the *test* half. Means are
over languages: those of three and those of six are not to be compared."""
_WHAT = {"engines": "held-out engine", "both": "held-out engine × held-out articulation"}


def split_halves(rows: Sequence[ErrorRow]) -> tuple[list[ErrorRow], list[ErrorRow]]:
    """Return the rows that belong into every table, and those of the development half and of both halves together."""
    beside = tuple(f"{prefix}-" for prefix, half in HALVES.items() if half != "test")
    return (
        [row for row in rows if not row.condition.startswith(beside)],
        [row for row in rows if row.condition.startswith(beside)],
    )


def describe_engines(rows: Sequence[ErrorRow], title: Callable[[str], str]) -> str:
    """Return the part as Markdown: a heading, what its words mean, and a line for voices and half of each condition.

    Parameters
    ----------
    rows : sequence of ErrorRow
        Of all halves; what was not measured is a line with ``n/a``.
    title : callable
        From the name of a condition, e.g. ``"av-clean"``, to how tables call it.
    """
    means = {row.condition: row for row in rows if row.language == "all"}
    lines = [
        "| condition | voices | half | clips | phone error | word error |",
        "|---|---|---|---:|---:|---:|",
    ]
    for asked in (c for c in list_conditions() if c.half is not None):
        rest = asked.name.partition("-")[2]
        what = f"{_WHAT[rest.partition('-')[0]]}, {title(asked.condition.name)}"
        voices = "all" if asked.corpus == ENGINES_ALL else "that ship"
        for prefix, half in HALVES.items():
            row = means.get(f"{prefix}-{rest}", ErrorRow(f"{prefix}-{rest}", "all"))
            rates = " | ".join("n/a" if v is None else f"{100 * v:.2f}" for v in (row.per, row.wer))
            lines.append(f"| {what} | {voices} | {half or 'both'} | {row.n_clips} | {rates} |")
    return "\n\n".join([HEADING, _TEXT, "\n".join(lines)])
