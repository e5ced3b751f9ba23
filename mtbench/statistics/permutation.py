"""Exact permutation tests of rank correlations within strata.

Conventions
-----------
The hypothesis is that within each stratum (family of degradations) a metric's scores are in any order with
equal probability, independently of the other strata; p is the probability of a mean correlation at least as
large as the observed one (one-sided: the direction is what is claimed). The distribution of one stratum's
Spearman correlation is counted over all n! orders by recursion over subsets, ties included, and the strata
are convolved, so that no draw is needed: up to :data:`EXACT` systems in a stratum.

Strata that share their first system (the ground truth) are not independent: by chance it may lie low in all of
them. They are *anchored*: the shared system stays in its place and only the others are permuted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from mtbench.statistics.bootstrap import SEED, TRIALS, derive_generator
from mtbench.statistics.ranks import average_ranks

#: Largest stratum whose orders are all counted: 2**n subsets are visited.
EXACT = 12
#: Most items whose orders :func:`list_orders` lists.
ALL_ORDERS = 8
#: Steps per unit of correlation where ties put values off the common grid of fractions.
_FINE = 20_000


def count_orders(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all sums of products ``sum(a[i] * b[order[i]])`` and how many of the n! orders give each.

    Parameters
    ----------
    a, b : (n,) int
        Non-negative, n at most :data:`EXACT`.

    Returns
    -------
    sums : (K,) int64
        Ascending.
    counts : (K,) float64
        Whole numbers; they add up to n!.

    Examples
    --------
    >>> [x.tolist() for x in count_orders(np.array([1, 2]), np.array([1, 3]))]
    [[5, 7], [1.0, 1.0]]
    """
    n = len(a)
    if n > EXACT:
        raise ValueError(f"{n} items have too many orders to count; at most {EXACT}")
    top = int(np.sum(np.sort(a) * np.sort(b))) + 1
    layer = {0: np.eye(1, top)[0]}
    for place in range(n):
        following: dict[int, np.ndarray] = {}
        for subset, counts in layer.items():
            for item in range(n):
                if not subset >> item & 1:
                    target = following.setdefault(subset | 1 << item, np.zeros(top))
                    shift = int(a[place] * b[item])
                    target[shift:] += counts[: top - shift]
        layer = following
    counts = layer[(1 << n) - 1]
    sums = np.flatnonzero(counts)
    return sums, counts[sums]


def spearman_distribution(
    x: np.ndarray, y: np.ndarray, *, anchored: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that Spearman's correlation of *x* with a permuted *y* takes, and their probabilities.

    Parameters
    ----------
    x, y : (n,) float64
    anchored : bool
        The first place keeps its value.

    Returns
    -------
    values, probabilities : (K,) float64
        One value, 0, where *x* or *y* is constant: then no order shows.
    """
    a, b = (np.rint(2 * average_ranks(v)).astype(np.int64) for v in (x, y))
    spread = math.sqrt(float(np.var(a)) * float(np.var(b))) * len(a)
    if spread == 0:
        return np.zeros(1), np.ones(1)
    first = 1 if anchored else 0
    sums, counts = count_orders(a[first:], b[first:])
    sums = sums + int(np.sum(a[:first] * b[:first]))
    values = (sums - len(a) * float(np.mean(a)) * float(np.mean(b))) / spread
    return values, counts / math.factorial(len(a) - first)


def exact_p(strata: Sequence[tuple[np.ndarray, np.ndarray]], *, anchored: bool = False) -> float | None:
    """Return the exact one-sided p of the mean Spearman correlation over *strata*.

    Parameters
    ----------
    strata : sequence of ((n,) float64, (n,) float64)
        Known order and scores of each stratum.
    anchored : bool
        The first system is the same in every stratum and stays in its place.

    Returns
    -------
    float or None
        None where a stratum is larger than :data:`EXACT`. Without ties the value is exact; with ties values
        are put on a fine grid, and everything within its width of the observed value counts as reached.

    Examples
    --------
    >>> round(exact_p([(np.arange(3.0), np.arange(3.0)), (np.arange(4.0), np.arange(4.0))]) * 144, 9)
    1.0
    """
    if any(len(x) > EXACT for x, _ in strata):
        return None
    tied = any(len(set(np.asarray(v).tolist())) < len(v) for pair in strata for v in pair)
    steps = math.lcm(*(max(1, (len(x) ** 3 - len(x)) // 6) for x, _ in strata)) if strata else 1
    on_grid = not tied and steps <= _FINE
    steps = steps if on_grid else _FINE
    total, offset, observed = np.ones(1), 0, 0
    for x, y in strata:
        values, probabilities = spearman_distribution(x, y, anchored=anchored)
        places = np.rint(values * steps).astype(np.int64) + steps
        following = np.zeros(len(total) + 2 * steps)
        for place, probability in zip(places, probabilities, strict=True):
            following[place : place + len(total)] += probability * total
        total, offset = following, offset + steps
        observed += round(_spearman(x, y) * steps)
    slack = 0 if on_grid else len(strata)
    return min(1.0, float(np.sum(total[max(0, observed + offset - slack) :])))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    a, b = average_ranks(x), average_ranks(y)
    spread = math.sqrt(float(np.var(a)) * float(np.var(b)))
    return float(np.mean((a - a.mean()) * (b - b.mean()))) / spread if spread else 0.0


def list_orders(n: int, *, trials: int = TRIALS, name: str = "") -> tuple[np.ndarray, bool]:
    """Return all orders of n items where there are at most 8! of them, else *trials* random ones; and whether all.

    Examples
    --------
    >>> orders, all_of_them = list_orders(3)
    >>> orders.tolist(), all_of_them
    ([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]], True)
    """
    if n <= ALL_ORDERS:
        return np.array(list(permutations(range(n))), dtype=np.int64).reshape(-1, n), True
    return draw_orders(n, trials=trials, name=name), False


def draw_orders(
    n: int, *, anchored: bool = False, trials: int = TRIALS, seed: int = SEED, name: str = ""
) -> np.ndarray:
    """Return *trials* random orders of n items, (trials, n) int, from the seed and *name* only.

    Where *anchored*, the first item stays first.
    """
    raw = derive_generator(seed, "orders", name).random_raw(trials * n).reshape(trials, n)
    if anchored:
        raw[:, 0] = 0
    return np.argsort(raw, axis=1, kind="stable")
