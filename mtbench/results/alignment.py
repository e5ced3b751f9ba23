"""Texts against each other, unit by unit: which words were recognized, exchanged, left out or added.

Conventions
-----------
The alignment is the one that errors are counted by (jiwer's, after the run's normalizer), so the edits that are shown
are those of the counts. Units are words, or characters where the headline rate is that of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.results.rows import RecognitionRow
from mtbench.speech import DEFAULT_NORMALIZER, get_normalizer

#: First code point of a private-use plane: no unit is mistaken for white space.
_FIRST = 0xF0000


@dataclass(frozen=True)
class AlignedUnit:
    """A word or character of the reference beside what was recognized for it.

    Attributes
    ----------
    said, heard : str or None
        None where the other one has no partner.
    """

    said: str | None
    heard: str | None

    @property
    def kind(self) -> str:
        """One of ``"hit"``, ``"substitution"``, ``"deletion"``, ``"insertion"``."""
        if self.said is None:
            return "insertion"
        if self.heard is None:
            return "deletion"
        return "hit" if self.said == self.heard else "substitution"


def align_units(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[AlignedUnit, ...]:
    """Return a minimal alignment of two sequences of units.

    Examples
    --------
    >>> [unit.kind for unit in align_units("the green kettle".split(), "the cattle".split())]
    ['hit', 'substitution', 'deletion']
    """
    import jiwer

    if not reference or not hypothesis:
        return tuple(AlignedUnit(u, None) for u in reference) + tuple(
            AlignedUnit(None, u) for u in hypothesis
        )
    code = {unit: chr(_FIRST + i) for i, unit in enumerate(dict.fromkeys((*reference, *hypothesis)))}
    coded = ["".join(code[u] for u in units) for units in (reference, hypothesis)]
    out: list[AlignedUnit] = []
    for chunk in jiwer.process_characters(coded[0], coded[1]).alignments[0]:
        said = reference[chunk.ref_start_idx : chunk.ref_end_idx]
        heard = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
        if chunk.type == "delete":
            out += [AlignedUnit(unit, None) for unit in said]
        elif chunk.type == "insert":
            out += [AlignedUnit(None, unit) for unit in heard]
        else:
            out += [AlignedUnit(a, b) for a, b in zip(said, heard, strict=True)]
    return tuple(out)


def align_row(
    row: RecognitionRow, rate: str = "wer", normalizer: str = DEFAULT_NORMALIZER
) -> tuple[AlignedUnit, ...] | None:
    """Return the alignment of a row's texts; None where nothing was recognized.

    Parameters
    ----------
    row : RecognitionRow
    rate : {"wer", "cer"}
        Whether words or characters are units.
    normalizer : str
        The run's, see :mod:`mtbench.speech.normalizers`.

    Raises
    ------
    UsageError
        For an unknown normalizer.

    Examples
    --------
    >>> row = RecognitionRow("c", "eng", "s", "v", "entry", None, None, "Don't!", "don t", reason="new")
    >>> [(unit.said, unit.heard) for unit in align_row(row)]
    [(None, 'don'), ("don't", 't')]
    """
    if row.hypothesis is None:
        return None
    normal = get_normalizer(normalizer)
    split = normal.characters if rate == "cer" else normal.words
    return align_units(split(row.reference, row.language), split(row.hypothesis, row.language))
