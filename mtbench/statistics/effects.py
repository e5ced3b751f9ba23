"""Effect sizes: a paired difference over its spread from item to item (Cohen's d of paired observations, d_z).

Conventions
-----------
A difference of ratios of sums, on the same items for both candidates: of one stratum (a language), or of several, as
the mean of their ratios (*macro*) or as the ratio of all sums. An item's share in it is linearised as in
:mod:`mtbench.statistics.power`, and the spread is that of one item's share within its stratum, so that a two-sided
paired test at 5 % finds an effect d with 80 % power on (2.8 / d)² items. Where all lengths are equal, d is the mean of
the items' differences over their standard deviation. Everything follows from six sums over items, so that a bootstrap
replicate re-weights sums and never items.

Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed. (1988), section 2.3.5.
"""

from __future__ import annotations

import numpy as np

from mtbench.statistics.bootstrap import percentile_interval

#: Number of columns of :func:`take_moments`.
N_MOMENTS = 6


def take_moments(differences: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return what the effect is made of, (n, 6) float64: 1, d, L, d², d L, L² of each item.

    Parameters
    ----------
    differences : (n,) float64
        Difference d of the two candidates' numerators.
    lengths : (n,) float64
        Common denominator L.
    """
    d, length = np.asarray(differences, np.float64), np.asarray(lengths, np.float64)
    return np.stack([np.ones_like(d), d, length, d * d, d * length, length * length], axis=1)


def measure_effect(
    sums: np.ndarray, samples: np.ndarray | None, *, macro: bool = True
) -> tuple[float | None, tuple[float, float] | None]:
    """Return the effect and its 95 % interval.

    Parameters
    ----------
    sums : (K, 6) float64
        Sums of :func:`take_moments` over the items of each of K strata.
    samples : (B, K, 6) float64 or None
        The same in each bootstrap replicate.
    macro : bool
        Whether the difference is the mean of the strata's ratios; else it is the ratio of all sums.

    Returns
    -------
    effect : float or None
        None where a stratum has a single item, or no item differs from any other.
    interval : (float, float) or None

    Examples
    --------
    >>> moments = take_moments(np.array([1.0, 2.0, 3.0]), np.ones(3)).sum(axis=0)
    >>> measure_effect(moments[None], None)
    (2.0, None)
    """
    sums = np.asarray(sums, np.float64)
    found = float(_effect(sums[None], sums[:, 0], macro, 1.0)[0])
    if not np.isfinite(found):
        return None, None
    if samples is None:
        return found, None
    # A sample's variance is (n - 1) / n of the population's on average, a bootstrap sample's once more.
    return found, percentile_interval(_effect(samples, sums[:, 0], macro, sums[:, 0] / (sums[:, 0] - 1)))


def _effect(moments: np.ndarray, n: np.ndarray, macro: bool, correction: np.ndarray | float) -> np.ndarray:
    """(B,) effects of moments (B, K, 6); NaN where there is none."""
    count, d, length, dd, dl, ll = (moments[..., i] for i in range(N_MOMENTS))
    total = n.sum()
    if macro:
        ratio, mean_length = _divide(d, length), _divide(length, count)
        weight = total / (n * len(n) ** 2)
        gap = ratio.mean(axis=-1)
    else:
        gap = _divide(d.sum(axis=-1), length.sum(axis=-1))
        ratio = gap[:, None]
        mean_length = _divide(length.sum(axis=-1), count.sum(axis=-1))[:, None]
        weight = n / total
    squares = dd - 2 * ratio * dl + ratio**2 * ll - _divide((d - ratio * length) ** 2, count)
    # What is left of equal numbers after subtraction is no spread.
    squares = np.where(squares > 1e-12 * (dd + ratio**2 * ll), squares, 0.0)
    variance = _divide(squares, (count - 1) * mean_length**2) * correction
    spread = np.sqrt((weight * variance).sum(axis=-1))
    return _divide(gap, spread)


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a / np.where(b > 0, b, np.nan)
