"""Several takes of one clip: how far they are from one another, and from the truth at best and on average.

Conventions
-----------
A take is what a system makes of a clip with another seed or style; all have one shape, (T, V, 3) in metres.
*Diversity* is the mean over pairs of takes, frames and vertices of their distance in millimetres, all pairs, as
FaceDiffuser computes it; ProbTalk3D takes five disjoint pairs in an order that its code draws at random, which
``pairs`` can name. *Mean estimate error* is the mean over frames of the largest squared lip vertex distance between the
truth and the mean of the takes; *coverage error* is the same of the take for which it is smallest (ProbTalk3D). They
are no metrics of a run, which has one take a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mtbench.metrics.distances import check_pair, squared_distances
from mtbench.metrics.lve import sum_lve_sq_m2


def measure_diversity_mm(
    takes: Sequence[np.ndarray],
    region: np.ndarray | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
) -> float:
    """Return the mean distance between takes of one clip.

    Parameters
    ----------
    takes : sequence of (T, V, 3) floating point
        Two or more, metres.
    region : (n,) int, optional
        Only these vertices.
    pairs : sequence of (int, int), optional
        Positions of the takes to compare; by default all pairs.

    Returns
    -------
    float
        Millimetres.

    Raises
    ------
    ValueError
        For fewer than two takes, or takes of different shapes.

    Examples
    --------
    >>> still = np.zeros((2, 3, 3))
    >>> measure_diversity_mm([still, still + [0, 0.003, 0.004], still])
    3.3333333333333335
    """
    if len(takes) < 2:
        raise ValueError(f"diversity needs two takes of a clip or more, not {len(takes)}")
    chosen = list(combinations(range(len(takes)), 2)) if pairs is None else list(pairs)
    means = []
    for i, j in chosen:
        check_pair(takes[i], takes[j])
        a, b = (x if region is None else x[:, region] for x in (takes[i], takes[j]))
        means.append(np.sqrt(squared_distances(a, b)).mean())
    return float(1000.0 * np.mean(means))


def sum_mean_estimate_m2(takes: Sequence[np.ndarray], truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the sum over frames of the largest squared lip vertex distance of the takes' mean, square metres.

    Parameters
    ----------
    takes : sequence of (T, V, 3) floating point
        One or more, metres.
    truth : (T, V, 3) floating point
    lips : (n,) int

    Examples
    --------
    >>> truth = np.zeros((1, 1, 3))
    >>> sum_mean_estimate_m2([truth + 0.1, truth - 0.1], truth, np.array([0]))
    0.0
    """
    return sum_lve_sq_m2(np.mean([np.asarray(take, np.float64) for take in takes], axis=0), truth, lips)


def sum_coverage_m2(takes: Sequence[np.ndarray], truth: np.ndarray, lips: np.ndarray) -> tuple[float, int]:
    """Return that sum of the closest take, the first one among equals, and which one it is.

    Examples
    --------
    >>> truth = np.zeros((1, 1, 3))
    >>> sum_coverage_m2([truth + 0.1, truth], truth, np.array([0]))
    (0.0, 1)
    """
    sums = [sum_lve_sq_m2(take, truth, lips) for take in takes]
    return min(sums), int(np.argmin(sums))
