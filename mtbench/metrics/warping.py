"""Dynamic time warping: the cheapest way to walk two curves from their beginnings to their ends together.

Conventions
-----------
``total[i, j] = cost[i, j] + min(total[i-1, j-1], total[i-1, j], total[i, j-1])``: no window, no weights of slopes. Both
ends are aligned. The path is followed backwards; of equal ways it prefers the diagonal, then a step of the first curve
alone, then one of the second. Totals are filled diagonal by diagonal, so that each is a sum in one fixed order.
"""

from __future__ import annotations

import numpy as np


def sum_warping_cost(cost: np.ndarray) -> np.ndarray:
    """Return the least sums of *cost* over all ways from the first pair to each.

    Parameters
    ----------
    cost : (n, m) floating point
        Of aligning each value of the first curve with each of the second; n, m >= 1.

    Returns
    -------
    (n, m) float64

    Raises
    ------
    ValueError
        For an empty curve, or costs that are not finite.

    Examples
    --------
    >>> a, b = np.array([0.0, 1, 2]), np.array([0.0, 2])
    >>> sum_warping_cost(np.abs(a[:, None] - b)).tolist()
    [[0.0, 2.0], [1.0, 1.0], [3.0, 1.0]]
    """
    cost = np.asarray(cost, np.float64)
    if cost.ndim != 2 or not cost.size:
        raise ValueError(f"warping needs two curves of one value or more, not costs of shape {cost.shape}")
    if not np.isfinite(cost).all():
        raise ValueError("warping needs finite values; there are some that are not (NaN or infinite)")
    n, m = cost.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        before = np.minimum(total[i, j], np.minimum(total[i, j + 1], total[i + 1, j]))
        total[i + 1, j + 1] = cost[i, j] + before
    return total[1:, 1:]


def trace_warping_path(total: np.ndarray) -> np.ndarray:
    """Return the pairs that the cheapest way visits, from the first to the last.

    Parameters
    ----------
    total : (n, m) float64
        As :func:`sum_warping_cost` gives them.

    Returns
    -------
    (k, 2) int
        Positions in the first and in the second curve.

    Examples
    --------
    >>> trace_warping_path(warp_curves(np.array([0.0, 1, 2]), np.array([0.0, 2]))).tolist()
    [[0, 0], [1, 0], [2, 1]]
    """
    i, j = total.shape[0] - 1, total.shape[1] - 1
    path = [(i, j)]
    while i or j:
        ways = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((w for w in ways if min(w) >= 0), key=lambda w: total[w])
        path.append((i, j))
    return np.array(path[::-1])


def warp_curves(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the totals of warping *other* onto *reference*, by absolute differences.

    Parameters
    ----------
    reference, other : (n,), (m,) floating point

    Returns
    -------
    (n, m) float64
        The last one is the distance.

    Examples
    --------
    >>> warp_curves(np.array([1.5]), np.array([0.0, 1, 2]))[-1, -1].item()
    2.5
    """
    a, b = np.asarray(reference, np.float64), np.asarray(other, np.float64)
    return sum_warping_cost(np.abs(a[:, None] - b[None, :]))
