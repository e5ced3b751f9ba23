"""Sections about clips: how errors are spread over them, and the best and worst with their words aligned.

Conventions
-----------
A clip's rate is its errors over its words (or characters), noises pooled: the mean over clips is the run's own
``macro-clip`` number. Where a run averages clips, each clip's rate is the mean over noises instead, as in the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.conditions import Condition
from mtbench.leaderboard.report.document import AlignedText, Block, Cell, Fold, Name, Paragraph, Sheet, Text
from mtbench.leaderboard.report.edits import add_counts, counts_of
from mtbench.leaderboard.report.numbers import name_condition, name_rate, name_units, rate_of
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.results import RecognitionRow, align_row

#: How many of the best and of the worst clips are shown.
SHOWN = 3
#: Most units of an alignment that is shown.
MOST_UNITS = 120


@dataclass(frozen=True)
class ClipRate:
    """A clip's error rate under a condition, per cent, and the rows that it follows from."""

    clip: str
    rate: float
    errors: int
    length: int
    rows: tuple[RecognitionRow, ...]


def rate_clips(group: Group, entry: Entry, language: str, condition: Condition) -> list[ClipRate]:
    """Return the rate of every clip that has one in all noises, lowest first."""
    by_clip: dict[str, list[RecognitionRow]] = {}
    for row in entry.heard(language, condition):
        by_clip.setdefault(row.clip, []).append(row)
    out = []
    for clip, rows in by_clip.items():
        counts = [counts_of(group, row) for row in rows]
        known = [found for found in counts if found is not None]
        if len(known) < len(rows):
            continue
        total = add_counts(known)
        rate = total.rate
        if group.first.averaging.mean != "corpus":
            rate = float(np.mean([found.rate for found in known]))
        out.append(ClipRate(clip, 100 * rate, total.errors, total.reference_length, tuple(rows)))
    return sorted(out, key=lambda one: (one.rate, one.clip))


def tabulate_spread(
    group: Group, language: str, condition: Condition, rates: Sequence[tuple[Entry, Sequence[ClipRate]]]
) -> Sheet:
    """Return the table of how rates are spread over clips."""
    rows, records = [], []
    for entry, found in rates:
        values = np.array([one.rate for one in found])
        quartiles = np.quantile(values, (0, 0.25, 0.5, 0.75, 1)) if len(values) else [None] * 5
        rows.append(
            (
                Cell(entry.title, number=False),
                Cell((f"{len(values)}",)),
                Cell(("n/a" if not len(values) else f"{values.mean():.1f}",)),
                *(Cell(("n/a" if value is None else f"{value:.1f}",)) for value in quartiles),
                Cell((f"{int((values == 0).sum())}",)),
                Cell((f"{int((values >= 100).sum())}",)),
            )
        )
        records += [
            (
                entry.name,
                language,
                condition.modality,
                condition.snr_db,
                one.clip,
                one.rate,
                one.errors,
                one.length,
            )
            for one in found
        ]
    return Sheet(
        "clips",
        (f"{name_rate(group, language).capitalize()} of single clips, %, {name_condition(condition)}",),
        (
            *(("",), ("clips",), ("mean",), ("least",), ("quartile",), ("median",), ("quartile",), ("most",)),
            *(("no error",), ("100 % or more",)),
        ),
        tuple(rows),
        ("system", "language", "modality", "snr_db", "clip", "rate", "errors", name_units(group, language)),
        tuple(records),
    )


def show_extremes(
    group: Group, language: str, condition: Condition, rates: Sequence[tuple[Entry, Sequence[ClipRate]]]
) -> list[Block]:
    """Return the best and the worst clips of every entry, with their words aligned."""
    out: list[Block] = []
    for entry, found in rates:
        if not found:
            continue
        number = min(SHOWN, max(len(found) // 3, len(found) > 1))
        parts = (
            [("Best", found[:number]), ("Worst", found[::-1][:number])]
            if number
            else [("The only clip", found)]
        )
        blocks: list[Block] = []
        for title, chosen in parts:
            for one in chosen:
                blocks += _show_clip(group, title, one, language)
        out.append(Fold((*entry.title, ": ", _describe_range(found)), tuple(blocks)))
    return out


def _describe_range(found: Sequence[ClipRate]) -> str:
    if len(found) == 1:
        return f"one clip, {found[0].rate:.0f} %"
    return f"from {found[0].rate:.0f} to {found[-1].rate:.0f} %"


def _show_clip(group: Group, title: str, one: ClipRate, language: str) -> list[Block]:
    rate = rate_of(group, language)
    head: Text = (f"{title}: ", Name(one.clip), f", {one.rate:.0f} %")
    out: list[Block] = [Paragraph(head, "clip")]
    for row in one.rows:
        units = align_row(row, rate, group.normalizer) or ()
        counts = counts_of(group, row)
        errors = "" if counts is None else f"{counts.errors} of {counts.reference_length} wrong"
        heard: Text = ("clean: ",) if row.noise is None else (Name(row.noise), ": ")
        if row.modality == "v":
            heard = ("no sound: ",)
        out.append(
            AlignedText(
                (*heard, errors), language, units[:MOST_UNITS], rate == "cer", max(0, len(units) - MOST_UNITS)
            )
        )
    return out
