"""Separation: how many clips one measure needs to tell two systems apart.

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

import numpy as np

from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.statistics import Number, summarize

#: z(0.975) + z(0.8): 95 % confidence, two-sided, with 80 % power.
Z_TOTAL = 1.959963984540054 + 0.8416212335729143


@dataclass(frozen=True)
class Separation:
    """How well one measure tells two systems apart.

    Attributes
    ----------
    better, worse : str
        Names of the systems.
    measure : str
        Name of the measure.
    condition : str or None
        Name of the condition; None for geometry.
    difference : Number
        Score of *worse* minus *better*.
    effect : Number
        Difference over the spread of a clip's share; None where no clip differs from any other.
    clips_needed : int or None
        Clips that a comparison needs; None where the measure puts the two the other way round or equal, so that no
        number of clips helps.
    clips_ci95 : (int, int or None) or None
        Its 95 % interval; None as the upper end means that there is no bound.
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
