"""Scoring a submission: ``mtbench.score``.

Conventions
-----------
A score is complete or it is not made: a submission with problems raises, a missing clip blocks unless
*allow_partial*, and then the run says ``partial`` and is not rankable. What cannot be measured (a language
outside the recognizer, no ground truth, another topology) is ``n/a`` with a reason, never a zero.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mtbench.avsr import Recognizer, RecognizerSpec, ask_for, count_workers
from mtbench.benchmarks import Benchmark
from mtbench.metrics import choose_metrics
from mtbench.renderers import Appearance
from mtbench.results import (
    SHOWN,
    BenchmarkRef,
    RecognizerRef,
    Row,
    Run,
    Sight,
    SightRef,
    SystemRef,
    Understanding,
    aggregate,
    digest_rows,
    list_signatures,
    place_run,
    round_floats,
    write_results,
)
from mtbench.scoring.pipeline import CLEAN_SOUND, Outcome, run_stages
from mtbench.scoring.plan import Plan, make_plan
from mtbench.scoring.profiles import Profile, load_profile
from mtbench.scoring.roman_letters import name_script
from mtbench.scoring.rows import build_rows, judge_understanding, measure_hypotheses, refer
from mtbench.scoring.run_settings import describe_settings
from mtbench.scoring.run_warnings import find_missing_lists, find_warnings
from mtbench.scoring.stages import load_resources
from mtbench.scoring.true_mouths import look_at_truth
from mtbench.scoring.vocabularies import compare_with_reading
from mtbench.speech import ROMAN
from mtbench.timing import SAMPLE_RATE
from mtbench.work import (
    Cache,
    Executor,
    Progress,
    describe_environment,
    make_progress,
)


def score(
    path: str | Path,
    benchmark: Benchmark | str | Path | None = None,
    *,
    recognizer: str | RecognizerSpec | None = "openhead-av",
    profile: str | Profile = "recommended",
    snr: Sequence[float] | None = None,
    noise: str | Path | None = None,
    noise_names: Sequence[str] | None = None,
    normalizer: str | None = None,
    renderer: str | None = None,
    appearance: Appearance | None = None,
    squash: bool | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    allow_partial: bool = False,
    cache: str | Path | None = None,
    progress: bool | None = None,
    executor: Executor | None = None,
    metrics: str | Sequence[str] = (),
) -> Run:
    """Score a submission.

    Parameters
    ----------
    path : str or Path
        Submission folder.
    benchmark : Benchmark, str or Path, optional
        By default the one that the submission's manifest names.
    recognizer : str, RecognizerSpec or None
        See :func:`mtbench.avsr.registry.load_recognizer`; None: geometry only. Its search changes the profile's.
    profile : str or Profile
        How entries are scored, see :mod:`mtbench.scoring.profiles`. What is given below changes it.
    snr, noise_names, normalizer, renderer, appearance, squash : optional
        The profile's *snrs* (decibels), *noises*, *normalizer*, *renderer*, *appearance* and *squash*.
    noise : str or Path, optional
        Folder of recordings; by default the benchmark's, else the bundled ones. ``"none"``: clean sound only.
    out : str or Path, optional
        Folder of results; ``<out>/<system>/<benchmark>/`` gets ``run.json`` and ``clips.jsonl``, or a folder beside it
        (:mod:`mtbench.results.folders`); where it went is in ``run.folder``. None writes nothing.
    workers, executor : int, Executor, optional
        Number of processes (default: one a processor, at most 8), or workers to share; results do not depend on it.
    allow_partial : bool
        Score what is there although clips are missing; the run is not rankable.
    cache : str or Path, optional
        Folder of the stage cache; by default ``$MTBENCH_CACHE`` or the platform's.
    progress : bool, optional
        Show bars on standard error; by default on a terminal only.
    metrics : str or sequence of str
        Optional ones to measure besides, or ``"all"``.

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
    """
    start = time.perf_counter()
    asked = ask_for(recognizer) if isinstance(recognizer, str) else recognizer
    chosen = load_profile(profile).change(
        snrs=None if snr is None else tuple(map(float, snr)),
        noises=None if noise_names is None else tuple(noise_names),
        normalizer=normalizer,
        decoding=None if asked is None else asked.decoding,
        renderer=renderer,
        appearance=appearance,
        squash=squash,
    )
    plan = make_plan(path, benchmark, asked, chosen, noise, allow_partial, cache, choose_metrics(metrics))
    return _carry_out(plan, executor, workers, progress, out, start)


def _carry_out(
    plan: Plan,
    executor: Executor | None,
    workers: int | None,
    progress: bool | None,
    out: str | Path | None,
    start: float,
) -> Run:
    reporter = make_progress(progress)
    reporter.title = plan.submission.system
    recognizer = load_resources(plan.setup).recognizer
    own = executor or Executor(count_workers(recognizer, reporter) if workers is None else workers)
    try:
        with reporter:
            outcome, sight = _run(plan, own, reporter)
    finally:
        if executor is None:
            own.close()
    run, rows = _conclude(plan, outcome, sight, own.workers, start)
    if out is not None:
        folder, note = place_run(out, run)
        write_results(folder, run, rows)
        if note is not None:
            reporter.warn(note)
    return run


def _run(plan: Plan, executor: Executor, progress: Progress) -> tuple[Outcome, Sight | None]:
    Cache(plan.setup.cache).sweep()
    recognizer = load_resources(plan.setup).recognizer
    found: list[Sight] = []

    def guard(outcome: Outcome) -> None:
        """Say before the long part of the score that its numbers will mean little."""
        if recognizer is None:
            return
        rows = [
            row
            for clip in plan.benchmark.clips
            for row in measure_hypotheses(
                clip, "not heard", recognizer, [CLEAN_SOUND], outcome, plan.profile.normalizer
            )
        ]
        understanding = _judge(plan, recognizer, rows)
        warning = None if understanding is None else understanding.warn()
        if warning is not None:
            progress.warn(f"WARNING: {warning}")
        clips, snrs = plan.benchmark.clips, plan.profile.snrs
        sight = look_at_truth(plan.setup, clips, plan.noises, snrs, executor, progress)
        if sight is not None:
            found.append(sight)
            if (told := sight.warn()) is not None:
                progress.warn(f"WARNING: {told}")

    outcome = run_stages(plan.setup, plan.conditions, executor, progress, guard)
    return outcome, found[0] if found else None


def _judge(plan: Plan, recognizer: Recognizer, rows: Sequence[Row]) -> Understanding | None:
    """Return how well *recognizer* understands the clean sound in *rows*, in languages in which it has words."""
    open_words = [vocabulary.language for vocabulary in plan.setup.vocabularies]
    heard = compare_with_reading(rows, open_words)
    unlisted = find_missing_lists(plan, recognizer)
    otherwise = "characters" if plan.profile.normalizer == ROMAN else "words"
    return judge_understanding(recognizer.name, heard, unlisted, open_words, otherwise)


def _conclude(
    plan: Plan, outcome: Outcome, sight: Sight | None, workers: int, start: float
) -> tuple[Run, list[Row]]:
    benchmark, submission = plan.benchmark, plan.submission
    recognizer = load_resources(plan.setup).recognizer
    normalizer, metrics = plan.profile.normalizer, plan.setup.metrics
    rows = build_rows(benchmark, submission, recognizer, plan.conditions, outcome, normalizer, metrics)
    understanding = None
    if recognizer is not None:
        understanding = _judge(plan, recognizer, rows)
    context = describe_settings(plan)
    summary = aggregate(rows, benchmark.clips, context)
    warnings = find_warnings(plan, recognizer, understanding, sight, rows)
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
        if recognizer is None
        else RecognizerRef(name=recognizer.name, digest=recognizer.digest),
        understanding=refer(understanding),
        sight=None if sight is None else SightRef(**round_floats(sight.to_json())),
        warnings=tuple(warning.text for warning in warnings),
        warning_codes=tuple(warning.code for warning in warnings),
        signatures=list_signatures(summary, context),
        settings={
            **asdict(context),
            "normalizer": plan.profile.normalizer,
            **_name_shown(plan.profile),
            **name_script(recognizer),
        },
        summary=tuple(summary),
        timings={**timings, "total_seconds": round(time.perf_counter() - start, 3)},
        environment=describe_environment(),
        rows_digest=digest_rows(rows),
    )
    return run, rows


def _name_shown(profile: Profile) -> dict[str, list[str]]:
    """Return what tables show besides the usual, for a run's settings."""
    return {SHOWN: list(profile.shown)} if profile.shown else {}


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
