"""Correlation of all scores of all candidates at once, with replicates that redraw items.

Conventions
-----------
Scores are (S, N), candidates by items; replicates are weights of items, (B, N). Tables of permutation tests hold the
share of the correlation that comes from giving one candidate's (or pair's) scores of the second side to another one.
"""

from __future__ import annotations

import numpy as np

from mtbench.statistics.correlation import pearson_features


def pool_moments(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, *, ranked: bool
) -> tuple[float, np.ndarray | None, np.ndarray]:
    """Return Pearson's or, *ranked*, Spearman's correlation over all S N pairs.

    Returns
    -------
    estimate : float
        NaN where one side is constant.
    samples : (B,) float64 or None
        Replicates.
    table : (S, S) float64
        Share of the correlation by candidates of both sides.
    """
    n_items = x.shape[1]
    sides = [rank_all(v) if ranked else v for v in (x, y)]
    a, b = (pearson_features(v.ravel()).reshape(v.shape) for v in sides)
    table = np.einsum("in,jn->ij", a, b)
    estimate = float(np.trace(table)) if a.any() and b.any() else np.nan
    if weights is None:
        return estimate, None, table
    each = np.tile(np.arange(n_items), len(x))
    samples = np.zeros(len(weights))
    for start in range(0, len(weights), 200):
        w = weights[start : start + 200][:, each]
        u, v = (_weighted_ranks(s.ravel(), w) if ranked else s.ravel()[None] for s in (x, y))
        samples[start : start + 200] = _weighted_pearson(u, v, w)
    return estimate, samples, table


def rank_all(values: np.ndarray) -> np.ndarray:
    """Return the ranks of all *values*, ties sharing their mean rank; by sorting, for there may be thousands."""
    return _weighted_ranks(values.ravel(), np.ones((1, values.size)))[0].reshape(values.shape)


def _weighted_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks where every value occurs as often as its weight says: (n,) and (B, n) to (B, n)."""
    order = np.argsort(values, kind="stable")
    _, group = np.unique(values, return_inverse=True)
    group = group.reshape(-1)[order]
    upto = np.cumsum(weights[:, order], axis=1)
    last = np.searchsorted(group, group, side="right") - 1
    first = np.searchsorted(group, group, side="left")
    before = np.where(first > 0, upto[:, np.maximum(first - 1, 0)], 0.0)
    ranks = np.empty_like(upto)
    ranks[:, order] = (before + upto[:, last] + 1) / 2
    return ranks


def _weighted_pearson(u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    total = w.sum(axis=1, keepdims=True)
    u = u - (w * u).sum(axis=1, keepdims=True) / total
    v = v - (w * v).sum(axis=1, keepdims=True) / total
    squares = (w * u * u).sum(axis=1) * (w * v * v).sum(axis=1)
    return np.where(
        squares > 0, (w * u * v).sum(axis=1) / np.sqrt(np.where(squares > 0, squares, 1.0)), np.nan
    )


def pool_kendall(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, *, ranked: bool = False
) -> tuple[float, np.ndarray | None, np.ndarray]:
    """Return Kendall's tau-b over all S N pairs; values as for :func:`pool_moments`, the table (S², S²).

    A replicate repeats items, so that tau-b is a quadratic form in their weights: no replicate is ranked.
    """
    s, n = x.shape
    shared, mine, theirs = (np.zeros((n, n)) for _ in range(3))
    table = np.zeros((s * s, s * s))
    for item in range(n):
        a = np.sign(x[:, item, None, None] - x[None]).reshape(s * s, n)
        b = np.sign(y[:, item, None, None] - y[None]).reshape(s * s, n)
        shared[item] = (a * b).sum(axis=0)
        mine[item], theirs[item] = (a * a).sum(axis=0), (b * b).sum(axis=0)
        table += a @ b.T
    length = np.sqrt(mine.sum() * theirs.sum())
    estimate = float(shared.sum() / length) if length > 0 else np.nan
    table /= length if length > 0 else 1.0
    if weights is None:
        return estimate, None, table
    top, *squares = (((weights @ form) * weights).sum(axis=1) for form in (shared, mine, theirs))
    product = squares[0] * squares[1]
    samples = np.where(product > 0, top / np.sqrt(np.where(product > 0, product, 1.0)), np.nan)
    return estimate, samples, table
