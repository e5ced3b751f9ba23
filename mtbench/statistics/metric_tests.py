"""Whether one metric follows people better than another: PERM-BOTH, and clusters of metrics.

Conventions
-----------
Two metrics score S candidates on N items; their scores are standardised (pooled Spearman: ranked). The hypothesis is
that it makes no difference which of the two a candidate's scores on a cluster of items came from: they are swapped at
random, for each candidate and cluster, and the difference of the two correlations with people computed again.
One-sided, p = (c + 1) / (k + 1). On systems, a candidate's score is the mean of its items' here. The test speaks of
these candidates: that others would be scored alike it does not know.

Sources: PERM-BOTH, D. Deutsch, R. Dror, D. Roth, TACL 9 (2021); clusters as in the WMT metrics shared tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbench.statistics.bootstrap import SEED, TRIALS, derive_generator
from mtbench.statistics.correlation import FEATURES
from mtbench.statistics.pooled_correlation import rank_all

#: Most candidates for which every way of swapping an item's scores is tabled.
_TABLED = 10
_CHUNK, _CELLS = 500, 2_000_000


def permute_both(
    first: np.ndarray,
    second: np.ndarray,
    people: np.ndarray,
    clusters: Sequence[str],
    *,
    statistic: str = "spearman",
    level: str = "clip",
    trials: int = TRIALS,
    seed: int = SEED,
    name: str = "",
) -> tuple[float, float]:
    """Return by how much *first* correlates better with *people* than *second*, and the one-sided p-value.

    Parameters
    ----------
    first, second, people : (S, N) float64
        Scores without holes, larger is better.
    clusters : sequence of str
        Cluster of each of the N items.
    statistic : {"spearman", "kendall", "pearson"}
        Kendall not at level ``"pooled"``.
    level : {"system", "clip", "pooled"}
    trials : int
        Number of random swaps, k.
    seed : int
        Seed of the draws.
    name : str
        Name of the comparison, for independent draws.
    """
    s = len(first)
    a, b = (
        _standardize(side, ranked=level == "pooled" and statistic == "spearman") for side in (first, second)
    )
    names = sorted(set(clusters))
    place = np.array([names.index(cluster) for cluster in clusters])
    raw = derive_generator(seed, "both", name).random_raw(trials * s * len(names))
    swaps = ((raw >> np.uint64(40)) & np.uint64(1)).astype(bool).reshape(trials, s, len(names))
    compare = {"system": _systems, "clip": _items, "pooled": _pool}[level]
    if level == "pooled" and statistic == "kendall":
        raise ValueError("PERM-BOTH of pooled Kendall correlations is not offered")
    observed = float(compare(a, b, people, np.zeros((1, s, len(names)), dtype=bool), place, statistic)[0])
    reached = 0
    for start in range(0, trials, _CHUNK):
        null = compare(a, b, people, swaps[start : start + _CHUNK], place, statistic)
        reached += int(np.count_nonzero(null >= observed - 1e-9))
    return observed, (reached + 1) / (trials + 1)


def _standardize(side: np.ndarray, *, ranked: bool) -> np.ndarray:
    side = rank_all(side) if ranked else np.asarray(side, dtype=np.float64)
    spread = side.std()
    return (side - side.mean()) / (spread if spread > 0 else 1.0)


def _systems(
    a: np.ndarray, b: np.ndarray, people: np.ndarray, swaps: np.ndarray, place: np.ndarray, statistic: str
) -> np.ndarray:
    make, n_clusters = FEATURES[statistic], swaps.shape[2]
    gap = np.zeros((len(a), n_clusters))
    np.add.at(gap.T, place, (b - a).T)
    moved = np.einsum("ksc,sc->ks", swaps, gap) / a.shape[1]
    one, two = a.mean(axis=1) + moved, b.mean(axis=1) - moved
    known = make(people.mean(axis=1))
    return make(one) @ known - make(two) @ known


def _items(
    a: np.ndarray, b: np.ndarray, people: np.ndarray, swaps: np.ndarray, place: np.ndarray, statistic: str
) -> np.ndarray:
    """Mean difference over items; an item on which a side says nothing counts 0 for that side."""
    make, s = FEATURES[statistic], len(a)
    known = make(people.T)
    told = known.any(axis=1)
    if s <= _TABLED:
        # Every one of the 2**S ways in which an item's scores can be mixed has a place in a table.
        ways = np.array([[(way >> i) & 1 for i in range(s)] for way in range(2**s)], dtype=bool)
        one = make(np.where(ways[:, None], b.T, a.T))  # (2**S, N, k)
        table = np.einsum("wnk,nk->wn", one, known)
        table = table - table[::-1]
        sums = np.zeros((2**s, swaps.shape[2]))
        np.add.at(sums.T, place, table.T)
        way = (swaps * (1 << np.arange(s))[:, None]).sum(axis=1)  # (k, C)
        return sums[way, np.arange(swaps.shape[2])].sum(axis=1) / max(1, int(told.sum()))
    out = np.zeros(len(swaps))
    step = max(1, _CELLS // (a.size * s))
    for start in range(0, len(swaps), step):
        mask = swaps[start : start + step][:, :, place]
        one, two = (make(np.where(mask, second, first).swapaxes(1, 2)) for first, second in ((a, b), (b, a)))
        out[start : start + step] = ((one - two) * known).sum(axis=(1, 2)) / max(1, int(told.sum()))
    return out


def _pool(
    a: np.ndarray, b: np.ndarray, people: np.ndarray, swaps: np.ndarray, place: np.ndarray, statistic: str
) -> np.ndarray:
    """Pearson's correlation of mixed scores: sums over clusters are all that a swap moves."""
    h = _standardize(people, ranked=statistic == "spearman")
    n_clusters = swaps.shape[2]

    def sums_of(values: np.ndarray) -> np.ndarray:
        out = np.zeros((len(a), n_clusters))
        np.add.at(out.T, place, values.T)
        return out

    def mixed(of_a: np.ndarray, of_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = sums_of(of_a), sums_of(of_b)
        moved = np.einsum("ksc,sc->k", swaps, y - x)
        return x.sum() + moved, y.sum() - moved

    products, sums, squares = mixed(a * h, b * h), mixed(a, b), mixed(a * a, b * b)
    size = a.size
    one, two = (
        p / np.sqrt(np.maximum(size * q - s * s, 1e-300))
        for p, s, q in zip(products, sums, squares, strict=True)
    )
    return one - two


def cluster_metrics(correlations: Sequence[float], p_values: np.ndarray, *, alpha: float = 0.05) -> list[int]:
    """Return the significance cluster of each metric, 1 is best.

    From the best metric downwards, a new cluster begins with the first metric that a metric of the present cluster is
    significantly better than.

    Parameters
    ----------
    correlations : sequence of float
        Correlations of M metrics with people.
    p_values : (M, M) float64
        One-sided p-values that the row's metric is better than the column's.
    alpha : float
        Level of significance.

    Examples
    --------
    >>> p = np.array([[1.0, 0.2, 0.01], [0.8, 1.0, 0.2], [1.0, 0.8, 1.0]])
    >>> cluster_metrics([0.6, 0.5, 0.4], p)
    [1, 1, 2]
    """
    order = sorted(range(len(correlations)), key=lambda i: (-correlations[i], i))
    out, cluster = [0] * len(correlations), 1
    present: list[int] = []
    for metric in order:
        if any(p_values[better, metric] < alpha for better in present):
            cluster, present = cluster + 1, []
        present.append(metric)
        out[metric] = cluster
    return out
