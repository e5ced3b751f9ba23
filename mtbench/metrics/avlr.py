"""AVLR: audio-visual lip readability, and what a face adds to it.

Conventions
-----------
AVLR (audio-visual lip readability, from the MultiTalk paper) is the error rate of an audio-visual recognizer
that hears the clip in noise and sees the rendered mouth. ``avlr_gain`` is what the motion contributes:

    avlr_gain = WER(noisy audio, static face) - WER(noisy audio, rendered face)

on the same clips, the same mixtures and the same recognizer; positive when the motion helps. In points of
WER. The estimate is a difference of corpus rates with a common denominator, so its interval is a paired
one.
"""

from __future__ import annotations

from mtbench.metrics.base import Cell, CountedRow, RecognitionMetric
from mtbench.metrics.edit_counts import EditCounts


def gain_statistics(static: EditCounts, entry: EditCounts) -> tuple[int, int]:
    """Return numerator and denominator of ``avlr_gain`` of one clip.

    Parameters
    ----------
    static, entry : EditCounts
        Word edits of the same clip and mixture, seen with a static face and with the entry's.

    Returns
    -------
    (int, int)
        Errors avoided (negative: added), and words of the reference.

    Raises
    ------
    ValueError
        Where the references differ in length: the rows are not of the same clip.

    Examples
    --------
    >>> gain_statistics(EditCounts(2, 6, 0, 0), EditCounts(6, 2, 0, 0))
    (4, 8)
    """
    if static.reference_length != entry.reference_length:
        raise ValueError(
            f"static row has {static.reference_length} reference units, entry row {entry.reference_length}: "
            "rows of different clips or normalizers"
        )
    return static.errors - entry.errors, entry.reference_length


def _measure(row: CountedRow, static: CountedRow | None) -> Cell:
    if static is None:
        return "no result with a static face"
    if static.words is None or row.words is None:
        return row.reason or static.reason or "no result"
    numerator, denominator = gain_statistics(static.words, row.words)
    return float(numerator), float(denominator)


DEFINES = (
    RecognitionMetric(
        name="avlr_gain",
        title="drop in WER from a static face",
        unit="points",
        scale=100.0,
        higher_is_better=True,
        aggregation="corpus",
        overall="corpus",
        order=4,
        measure=_measure,
        beside_static=True,
        definition="WER with a face that never moves − WER with the entry's face, same clips and mixtures",
        source="this toolkit, on MultiTalk's AVLR",
        failures="As `wer`; where the true mouth does not help the recognizer, nothing does.",
    ),
)
