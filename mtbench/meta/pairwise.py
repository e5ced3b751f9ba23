"""Pairwise accuracy with ties: how often a metric knows which of two systems is worse, or that none is.

Conventions
-----------
Pairs of known order are all pairs within a chain (see :mod:`mtbench.meta.correlation`); pairs known to tie are
the ground truth with each nuisance. A metric says *tie* where two scores differ by no more than its threshold
epsilon, which is calibrated for each metric: chosen on one half of the clips as the one that is right most
often, and judged on the other half, both ways. Where a half is empty (one source in all, or a
bootstrap sample that drew none of it) there is no accuracy, and an interval only where nearly all samples have one.
A family counts as much as any other; the nuisances together
are one family more. Without nuisances epsilon is 0. Equal scores of systems that differ are a mistake.

Source: acc_eq with tie calibration, D. Deutsch, G. Foster, M. Freitag, "Ties Matter", EMNLP 2023.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mtbench.meta.correlation import order_chains
from mtbench.meta.estimates import (
    Measure,
    Study,
)
from mtbench.meta.systems import GROUND_TRUTH, System
from mtbench.statistics import Number, summarize

#: Name of the stratum of pairs that are known to tie.
TIES = "nuisances"


@dataclass(frozen=True)
class PairwiseAccuracy:
    """How often a metric is right about two systems.

    Attributes
    ----------
    level : {"system", "clip"}
    measure : str
    value : Number
        Share of right decisions, 0 to 1, mean over families.
    epsilon : (float, float)
        Thresholds of the two halves, in the metric's unit.
    n_pairs, n_ties : int
        Pairs of known order, and pairs known to tie (of systems).
    families : dict of str to float
    samples : (B,) float64 or None
    """

    level: str
    measure: str
    value: Number
    epsilon: tuple[float, float]
    n_pairs: int
    n_ties: int
    families: dict[str, float]
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return self.value.to_json() | {
            "level": self.level,
            "measure": self.measure,
            "epsilon": self.epsilon,
            "n_pairs": self.n_pairs,
            "n_ties": self.n_ties,
            "families": self.families,
        }


@dataclass(frozen=True)
class _Pairs:
    """Pairs (better, worse) by place, the stratum of each, and the weight that makes strata equal."""

    better: np.ndarray
    worse: np.ndarray
    strata: tuple[str, ...]
    is_tie: np.ndarray
    weight: np.ndarray


def split_halves(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Return two (N,) bool masks that part the clusters of every language in two, first to last in turn."""
    first = np.zeros(len(study.scores.clips), dtype=bool)
    for language in study.languages:
        members = study.members(language)
        names = sorted({study.clusters[i] for i in members})
        for i in members:
            first[i] = names.index(study.clusters[i]) % 2 == 0
    return first, ~first


def measure_accuracy(study: Study, measure: Measure, *, level: str = "system") -> PairwiseAccuracy | None:
    """Return the pairwise accuracy of *measure*, or None where no pair of systems is known.

    Parameters
    ----------
    study : Study
    measure : Measure
        Larger is worse.
    level : {"system", "clip"}
        Whether two systems are compared by their scores over all clips, or clip by clip.
    """
    pairs = _collect_pairs(study.scores.systems, measure.scored)
    if not len(pairs.weight):
        return None
    halves = split_halves(study)
    once = np.ones((1, len(study.scores.clips)))
    point, epsilon, strata = _cross_validate(study, measure, pairs, halves, once, level)
    samples = None
    if study.weights is not None:
        samples = _cross_validate(study, measure, pairs, halves, study.weights, level)[0]
    return PairwiseAccuracy(
        level=level,
        measure=measure.name,
        value=summarize(float(point[0]), samples, "", agreement=True),
        epsilon=epsilon,
        n_pairs=int((~pairs.is_tie).sum()),
        n_ties=int(pairs.is_tie.sum()),
        families=strata,
        samples=samples,
    )


def _collect_pairs(systems: tuple[System, ...], scored: np.ndarray) -> _Pairs:
    found: dict[str, list[tuple[int, int]]] = {}
    for chain in order_chains(systems, scored, shortest=2):
        n = len(chain.rows)
        found[chain.family] = [
            (int(chain.rows[i]), int(chain.rows[j]))
            for i in range(n)
            for j in range(i + 1, n)
            if chain.severity[i] < chain.severity[j]
        ]
    truth = [row for row, s in enumerate(systems) if s.name == GROUND_TRUTH and scored[row]]
    ties = [(truth[0], row) for row, s in enumerate(systems) if truth and s.nuisance and scored[row]]
    if ties:
        found[TIES] = ties
    strata = [name for name, pairs in found.items() for _ in pairs]
    flat = np.array([pair for pairs in found.values() for pair in pairs], dtype=np.int64).reshape(-1, 2)
    weight = np.array([1 / (len(found) * len(pairs)) for pairs in found.values() for _ in pairs])
    is_tie = np.array([name == TIES for name in strata], dtype=bool)
    return _Pairs(flat[:, 0], flat[:, 1], tuple(strata), is_tie, weight)


def _cross_validate(
    study: Study,
    measure: Measure,
    pairs: _Pairs,
    halves: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    level: str,
) -> tuple[np.ndarray, tuple[float, float], dict[str, float]]:
    """Return accuracies (B,), the thresholds of the first replicate, its accuracy by stratum."""
    if level == "system":
        gaps = [_system_gaps(study, measure, pairs, weights * half) for half in halves]
        rows = [np.ones((len(weights), 1))] * 2
    elif level == "clip":
        gaps = [_clip_gaps(measure, pairs, half)[None] for half in halves]
        rows = [_clip_shares(study, measure, half, weights) for half in halves]
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
    total[~_have_both_halves(measure, halves, weights)] = np.nan
    return total, (epsilons[0], epsilons[1]), strata


def _have_both_halves(
    measure: Measure, halves: tuple[np.ndarray, np.ndarray], weights: np.ndarray
) -> np.ndarray:
    """Whether each replicate has a usable clip in both halves: (B,) bool; NaN would count as a mistake else."""
    there = [weights[:, half & measure.usable].sum(axis=1) > 0 for half in halves]
    return there[0] & there[1]


def _system_gaps(study: Study, measure: Measure, pairs: _Pairs, weights: np.ndarray) -> np.ndarray:
    """Score of the worse minus score of the better: (B, 1, P)."""
    scores = study.aggregate(measure, weights)
    return (scores[:, pairs.worse] - scores[:, pairs.better])[:, None, :]


def _clip_gaps(measure: Measure, pairs: _Pairs, half: np.ndarray) -> np.ndarray:
    """Return the same on each clip of *half*: (n, P)."""
    scores = measure.per_clip[:, half & measure.usable]
    return (scores[pairs.worse] - scores[pairs.better]).T


def _clip_shares(study: Study, measure: Measure, half: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weight of each clip of *half* in each replicate, macro over languages: (B, n), rows sum to 1."""
    members = np.flatnonzero(half & measure.usable)
    shares = np.zeros((len(weights), len(members)))
    for language in study.languages:
        inside = np.isin(members, study.members(language))
        drawn = weights[:, members[inside]]
        shares[:, inside] = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    total = shares.sum(axis=1, keepdims=True)
    return shares / np.where(total > 0, total, np.nan)


def _accuracies(
    gaps: np.ndarray, shares: np.ndarray, candidates: np.ndarray, pairs: _Pairs, weight: np.ndarray
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
