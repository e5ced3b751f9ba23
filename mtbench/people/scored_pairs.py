"""Pairs of systems: how often a metric says of two who is better, or that they tie, as people do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mtbench.people.metric_scores import Measure
from mtbench.people.two_sides import Sides
from mtbench.statistics import (
    Number,
    collect_pairs,
    measure_pairs,
    measure_tie_accuracy,
    soft_accuracy,
    sum_by_cluster,
    swap_p_values,
)


@dataclass(frozen=True)
class PairAccuracy:
    """How often a metric is right about two systems.

    Attributes
    ----------
    value : Number
        Share of pairs, with ties, 0 to 1.
    epsilon : (float, float)
        Thresholds below which the metric says *tie*, of the two halves of the sources.
    n_pairs, n_ties : int
        Pairs that were asked about, and those that people called ties.
    soft : float or None
        Soft pairwise accuracy, of systems only; None where people's scores are not known on each clip.
    """

    value: Number
    epsilon: tuple[float, float]
    n_pairs: int
    n_ties: int
    soft: float | None


def measure_pair_accuracy(sides: Sides, measure: Measure, level: str) -> PairAccuracy | None:
    """Return the pairwise accuracy of a measure; None at level ``"pooled"``, where nobody compared two clips."""
    people = sides.people
    if level == "clip" and people.per_item is not None:
        found = measure_tie_accuracy(
            measure.ratios.per_item, people.per_item, sides.bootstrap.clusters, sides.weights
        )
        return PairAccuracy(found.value, found.epsilon, found.n_pairs, found.n_ties, None)
    if level != "system":
        return None
    total = people.total
    couples = [(a, b) if total[a] >= total[b] else (b, a) for a, b in combinations(range(len(total)), 2)]
    ties = [(a, b) for a, b in couples if total[a] == total[b]]
    ordered = [(a, b) for a, b in couples if total[a] != total[b]]
    pairs = collect_pairs({"order": ordered}, {"ties": ties})
    # Every pair counts alike here, ties or not.
    pairs = replace(pairs, weight=np.full(len(couples), 1 / len(couples)))
    ratios = replace(measure.ratios, values=-measure.ratios.values)  # that function wants larger to be worse
    accuracy = measure_pairs(sides.bootstrap, ratios, pairs)
    return PairAccuracy(accuracy.value, accuracy.epsilon, len(couples), len(ties), _soften(sides, measure))


def _soften(sides: Sides, measure: Measure) -> float | None:
    people = sides.people.per_item
    if people is None:
        return None
    metric = measure.ratios.per_item
    complete = (np.isfinite(people) & np.isfinite(metric)).all(axis=0)
    if not complete.any():
        return None
    clusters = [c for c, keep in zip(sides.bootstrap.clusters, complete, strict=True) if keep]
    p_values = [
        swap_p_values(sum_by_cluster(side[:, complete].T, clusters)[0].T, name=name)
        for side, name in ((metric, "metric"), (people, "people"))
    ]
    return soft_accuracy(*p_values)
