"""Sensitivity: in which noise at which level a metric tells systems apart best, and how many clips that takes.

Conventions
-----------
What is compared is the size of the effect in one clip, :mod:`mtbench.meta.separation`. Each pair of systems is compared
under every condition in which both were run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mtbench.conditions import Condition
from mtbench.meta.correlation import order_chains
from mtbench.meta.estimates import (
    PUBLISHED_NOISE,
    PUBLISHED_SNR,
    BootstrappedScores,
    Measure,
    measure_errors,
)
from mtbench.meta.json_values import LEFT_OUT
from mtbench.meta.separation import Separation, separate
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.statistics import Number, percentile_interval, summarize


@dataclass(frozen=True)
class BestCondition:
    """The condition that separates two systems best.

    Attributes
    ----------
    better, worse : str
        Names of the systems.
    condition : str or None
        Name of the condition with the largest effect.
    effect : Number
        Size of the effect there.
    clips_needed : int or None
        Clips needed there; None where no number of clips helps.
    published : str or None
        Name of the condition that AVLR is published at; None where it was not run.
    published_effect, published_clips_needed
        The same there.
    gain_over_published_ci95 : (float, float) or None
        Paired 95 % interval of the best effect minus the published one.
    not_separable_from_best : tuple of str
        Conditions that are not significantly worse than the best, itself among them.
    """

    better: str
    worse: str
    condition: str | None
    effect: Number
    clips_needed: int | None
    published: str | None
    published_effect: Number | None
    published_clips_needed: int | None
    gain_over_published_ci95: tuple[float, float] | None
    not_separable_from_best: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class MeanEffect:
    """Mean effect over contrasts and conditions that share an SNR or a noise.

    Attributes
    ----------
    snr_db : float or None
        Signal-to-noise ratio that they share, decibels.
    noise : str or None
        Noise that they share.
    effect : Number
        Mean size of the effect.
    n : int
        Number of contrasts and conditions.
    """

    snr_db: float | None = field(default=None, metadata=LEFT_OUT)
    noise: str | None = field(default=None, metadata=LEFT_OUT)
    effect: Number
    n: int


@dataclass(frozen=True)
class ConditionComparison:
    """Which condition separates given pairs of systems best.

    Attributes
    ----------
    unit : {"words", "phones"}
        What errors are counted in.
    conditions : tuple of Separation
        One a contrast and condition.
    best : tuple of BestCondition
        One a contrast.
    by_snr, by_noise : tuple of MeanEffect
        Mean effect over contrasts, largest first.
    """

    unit: str
    conditions: tuple[Separation, ...]
    best: tuple[BestCondition, ...]
    by_snr: tuple[MeanEffect, ...]
    by_noise: tuple[MeanEffect, ...]


@dataclass(frozen=True)
class Sensitivity:
    """How many clips tell systems apart, and in which noise.

    Attributes
    ----------
    amplitudes : mapping of str to tuple of Separation
        Every two levels of the amplitude family, by the measure's name.
    conditions : mapping of str to ConditionComparison
        By what errors are counted in, ``"words"`` and ``"phones"``.
    """

    amplitudes: Mapping[str, tuple[Separation, ...]]
    conditions: Mapping[str, ConditionComparison]


def compare_amplitudes(
    bootstrap: BootstrappedScores, measure: Measure, family: str = "amplitude"
) -> list[Separation]:
    """Return the separation of every two levels of *family*, neighbours and others, best first."""
    chains = [
        chain
        for chain in order_chains(bootstrap.scores.systems, measure.scored, shortest=2)
        if chain.name == family
    ]
    out = []
    for chain in chains:
        rows = [int(row) for row in chain.rows]
        out += [separate(bootstrap, measure, a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]
    return out


def compare_conditions(
    bootstrap: BootstrappedScores, contrasts: list[tuple[str, str]], unit: str = "words"
) -> ConditionComparison:
    """Return which condition separates given pairs of systems best, and whether -7.5 dB babble is as good.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    contrasts : list of (str, str)
        Names of better and worse systems; those that were not run are left out.
    unit : {"words", "phones"}
        What errors are counted in.
    """
    known = {system.name: row for row, system in enumerate(bootstrap.scores.systems)}
    separations: dict[tuple[str, str], list[Separation]] = {}
    for condition in bootstrap.scores.conditions:
        if Condition.parse(condition).modality == "a":
            continue
        measure = measure_errors(bootstrap.scores, condition, unit)
        for pair in contrasts:
            rows = [known.get(name, -1) for name in pair]
            if min(rows) >= 0 and measure.scored[rows].all():
                separations.setdefault(pair, []).append(separate(bootstrap, measure, *rows))
    return ConditionComparison(
        unit=unit,
        conditions=tuple(s for found in separations.values() for s in found),
        best=tuple(_choose_best(found) for found in separations.values()),
        by_snr=_mean_effect(separations, "snr_db"),
        by_noise=_mean_effect(separations, "noise"),
    )


def default_contrasts(bootstrap: BootstrappedScores) -> list[tuple[str, str]]:
    """Return the pairs that conditions are compared by: the ground truth with each system run in most noises."""
    counts = np.zeros(len(bootstrap.scores.systems), dtype=int)
    for condition in bootstrap.scores.conditions:
        if Condition.parse(condition).modality == "av":
            counts += measure_errors(bootstrap.scores, condition).scored
    systems = bootstrap.scores.systems
    most = max((int(c) for c, s in zip(counts, systems) if s.name != GROUND_TRUTH), default=0)
    names = [s.name for c, s in zip(counts, systems) if c == most and s.name != GROUND_TRUTH]
    if most < 2:
        return []
    return [(GROUND_TRUTH, name) for name in names]


def _choose_best(found: list[Separation]) -> BestCondition:
    best = max(found, key=lambda s: -math.inf if s.effect.estimate is None else s.effect.estimate)
    published = next((s for s in found if _is_published(s.condition)), None)
    as_good = []
    for other in found:
        interval = _paired(best, other)
        if other is best or interval is None or interval[0] <= 0:
            as_good.append(other.condition)
    return BestCondition(
        better=best.better,
        worse=best.worse,
        condition=best.condition,
        effect=best.effect,
        clips_needed=best.clips_needed,
        published=None if published is None else published.condition,
        published_effect=None if published is None else published.effect,
        published_clips_needed=None if published is None else published.clips_needed,
        gain_over_published_ci95=None if published is None else _paired(best, published),
        not_separable_from_best=tuple(as_good),
    )


def _is_published(condition: str | None) -> bool:
    return condition == Condition("av", PUBLISHED_SNR, PUBLISHED_NOISE).name


def _paired(a: Separation, b: Separation) -> tuple[float, float] | None:
    return None if a.samples is None or b.samples is None else percentile_interval(a.samples - b.samples)


def _mean_effect(separations: dict[tuple[str, str], list[Separation]], shared: str) -> tuple[MeanEffect, ...]:
    """Mean effect over contrasts and conditions that share an SNR (``"snr_db"``) or a noise (``"noise"``)."""
    groups: dict[Any, list[Separation]] = {}
    for found in separations.values():
        for separation in found:
            condition = Condition.parse(separation.condition or "v")
            if condition.modality == "av" and condition.is_noisy:
                groups.setdefault(getattr(condition, shared), []).append(separation)
    out = []
    for key, members in groups.items():
        drawn = [s.samples for s in members if s.samples is not None]
        samples = np.mean(drawn, axis=0) if len(drawn) == len(members) else None
        values = [np.nan if s.effect.estimate is None else s.effect.estimate for s in members]
        number = summarize(float(np.mean(values)), samples, "")
        out.append(MeanEffect(**{shared: key}, effect=number, n=len(members)))
    return tuple(sorted(out, key=_largest_first))


def _largest_first(mean: MeanEffect) -> float:
    return math.inf if mean.effect.estimate is None else -mean.effect.estimate
