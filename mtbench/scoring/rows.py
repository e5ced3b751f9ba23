"""From hypotheses to the rows of a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mtbench.avsr import Hypothesis, Recognizer
from mtbench.benchmarks import (
    Benchmark,
    Clip,
)
from mtbench.conditions import Condition
from mtbench.results import (
    GeometryRow,
    RecognitionRow,
    Row,
    Understanding,
    UnderstandingRef,
    canonical_rows,
    measure_understanding,
    remeasure,
    round_floats,
)
from mtbench.scoring.asked import merge_asked, name_speaker
from mtbench.scoring.pipeline import Outcome
from mtbench.speech import (
    DEFAULT_NORMALIZER,
)
from mtbench.submissions import Submission


def measure_recognition(
    *,
    clip: str,
    language: str,
    source: str,
    condition: Condition,
    reference: str,
    hypothesis: Hypothesis | None,
    reference_phones: Sequence[str] | None = None,
    reason: str | None = None,
    normalizer: str = DEFAULT_NORMALIZER,
) -> RecognitionRow:
    """Return the row of one clip under one condition, with its counts.

    Parameters
    ----------
    clip, language, source, reference : str
        As in :class:`mtbench.results.rows.RecognitionRow`.
    condition : Condition
        What the recognizer was given.
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
    ...     clip="ita-01", language="ita", source="s1", condition=Condition("a", -7.5, "music"),
    ...     reference="Ogni individuo ha diritto.", hypothesis=Hypothesis("ogni ha diritto"),
    ... )
    >>> row.words
    EditCounts(hits=3, substitutions=0, deletions=1, insertions=0)
    """
    row = RecognitionRow(
        clip=clip,
        language=language,
        source=source,
        modality=condition.modality or "",
        face=condition.face,
        snr_db=condition.snr_db,
        noise=condition.noise,
        reference=reference,
        hypothesis=None if hypothesis is None else hypothesis.text,
        reference_phones=None if reference_phones is None else tuple(reference_phones),
        hypothesis_phones=None
        if hypothesis is None or hypothesis.phones is None
        else tuple(hypothesis.phones),
        reason=reason if hypothesis is None else "not measured yet",
        log_probability=None if hypothesis is None else hypothesis.log_probability,
        tokens=None if hypothesis is None else hypothesis.tokens,
    )
    return row if hypothesis is None else remeasure(row, normalizer)


def judge_understanding(
    recognizer: str,
    rows: Sequence[Row],
    no_words: Iterable[str],
    open_words: Iterable[str],
    otherwise: str = "words",
) -> Understanding | None:
    """Return how well *recognizer* understands the clean sound in the *rows* of recognition."""
    recognized = (r for r in rows if isinstance(r, RecognitionRow))
    return measure_understanding(recognizer, recognized, no_words, open_words, otherwise)


def build_rows(
    benchmark: Benchmark,
    submission: Submission,
    recognizer: Recognizer | None,
    conditions: Sequence[Condition],
    outcome: Outcome,
    normalizer: str,
    metrics: tuple[str, ...] = (),
) -> list[Row]:
    """Return the rows of ``clips.jsonl``: clips in the benchmark's order, conditions in the given one.

    Every clip has a row for every condition and one for its geometry; what was not measured has a reason.
    """
    rows: list[Row] = []
    for clip in benchmark.clips:
        missing = "clip missing in the submission" if clip.id not in submission.clips else None
        if recognizer is not None:
            rows += measure_hypotheses(clip, missing, recognizer, conditions, outcome, normalizer)
        sums = outcome.geometry.get(clip.id)
        if clip.motion_path is None:
            missing = "no ground truth"
        elif clip.topology != submission.topology:
            missing = f"ground truth has topology {clip.topology}"
        alone = None
        if clip.id in outcome.asked:
            sums, alone = merge_asked(sums, outcome.asked[clip.id])
        why = missing if sums is None else None
        speaker = None if alone is None else name_speaker(clip, metrics)
        rows.append(GeometryRow(clip.id, clip.language, clip.source, sums, why, alone, speaker))
    return canonical_rows(rows)


def measure_hypotheses(
    clip: Clip,
    missing: str | None,
    recognizer: Recognizer,
    conditions: Sequence[Condition],
    outcome: Outcome,
    normalizer: str,
) -> list[RecognitionRow]:
    """Return the rows of one clip; *missing* is why there is nothing of it, if so."""
    rows = []
    for condition in conditions:
        hypothesis = outcome.hypotheses.get((clip.id, condition))
        reason = missing
        if clip.language not in recognizer.languages:
            reason = f"language not covered by {recognizer.name}"
        rows.append(
            measure_recognition(
                clip=clip.id,
                language=clip.language,
                source=clip.source,
                condition=condition,
                reference=clip.transcript,
                hypothesis=hypothesis,
                reference_phones=clip.phones,
                reason=reason if hypothesis is None else None,
                normalizer=normalizer,
            )
        )
    return rows


def refer(understanding: Understanding | None) -> UnderstandingRef | None:
    """Return *understanding* as ``run.json`` keeps it."""
    return None if understanding is None else UnderstandingRef(**round_floats(understanding.to_json()))
