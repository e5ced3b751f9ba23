"""Pairwise accuracy with ties: how often scores are right about which of two candidates is worse.

Conventions
-----------
Some pairs of candidates are of known order, others are known to tie. Scores say *tie* where they differ by no more than
a threshold epsilon, which is calibrated: chosen on one half of the items as the one that is right most
often, and judged on the other half, both ways. Where a half is empty (one cluster in all, or a
bootstrap sample that drew none of it) there is no accuracy, and an interval only where nearly all samples have one.
Every group of pairs counts as much as any other. Without known ties epsilon is 0. Equal scores of candidates that
differ are a mistake.

Source: acc_eq with tie calibration, D. Deutsch, G. Foster, M. Freitag, "Ties Matter", EMNLP 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mtbench.statistics.estimates import Number, summarize
from mtbench.statistics.ratios import ClusterBootstrap, Ratios


@dataclass(frozen=True)
class Pairs:
    """Pairs of candidates of which it is known which one is worse, or that none is.

    Attributes
    ----------
    better, worse : (P,) int64
        Places of the two among the rows of scores; in a tie, in any order.
    strata : tuple of str
        Group of each pair, P names.
    is_tie : (P,) bool
        Whether the two are known to tie.
    weight : (P,) float64
        Weight of each pair; all groups have the same sum, all pairs together 1.
    """

    better: np.ndarray
    worse: np.ndarray
    strata: tuple[str, ...]
    is_tie: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Accuracy:
    """How often scores are right about two candidates.

    Attributes
    ----------
    value : Number
        Share of right decisions, 0 to 1, mean over groups of pairs.
    epsilon : (float, float)
        Thresholds of the two halves, in the scores' unit.
    strata : mapping of str to float
        Share of right decisions in each group.
    samples : (B,) float64 or None
        Replicates of the value.
    """

    value: Number
    epsilon: tuple[float, float]
    strata: Mapping[str, float]
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)


def collect_pairs(
    ordered: Mapping[str, Sequence[tuple[int, int]]], tied: Mapping[str, Sequence[tuple[int, int]]]
) -> Pairs:
    """Return the pairs of all groups; groups without a pair are left out.

    Parameters
    ----------
    ordered, tied : mapping of str to sequence of (int, int)
        Places of (better, worse), and of two that tie, by the name of the group.

    Examples
    --------
    >>> collect_pairs({"a": [(0, 1), (0, 2)]}, {"ties": [(0, 3)]}).weight.tolist()
    [0.25, 0.25, 0.5]
    """
    groups = [(name, pairs, False) for name, pairs in ordered.items() if pairs]
    groups += [(name, pairs, True) for name, pairs in tied.items() if pairs]
    flat = np.array([pair for _, pairs, _ in groups for pair in pairs], dtype=np.int64).reshape(-1, 2)
    return Pairs(
        better=flat[:, 0],
        worse=flat[:, 1],
        strata=tuple(name for name, pairs, _ in groups for _ in pairs),
        is_tie=np.array([tie for _, pairs, tie in groups for _ in pairs], dtype=bool),
        weight=np.array([1 / (len(groups) * len(pairs)) for _, pairs, _ in groups for _ in pairs]),
    )


def split_halves(bootstrap: ClusterBootstrap) -> tuple[np.ndarray, np.ndarray]:
    """Return two (N,) bool masks that part the clusters of every stratum in two, first to last in turn."""
    first = np.zeros(len(bootstrap.strata), dtype=bool)
    for stratum in bootstrap.names:
        members = bootstrap.members(stratum)
        names = sorted({bootstrap.clusters[i] for i in members})
        for i in members:
            first[i] = names.index(bootstrap.clusters[i]) % 2 == 0
    return first, ~first


def measure_pairs(
    bootstrap: ClusterBootstrap, ratios: Ratios, pairs: Pairs, *, level: str = "system"
) -> Accuracy:
    """Return how often scores are right about *pairs*.

    Parameters
    ----------
    bootstrap : ClusterBootstrap
    ratios : Ratios
        Scores; larger is worse.
    pairs : Pairs
        At least one.
    level : {"system", "clip"}
        Whether two candidates are compared by their scores over all items, or item by item.
    """
    halves = split_halves(bootstrap)
    point, epsilon, strata = _cross_validate(bootstrap, ratios, pairs, halves, bootstrap.once, level)
    samples = None
    if bootstrap.weights is not None:
        samples = _cross_validate(bootstrap, ratios, pairs, halves, bootstrap.weights, level)[0]
    return Accuracy(summarize(float(point[0]), samples, "", agreement=True), epsilon, strata, samples)


def _cross_validate(
    bootstrap: ClusterBootstrap,
    ratios: Ratios,
    pairs: Pairs,
    halves: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    level: str,
) -> tuple[np.ndarray, tuple[float, float], dict[str, float]]:
    """Return accuracies (B,), the thresholds of the first replicate, its accuracy by stratum."""
    if level == "system":
        gaps = [_system_gaps(bootstrap, ratios, pairs, weights * half) for half in halves]
        rows = [np.ones((len(weights), 1))] * 2
    elif level == "clip":
        gaps = [_item_gaps(ratios, pairs, half)[None] for half in halves]
        rows = [_item_shares(bootstrap, ratios, half, weights) for half in halves]
    else:
        raise ValueError(f"level must be 'system' or 'clip', not {level!r}")
    total, epsilons, strata = np.zeros(len(weights)), [], dict.fromkeys(pairs.strata, 0.0)
    for calibrating, judging in ((0, 1), (1, 0)):
        # The accuracy rises with epsilon only where a known tie becomes one: no other threshold can be best.
        ties = np.abs(gaps[calibrating][..., pairs.is_tie])
        candidates = np.concatenate(
            [np.zeros((len(ties), 1)), np.sort(ties.reshape(len(ties), -1), axis=1)], axis=1
        )
        seen = _accuracies(gaps[calibrating], rows[calibrating], candidates, pairs, pairs.weight)
        best = np.argmax(seen, axis=1)
        places = np.minimum(np.arange(len(best)), len(candidates) - 1)
        epsilon = candidates[places, best]
        judged = _accuracies(
            gaps[judging], rows[judging], candidates, pairs, pairs.weight
        )  # (B, K): every replicate's own choice is picked below
        total += judged[np.arange(len(best)), best] / 2
        epsilons.append(float(epsilon[0]))
        for name in strata:
            inside = np.array([s == name for s in pairs.strata])
            share = _accuracies(
                gaps[judging][:1], rows[judging][:1], candidates[:1], pairs, inside / inside.sum()
            )
            strata[name] += float(share[0, best[0]]) / 2
    total[~_have_both_halves(ratios, halves, weights)] = np.nan
    return total, (epsilons[0], epsilons[1]), strata


def _have_both_halves(
    ratios: Ratios, halves: tuple[np.ndarray, np.ndarray], weights: np.ndarray
) -> np.ndarray:
    """Whether each replicate has a usable item in both halves: (B,) bool; NaN would count as a mistake else."""
    there = [weights[:, half & ratios.usable].sum(axis=1) > 0 for half in halves]
    return there[0] & there[1]


def _system_gaps(
    bootstrap: ClusterBootstrap, ratios: Ratios, pairs: Pairs, weights: np.ndarray
) -> np.ndarray:
    """Score of the worse minus score of the better: (B, 1, P)."""
    scores = bootstrap.aggregate(ratios, weights)
    return (scores[:, pairs.worse] - scores[:, pairs.better])[:, None, :]


def _item_gaps(ratios: Ratios, pairs: Pairs, half: np.ndarray) -> np.ndarray:
    """Return the same on each item of *half*: (n, P)."""
    scores = ratios.per_item[:, half & ratios.usable]
    return (scores[pairs.worse] - scores[pairs.better]).T


def _item_shares(
    bootstrap: ClusterBootstrap, ratios: Ratios, half: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Weight of each item of *half* in each replicate, macro over strata: (B, n), rows sum to 1."""
    members = np.flatnonzero(half & ratios.usable)
    shares = np.zeros((len(weights), len(members)))
    for stratum in bootstrap.names:
        inside = np.isin(members, bootstrap.members(stratum))
        drawn = weights[:, members[inside]]
        shares[:, inside] = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    total = shares.sum(axis=1, keepdims=True)
    return shares / np.where(total > 0, total, np.nan)


def _accuracies(
    gaps: np.ndarray, shares: np.ndarray, candidates: np.ndarray, pairs: Pairs, weight: np.ndarray
) -> np.ndarray:
    """Share of right decisions at each candidate threshold: (B, K).

    *gaps* (G, n, P), *shares* (B, n), *candidates* (G, K), with G either B or 1.
    """
    out = np.zeros((len(gaps), gaps.shape[1], candidates.shape[1]))
    for p in np.flatnonzero(weight):
        gap, threshold = gaps[:, :, p, None], candidates[:, None, :]
        right = np.abs(gap) <= threshold if pairs.is_tie[p] else gap > threshold
        out += weight[p] * right
    if len(out) == len(shares):
        return (shares[:, :, None] * out).sum(axis=1)
    return np.einsum("bn,nk->bk", shares, out[0])
