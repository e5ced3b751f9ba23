"""Sensitivity: how many clips tell two systems apart, and in which noise at which level they do it best.

Conventions
-----------
Two systems are compared on the same clips, so what counts is the paired difference of a clip and its spread
within a language. The number of clips is that of a two-sided paired test at 5 % with 80 % power,

    n = (z(0.975) + z(0.8))² · (spread / difference)²

clips in all, spread over the languages as the benchmark's are; a clip's share in a difference of ratios is
linearised (its errors less its length times the difference, over the mean length). The separation is
difference / spread, the size of the effect in one clip: n falls with its square. The normal approximation is
rough below ten clips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
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
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.statistics import Number, percentile_interval, summarize

#: z(0.975) + z(0.8): 95 % confidence, two-sided, with 80 % power.
Z_TOTAL = 1.959963984540054 + 0.8416212335729143


@dataclass(frozen=True)
class Separation:
    """How well one measure tells two systems apart.

    Attributes
    ----------
    better, worse : str
        Systems.
    measure : str
    condition : str or None
    difference : Number
        Score of *worse* minus *better*.
    effect : Number
        Difference over the spread of a clip's share; None where no clip differs from any other.
    clips_needed : int or None
        None where the measure puts the two the other way round or equal: no number of clips helps.
    clips_ci95 : (int, int or None) or None
        95 % interval; an upper end of None has no bound.
    samples : (B,) float64 or None
        Replicates of the effect.
    """

    better: str
    worse: str
    measure: str
    condition: str | None
    difference: Number
    effect: Number
    clips_needed: int | None
    clips_ci95: tuple[int, int | None] | None
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "better": self.better,
            "worse": self.worse,
            "measure": self.measure,
            "condition": self.condition,
            "difference": self.difference.to_json(),
            "effect": self.effect.to_json(),
            "clips_needed": self.clips_needed,
            "clips_ci95": self.clips_ci95,
        }


def separate(bootstrap: BootstrappedScores, measure: Measure, better: int, worse: int) -> Separation:
    """Return how well *measure* tells the systems in rows *better* and *worse* apart."""
    once = np.ones((1, len(bootstrap.scores.clips)))
    gap, spread = _gap_and_spread(bootstrap, measure, better, worse, once, 0)
    gaps = spreads = effects = None
    if bootstrap.weights is not None:
        gaps, spreads = _gap_and_spread(bootstrap, measure, better, worse, bootstrap.weights, 1)
        effects = _divide(gaps, spreads)
    needed = _clips(gap, spread)[0]
    interval = None
    if gaps is not None and spreads is not None:
        many = _clips(gaps, spreads)
        low, high = np.quantile(many, (0.025, 0.975), method="inverted_cdf")
        interval = (int(low) if math.isfinite(low) else 0, int(high) if math.isfinite(high) else None)
        interval = interval if math.isfinite(low) else None
    systems = bootstrap.scores.systems
    return Separation(
        better=systems[better].name,
        worse=systems[worse].name,
        measure=measure.name,
        condition=measure.condition,
        difference=summarize(float(gap[0]), gaps, "points" if measure.unit == "%" else measure.unit),
        effect=summarize(float(_divide(gap, spread)[0]), effects, ""),
        clips_needed=int(needed) if math.isfinite(needed) else None,
        clips_ci95=interval,
        samples=effects,
    )


def _gap_and_spread(
    bootstrap: BootstrappedScores,
    measure: Measure,
    better: int,
    worse: int,
    weights: np.ndarray,
    resampled: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Difference and spread of one clip's share, each (B,); the spread pools the languages' variances.

    A language's share of the variance of the mean over L languages is var / (n_l L²); with clips spread over
    languages as they are (n_l = n share_l), n times that variance is the sum of var_l / (share_l L²). NaN where a
    language has a single clip, whose spread nobody knows. A bootstrap sample's variance is (n - 1) / n of the
    sample's on average: that is undone where *resampled* is 1.
    """
    two = replace(measure, values=measure.values[[better, worse]])
    difference = two.values[1] - two.values[0]
    members = {c: bootstrap.members(c)[measure.usable[bootstrap.members(c)]] for c in bootstrap.languages}
    members = {code: places for code, places in members.items() if len(places)}
    n_all = sum(len(places) for places in members.values())
    gaps, variance = np.zeros(len(weights)), np.zeros(len(weights))
    for places in members.values():
        w = weights[:, places]
        count, errors, lengths = w.sum(axis=1), np.zeros(len(w)), np.zeros(len(w))
        for i, place in enumerate(places):
            errors += w[:, i] * difference[place]
            lengths += w[:, i] * measure.lengths[place]
        ratio = _divide(errors, lengths)
        mean_length = _divide(lengths, count)
        squares = np.zeros(len(w))
        for i, place in enumerate(places):
            share = _divide(difference[place] - ratio * measure.lengths[place], mean_length)
            squares += w[:, i] * share**2
        gaps += ratio / len(members)
        n = len(places)
        within = _divide(squares, count - 1) * (n / (n - 1) if resampled and n > 1 else 1.0)
        variance += within * n_all / (len(places) * len(members) ** 2)
    return gaps, np.sqrt(variance)


def _clips(gap: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Clips that a test needs, at least 2; infinite where no number of clips helps or none is known."""
    known = (gap > 0) & np.isfinite(spread)
    safe = np.where(known, gap, 1.0)
    return np.where(known, np.maximum(2.0, np.ceil((Z_TOTAL * spread / safe) ** 2)), np.inf)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a / np.where(b > 0, b, np.nan)


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
) -> dict[str, Any]:
    """Return which condition separates given pairs of systems best, and whether -7.5 dB babble is as good.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    contrasts : list of (str, str)
        Names of better and worse systems; those that were not run are left out.
    unit : {"words", "phones"}

    Returns
    -------
    dict
        ``conditions``: one entry a contrast and condition; ``best``: for each contrast the condition with the
        largest effect, its gain over the published one with a paired interval, and the conditions that are
        not significantly worse than the best; ``by_snr``, ``by_noise``: mean effect over contrasts.
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
    return {
        "unit": unit,
        "conditions": [s.to_json() for found in separations.values() for s in found],
        "best": [_choose_best(found) for found in separations.values()],
        "by_snr": _mean_effect(separations, "snr_db"),
        "by_noise": _mean_effect(separations, "noise"),
    }


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


def _choose_best(found: list[Separation]) -> dict[str, Any]:
    best = max(found, key=lambda s: -math.inf if s.effect.estimate is None else s.effect.estimate)
    published = next((s for s in found if _is_published(s.condition)), None)
    as_good = []
    for other in found:
        interval = _paired(best, other)
        if other is best or interval is None or interval[0] <= 0:
            as_good.append(other.condition)
    return {
        "better": best.better,
        "worse": best.worse,
        "condition": best.condition,
        "effect": best.effect.to_json(),
        "clips_needed": best.clips_needed,
        "published": None if published is None else published.condition,
        "published_effect": None if published is None else published.effect.to_json(),
        "published_clips_needed": None if published is None else published.clips_needed,
        "gain_over_published_ci95": None if published is None else _paired(best, published),
        "not_separable_from_best": as_good,
    }


def _is_published(condition: str | None) -> bool:
    return condition == Condition("av", PUBLISHED_SNR, PUBLISHED_NOISE).name


def _paired(a: Separation, b: Separation) -> tuple[float, float] | None:
    return None if a.samples is None or b.samples is None else percentile_interval(a.samples - b.samples)


def _mean_effect(separations: dict[tuple[str, str], list[Separation]], part: str) -> list[dict[str, Any]]:
    """Mean effect over contrasts and conditions that share a *part*: their ``"snr_db"`` or ``"noise"``."""
    groups: dict[Any, list[Separation]] = {}
    for found in separations.values():
        for separation in found:
            condition = Condition.parse(separation.condition or "v")
            if condition.modality == "av" and condition.is_noisy:
                groups.setdefault(getattr(condition, part), []).append(separation)
    out: list[dict[str, Any]] = []
    for key, members in groups.items():
        drawn = [s.samples for s in members if s.samples is not None]
        samples = np.mean(drawn, axis=0) if len(drawn) == len(members) else None
        values = [np.nan if s.effect.estimate is None else s.effect.estimate for s in members]
        number = summarize(float(np.mean(values)), samples, "")
        out.append({part: key, "effect": number.to_json(), "n": len(members)})
    return sorted(out, key=_largest_first)


def _largest_first(row: dict[str, Any]) -> float:
    effect = row["effect"]["estimate"]
    return math.inf if effect is None else -float(effect)
