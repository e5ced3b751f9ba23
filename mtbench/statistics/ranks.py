"""Ranks: of values, of entries by significance, and the ranges that ranks take in bootstrap replicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks 1 … n along the last axis, ties sharing their mean rank; NaN ranks nothing.

    Examples
    --------
    >>> average_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    values = np.asarray(values, dtype=np.float64)
    below = (values[..., None, :] < values[..., :, None]).sum(axis=-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    return below + (equal + 1) / 2


def rank_by_significance(
    estimates: Sequence[float], p_values: np.ndarray, *, higher_is_better: bool, alpha: float = 0.05
) -> list[int]:
    """Return ranks: 1 + the number of entries that are significantly better.

    Parameters
    ----------
    estimates : sequence of float
        Scores of n entries.
    p_values : (n, n) float64
        Symmetric pairwise p-values, already corrected for multiple tests.
    higher_is_better : bool
        Whether larger scores are better.
    alpha : float
        Level of significance.

    Returns
    -------
    list of int
        Entries that nothing significantly beats share rank 1.

    Examples
    --------
    >>> p = np.array([[1, 0.4, 0.01], [0.4, 1, 0.02], [0.01, 0.02, 1]])
    >>> rank_by_significance([30.0, 31.0, 50.0], p, higher_is_better=False)
    [1, 1, 3]
    """
    values = np.asarray(estimates, dtype=np.float64) * (1 if higher_is_better else -1)
    p_values = np.asarray(p_values)
    if p_values.shape != (len(values), len(values)):
        raise ValueError(f"p_values must be ({len(values)}, {len(values)}), not {p_values.shape}")
    better = (values[None, :] > values[:, None]) & (p_values < alpha)
    return [1 + int(row.sum()) for row in better]


def rank_intervals(
    samples: np.ndarray, *, higher_is_better: bool, level: float = 0.95
) -> list[tuple[int, int]]:
    """Return the range of ranks that each entry takes in *level* of the bootstrap replicates.

    Parameters
    ----------
    samples : (B, n) float64
        Paired replicates (same draws for all entries) of n entries' scores.
    higher_is_better : bool
        Whether larger scores are better.
    level : float
        Coverage, 0.95 for 95 %.

    Returns
    -------
    list of (int, int)
        Lowest and highest rank, 1 is best; ties take the better rank.
    """
    values = samples if higher_is_better else -samples
    ranks = 1 + (values[:, None, :] > values[:, :, None]).sum(axis=2)
    tail = (1 - level) / 2
    low = np.quantile(ranks, tail, axis=0, method="lower")
    high = np.quantile(ranks, 1 - tail, axis=0, method="higher")
    return [(int(a), int(b)) for a, b in zip(low, high, strict=True)]
