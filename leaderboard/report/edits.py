"""Sections about edits: what the errors of texts are made of, from the counts of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.conditions import Condition
from mtbench.leaderboard.report.document import Cell, Sheet, Text
from mtbench.leaderboard.report.numbers import name_condition, name_units, rate_of
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.metrics import EditCounts
from mtbench.results import RecognitionRow

KINDS = ("substitutions", "deletions", "insertions")


@dataclass(frozen=True)
class Decomposition:
    """What the errors of one entry under one condition are made of; *entry* None is sound alone."""

    entry: Entry | None
    condition: Condition
    counts: EditCounts
    n_clips: int

    def share(self, kind: str) -> float:
        """Return edits of a kind in per cent of what was said."""
        return 100 * getattr(self.counts, kind) / max(1, self.counts.reference_length)


def counts_of(group: Group, row: RecognitionRow) -> EditCounts | None:
    """Return the edits that the headline rate counts."""
    return row.chars if rate_of(group, row.language) == "cer" else row.words


def add_counts(found: Sequence[EditCounts]) -> EditCounts:
    """Return the sum of counts."""
    return sum(found, EditCounts(0, 0, 0, 0))


def decompose(group: Group, language: str) -> list[Decomposition]:
    """Return the decompositions under every condition, noises pooled, sound alone before the entries."""
    conditions = [Condition("av", snr, "all") for snr in group.snrs] + [Condition("av"), Condition("v")]
    out = []
    for condition in conditions:
        sound = condition.sound
        cases: list[tuple[Entry | None, Condition]] = [] if sound is None else [(None, sound)]
        cases += [(entry, condition) for entry in group.entries]
        for entry, shown in cases:
            rows = (entry or group.entries[0]).heard(language, shown)
            counted = [(row.clip, counts) for row in rows if (counts := counts_of(group, row)) is not None]
            if counted:
                total = add_counts([counts for _, counts in counted])
                out.append(Decomposition(entry, condition, total, len({clip for clip, _ in counted})))
    return out


def tabulate_edits(group: Group, language: str, found: Sequence[Decomposition], name: str = "edits") -> Sheet:
    """Return a table of decompositions."""
    units = name_units(group, language)
    rows, records = [], []
    several = len({part.condition for part in found}) > 1
    for part in found:
        who: Text = ("sound alone",) if part.entry is None else part.entry.title
        shares = [part.share(kind) for kind in KINDS]
        rows.append(
            (
                Cell(who, name_condition(part.condition) if several else "", number=False),
                Cell((f"{part.counts.reference_length}",)),
                *(
                    Cell((f"{share:.1f}",), f"{getattr(part.counts, kind)}")
                    for kind, share in zip(KINDS, shares, strict=True)
                ),
                Cell((f"{100 * part.counts.errors / max(1, part.counts.reference_length):.1f}",)),
            )
        )
        records.append(
            (
                "sound alone" if part.entry is None else part.entry.name,
                language,
                *(part.condition.modality if part.entry is not None else "a", part.condition.snr_db),
                *(units, part.counts.reference_length, part.counts.hits),
                *(getattr(part.counts, kind) for kind in KINDS),
                part.n_clips,
            )
        )
    notes: list[Text] = []
    if group.first.averaging.mean != "corpus":
        notes.append(("The run's rates are means over clips; edits are summed over clips here.",))
    where = "" if several or not found else f"{name_condition(found[0].condition)}, all noises: "
    return Sheet(
        name,
        (f"{where}edits in % of the {units} that were said, and their number",),
        (("",), (f"{units} said",), ("substituted",), ("left out",), ("added",), ("all errors",)),
        tuple(rows),
        ("system", "language", "modality", "snr_db", "unit", "said", "hits", *KINDS, "n_clips"),
        tuple(records),
        tuple(notes),
    )
