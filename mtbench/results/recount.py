"""From hypotheses to recognition rows with counts.

Conventions
-----------
Raw texts are kept in the row and normalised for counting only, so that :func:`remeasure` can apply another
normalizer without recognizing again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mtbench.avsr.base import Hypothesis
from mtbench.metrics.cer import count_character_edits
from mtbench.metrics.per import count_phone_edits
from mtbench.metrics.wer import count_word_edits
from mtbench.results.rows import RecognitionRow
from mtbench.speech.normalizers import DEFAULT_NORMALIZER


def measure_recognition(
    *,
    clip: str,
    language: str,
    source: str,
    modality: str,
    face: str | None,
    snr_db: float | None,
    noise: str | None,
    reference: str,
    hypothesis: Hypothesis | None,
    reference_phones: Sequence[str] | None = None,
    reason: str | None = None,
    normalizer: str = DEFAULT_NORMALIZER,
) -> RecognitionRow:
    """Return the row of one clip under one condition, with its counts.

    Parameters
    ----------
    clip, language, source, modality, face, snr_db, noise, reference
        As in :class:`mtbench.results.rows.RecognitionRow`.
    hypothesis : Hypothesis or None
        What was recognized; None with a *reason* gives a row without counts (``n/a``).
    reference_phones : sequence of str or None
        IPA phones of the reference, where the benchmark has them.
    reason : str or None
        Why there is no hypothesis, e.g. ``"language not covered by the recognizer"``.
    normalizer : str
        Name, see :mod:`mtbench.speech.normalizers`.

    Returns
    -------
    RecognitionRow

    Examples
    --------
    >>> row = measure_recognition(
    ...     clip="ita-01", language="ita", source="s1", modality="a", face=None, snr_db=-7.5, noise="music",
    ...     reference="Ogni individuo ha diritto.", hypothesis=Hypothesis("ogni ha diritto"),
    ... )
    >>> row.words
    EditCounts(hits=3, substitutions=0, deletions=1, insertions=0)
    """
    row = RecognitionRow(
        clip=clip,
        language=language,
        source=source,
        modality=modality,
        face=face,
        snr_db=snr_db,
        noise=noise,
        reference=reference,
        hypothesis=None if hypothesis is None else hypothesis.text,
        reference_phones=None if reference_phones is None else tuple(reference_phones),
        hypothesis_phones=None
        if hypothesis is None or hypothesis.phones is None
        else tuple(hypothesis.phones),
        reason=reason if hypothesis is None else "not measured yet",
    )
    return row if hypothesis is None else remeasure(row, normalizer)


def remeasure(row: RecognitionRow, normalizer: str = DEFAULT_NORMALIZER) -> RecognitionRow:
    """Return *row* counted anew with *normalizer*; a row without a hypothesis comes back as it is.

    Examples
    --------
    >>> row = RecognitionRow("c", "eng", "s", "v", "entry", None, None, "Don't!", "don t", reason="new")
    >>> remeasure(row).words.errors
    2
    """
    if row.hypothesis is None:
        return row
    return replace(
        row,
        words=count_word_edits(row.reference, row.hypothesis, row.language, normalizer),
        chars=count_character_edits(row.reference, row.hypothesis, row.language, normalizer),
        phones=count_phone_edits(row.reference_phones, row.hypothesis_phones),
        reason=None,
    )
