"""Scoring a submission: ``mtbench.score``.

Conventions
-----------
A score is complete or it is not made: a submission with problems raises, a missing clip blocks unless
*allow_partial*, and then the run says ``partial`` and is not rankable. What cannot be measured (a language
outside the recognizer, no ground truth, another topology) is ``n/a`` with a reason, never a zero.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mtbench.avsr import identify, keep_recognizer
from mtbench.benchmarks import (
    Benchmark,
    find_noise_folder,
    load_benchmark,
    name_model,
    name_templates,
    name_truth_models,
)
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.files import digest_bytes
from mtbench.metrics import name_region
from mtbench.renderers import Appearance
from mtbench.results import (
    BenchmarkRef,
    RecognizerRef,
    Run,
    SignatureContext,
    SystemRef,
    aggregate,
    digest_rows,
    list_signatures,
    place_run,
    warn_of_head_motion,
    write_results,
)
from mtbench.scoring.pipeline import CLEAN_SOUND, Outcome, list_conditions, run_stages
from mtbench.scoring.rows import build_rows, judge_understanding, measure_hypotheses, refer
from mtbench.scoring.run_warnings import find_missing_lists, find_warnings
from mtbench.scoring.stages import Contents, Setup, workshop
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
    if noise is None:
        folder = find_noise_folder(benchmark)
    else:
        folder = None if str(noise) == "none" else Path(noise)
    noises = load_noises(folder)
    identity = "" if recognizer is None else keep_recognizer(recognizer)[1]
    contents = Contents(benchmark.digest, noises.digest, submission.digest, identity)
    setup = Setup(
        benchmark=str(benchmark.root.resolve()),
        submission=str(Path(path).resolve()),
        cache=str(Cache(cache).root.resolve()),
        recognizer=recognizer,
        renderer=renderer,
        appearance=appearance or Appearance(),
        noise=None if folder is None else str(folder.resolve()),
        allow_partial=allow_partial,
        contents=contents,
    )
    noises = noises if noise_names is None else noises.select(noise_names)
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
        rows = [
            row
            for clip in benchmark.clips
            for row in measure_hypotheses(clip, "not heard", recognizer, [CLEAN_SOUND], outcome, normalizer)
        ]
        understanding = judge_understanding(recognizer.name, rows, find_missing_lists(benchmark, recognizer))
        warning = None if understanding is None else understanding.warn()
        if warning is not None:
            progress.warn(f"WARNING: {warning}")

    return run_stages(setup, conditions, executor, progress, guard)


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
        understanding = judge_understanding(shop.recognizer.name, rows, missing)
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
        understanding=refer(understanding),
        warnings=(
            *find_warnings(benchmark, submission, shop.recognizer, noises, understanding),
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
