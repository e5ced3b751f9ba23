"""Significance: paired randomization and Holm's correction for many tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbench.statistics.bootstrap import SEED, TRIALS, derive_generator


def paired_randomization(
    differences: np.ndarray, *, trials: int = TRIALS, seed: int = SEED, name: str = ""
) -> float:
    """Return the two-sided p-value of a paired approximate randomization test.

    The hypothesis is that the two entries are exchangeable within each cluster: swapping them changes the
    sign of that cluster's contribution to the difference of scores. p = (c + 1) / (N + 1), where c of N
    random swaps give a difference at least as large as the observed one (Noreen 1989; as in sacrebleu's
    ``significance.py``).

    Parameters
    ----------
    differences : (C,) float64
        Contribution of each cluster to score(b) - score(a); the score difference is their sum.
    trials : int
        Number of random swaps, N.
    seed : int
        Seed of the draws.
    name : str
        Name of the comparison, for independent draws.

    Returns
    -------
    float
        p in (0, 1]; 1.0 without clusters. With C clusters it cannot fall much below 2 / 2**C.

    Examples
    --------
    >>> paired_randomization(np.zeros(5))
    1.0
    """
    differences = np.asarray(differences, dtype=np.float64)
    if not len(differences):
        return 1.0
    generator = derive_generator(seed, "randomisation", name)
    total = np.zeros(trials)
    bits = np.zeros(trials, dtype=np.uint64)
    for c, difference in enumerate(differences):
        if c % 64 == 0:
            bits = generator.random_raw(trials)
        total += np.where((bits >> np.uint64(c % 64)) & np.uint64(1), difference, -difference)
    observed = abs(float(np.sum(differences)))
    # The tolerance keeps ties ties: the same terms summed in another order differ in the last bits.
    tolerance = 1e-12 * float(np.sum(np.abs(differences)))
    extreme = int(np.count_nonzero(np.abs(total) >= observed - tolerance))
    return (extreme + 1) / (trials + 1)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down adjusted p-values, in the order given.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6 (1979).

    Examples
    --------
    >>> [round(p, 3) for p in adjust_holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for position, i in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - position) * p_values[i]))
        adjusted[i] = running
    return adjusted
