"""Significance of all pairs of many entries at once: the same tests as one by one, as matrix algebra.

Conventions
-----------
C clusters, n entries. The swaps of :func:`mtbench.statistics.significance.paired_randomization` do not depend on the
pair, so that a swapped difference of two entries is the difference of two swapped entries: n columns are summed, not
n² / 2. Rounding differs from the sums of single pairs; where it could change a count, the pair is tested by itself.
"""

from __future__ import annotations

import math

import numpy as np

from mtbench.statistics.bootstrap import SEED, TRIALS, derive_generator
from mtbench.statistics.significance import paired_randomization

#: Constant of the bound below: 1 / (4 P(Z >= √2)), which two equal differences attain.
_TIGHT = 1 / (2 * math.erfc(1))
#: Bound on the rounding of sums over clusters, relative to the sum of absolute terms.
_ROUNDING = 1e-14


def randomize_all_pairs(
    shares: np.ndarray, *, trials: int = TRIALS, seed: int = SEED, name: str = ""
) -> np.ndarray:
    """Return the p-values of :func:`paired_randomization` for all pairs of entries.

    Parameters
    ----------
    shares : (C, n) float64
        Contribution of each cluster to each entry's score; scores are column sums.
    trials, seed, name
        As there.

    Returns
    -------
    (n, n) float64
        Symmetric, 1 on the diagonal; each equals ``paired_randomization(shares[:, b] - shares[:, a], …)``.

    Examples
    --------
    >>> shares = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 2.0, 0.0]])
    >>> p = randomize_all_pairs(shares, trials=1000)
    >>> float(p[0, 2]), bool(p[0, 1] == paired_randomization(shares[:, 1], trials=1000))
    (1.0, True)
    """
    shares = np.asarray(shares, dtype=np.float64)
    n_clusters, n = shares.shape
    p_values = np.ones((n, n))
    if not n_clusters or n < 2:
        return p_values
    # What all entries have in common cancels in every difference, and only adds to the rounding.
    swapped = _draw_signs(n_clusters, trials, seed, name) @ (shares - shares.mean(axis=1, keepdims=True))
    swapped = np.ascontiguousarray(swapped.T)
    size = np.abs(shares - shares.mean(axis=1, keepdims=True)).sum(axis=0)
    for a in range(n - 1):
        differences = shares[:, a + 1 :] - shares[:, a : a + 1]
        observed = np.abs(differences.sum(axis=0))
        total = np.abs(differences).sum(axis=0)
        tolerance, doubt = 1e-12 * total, _ROUNDING * (size[a + 1 :] + size[a] + total)
        sums = np.abs(swapped[a + 1 :] - swapped[a])
        surely = np.count_nonzero(sums >= (observed - tolerance + doubt)[:, None], axis=1)
        perhaps = np.count_nonzero(sums >= (observed - tolerance - doubt)[:, None], axis=1)
        for b, found in enumerate(surely, start=a + 1):
            if found == perhaps[b - a - 1]:
                p = (int(found) + 1) / (trials + 1)
            else:
                p = paired_randomization(shares[:, b] - shares[:, a], trials=trials, seed=seed, name=name)
            p_values[a, b] = p_values[b, a] = p
    return p_values


def _draw_signs(n_clusters: int, trials: int, seed: int, name: str) -> np.ndarray:
    """(N, C) float64, plus and minus one, as :func:`paired_randomization` draws them."""
    generator = derive_generator(seed, "randomisation", name)
    signs = np.zeros((trials, n_clusters))
    bits = np.zeros(trials, dtype=np.uint64)
    for c in range(n_clusters):
        if c % 64 == 0:
            bits = generator.random_raw(trials)
        signs[:, c] = np.where((bits >> np.uint64(c % 64)) & np.uint64(1), 1.0, -1.0)
    return signs


def bound_swaps(differences: np.ndarray) -> float:
    """Return an upper bound on the exact p-value of :func:`paired_randomization`, over all swaps there are.

    A simulation of N trials cannot tell p-values below 1 / (N + 1), though a correction over many pairs needs some:
    200 entries are 19,900 pairs. The bound is close for small p and never too small.

    Parameters
    ----------
    differences : (C,) float64
        As there.

    Returns
    -------
    float
        In (0, 1].

    Notes
    -----
    A weighted sum of independent signs exceeds x standard deviations with a probability of at most 3.179 times that of
    a normal variable (V. Bentkus, D. Dzindzalieta, "A tight Gaussian bound for weighted sums of Rademacher random
    variables", Bernoulli 21 (2015)).

    Examples
    --------
    >>> bound_swaps(np.ones(40)) < 1e-8, bound_swaps(np.zeros(3))
    (True, 1.0)
    """
    differences = np.asarray(differences, dtype=np.float64)
    spread = math.sqrt(float(np.sum(differences**2)))
    if not spread > 0:
        return 1.0
    x = abs(float(np.sum(differences))) / spread
    return min(1.0, max(_TIGHT * math.erfc(x / math.sqrt(2)), np.finfo(float).tiny))
