"""Scoring a submission: ``mtbench.score`` and ``mtbench.rescore``.

Conventions
-----------
A score is complete or it is not made: a submission with problems raises, a missing clip blocks unless
*allow_partial*, and then the run says ``partial`` and is not rankable. What cannot be measured (a language
outside the recognizer, no ground truth, another topology) is ``n/a`` with a reason, never a zero.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mtbench.avsr import Recognizer, identify
from mtbench.benchmarks import (
    Benchmark,
    Clip,
    bundled_benchmarks,
    find_untemplated,
    load_benchmark,
    name_model,
    name_templates,
    name_truth_models,
    warn_of_unlisted,
)
from mtbench.errors import UsageError, summarize_notes
from mtbench.files import digest_bytes
from mtbench.metrics import name_region
from mtbench.renderers import Appearance
from mtbench.results import (
    SCHEMA_VERSION,
    BenchmarkRef,
    GeometryRow,
    RecognitionRow,
    RecognizerRef,
    Row,
    Run,
    SignatureContext,
    SystemRef,
    Understanding,
    UnderstandingRef,
    aggregate,
    canonical_rows,
    digest_rows,
    is_understanding_warning,
    list_signatures,
    measure_understanding,
    place_beside,
    place_run,
    read_results,
    remeasure,
    round_floats,
    warn_of_head_motion,
    write_results,
)
from mtbench.scoring.pipeline import Condition, Outcome, list_conditions, run_stages
from mtbench.scoring.rows import measure_recognition
from mtbench.scoring.stages import CLEAN, Setup, forget, workshop
from mtbench.speech import (
    DEFAULT_NORMALIZER,
    MIXING_VERSION,
    NOISE_SEED,
    NoiseSet,
    get_normalizer,
    load_noises,
)
from mtbench.submissions import Submission, load_submission
from mtbench.timing import SAMPLE_RATE
from mtbench.work import Cache, Executor, Progress, describe_environment, make_progress

#: Signal-to-noise ratios of the paper, decibels.
DEFAULT_SNRS = (-7.5, -10.0)
#: Whose noise recordings are used where a benchmark brings none.
BUNDLED_NOISES = "openhead-20"


def score(
    path: str | Path,
    benchmark: Benchmark | str | Path | None = None,
    *,
    recognizer: str | None = "openhead-av",
    renderer: str = "software",
    snr: Sequence[float] = DEFAULT_SNRS,
    noise: str | Path | None = None,
    noise_names: Sequence[str] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    allow_partial: bool = False,
    cache: str | Path | None = None,
    progress: bool | None = None,
    normalizer: str = DEFAULT_NORMALIZER,
    appearance: Appearance | None = None,
    executor: Executor | None = None,
) -> Run:
    """Score a submission.

    Parameters
    ----------
    path : str or Path
        Submission folder.
    benchmark : Benchmark, str or Path, optional
        By default the one that the submission's manifest names.
    recognizer : str or None
        Name, see :func:`mtbench.avsr.registry.load_recognizer`; None measures geometry only.
    renderer : str
        ``"software"`` or ``"pyrender"``.
    snr : sequence of float
        Signal-to-noise ratios in decibels.
    noise : str or Path, optional
        Folder of noise recordings; by default the benchmark's, and the bundled ones where it has none.
        ``"none"`` scores clean sound only.
    noise_names : sequence of str, optional
        Only these recordings of the folder.
    out : str or Path, optional
        Folder of results; ``<out>/<system>/<benchmark>/`` gets ``run.json`` and ``clips.jsonl``, or a folder
        beside it where that holds a result under other conditions (:mod:`mtbench.results.folders`). None writes
        nothing; where it went is in ``run.folder``.
    workers : int, optional
        Processes; by default as many as there are processors, at most 8. Results do not depend on it.
    allow_partial : bool
        Score what is there although clips are missing; the run is not rankable.
    cache : str or Path, optional
        Folder of the stage cache; by default ``$MTBENCH_CACHE`` or the platform's.
    progress : bool, optional
        Show bars on standard error; by default on a terminal only.
    normalizer : str
        Of texts before words are counted, see :mod:`mtbench.speech.normalizers`.
    appearance : Appearance, optional
        How faces are shaded; part of the signature.
    executor : Executor, optional
        Workers that already run, to share them between scores; *workers* is ignored then.

    Returns
    -------
    Run
        What ``run.json`` holds.

    Raises
    ------
    SubmissionError
        With every problem of the submission.
    UsageError, BenchmarkError, PrerequisiteError
        Messages say what to do.

    Examples
    --------
    >>> run = mtbench.score("my-submission", out="results")  # doctest: +SKIP
    >>> run.estimate("headline", modality="av", snr_db=-7.5, noise="all", language="all")  # doctest: +SKIP
    41.2
    """
    start = time.perf_counter()
    forget()
    get_normalizer(normalizer)
    if not all(math.isfinite(value) for value in snr):
        raise UsageError(
            f"SNR must be finite numbers of decibels, not {', '.join(f'{value:g}' for value in snr)}"
        )
    if len(set(snr)) != len(snr):
        raise UsageError(f"SNR given twice: {', '.join(f'{value:g}' for value in snr)}")
    submission = load_submission(path, benchmark, allow_partial)
    if benchmark is None:
        benchmark = submission.benchmark_ref
    if not isinstance(benchmark, Benchmark):
        benchmark = load_benchmark(benchmark)
    folder = _find_noise_folder(benchmark, noise)
    setup = Setup(
        benchmark=str(benchmark.root.resolve()),
        submission=str(Path(path).resolve()),
        cache=str(Cache(cache).root.resolve()),
        recognizer=recognizer,
        renderer=renderer,
        appearance=appearance or Appearance(),
        noise=None if folder is None else str(folder.resolve()),
        allow_partial=allow_partial,
    )
    noises = load_noises(folder).select(noise_names) if noise_names is not None else load_noises(folder)
    if recognizer is not None:
        noises.check_parts(benchmark.clips)
    conditions = list_conditions(snr, noises.names)
    reporter = make_progress(progress)
    reporter.title = submission.system
    own = executor or Executor(workers)
    try:
        with reporter:
            outcome = _run(setup, benchmark, conditions, normalizer, own, reporter)
    finally:
        if executor is None:
            own.close()
    return _conclude(
        setup,
        benchmark,
        submission,
        noises,
        conditions,
        outcome,
        normalizer,
        own.workers,
        start,
        out,
        reporter,
    )


def _find_noise_folder(benchmark: Benchmark, noise: str | Path | None) -> Path | None:
    """Return the folder of noise recordings that a score uses, None for clean sound only."""
    if noise is not None:
        return None if str(noise) == "none" else Path(noise)
    if benchmark.noise_folder is not None:
        return benchmark.noise_folder
    bundled = bundled_benchmarks().get(BUNDLED_NOISES)
    return None if bundled is None else load_benchmark(bundled).noise_folder


def _run(
    setup: Setup,
    benchmark: Benchmark,
    conditions: list[Condition],
    normalizer: str,
    executor: Executor,
    progress: Progress,
) -> Outcome:
    Cache(setup.cache).sweep()
    recognizer = workshop(setup).recognizer

    def guard(outcome: Outcome) -> None:
        """Say before the long part of the score that its numbers will mean little."""
        if recognizer is None:
            return
        alone = [Condition(CLEAN, None)]
        rows = [
            row
            for clip in benchmark.clips
            for row in _measure_hypotheses(clip, "not heard", recognizer, alone, outcome, normalizer)
        ]
        understanding = _understanding(recognizer.name, rows, find_missing_lists(benchmark, recognizer))
        warning = None if understanding is None else understanding.warn()
        if warning is not None:
            progress.warn(f"WARNING: {warning}")

    return run_stages(setup, conditions, executor, progress, guard)


def find_missing_lists(benchmark: Benchmark, recognizer: Recognizer) -> list[str]:
    """Return the languages of *benchmark* for which *recognizer* lacks a word list that it needs."""
    if not getattr(recognizer, "needs_lexicon", False):
        return []
    return [c for c in benchmark.languages if c in recognizer.languages and c not in benchmark.lexicons]


def _understanding(recognizer: str, rows: Sequence[Row], no_words: Iterable[str]) -> Understanding | None:
    return measure_understanding(recognizer, (r for r in rows if isinstance(r, RecognitionRow)), no_words)


def _conclude(
    setup: Setup,
    benchmark: Benchmark,
    submission: Submission,
    noises: NoiseSet,
    conditions: list[Condition],
    outcome: Outcome,
    normalizer: str,
    workers: int,
    start: float,
    out: str | Path | None,
    progress: Progress,
) -> Run:
    shop = workshop(setup)
    rows = build_rows(benchmark, submission, shop.recognizer, conditions, outcome, normalizer)
    understanding = None
    if shop.recognizer is not None:
        missing = find_missing_lists(benchmark, shop.recognizer)
        understanding = _understanding(shop.recognizer.name, rows, missing)
    context = _describe_settings(setup, benchmark, submission, noises, normalizer)
    summary = aggregate(rows, benchmark.clips, context)
    timings = _describe_timings(outcome, benchmark, workers)
    run = Run(
        status="partial" if submission.partial else "complete",
        rankable=not submission.partial,
        system=SystemRef(
            name=submission.system,
            digest=submission.digest,
            topology=submission.topology,
            kind=submission.kind,
            model=submission.manifest.model.model_dump(),
            generation=submission.manifest.generation.model_dump(),
        ),
        benchmark=BenchmarkRef(name=benchmark.name, version=benchmark.version, digest=benchmark.digest),
        recognizer=None
        if shop.recognizer is None
        else RecognizerRef(name=shop.recognizer.name, digest=shop.recognizer.digest),
        understanding=_refer(understanding),
        warnings=(
            *_find_warnings(benchmark, submission, shop.recognizer, noises, understanding),
            *warn_of_head_motion(rows),
        ),
        signatures=list_signatures(summary, context),
        settings={**asdict(context), "normalizer": normalizer},
        summary=tuple(summary),
        timings={**timings, "total_seconds": round(time.perf_counter() - start, 3)},
        environment=describe_environment(),
        rows_digest=digest_rows(rows),
    )
    if out is not None:
        folder, note = place_run(out, run)
        write_results(folder, run, rows)
        if note is not None:
            progress.warn(note)
    return run


def build_rows(
    benchmark: Benchmark,
    submission: Submission,
    recognizer: Recognizer | None,
    conditions: Sequence[Condition],
    outcome: Outcome,
    normalizer: str,
) -> list[Row]:
    """Return the rows of ``clips.jsonl``: clips in the benchmark's order, conditions in the given one.

    Every clip has a row for every condition and one for its geometry; what was not measured has a reason.
    """
    rows: list[Row] = []
    for clip in benchmark.clips:
        missing = "clip missing in the submission" if clip.id not in submission.clips else None
        if recognizer is not None:
            rows += _measure_hypotheses(clip, missing, recognizer, conditions, outcome, normalizer)
        sums = outcome.geometry.get(clip.id)
        if clip.motion_path is None:
            missing = "no ground truth"
        elif clip.topology != submission.topology:
            missing = f"ground truth has topology {clip.topology}"
        rows.append(GeometryRow(clip.id, clip.language, clip.source, sums, missing if sums is None else None))
    return canonical_rows(rows)


def _measure_hypotheses(
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
                modality=condition.modality,
                face=condition.face,
                snr_db=None if condition.heard is None else condition.heard.snr_db,
                noise=None if condition.heard is None else condition.heard.noise,
                reference=clip.transcript,
                hypothesis=hypothesis,
                reference_phones=clip.phones,
                reason=reason if hypothesis is None else None,
                normalizer=normalizer,
            )
        )
    return rows


def _describe_settings(
    setup: Setup, benchmark: Benchmark, submission: Submission, noises: NoiseSet, normalizer: str
) -> SignatureContext:
    from mtbench.version import __version__

    shop = workshop(setup)
    topology = shop.topology
    entry = {"posed": name_model(submission.kind), "resample": submission.resampling}
    # Vertices are compared vertex by vertex: neither triangles nor a neutral face enter, so none is named.
    geometry: dict[str, object] = {"topology": topology.name, **entry}
    compared = [c for c in benchmark.clips if c.motion_path is not None and c.topology == topology.name]
    truth = name_truth_models(compared)
    geometry |= {"truth": truth, "template": name_templates(compared)}
    recognition: dict[str, object] = {"norm": normalizer}
    video: dict[str, object] = {"topology": f"{topology.name}#{topology.surface_digest}", **entry}
    still: dict[str, object] = {"truth": truth}
    if len(compared) < len(benchmark.clips):
        still["rest"] = f"{topology.name}#{topology.neutral_digest}"
    if shop.recognizer is not None:
        from mtbench.renderers import SIGNATURE

        lexicons = [benchmark.lexicons[lang].read_bytes() for lang in sorted(benchmark.lexicons)]
        appearance = digest_bytes(repr(setup.appearance).encode())[:8]
        recognition["rec"] = identify(shop.recognizer)
        # Only recognizers with a search to choose have one.
        if (decoder := getattr(shop.recognizer, "decoder", None)) is not None:
            recognition["dec"] = decoder
        recognition["lexicon"] = f"{benchmark.name}#{digest_bytes(*lexicons)}" if lexicons else "none"
        video["render"] = f"{shop.renderer.name}@{shop.renderer.version}#{appearance}"
        video["crop"] = SIGNATURE
    return SignatureContext(
        common={"bench": f"{benchmark.ref}#{benchmark.digest}", "fps": benchmark.fps, "version": __version__},
        recognition=recognition,
        audio={"mix": f"rms@{MIXING_VERSION}({NOISE_SEED})"},
        video=video,
        still=still,
        geometry=geometry,
        lips=name_region(topology, "lips"),
        upper_face=name_region(topology, "upper_face"),
        noises={noise.name: noise.digest for noise in noises.noises},
    )


def _describe_timings(outcome: Outcome, benchmark: Benchmark, workers: int) -> dict[str, Any]:
    stages = {
        name: {
            "computed": report.computed,
            "cached": report.cached,
            "wall_seconds": round(report.wall_seconds, 3),
            "worker_seconds": round(report.worker_seconds, 3),
            "cpu_seconds": round(report.cpu_seconds, 3),
        }
        for name, report in outcome.stages.items()
    }
    samples = sum(clip.frames for clip in benchmark.clips) * (SAMPLE_RATE / benchmark.fps)
    return {
        "stages": stages,
        "workers": workers,
        "audio_seconds": round(samples / SAMPLE_RATE, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _find_warnings(
    benchmark: Benchmark,
    submission: Submission,
    recognizer: Recognizer | None,
    noises: NoiseSet,
    understanding: Understanding | None,
) -> list[str]:
    """Return what a reader of the numbers has to know before believing them."""
    warnings = []
    if submission.partial:
        warnings.append(
            f"partial: {len(submission.missing)} of {len(benchmark.clips)} clips are missing; not rankable"
        )
    warnings += summarize_notes(submission.notes)
    if benchmark.topology == submission.topology and (unknown := find_untemplated(benchmark.clips)):
        warnings.append(
            f"FDD is n/a for {len(unknown)} of {len(benchmark.clips)} clips: no template of the speaker, whose face at "
            "rest it measures from; 'mtbench benchmark new --templates' adds them, or 'template' in benchmark.toml"
        )
    if recognizer is None:
        return warnings
    uncovered = [lang for lang in benchmark.languages if lang not in recognizer.languages]
    if uncovered:
        warnings.append(f"{recognizer.name} does not cover {', '.join(uncovered)}: n/a there")
    if not noises.noises:
        warnings.append("no noise recordings: clean sound only, so nothing says how much the lips help")
    if understanding is not None and (warning := understanding.warn()):
        warnings.append(warning)
    if getattr(recognizer, "needs_lexicon", False):
        told = (warn_of_unlisted(benchmark, code) for code in benchmark.languages)
        warnings += [warning for warning in told if warning is not None]
    return warnings


def _refer(understanding: Understanding | None) -> UnderstandingRef | None:
    return None if understanding is None else UnderstandingRef(**round_floats(understanding.to_json()))


@dataclass(frozen=True)
class _ClipInfo:
    id: str
    language: str
    source: str


def rescore(folder: str | Path, *, normalizer: str | None = None, out: str | Path | None = None) -> Run:
    """Count and aggregate the rows of a result folder again; nothing is rendered or recognized.

    Parameters
    ----------
    folder : str or Path
        Result folder with ``run.json`` and ``clips.jsonl``.
    normalizer : str, optional
        Another normalizer, see :mod:`mtbench.speech.normalizers`; by default the one that was used.
    out : str or Path, optional
        Folder of results to write to, as for :func:`score`; by default the folder itself is rewritten, or one
        beside it written where the conditions are others now.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        Where the folder holds no result.
    """
    from mtbench.version import __version__

    folder = Path(folder)
    old, rows = read_results(folder)
    normalizer = normalizer or str(old.settings.get("normalizer", DEFAULT_NORMALIZER))
    rows = canonical_rows(remeasure(r, normalizer) if isinstance(r, RecognitionRow) else r for r in rows)
    names = {f.name for f in dataclasses.fields(SignatureContext)}
    context = SignatureContext(**{key: value for key, value in old.settings.items() if key in names})
    context = dataclasses.replace(
        context,
        common={**context.common, "version": __version__},
        recognition={**context.recognition, "norm": normalizer},
    )
    clips = dict.fromkeys(_ClipInfo(row.clip, row.language, row.source) for row in rows)
    summary = aggregate(rows, list(clips), context)
    no_words = () if old.understanding is None else old.understanding.no_words
    understanding = None if old.recognizer is None else _understanding(old.recognizer.name, rows, no_words)
    warnings = [line for line in old.warnings if not is_understanding_warning(line)]
    if understanding is not None and (warning := understanding.warn()):
        warnings.append(warning)
    run = old.model_copy(
        update={
            "schema_version": SCHEMA_VERSION,
            "understanding": _refer(understanding),
            "warnings": tuple(warnings),
            "summary": tuple(summary),
            "signatures": list_signatures(summary, context),
            "settings": {**asdict(context), "normalizer": normalizer},
            "environment": describe_environment(),
            "rows_digest": digest_rows(rows),
        }
    )
    here = folder if folder.is_dir() else folder.parent
    target, note = place_beside(here, run) if out is None else place_run(out, run)
    write_results(target, run, rows)
    if note is not None:
        logging.getLogger("mtbench").warning("%s: %s", run.system.name, note)
    return run
