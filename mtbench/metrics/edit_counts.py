"""Counts of edits: the additive statistic that every error rate follows from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EditCounts:
    """Edit operations of a minimal alignment of a hypothesis with its reference.

    Attributes
    ----------
    hits, substitutions, deletions, insertions : int
        Counts of words, characters or phones.

    Examples
    --------
    >>> counts = EditCounts(hits=2, substitutions=1, deletions=0, insertions=1)
    >>> counts.errors, counts.reference_length, round(counts.rate, 3)
    (2, 3, 0.667)
    """

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_length(self) -> int:
        """Number of units in the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Errors over reference length, a fraction that may exceed 1.

        With an empty reference the denominator is taken as 1: the rate is the number of insertions, and 0
        when nothing was hallucinated (the convention of jiwer 4).
        """
        return self.errors / max(1, self.reference_length)

    def __add__(self, other: EditCounts) -> EditCounts:
        return EditCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )
