"""Confusions of classes of phones: which phones that were said came back as which, or not at all.

Conventions
-----------
Phones of reference and hypothesis are aligned with as few edits as possible; among such alignments one that
puts as few phones of different classes opposite each other as possible, so that a confusion is counted only
where it cannot be explained otherwise. Counts are summed over clips; a row says of all phones of a
class, how many were recognized as which class, or not at all (``"missed"``). Phones recognized where nothing was
said stand in the row ``"added"``. Classes are those of :mod:`mtbench.speech.viseme_classes` (by which phones are
aligned, too) or of :mod:`mtbench.speech.manner_classes`; a phone that is in none of them (another recognizer's) counts
as ``"other"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mtbench.errors import UsageError
from mtbench.speech import MANNER_CLASSES, VISEME_CLASSES, class_by_phone

MISSED, ADDED, OTHER = "missed", "added", "other"
_PHONES = {**VISEME_CLASSES, **MANNER_CLASSES}
#: Most cells of a table that an alignment needs: no utterance has so many phones.
_MOST_CELLS = 16_000_000

#: Classes that are made at the lips or the teeth, in plain view.
VISIBLE = ("PP", "FF", "WW", "TH", "CH", "oh", "uw", "oe")


@dataclass(frozen=True)
class ClassResult:
    """What became of the phones of one class.

    Attributes
    ----------
    phones : str
        Phones of the class, blanks between.
    n : int
        How many of them were said.
    right, missed : float or None
        Share that came back as the same class, and share that did not come back; None where none was said.
    """

    phones: str
    n: int
    right: float | None
    missed: float | None


@dataclass(frozen=True)
class Confusion:
    """Two classes of which one was taken for the other.

    Attributes
    ----------
    reference, recognized : str
        Names of the classes.
    share : float
        Share of the reference class's phones.
    count : int
        Number of phones.
    """

    reference: str
    recognized: str
    share: float
    count: int


@dataclass(frozen=True)
class Confusions:
    """Counts of reference classes against recognized ones.

    Attributes
    ----------
    rows : tuple of str
        Reference classes, then ``"added"``.
    columns : tuple of str
        Recognized classes, then ``"missed"``.
    counts : (R, C) int64
        Number of phones.
    n_clips, n_skipped : int
        Clips that entered, and clips without reference phones.
    """

    JSON_KEYS: ClassVar[tuple[str, ...]] = (
        *("rows", "columns", "counts", "classes", "largest", "n_clips", "n_skipped"),
    )

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: np.ndarray
    n_clips: int
    n_skipped: int

    @property
    def shares(self) -> np.ndarray:
        """(R, C) each row in shares of its sum; NaN in rows without a phone."""
        total = self.counts.sum(axis=1, keepdims=True)
        return self.counts / np.where(total > 0, total, np.nan)

    @property
    def classes(self) -> dict[str, ClassResult]:
        """What became of each class, by its name."""
        shares = self.shares
        return {
            row: ClassResult(
                phones=" ".join(_PHONES.get(row, ())),
                n=int(self.counts[i].sum()),
                right=_share(shares[i, self.columns.index(row)]),
                missed=_share(shares[i, -1]),
            )
            for i, row in enumerate(self.rows[:-1])
        }

    @property
    def largest(self) -> tuple[Confusion, ...]:
        """The twelve largest confusions of two classes, missed phones aside, largest first."""
        shares = self.shares
        pairs = [
            Confusion(row, column, float(shares[i, j]), int(self.counts[i, j]))
            for i, row in enumerate(self.rows[:-1])
            for j, column in enumerate(self.columns[:-1])
            if row != column and self.counts[i, j]
        ]
        return tuple(sorted(pairs, key=lambda pair: (-pair.share, pair.reference, pair.recognized))[:12])


def name_class(phone: str) -> str:
    """Return the viseme class of *phone*.

    Examples
    --------
    >>> name_class("b"), name_class("?")
    ('PP', 'other')
    """
    return class_by_phone().get(phone, OTHER)


def align_phones(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Return pairs (reference phone, recognized phone) of a minimal alignment; None where one has no partner.

    Among alignments with the fewest edits one with the fewest substitutions across classes is taken, and of
    those always the same.

    Examples
    --------
    >>> align_phones("pat", "ba")
    [('p', 'b'), ('a', 'a'), ('t', None)]
    """
    n, m = len(reference), len(hypothesis)
    if (n + 1) * (m + 1) > _MOST_CELLS:
        raise UsageError(f"{n} phones against {m}: more than an utterance has; was the row edited by hand?")
    # One edit costs more than all crossings of classes that an alignment can hold.
    edit = n + m + 1
    prices = _price_pairs(reference, hypothesis, edit)
    steps = edit * np.arange(m + 1)
    cost = np.zeros((n + 1, m + 1), dtype=np.int64)
    cost[0] = steps
    for i in range(1, n + 1):
        above = cost[i - 1] + edit
        above[1:] = np.minimum(above[1:], cost[i - 1, :-1] + prices[i - 1])
        cost[i] = np.minimum.accumulate(above - steps) + steps
    pairs: list[tuple[str | None, str | None]] = []
    i, j = n, m
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + prices[i - 1, j - 1]:
            i, j = i - 1, j - 1
            pairs.append((reference[i], hypothesis[j]))
        elif i and cost[i, j] == cost[i - 1, j] + edit:
            i -= 1
            pairs.append((reference[i], None))
        else:
            j -= 1
            pairs.append((None, hypothesis[j]))
    return pairs[::-1]


def _price_pairs(reference: Sequence[str], hypothesis: Sequence[str], edit: int) -> np.ndarray:
    """(n, m) int64: 0 for equal phones, an edit for others of a class, one more across classes."""
    numbers: dict[str, int] = {}
    said, heard = (
        np.array([numbers.setdefault(phone, len(numbers)) for phone in phones], dtype=np.int64)
        for phones in (reference, hypothesis)
    )
    kinds: dict[str, int] = {}
    kind = np.array([kinds.setdefault(name_class(phone), len(kinds)) for phone in numbers], dtype=np.int64)
    differ = said[:, None] != heard[None]
    return np.where(differ, edit + (kind[said][:, None] != kind[heard][None]), 0)


def count_confusions(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> Confusions:
    """Return the confusions of viseme classes over clips.

    Parameters
    ----------
    references, hypotheses : sequence of sequences of str
        Phones per clip; clips without reference phones are skipped and counted. A clip whose hypothesis is
        empty has all its phones missed.
    """
    alignments = [align_phones(r, h) for r, h in zip(references, hypotheses, strict=True) if r]
    return count_pairs(alignments, n_skipped=len(references) - len(alignments))


def count_pairs(
    alignments: Iterable[Sequence[tuple[str | None, str | None]]],
    classes: Mapping[str, Sequence[str]] = VISEME_CLASSES,
    n_skipped: int = 0,
) -> Confusions:
    """Return the confusions of *classes* in *alignments*, one a clip, as :func:`align_phones` gives them.

    Parameters
    ----------
    alignments : iterable of sequences of pairs
    classes : mapping of str to sequence of str
        Phones by class; a phone that is in none is ``"other"``.
    n_skipped : int
        Clips that have none.
    """
    named = {phone: name for name, phones in classes.items() for phone in phones}
    counts: dict[tuple[str, str], int] = {}
    n_clips = 0
    for pairs in alignments:
        n_clips += 1
        for said, recognized in pairs:
            key = (
                ADDED if said is None else named.get(said, OTHER),
                MISSED if recognized is None else named.get(recognized, OTHER),
            )
            counts[key] = counts.get(key, 0) + 1
    names = [*classes, *([OTHER] if any(OTHER in key for key in counts) else [])]
    rows, columns = (*names, ADDED), (*names, MISSED)
    matrix = np.array([[counts.get((r, c), 0) for c in columns] for r in rows], dtype=np.int64)
    return Confusions(rows, columns, matrix, n_clips, n_skipped)


def _share(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
