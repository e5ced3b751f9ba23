"""Rank correlation: Spearman and Kendall as inner products of unit vectors.

Conventions
-----------
Both statistics are inner products of two vectors: Spearman of centred ranks, Kendall's tau-b of the signs of
all differences, each divided by its length. That makes means over clips, replicates and permutations linear.
"""

from __future__ import annotations

import numpy as np

from mtbench.statistics.ranks import average_ranks


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


#: Features by the name of the statistic.
FEATURES = {"spearman": spearman_features, "kendall": kendall_features}


def _normalize(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt((vectors**2).sum(axis=-1, keepdims=True))
    return vectors / np.where(length > 0, length, 1.0)


def inner(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the inner products of *vectors* (..., k) with one *vector* (k,)."""
    return (vectors * vector).sum(axis=-1)


def share_reached(null: np.ndarray, observed: float) -> float:
    """Return the one-sided p-value of *observed* under the permutation distribution *null*, (N,)."""
    reached = int(np.count_nonzero(null >= observed - 1e-9))
    return (reached + 1) / (len(null) + 1)
