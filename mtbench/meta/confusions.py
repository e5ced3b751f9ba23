"""Confusions of viseme classes that are recognized from video alone.

Conventions
-----------
Phones of reference and hypothesis are aligned with as few edits as possible; among such alignments one that
puts as few phones of different classes opposite each other as possible, so that a confusion is counted only
where it cannot be explained otherwise. Counts are summed over clips; a row says of all phones of a
class, how many were recognized as which class, or not at all (``"missed"``). Phones recognized where nothing was
said stand in the row ``"added"``. Classes are those of :mod:`mtbench.meta.viseme_classes`; a phone that is in none
of them (another recognizer's) counts as ``"other"``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mtbench.errors import UsageError
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.meta.viseme_classes import VISEME_CLASSES, class_by_phone

MISSED, ADDED, OTHER = "missed", "added", "other"

#: Classes that are made at the lips or the teeth, in plain view.
VISIBLE = ("PP", "FF", "WW", "TH", "CH", "oh", "uw", "oe")


@dataclass(frozen=True)
class ClassResult:
    """What became of the phones of one viseme class.

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
                phones=" ".join(VISEME_CLASSES.get(row, ())),
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
    # One edit costs more than all crossings of classes that an alignment can hold.
    edit = len(reference) + len(hypothesis) + 1
    n, m = len(reference), len(hypothesis)
    cost = np.zeros((n + 1, m + 1), dtype=np.int64)
    cost[:, 0], cost[0] = edit * np.arange(n + 1), edit * np.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost[i, j] = min(
                cost[i - 1, j - 1] + _price(reference[i - 1], hypothesis[j - 1], edit),
                cost[i - 1, j] + edit,
                cost[i, j - 1] + edit,
            )
    pairs: list[tuple[str | None, str | None]] = []
    i, j = n, m
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + _price(reference[i - 1], hypothesis[j - 1], edit):
            i, j = i - 1, j - 1
            pairs.append((reference[i], hypothesis[j]))
        elif i and cost[i, j] == cost[i - 1, j] + edit:
            i -= 1
            pairs.append((reference[i], None))
        else:
            j -= 1
            pairs.append((None, hypothesis[j]))
    return pairs[::-1]


def _price(a: str, b: str, edit: int) -> int:
    if a == b:
        return 0
    return edit + (name_class(a) != name_class(b))


def count_confusions(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> Confusions:
    """Return the confusions of viseme classes over clips.

    Parameters
    ----------
    references, hypotheses : sequence of sequences of str
        Phones per clip; clips without reference phones are skipped and counted. A clip whose hypothesis is
        empty has all its phones missed.
    """
    counts: dict[tuple[str, str], int] = {}
    n_skipped = 0
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        if not reference:
            n_skipped += 1
            continue
        for said, recognized in align_phones(reference, hypothesis):
            key = (
                ADDED if said is None else name_class(said),
                MISSED if recognized is None else name_class(recognized),
            )
            counts[key] = counts.get(key, 0) + 1
    names = [*VISEME_CLASSES, *([OTHER] if any(OTHER in key for key in counts) else [])]
    rows, columns = (*names, ADDED), (*names, MISSED)
    matrix = np.array([[counts.get((r, c), 0) for c in columns] for r in rows], dtype=np.int64)
    return Confusions(rows, columns, matrix, len(references) - n_skipped, n_skipped)


def confuse_ground_truth(scores: MetaScores, condition: str = "v") -> Confusions:
    """Return what the recognizer confuses in the ground truth under *condition*.

    Raises
    ------
    UsageError
        Where the scores hold no such hypotheses.
    """
    hypotheses = scores.hypotheses.get((GROUND_TRUTH, condition))
    if hypotheses is None:
        raise UsageError(
            f"no recognized phones of the ground truth under condition {condition!r}; the scores hold "
            f"{', '.join(' '.join(key) for key in scores.hypotheses) or 'none'}"
        )
    return count_confusions(scores.references, hypotheses)


def _share(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
