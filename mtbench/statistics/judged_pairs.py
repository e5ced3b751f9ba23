"""Pairs of candidates as people judged them: accuracy with ties on each item, and soft accuracy over all items.

Conventions
-----------
On each item people say of two candidates that one is better or that they tie; a metric says *tie* where its scores
differ by no more than epsilon, which is calibrated on one half of the clusters and judged on the other, both ways, as
in :mod:`mtbench.statistics.pairwise`. Soft accuracy asks the same of all items together: 1 - |p - q| averaged over
pairs, where p and q are one-sided p-values of the pair's difference under swaps of the two candidates, for the metric
and for people. Larger scores are better on both sides.

Sources: acc_eq with tie calibration, D. Deutsch, G. Foster, M. Freitag, "Ties Matter", EMNLP 2023; soft pairwise
accuracy, B. Thompson et al., WMT 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mtbench.statistics.bootstrap import SEED, derive_generator
from mtbench.statistics.estimates import Number, summarize

#: Thresholds that are tried, at most.
_CANDIDATES = 200


@dataclass(frozen=True)
class TieAccuracy:
    """How often a metric says of two candidates on one item what people say.

    Attributes
    ----------
    value : Number
        Share from 0 to 1; without estimate where a half has no pair.
    epsilon : (float, float)
        Thresholds of the two halves.
    n_pairs, n_ties : int
        Pairs on items, and those of them that people called ties.
    """

    value: Number
    epsilon: tuple[float, float]
    n_pairs: int
    n_ties: int


def measure_tie_accuracy(
    metric: np.ndarray, people: np.ndarray, clusters: Sequence[str], weights: np.ndarray | None = None
) -> TieAccuracy:
    """Return how often *metric* agrees with *people* about two candidates on an item.

    Parameters
    ----------
    metric, people : (S, N) float64
        Scores, NaN where there is none.
    clusters : sequence of str
        Cluster of each of the N items.
    weights : (B, N) float64, optional
        How often each item is drawn in each replicate.
    """
    pairs = np.array(list(combinations(range(len(metric)), 2)), dtype=np.int64).reshape(-1, 2)
    gaps, said = ((side[pairs[:, 0]] - side[pairs[:, 1]]).T for side in (metric, people))  # (N, P)
    known = np.isfinite(gaps) & np.isfinite(said)
    names = sorted(set(clusters))
    first = np.array([names.index(cluster) % 2 == 0 for cluster in clusters])
    ties = np.abs(gaps[known & (said == 0)])
    candidates = np.unique(np.concatenate([[0.0], ties]))
    if len(candidates) > _CANDIDATES:
        candidates = np.quantile(candidates, np.linspace(0, 1, _CANDIDATES), method="nearest")
    right = _count_right(gaps, said, known, candidates)  # (N, K)
    once = np.ones((1, len(clusters)))
    point, epsilon = _cross_validate(right, known.sum(axis=1), first, once, candidates)
    samples = None
    if weights is not None:
        samples = _cross_validate(right, known.sum(axis=1), first, weights, candidates)[0]
    value = summarize(float(point[0]), samples, "", agreement=True, clusters=max(2, len(names)))
    return TieAccuracy(value, epsilon, int(known.sum()), int((known & (said == 0)).sum()))


def _count_right(gaps: np.ndarray, said: np.ndarray, known: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return how many pairs of each item are right at each threshold, (N, K)."""
    out = np.zeros((len(gaps), len(candidates)))
    for p in range(gaps.shape[1]):
        gap, order = np.where(known[:, p], gaps[:, p], 0.0), np.sign(np.where(known[:, p], said[:, p], 0.0))
        agrees = gap * order  # how far the metric's difference goes people's way
        tied = np.abs(gap)[:, None] <= candidates
        right = np.where((order == 0)[:, None], tied, agrees[:, None] > candidates)
        out += right & known[:, p, None]
    return out


def _cross_validate(
    right: np.ndarray, pairs: np.ndarray, first: np.ndarray, weights: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, tuple[float, float]]:
    """Return accuracies (B,), and the thresholds of the first replicate."""
    total, chosen = np.zeros(len(weights)), []
    for calibrating, judging in ((first, ~first), (~first, first)):
        best = np.argmax((weights * calibrating) @ right, axis=1)
        hits = ((weights * judging) @ right)[np.arange(len(weights)), best]
        judged, seen = ((weights * half) @ pairs for half in (judging, calibrating))
        total += np.where((judged > 0) & (seen > 0), hits / np.where(judged > 0, judged, 1.0), np.nan) / 2
        chosen.append(float(candidates[best[0]]))
    return total, (chosen[0], chosen[1])


def swap_p_values(
    per_cluster: np.ndarray, *, trials: int = 1000, seed: int = SEED, name: str = ""
) -> np.ndarray:
    """Return one-sided p-values of every pair's difference under swaps within clusters.

    Parameters
    ----------
    per_cluster : (S, C) float64
        Each candidate's sum of scores in each cluster.
    trials : int
        Number of swaps drawn.
    seed : int
        Seed of the draws.
    name : str
        Name of the draws; the same for both sides pairs them.

    Returns
    -------
    (P,) float64
        Probability under swaps of a difference at least as large, for the pairs (0, 1), (0, 2), …, (1, 2), …; near 0
        where the first of the two is clearly better.
    """
    pairs = np.array(list(combinations(range(len(per_cluster)), 2)), dtype=np.int64).reshape(-1, 2)
    differences = per_cluster[pairs[:, 0]] - per_cluster[pairs[:, 1]]
    n = differences.shape[1]
    raw = derive_generator(seed, "soft", name).random_raw(trials * n).reshape(trials, n)
    signs = np.where(raw & np.uint64(1), 1.0, -1.0)
    totals = signs @ differences.T
    observed = differences.sum(axis=1)
    slack = 1e-9 * np.abs(differences).sum(axis=1)
    more = (totals > observed + slack).mean(axis=0)
    return more + (np.abs(totals - observed) <= slack).mean(axis=0) / 2


def soft_accuracy(metric_p: np.ndarray, people_p: np.ndarray) -> float:
    """Return 1 - mean |p - q| over pairs.

    Examples
    --------
    >>> soft_accuracy(np.array([0.0, 0.5]), np.array([0.0, 0.25]))
    0.875
    """
    return 1 - float(np.mean(np.abs(metric_p - people_p)))
