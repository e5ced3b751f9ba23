"""Correlation of two scores of the same candidates, at a named level, with interval and permutation test.

Conventions
-----------
S candidates (systems) on N items (clips), scored twice: by a metric and by people, larger is better in both. Levels
answer different questions and are always named:

``"system"``
    candidates' scores over all items are correlated: S pairs of numbers;
``"clip"``
    candidates are correlated on each item, and the correlations averaged over items. Items on which either side
    gives all candidates the same score have no correlation: they are left out and counted;
``"pooled"``
    all S N pairs of numbers are correlated at once.

Intervals redraw clusters of items: expanded percentile intervals on clips and pooled; on systems the redrawn scores
tell how uncertain each system's is, and the interval is that of the true scores' correlation
(:mod:`mtbench.statistics.latent_correlation`). The test asks whether candidates' names matter:
all of a candidate's scores are given to another candidate together, at every level, two-sided; exact where there are at
most 8 candidates, else from seeded draws. Fewer than four candidates get no p-value: of three there are six orders, so
that no p can be below 1/3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mtbench.statistics.bootstrap import TRIALS
from mtbench.statistics.correlation import FEATURES
from mtbench.statistics.estimates import Number, summarize
from mtbench.statistics.latent_correlation import draw_correlations
from mtbench.statistics.permutation import list_orders
from mtbench.statistics.pooled_correlation import pool_kendall, pool_moments

#: Fewest candidates that a test is made of.
FEWEST = 4
LEVELS = ("system", "clip", "pooled")
TOO_FEW = "no test: of {n} systems there are too few orders for any p below 0.05; four are the least"


@dataclass(frozen=True)
class Scores:
    """One side's scores of S candidates; larger is better.

    Attributes
    ----------
    total : (S,) float64
        Scores over all items.
    samples : (B, S) float64 or None
        Replicates of *total*; None where they are taken as they are.
    per_item : (S, N) float64 or None
        Scores on each item, NaN where there is none; None where they are not known by item.
    """

    total: np.ndarray
    samples: np.ndarray | None = None
    per_item: np.ndarray | None = None


@dataclass(frozen=True)
class Association:
    """How far two scores agree about candidates.

    Attributes
    ----------
    statistic : {"spearman", "kendall", "pearson"}
        Kendall is tau-b.
    level : {"system", "clip", "pooled"}
    value : Number
        Correlation with its interval.
    p : float or None
        Two-sided p-value.
    p_method : str
        ``"exact"`` or ``"10000 draws"``; ``""`` without a p-value.
    n_systems, n_items : int
        What entered.
    n_constant, n_incomplete : int
        Items left out because one side gives all candidates the same score, or not every candidate has both scores.
    reason : str or None
        Why there is no estimate or no p-value.
    samples : (B,) float64 or None
        Replicates of the value, on systems draws of the true scores' correlation.
    """

    statistic: str
    level: str
    value: Number
    p: float | None
    p_method: str
    n_systems: int
    n_items: int
    n_constant: int
    n_incomplete: int
    reason: str | None
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)


def associate(
    metric: Scores,
    people: Scores,
    weights: np.ndarray | None,
    *,
    statistic: str = "spearman",
    level: str = "system",
    clusters: int | None = None,
    trials: int = TRIALS,
) -> Association:
    """Return how far *metric* and *people* agree.

    Parameters
    ----------
    metric, people : Scores
    weights : (B, N) float64 or None
        How often each item is drawn in each replicate, the same as in the samples.
    statistic : {"spearman", "kendall", "pearson"}
    level : {"system", "clip", "pooled"}
    clusters : int, optional
        How many clusters of items are drawn from.
    trials : int
        Draws of the test where it is not exact.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    n = len(metric.total)
    if n < 2:
        return _nothing(statistic, level, n, f"{n} system in both: nothing to correlate")
    if level == "system":
        found = _associate_totals(metric, people, statistic, clusters)
    elif metric.per_item is None or people.per_item is None:
        side = "the metric's" if metric.per_item is None else "people's"
        return _nothing(statistic, level, n, f"needs {side} scores clip by clip")
    else:
        make = _associate_items if level == "clip" else _associate_pool
        found = make(metric.per_item, people.per_item, weights, statistic)
    if not np.isfinite(found.estimate):
        return _nothing(statistic, level, n, found.reason, found)
    p: float | None = None
    method, reason = "", TOO_FEW.format(n=n) if n < FEWEST else None
    if n >= FEWEST:
        orders, exact = list_orders(n, trials=trials, name=f"{statistic}/{level}")
        null = np.abs(found.permute(orders))
        reached = int(np.count_nonzero(null >= abs(found.estimate) - 1e-9))
        p = reached / len(orders) if exact else (reached + 1) / (len(orders) + 1)
        method = "exact" if exact else f"{trials} draws"
    few = None if level == "system" else clusters
    value = summarize(found.estimate, found.samples, "", clusters=few, agreement=True)
    return Association(
        statistic,
        level,
        value,
        p,
        method,
        n,
        found.n_items,
        found.n_constant,
        found.n_incomplete,
        reason,
        found.samples,
    )


@dataclass(frozen=True)
class _Found:
    estimate: float
    samples: np.ndarray | None
    permute: Callable[[np.ndarray], np.ndarray]
    n_items: int = 0
    n_constant: int = 0
    n_incomplete: int = 0
    reason: str = "one side gives all systems the same score"


def _nothing(statistic: str, level: str, n: int, reason: str, found: _Found | None = None) -> Association:
    counts = (0, 0, 0) if found is None else (found.n_items, found.n_constant, found.n_incomplete)
    return Association(statistic, level, Number(None, None, ""), None, "", n, *counts, reason)


def _associate_totals(metric: Scores, people: Scores, statistic: str, clusters: int | None) -> _Found:
    make = FEATURES[statistic]
    a, b = make(metric.total), make(people.total)
    estimate = float((a * b).sum()) if a.any() and b.any() else np.nan
    samples = None
    noise = _noise_of_totals(metric, people, clusters)
    if noise is not None and np.isfinite(estimate):
        samples = draw_correlations(np.stack([metric.total, people.total], axis=-1), noise, statistic)
    items = 0 if metric.per_item is None else metric.per_item.shape[1]
    return _Found(estimate, samples, lambda orders: _permute(a, b, orders), items)


def _noise_of_totals(metric: Scores, people: Scores, clusters: int | None) -> np.ndarray | None:
    """Return the covariance of each candidate's two errors, (S, 2, 2), apart from what all candidates share."""
    drawn = [side.samples for side in (metric, people) if side.samples is not None]
    if not drawn:
        return None
    n = min(len(samples) for samples in drawn)
    sides = [
        np.broadcast_to(s.total, (n, len(s.total))) if s.samples is None else s.samples[:n]
        for s in (metric, people)
    ]
    both = np.stack(sides, axis=-1)
    both = both[np.isfinite(both).all(axis=(1, 2))]
    if len(both) < 0.95 * n:
        return None
    both = both - both.mean(axis=1, keepdims=True)
    both = both - both.mean(axis=0)
    covariance = np.einsum("bsi,bsj->sij", both, both) / len(both)
    s = covariance.shape[0]
    # Of few clusters the variance is too small, and itself so uncertain that the noise is Student's, not normal.
    few = 1.0 if clusters is None else clusters / max(1, clusters - 3)
    return covariance * few * s / (s - 1)


def _permute(a: np.ndarray, b: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Correlations with candidates of the second vector exchanged: features (k,), orders (K, S), to (K,)."""
    n = orders.shape[1]
    if len(b) == n:
        return b[orders] @ a
    square = b.reshape(n, n)
    return square[orders[:, :, None], orders[:, None, :]].reshape(len(orders), -1) @ a


def _complete(metric: np.ndarray, people: np.ndarray) -> np.ndarray:
    return (np.isfinite(metric) & np.isfinite(people)).all(axis=0)


def _associate_items(
    metric: np.ndarray, people: np.ndarray, weights: np.ndarray | None, statistic: str
) -> _Found:
    make = FEATURES[statistic]
    complete = _complete(metric, people)
    a, b = make(metric[:, complete].T), make(people[:, complete].T)
    kept = a.any(axis=1) & b.any(axis=1)
    a, b = a[kept], b[kept]
    counts = int(kept.sum()), int((~kept).sum()), int((~complete).sum())
    if not len(a):
        why = "no clip on which both sides tell systems apart"
        return _Found(np.nan, None, lambda orders: orders[:, 0], *counts, why)
    values = (a * b).sum(axis=1)
    samples = None
    if weights is not None:
        w = weights[:, np.flatnonzero(complete)[kept]]
        total = w.sum(axis=1)
        samples = np.where(total > 0, w @ values / np.where(total > 0, total, 1.0), np.nan)
    table = np.einsum("ik,il->kl", a, b) / len(a)
    return _Found(float(values.mean()), samples, lambda orders: _permute_table(table, orders), *counts)


def _permute_table(table: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Sum of table[k, order(k)], the mean correlation with candidates exchanged on all items alike; (K,).

    The rows and columns of *table* are candidates, or pairs of candidates.
    """
    n = orders.shape[1]
    if len(table) == n:
        return table[np.arange(n), orders].sum(axis=1)
    pairs = (orders[:, :, None] * n + orders[:, None, :]).reshape(len(orders), -1)
    out = np.zeros(len(orders))
    for place in range(n * n):
        out += table[place, pairs[:, place]]
    return out


def _associate_pool(
    metric: np.ndarray, people: np.ndarray, weights: np.ndarray | None, statistic: str
) -> _Found:
    complete = _complete(metric, people)
    counts = int(complete.sum()), 0, int((~complete).sum())
    if not complete.any():
        why = "no clip on which every system has both scores"
        return _Found(np.nan, None, lambda orders: orders[:, 0], *counts, why)
    m, h = metric[:, complete], people[:, complete]
    w = None if weights is None else weights[:, complete]
    estimate, samples, table = (pool_kendall if statistic == "kendall" else pool_moments)(
        m, h, w, ranked=statistic == "spearman"
    )
    return _Found(estimate, samples, lambda orders: _permute_table(table, orders), *counts)
