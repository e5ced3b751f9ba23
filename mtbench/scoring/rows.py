"""From hypotheses to the rows of a result."""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.avsr import Hypothesis
from mtbench.results import RecognitionRow, remeasure
from mtbench.speech import DEFAULT_NORMALIZER


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
