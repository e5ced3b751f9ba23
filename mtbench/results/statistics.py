"""Uncertainty and significance: cluster bootstrap, paired randomization, Holm's correction, ranks.

Conventions
-----------
Everything works on per-clip sufficient statistics, so that a replicate re-aggregates and never re-scores.
Every score is a ratio of sums (errors over words, distances over frames, values over clips) or a mean of such
ratios over languages. What is resampled is the cluster (all clips of one source), never the row: noises and
SNRs of one clip are repeated measures. All randomness is the raw output of PCG64, whose stream numpy
guarantees, seeded by blake2b over the seed and a name: the same intervals on every machine and numpy version.
Sums run in a fixed order, without BLAS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

#: Number of bootstrap replicates, number of randomization trials, and the seed of both.
REPLICATES = 2_000
TRIALS = 10_000
SEED = 12345


def derive_generator(seed: int, *names: str) -> np.random.PCG64:
    """Return a bit generator that depends on *seed* and *names* only."""
    digest = hashlib.blake2b("\x1f".join((str(seed), *names)).encode(), digest_size=16).digest()
    return np.random.PCG64(int.from_bytes(digest, "little"))


def draw_cluster_counts(n_clusters: int, replicates: int, generator: np.random.PCG64) -> np.ndarray:
    """Return how often each cluster occurs in each bootstrap replicate.

    Parameters
    ----------
    n_clusters : int
        C, at least 1.
    replicates : int
        B.
    generator : numpy.random.PCG64
        Source of the draws; advanced by B * C.

    Returns
    -------
    (B, C) float64
        Whole numbers; every row sums to C.
    """
    raw = generator.random_raw(replicates * n_clusters)
    # Multiply-shift of the upper 32 bits maps to 0 .. C - 1 with a bias below C / 2**32.
    draws = ((raw >> np.uint64(32)) * np.uint64(n_clusters)) >> np.uint64(32)
    flat = draws.astype(np.int64) + np.repeat(np.arange(replicates) * n_clusters, n_clusters)
    counts = np.bincount(flat, minlength=replicates * n_clusters)
    return counts.reshape(replicates, n_clusters).astype(np.float64)


def sum_by_cluster(values: np.ndarray, clusters: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Return the sums of *values* over the rows of each cluster, and the clusters' names, sorted.

    Parameters
    ----------
    values : (n, k) float64
        One row per clip.
    clusters : sequence of str
        n cluster names.

    Returns
    -------
    sums : (C, k) float64
    names : list of str

    Examples
    --------
    >>> sums, names = sum_by_cluster(np.array([[1.0], [2.0], [4.0]]), ["b", "a", "b"])
    >>> names, sums[:, 0].tolist()
    (['a', 'b'], [2.0, 5.0])
    """
    names = sorted(set(clusters))
    position = {name: i for i, name in enumerate(names)}
    sums = np.zeros((len(names), values.shape[1]))
    for row, cluster in zip(values, clusters, strict=True):
        sums[position[cluster]] += row
    return sums, names


def bootstrap_sums(
    values: np.ndarray,
    clusters: Sequence[str],
    *,
    replicates: int = REPLICATES,
    seed: int = SEED,
    name: str = "",
) -> np.ndarray | None:
    """Return the column sums of *values* in each cluster-bootstrap replicate.

    Parameters
    ----------
    values : (n, k) float64
        Sufficient statistics, one row per clip.
    clusters : sequence of str
        Source id of each clip.
    replicates : int
        B.
    seed : int
        Seed.
    name : str
        What is resampled (a language code): other names draw independently, equal ones draw alike, so that
        replicates of two entries over the same clips are paired.

    Returns
    -------
    (B, k) float64 or None
        None with fewer than two clusters: then nothing is known about the spread.
    """
    sums, names = sum_by_cluster(values, clusters)
    if len(names) < 2:
        return None
    generator = derive_generator(seed, "bootstrap", name, *names)
    counts = draw_cluster_counts(len(names), replicates, generator)
    out = np.zeros((replicates, values.shape[1]))
    for c in range(len(names)):
        out += counts[:, c, None] * sums[c]
    return out


def percentile_interval(samples: np.ndarray, level: float = 0.95) -> tuple[float, float] | None:
    """Return the percentile interval of bootstrap *samples*.

    Parameters
    ----------
    samples : (B,) float64
        Replicates of an estimate; NaN where the estimate does not exist (a denominator of zero).
    level : float
        Coverage.

    Returns
    -------
    (float, float) or None
        None where a replicate in twenty or more does not exist.
    """
    finite = samples[np.isfinite(samples)]
    if len(finite) < 0.95 * len(samples) or not len(finite):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(finite, (tail, 1 - tail), method="linear")
    return float(low), float(high)


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
        N.
    seed : int
        Seed.
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
        Direction.
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
        Direction.
    level : float
        Coverage.

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
