"""Sections about phones: what became of each viseme and each class of sounds, and of the closures of p, b and m.

Conventions
-----------
Phones that were said are aligned with those that were recognized (:mod:`mtbench.results.confusions`); a class's share
is of its phones that came back as a phone of the same class. Noises are pooled, so a phone counts once in each.
Closures of the lips themselves are counted where a score measured them (:mod:`mtbench.metrics.closures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.leaderboard.report.document import Block, Cell, Code, Paragraph, Sheet, Text
from mtbench.leaderboard.report.numbers import find_cell, name_condition
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.results import Confusions, align_phones, count_pairs
from mtbench.speech import MANNER_CLASSES, VISEME_CLASSES

#: Kinds of classes: name in files, phones by class, what they are.
CLASSES = {
    "visemes": (VISEME_CLASSES, "Classes of phones that look alike, from spread vowels to the throat"),
    "sounds": (MANNER_CLASSES, "Classes of phones by manner of articulation"),
}
MEASURE_CLOSURES = "mtbench score SUBMISSION --metrics closure_recall,false_closures"
BILABIALS = frozenset(VISEME_CLASSES["PP"])

_Pairs = list[tuple[str | None, str | None]]


@dataclass(frozen=True)
class Heard:
    """What became of phones under a condition; *entry* None is sound alone.

    Attributes
    ----------
    entry : Entry or None
    condition : Condition
    alignments : sequence of pairs
        One a row.
    n_skipped : int
        Rows without phones on either side.
    """

    entry: Entry | None
    condition: Condition
    alignments: Sequence[_Pairs]
    n_skipped: int

    def confusions(self, kind: str) -> Confusions:
        """Return the confusions of a kind of :data:`CLASSES`."""
        return count_pairs(self.alignments, CLASSES[kind][0], self.n_skipped)

    @property
    def bilabials(self) -> tuple[int, int, int]:
        """How many p, b and m were said, recognized as one of them, and recognized where none was said."""
        pairs = [pair for alignment in self.alignments for pair in alignment]
        said = [pair for pair in pairs if pair[0] in BILABIALS]
        hit = sum(heard in BILABIALS for _, heard in said)
        return len(said), hit, sum(heard in BILABIALS and said not in BILABIALS for said, heard in pairs)


def hear_phones(group: Group, language: str, condition: Condition) -> list[Heard]:
    """Return what became of phones, sound alone first; entries without any phones are left out."""
    cases: list[tuple[Entry | None, Condition]] = []
    if condition.sound is not None:
        cases.append((None, condition.sound))
    cases += [(entry, condition) for entry in group.entries]
    out = []
    for entry, shown in cases:
        alignments, skipped = [], 0
        for row in (entry or group.entries[0]).heard(language, shown):
            found = None
            if row.reference_phones and row.hypothesis_phones is not None:
                found = _align(row.reference_phones, row.hypothesis_phones)
            if found is None:
                skipped += 1
            else:
                alignments.append(found)
        if alignments:
            out.append(Heard(entry, condition, alignments, skipped))
    return out


@lru_cache(maxsize=65536)
def _align(reference: tuple[str, ...], hypothesis: tuple[str, ...]) -> _Pairs | None:
    try:
        return align_phones(reference, hypothesis)
    except UsageError:  # more phones than an utterance has
        return None


def tabulate_classes(kind: str, heard: Sequence[Heard], language: str) -> Sheet:
    """Return the table of classes: how many were said, and what share came back."""
    counted = [part.confusions(kind).classes for part in heard]
    names = [name for name in counted[0] if any(found[name].n for found in counted if name in found)]
    rows, records = [], []
    for name in names:
        phones = counted[0][name].phones
        cells = []
        for part, found in zip(heard, counted, strict=True):
            one = found.get(name)
            if one is None or one.right is None or one.missed is None:
                cells.append(Cell(("n/a",)))
                continue
            cells.append(Cell((f"{100 * one.right:.0f}",), f"{100 * one.missed:.0f} missed"))
            who = "sound alone" if part.entry is None else part.entry.name
            modality = "a" if part.entry is None else part.condition.modality
            records.append(
                (who, language, modality, part.condition.snr_db, name, phones, one.n, one.right, one.missed)
            )
        rows.append((Cell((name,), phones, False), Cell((f"{counted[0][name].n}",)), *cells))
    where = name_condition(heard[-1].condition)
    skipped = max(part.n_skipped for part in heard)
    notes: list[Text] = [(f"{skipped} of the rows have no phones and are left out.",)] if skipped else []
    return Sheet(
        kind if heard[-1].condition.modality != "v" else f"{kind}-v",
        (
            f"{CLASSES[kind][1]}. {where}: share that came back as the same class, %, and share that did not come "
            "back at all",
        ),
        (("class",), ("said",), *(("sound alone",) if p.entry is None else p.entry.title for p in heard)),
        tuple(rows),
        ("system", "language", "modality", "snr_db", "class", "phones", "said", "right", "missed"),
        tuple(records),
        tuple(notes),
    )


def tabulate_lips(group: Group, language: str) -> Sheet | None:
    """Return the closures that the lips themselves make; None where no entry was measured."""
    rows, records = [], []
    for entry in group.entries:
        totals = _sum_closures(entry, language)
        if totals is None:
            continue
        made, closures, shut, vowels = totals
        recall, false = (
            find_cell(entry, metric, Condition(), language) for metric in ("closure_recall", "false_closures")
        )
        rows.append(
            (
                Cell(entry.title, number=False),
                Cell((f"{closures}",)),
                Cell((f"{made}",), _percent(recall)),
                Cell((f"{closures - made}",)),
                Cell((f"{vowels}",)),
                Cell((f"{shut}",), _percent(false)),
            )
        )
        records.append((entry.name, language, closures, made, closures - made, vowels, shut))
    if not rows:
        return None
    return Sheet(
        "lip-closures",
        ("What the lips do: p, b and m during which they close, and open vowels in which they are shut",),
        (("",), ("p, b, m",), ("closed",), ("missed",), ("open vowels",), ("shut",)),
        tuple(rows),
        ("system", "language", "closures", "made", "missed", "open_vowels", "shut"),
        tuple(records),
    )


def _sum_closures(entry: Entry, language: str) -> tuple[int, int, int, int] | None:
    totals, found = [0.0] * 4, False
    for row in entry.moved(language):
        for place, name in enumerate(("closures_made", "closures", "vowels_shut", "open_vowels")):
            value = None if row.alone is None else row.alone.statistics.get(name)
            if value is not None:
                totals[place] += value
                found = True
    made, closures, shut, vowels = (round(total) for total in totals)
    return (made, closures, shut, vowels) if found else None


def _percent(number: object) -> str:
    estimate = getattr(number, "estimate", None)
    return "" if estimate is None else f"{estimate:.1f} %"


def tabulate_bilabials(heard: Sequence[Heard], language: str) -> Sheet:
    """Return which p, b and m the recognizer recognized."""
    rows, records = [], []
    for part in heard:
        said, hit, false = part.bilabials
        who: Text = ("sound alone",) if part.entry is None else part.entry.title
        share = f"{100 * hit / said:.0f} %" if said else ""
        remark = name_condition(part.condition)
        if part.entry is None and part.condition.sound is not None:
            remark = name_condition(part.condition.sound)
        rows.append(
            (
                Cell(who, remark, number=False),
                Cell((f"{said}",)),
                Cell((f"{hit}",), share),
                Cell((f"{said - hit}",)),
                Cell((f"{false}",)),
            )
        )
        modality = "a" if part.entry is None else part.condition.modality
        records.append(
            (to_name(part), language, modality, part.condition.snr_db, said, hit, said - hit, false)
        )
    return Sheet(
        "bilabials",
        (
            "What the recognizer reads: p, b, m that came back as one of them, that did not, and where none was said",
        ),
        (("",), ("p, b, m said",), ("recognized",), ("missed",), ("false",)),
        tuple(rows),
        ("system", "language", "modality", "snr_db", "said", "recognized", "missed", "false"),
        tuple(records),
        (("In every noise each clip counts once.",),),
    )


def to_name(part: Heard) -> str:
    """Return whose phones they are."""
    return "sound alone" if part.entry is None else part.entry.name


def explain_closures(lips: Sheet | None, group: Group) -> Block | None:
    """Say how closures of the lips are measured, where some entry lacks them."""
    missing = [e for e in group.entries if not any(row.metric == "closure_recall" for row in e.run.summary)]
    if not missing:
        return None
    whose = "These results hold"
    if lips is not None:
        whose = f"{len(missing)} of these results hold{'s' if len(missing) == 1 else ''}"
    return Paragraph(
        (
            f"{whose} no closures of the lips themselves. They are measured on request: ",
            Code(MEASURE_CLOSURES),
            ".",
        ),
        "quiet",
    )
