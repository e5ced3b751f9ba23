"""Uncertainty: the cluster bootstrap, its random streams, percentile intervals.

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
#: Share of the replicates that has to exist for an interval, whatever its level.
LEAST_FINITE = 0.95


def derive_generator(seed: int, *names: str) -> np.random.PCG64:
    """Return a bit generator that depends on *seed* and *names* only."""
    digest = hashlib.blake2b("\x1f".join((str(seed), *names)).encode(), digest_size=16).digest()
    return np.random.PCG64(int.from_bytes(digest, "little"))


def draw_cluster_counts(n_clusters: int, replicates: int, generator: np.random.PCG64) -> np.ndarray:
    """Return how often each cluster occurs in each bootstrap replicate.

    Parameters
    ----------
    n_clusters : int
        Number of clusters C, at least 1.
    replicates : int
        Number of replicates, B.
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
        Name of each row's cluster, n of them.

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
        Number of replicates, B.
    seed : int
        Seed of the draws.
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


def percentile_interval(
    samples: np.ndarray, level: float = 0.95, *, clusters: int | None = None
) -> tuple[float, float] | None:
    """Return the percentile interval of bootstrap *samples*.

    Parameters
    ----------
    samples : (B,) float64
        Replicates of an estimate; NaN where the estimate does not exist (a denominator of zero).
    level : float
        Coverage, 0.95 for 95 %.
    clusters : int, optional
        How many clusters were drawn from: the interval is then widened by what the percentile interval of few
        clusters lacks (the expanded percentile interval of T. Hesterberg, The American Statistician 69, 2015).

    Returns
    -------
    (float, float) or None
        None where a replicate in twenty or more does not exist.
    """
    finite = samples[np.isfinite(samples)]
    if len(finite) < LEAST_FINITE * len(samples) or not len(finite):
        return None
    tail = (1 - level) / 2 if clusters is None else expand_tail(clusters, level)
    low, high = np.quantile(finite, (tail, 1 - tail), method="linear")
    return float(low), float(high)


def expand_tail(clusters: int, level: float = 0.95) -> float:
    """Return the share of replicates that the expanded percentile interval leaves out at each end.

    The bootstrap's variance of a mean over n clusters is (n - 1) / n of what it should be, and its tails are
    normal where Student's t with n - 1 degrees of freedom is needed.

    Examples
    --------
    >>> [round(expand_tail(n), 4) for n in (10, 40, 1000)]
    [0.0086, 0.0203, 0.0248]
    """
    from scipy.special import ndtr, stdtrit

    if clusters < 2:
        raise ValueError("an interval needs two clusters")
    t = stdtrit(clusters - 1, (1 + level) / 2)
    return float(ndtr(-t * np.sqrt(clusters / (clusters - 1))))
