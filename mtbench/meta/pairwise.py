"""Pairwise accuracy of a metric: how often it is right about which of two systems is worse, or that none is.

Conventions
-----------
Pairs of known order are all pairs within a chain (see :mod:`mtbench.meta.correlation`); pairs known to tie are
the ground truth with each nuisance. A family counts as much as any other; the nuisances together are one family more.
How a metric says *tie*, and what its threshold epsilon is, is said in :mod:`mtbench.statistics.pairwise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mtbench.meta.correlation import order_chains
from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.meta.json_values import LEFT_OUT
from mtbench.meta.systems import GROUND_TRUTH, System
from mtbench.statistics import Number, Pairs, collect_pairs, measure_pairs

#: Name of the group of pairs that are known to tie.
TIES = "nuisances"


@dataclass(frozen=True, kw_only=True)
class PairwiseAccuracy(Number):
    """How often a metric is right about two systems: share from 0 to 1, mean over families, with its interval.

    Attributes
    ----------
    level : {"system", "clip"}
        Whether systems were compared over all clips or clip by clip.
    measure : str
        Name of the metric.
    epsilon : (float, float)
        Thresholds of the two halves of the clips, in the metric's unit; None where a half is empty.
    n_pairs, n_ties : int
        Pairs of known order, and pairs known to tie (of systems).
    families : mapping of str to float
        Share of right decisions in each family; None where a half is empty.
    lead_of_avlr : Number or None
        By how much AVLR's accuracy is larger, paired; None for AVLR itself and where one does not exist.
    samples : (B,) float64 or None
        Replicates; not part of the report.
    """

    level: str
    measure: str
    epsilon: tuple[float | None, float | None]
    n_pairs: int
    n_ties: int
    families: Mapping[str, float | None]
    lead_of_avlr: Number | None = field(default=None, metadata=LEFT_OUT)
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)


@dataclass(frozen=True, kw_only=True)
class AccuracyTable(PairwiseAccuracy):
    """AVLR's pairwise accuracy, and those of all metrics.

    Attributes
    ----------
    measures : mapping of str to PairwiseAccuracy
        By the metric's name, AVLR first.
    """

    measures: Mapping[str, PairwiseAccuracy]


def measure_accuracy(
    bootstrap: BootstrappedScores, measure: Measure, *, level: str = "system"
) -> PairwiseAccuracy | None:
    """Return the pairwise accuracy of *measure*, or None where no pair of systems is known.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measure : Measure
        Larger is worse.
    level : {"system", "clip"}
        Whether two systems are compared by their scores over all clips, or clip by clip.
    """
    pairs = _list_pairs(bootstrap.scores.systems, measure.scored)
    if not len(pairs.weight):
        return None
    found = measure_pairs(bootstrap, measure, pairs, level=level)
    return PairwiseAccuracy(
        **vars(found.value),
        level=level,
        measure=measure.name,
        epsilon=found.epsilon,
        n_pairs=int((~pairs.is_tie).sum()),
        n_ties=int(pairs.is_tie.sum()),
        families=found.strata,
        samples=found.samples,
    )


def _list_pairs(systems: tuple[System, ...], scored: np.ndarray) -> Pairs:
    ordered: dict[str, list[tuple[int, int]]] = {}
    for chain in order_chains(systems, scored, shortest=2):
        n = len(chain.rows)
        ordered[chain.name] = [
            (int(chain.rows[i]), int(chain.rows[j]))
            for i in range(n)
            for j in range(i + 1, n)
            if chain.severity[i] < chain.severity[j]
        ]
    truth = [row for row, s in enumerate(systems) if s.name == GROUND_TRUTH and scored[row]]
    ties = [(truth[0], row) for row, s in enumerate(systems) if truth and s.nuisance and scored[row]]
    return collect_pairs(ordered, {TIES: ties})
