"""The plan of a score: everything that is known before anything is rendered or recognized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.avsr import Recognizer, RecognizerSpec, SearchError, keep_recognizer
from mtbench.benchmarks import Benchmark, as_benchmark, find_noise_folder
from mtbench.conditions import Condition
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.metrics import METRICS
from mtbench.scoring.pipeline import list_conditions
from mtbench.scoring.profiles import Profile
from mtbench.scoring.roman_letters import change_profile, writes_roman
from mtbench.scoring.run_setup import Contents, Setup
from mtbench.scoring.vocabularies import find_vocabularies
from mtbench.speech import NoiseSet, explain_published, get_normalizer, load_noises, romanize
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
    _check_shown(profile)
    submission = load_submission(path, benchmark, allow_partial)
    benchmark = as_benchmark(submission.benchmark_ref if benchmark is None else benchmark)
    folder = _find_noises(benchmark, noise)
    noises = load_noises(folder, profile.noises, profile.mixing)
    chosen = _choose_noises(noises, profile, folder, recognizer is not None)
    folder_of_cache = str(Cache(cache).root.resolve())
    identity = ""
    vocabularies: tuple[OpenVocabulary, ...] = ()
    if recognizer is not None:
        recognizer = replace(recognizer, decoding=profile.search)
        loaded, identity = _load(recognizer, profile)
        if writes_roman(loaded):
            romanize("", benchmark.clips[0].language)  # says at once where it is not installed
            profile = change_profile(profile, loaded.name)
        vocabularies = find_vocabularies(benchmark, loaded, folder_of_cache)
    setup = Setup(
        benchmark=str(benchmark.manifest_path.resolve()),
        submission=str(Path(path).resolve()),
        cache=folder_of_cache,
        recognizer=recognizer,
        renderer=profile.renderer,
        appearance=profile.appearance,
        noise=None if folder is None else str(folder.resolve()),
        noise_names=profile.noises,
        mixing=profile.mixing,
        squash=profile.squash,
        allow_partial=allow_partial,
        contents=Contents(benchmark.digest, noises.digest, submission.digest, identity),
        vocabularies=vocabularies,
        metrics=metrics,
    )
    if recognizer is not None:
        chosen.check_parts(benchmark.clips)
    conditions = tuple(list_conditions(profile.snrs, chosen.names))
    return Plan(setup, benchmark, submission, chosen, conditions, profile)


def _load(spec: RecognizerSpec, profile: Profile) -> tuple[Recognizer, str]:
    """Load the recognizer; say where a search that it lacks was the profile's wish."""
    try:
        return keep_recognizer(spec)
    except SearchError as error:
        if "decoding" in profile.name.split("+"):
            raise
        raise SearchError(
            f"profile {profile.name!r} searches with {profile.decoding!r}: {error}. Name another search, or 'own' for "
            "the recognizer's own (--decoding); the profile's name then says that it was changed"
        ) from error


def _choose_noises(noises: NoiseSet, profile: Profile, folder: Path | None, needed: bool) -> NoiseSet:
    """Return the recordings that *profile* names; without a recognizer nothing is *needed*."""
    if profile.noises is None:
        return noises
    missing = [name for name in profile.noises if name not in noises.names]
    place = "no folder of noise recordings was given" if folder is None else str(folder)
    advice = explain_published(missing, place) if missing else None
    if advice is None:
        return noises.select(profile.noises)
    if not needed:
        return NoiseSet("none")
    raise PrerequisiteError(f"profile {profile.name!r}: {advice}")


def _check_snrs(snrs: Sequence[float]) -> None:
    told = ", ".join(f"{value:g}" for value in snrs)
    if not all(math.isfinite(value) for value in snrs):
        raise UsageError(f"SNR must be finite numbers of decibels, not {told}")
    if len(set(snrs)) != len(snrs):
        raise UsageError(f"SNR given twice: {told}")


def _check_shown(profile: Profile) -> None:
    known = [metric.name for metric in METRICS.geometric()]
    if unknown := [name for name in profile.shown if name not in known]:
        raise UsageError(
            f"profile {profile.name!r}: unknown geometric metric {', '.join(unknown)}; known: {', '.join(known)}"
        )


def _find_noises(benchmark: Benchmark, noise: str | Path | None) -> Path | None:
    if noise is None:
        return find_noise_folder(benchmark)
    return None if str(noise) == "none" else Path(noise)
