"""The plan of a score: everything that is known before anything is rendered or recognized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.avsr import RecognizerSpec, keep_recognizer
from mtbench.benchmarks import Benchmark, as_benchmark, find_noise_folder
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.scoring.pipeline import list_conditions
from mtbench.scoring.profiles import Profile
from mtbench.scoring.stages import Contents, Setup
from mtbench.scoring.vocabularies import find_vocabularies
from mtbench.speech import NoiseSet, get_normalizer, load_noises
from mtbench.submissions import Submission, load_submission
from mtbench.work import Cache

if TYPE_CHECKING:
    from mtbench.synth import OpenVocabulary


@dataclass(frozen=True)
class Plan:
    """What is scored, on what, under which conditions.

    Attributes
    ----------
    setup : Setup
        What worker processes need.
    benchmark : Benchmark
        Its clips are scored.
    submission : Submission
        What is scored.
    noises : NoiseSet
        Noises of the conditions.
    conditions : tuple of Condition
        In the order of rows.
    profile : Profile
        How it is scored.
    """

    setup: Setup
    benchmark: Benchmark
    submission: Submission
    noises: NoiseSet
    conditions: tuple[Condition, ...]
    profile: Profile


def make_plan(
    path: str | Path,
    benchmark: Benchmark | str | Path | None,
    recognizer: RecognizerSpec | None,
    profile: Profile,
    noise: str | Path | None,
    allow_partial: bool,
    cache: str | Path | None,
    metrics: tuple[str, ...] = (),
) -> Plan:
    """Return the plan of a score; parameters and errors are those of :func:`mtbench.scoring.scoring.score`."""
    get_normalizer(profile.normalizer)
    _check_snrs(profile.snrs)
    submission = load_submission(path, benchmark, allow_partial)
    benchmark = as_benchmark(submission.benchmark_ref if benchmark is None else benchmark)
    folder = _find_noises(benchmark, noise)
    noises = load_noises(folder)
    folder_of_cache = str(Cache(cache).root.resolve())
    identity = ""
    vocabularies: tuple[OpenVocabulary, ...] = ()
    if recognizer is not None:
        loaded, identity = keep_recognizer(recognizer)
        vocabularies = find_vocabularies(benchmark, loaded, folder_of_cache)
    setup = Setup(
        benchmark=str(benchmark.manifest_path.resolve()),
        submission=str(Path(path).resolve()),
        cache=folder_of_cache,
        recognizer=recognizer,
        renderer=profile.renderer,
        appearance=profile.appearance,
        noise=None if folder is None else str(folder.resolve()),
        allow_partial=allow_partial,
        contents=Contents(benchmark.digest, noises.digest, submission.digest, identity),
        vocabularies=vocabularies,
        metrics=metrics,
    )
    noises = noises if profile.noises is None else noises.select(profile.noises)
    if recognizer is not None:
        noises.check_parts(benchmark.clips)
    conditions = tuple(list_conditions(profile.snrs, noises.names))
    return Plan(setup, benchmark, submission, noises, conditions, profile)


def _check_snrs(snrs: Sequence[float]) -> None:
    told = ", ".join(f"{value:g}" for value in snrs)
    if not all(math.isfinite(value) for value in snrs):
        raise UsageError(f"SNR must be finite numbers of decibels, not {told}")
    if len(set(snrs)) != len(snrs):
        raise UsageError(f"SNR given twice: {told}")


def _find_noises(benchmark: Benchmark, noise: str | Path | None) -> Path | None:
    if noise is None:
        return find_noise_folder(benchmark)
    return None if str(noise) == "none" else Path(noise)
