"""Correlation of two vectors: Spearman, Kendall and Pearson as inner products, with a permutation test.

Conventions
-----------
All statistics are inner products of two vectors: Spearman of centred ranks, Kendall's tau-b of the signs of all
differences, Pearson of centred values, each divided by its length. That makes means over items, replicates and
permutations linear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtbench.statistics.bootstrap import TRIALS
from mtbench.statistics.permutation import list_orders
from mtbench.statistics.ranks import average_ranks


@dataclass(frozen=True)
class RankTest:
    """Spearman's correlation of two vectors with its two-sided p-value."""

    correlation: float
    p: float


def spearman_features(values: np.ndarray) -> np.ndarray:
    """Return unit vectors whose inner products are Spearman correlations; (..., n) to (..., n).

    Zero where *values* are constant.

    Examples
    --------
    >>> f = spearman_features(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]))
    >>> round(float(f[0] @ f[1]), 12)
    0.5
    """
    ranks = average_ranks(values)
    return _normalize(ranks - ranks.mean(axis=-1, keepdims=True))


def kendall_features(values: np.ndarray) -> np.ndarray:
    """Return unit vectors whose inner products are Kendall's tau-b; (..., n) to (..., n * n).

    Zero where *values* are constant.

    Examples
    --------
    >>> f = kendall_features(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]]))
    >>> round(float(f[0] @ f[1]), 12)
    0.333333333333
    """
    values = np.asarray(values, dtype=np.float64)
    signs = np.sign(values[..., :, None] - values[..., None, :])
    return _normalize(signs.reshape(*values.shape[:-1], -1))


def pearson_features(values: np.ndarray) -> np.ndarray:
    """Return unit vectors whose inner products are Pearson correlations; (..., n) to (..., n).

    Zero where *values* are constant.

    Examples
    --------
    >>> f = pearson_features(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 6.0]]))
    >>> round(float(f[0] @ f[1]), 12)
    0.944911182523
    """
    values = np.asarray(values, dtype=np.float64)
    constant = (values == values[..., :1]).all(axis=-1, keepdims=True)
    return _normalize(np.where(constant, 0.0, values - values.mean(axis=-1, keepdims=True)))


#: Features by the name of the statistic.
FEATURES = {"spearman": spearman_features, "kendall": kendall_features, "pearson": pearson_features}


def _normalize(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt((vectors**2).sum(axis=-1, keepdims=True))
    return vectors / np.where(length > 0, length, 1.0)


def associate_ranks(x: np.ndarray, y: np.ndarray, *, trials: int = TRIALS, name: str = "") -> RankTest:
    """Return Spearman's correlation of *x* and *y* with the p-value of a permutation test.

    Parameters
    ----------
    x, y : (n,) float64
    trials : int
        Number of draws; up to eight values all orders are counted instead.
    name : str
        Name of the test, for independent draws.

    Examples
    --------
    >>> associate_ranks(np.arange(4.0), np.array([1.0, 2.0, 4.0, 3.0]), trials=100).correlation
    0.8
    """
    a, b = spearman_features(x), spearman_features(y)
    observed = float((a * b).sum())
    orders, exact = list_orders(len(a), trials=trials, name=name)
    null = np.abs((a[orders] * b).sum(axis=1))
    if exact:
        return RankTest(observed, float(np.mean(null >= abs(observed) - 1e-9)))
    return RankTest(observed, share_reached(null, abs(observed)))


def inner(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the inner products of *vectors* (..., k) with one *vector* (k,)."""
    return (vectors * vector).sum(axis=-1)


def share_reached(null: np.ndarray, observed: float) -> float:
    """Return the one-sided p-value of *observed* under the draws *null*, (N,)."""
    reached = int(np.count_nonzero(null >= observed - 1e-9))
    return (reached + 1) / (len(null) + 1)
