"""Power: how many items a paired comparison needs to tell two candidates apart.

Conventions
-----------
Two candidates are compared on the same items, so what counts is the paired difference of an item and its spread
within a stratum. The number of items is that of a two-sided paired test at 5 % with 80 % power,

    n = (z(0.975) + z(0.8))² · (spread / difference)²

items in all, spread over the strata as they are; an item's share in a difference of ratios is linearised (its
numerators' difference less its length times the difference, over the mean length). The effect is difference / spread,
its size in one item: n falls with its square. The normal approximation is rough below ten items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mtbench.statistics.estimates import Number, summarize
from mtbench.statistics.ratios import ClusterBootstrap, Ratios

#: z(0.975) + z(0.8): 95 % confidence, two-sided, with 80 % power.
Z_TOTAL = 1.959963984540054 + 0.8416212335729143


@dataclass(frozen=True)
class Power:
    """How well scores tell two candidates apart.

    Attributes
    ----------
    difference : Number
        Score of the worse minus score of the better.
    effect : Number
        Difference over the spread of an item's share; without estimate where no item differs from any other.
    needed : int or None
        Items that a comparison needs; None where scores put the two the other way round or equal, so that no number
        of items helps.
    needed_ci95 : (int, int or None) or None
        Its 95 % interval; None as the upper end means that there is no bound.
    samples : (B,) float64 or None
        Replicates of the effect.
    """

    difference: Number
    effect: Number
    needed: int | None
    needed_ci95: tuple[int, int | None] | None
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)


def measure_power(
    bootstrap: ClusterBootstrap, ratios: Ratios, better: int, worse: int, *, unit: str = ""
) -> Power:
    """Return how well scores tell the candidates in rows *better* and *worse* apart.

    Parameters
    ----------
    bootstrap : ClusterBootstrap
    ratios : Ratios
        Scores; larger is worse.
    better, worse : int
        Rows of the two, as it is known beforehand.
    unit : str
        Unit of the difference.
    """
    gap, spread = _gap_and_spread(bootstrap, ratios, better, worse, bootstrap.once, 0)
    gaps = effects = interval = None
    if bootstrap.weights is not None:
        gaps, spreads = _gap_and_spread(bootstrap, ratios, better, worse, bootstrap.weights, 1)
        effects = _divide(gaps, spreads)
        low, high = np.quantile(_items(gaps, spreads), (0.025, 0.975), method="inverted_cdf")
        if math.isfinite(low):
            interval = int(low), int(high) if math.isfinite(high) else None
    needed = _items(gap, spread)[0]
    return Power(
        difference=summarize(float(gap[0]), gaps, unit),
        effect=summarize(float(_divide(gap, spread)[0]), effects, ""),
        needed=int(needed) if math.isfinite(needed) else None,
        needed_ci95=interval,
        samples=effects,
    )


def count_items(effect: float) -> int | None:
    """Return how many items tell two candidates apart that differ by *effect*; None where no number does.

    Parameters
    ----------
    effect : float
        Difference over the spread of an item's share; its sign does not matter.

    Examples
    --------
    >>> count_items(0.5), count_items(-0.5), count_items(0.0)
    (32, 32, None)
    """
    if effect == 0 or not math.isfinite(effect):
        return None
    return max(2, math.ceil((Z_TOTAL / effect) ** 2))


def least_difference(spread: float, items: int) -> float:
    """Return the smallest difference that *items* tell, in the unit of *spread*.

    Parameters
    ----------
    spread : float
        Standard deviation of an item's share in the difference.
    items : int
        At least 1.

    Examples
    --------
    >>> round(least_difference(10.0, 120), 2)
    2.56
    """
    return Z_TOTAL * spread / math.sqrt(items)


def _gap_and_spread(
    bootstrap: ClusterBootstrap,
    ratios: Ratios,
    better: int,
    worse: int,
    weights: np.ndarray,
    resampled: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Difference and spread of one item's share, each (B,); the spread pools the strata's variances.

    A stratum's share of the variance of the mean over L strata is var / (n_l L²); with items spread over
    strata as they are (n_l = n share_l), n times that variance is the sum of var_l / (share_l L²). NaN where a
    stratum has a single item, whose spread nobody knows. A bootstrap sample's variance is (n - 1) / n of the
    sample's on average: that is undone where *resampled* is 1.
    """
    difference = ratios.values[worse] - ratios.values[better]
    members = {c: bootstrap.members(c)[ratios.usable[bootstrap.members(c)]] for c in bootstrap.names}
    members = {name: places for name, places in members.items() if len(places)}
    n_all = sum(len(places) for places in members.values())
    gaps, variance = np.zeros(len(weights)), np.zeros(len(weights))
    for places in members.values():
        w = weights[:, places]
        count, errors, lengths = w.sum(axis=1), np.zeros(len(w)), np.zeros(len(w))
        for i, place in enumerate(places):
            errors += w[:, i] * difference[place]
            lengths += w[:, i] * ratios.lengths[place]
        ratio = _divide(errors, lengths)
        mean_length = _divide(lengths, count)
        squares = np.zeros(len(w))
        for i, place in enumerate(places):
            share = _divide(difference[place] - ratio * ratios.lengths[place], mean_length)
            squares += w[:, i] * share**2
        gaps += ratio / len(members)
        n = len(places)
        within = _divide(squares, count - 1) * (n / (n - 1) if resampled and n > 1 else 1.0)
        variance += within * n_all / (len(places) * len(members) ** 2)
    return gaps, np.sqrt(variance)


def _items(gap: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Items that a test needs, at least 2; infinite where no number of items helps or none is known."""
    known = (gap > 0) & np.isfinite(spread)
    safe = np.where(known, gap, 1.0)
    return np.where(known, np.maximum(2.0, np.ceil((Z_TOTAL * spread / safe) ** 2)), np.inf)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a / np.where(b > 0, b, np.nan)
