"""Differences from the ground truth: nuisances, which should score as it does, and controls, which should not.

Conventions
-----------
Comparisons are paired. A nuisance passes where an error rate moves by less than :data:`TOLERANCE`, and its whole
interval saying so is stated apart. For bits no such tolerance is agreed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.statistics import Number, paired_randomization, summarize

#: Points of error rate by which a nuisance may differ from the ground truth.
TOLERANCE = 2.0


@dataclass(frozen=True)
class Movement:
    """By how much a system's score differs from the ground truth's.

    Attributes
    ----------
    system, family : str
        Names of the system and of its family.
    measure : str
        Name of the measure.
    condition : str or None
        Name of the condition that it was measured under.
    difference : Number
        Score of the system minus that of the ground truth, in points or bits.
    p : float
        Two-sided p-value of the difference.
    within_tolerance : bool or None
        Whether the difference is smaller than :data:`TOLERANCE`; None for bits.
    surely_within_tolerance : bool or None
        Whether its whole interval is; None without an interval, and for bits.
    """

    system: str
    family: str
    measure: str
    condition: str | None
    difference: Number
    p: float
    within_tolerance: bool | None
    surely_within_tolerance: bool | None


def compare_with_truth(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], rows: Sequence[int]
) -> list[Movement]:
    """Return how far systems differ from the ground truth, one movement a system and measure.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measures : sequence of Measure
        Error rates and bits.
    rows : sequence of int
        Rows of the systems, nuisances for example.
    """
    systems = bootstrap.scores.systems
    truth = bootstrap.row_of(GROUND_TRUTH)
    out = []
    for measure in measures:
        scores, samples = bootstrap.estimate(measure), bootstrap.resample(measure)
        for row in rows:
            if truth is None or not (measure.scored[row] and measure.scored[truth]):
                continue
            drawn = None if samples is None else samples[:, row] - samples[:, truth]
            rate = measure.unit == "%"
            difference = summarize(
                float(scores[row] - scores[truth]), drawn, "points" if rate else measure.unit
            )
            contributions = bootstrap.contributions(measure, row, truth)
            out.append(
                Movement(
                    system=systems[row].name,
                    family=systems[row].family,
                    measure=measure.name,
                    condition=measure.condition,
                    difference=difference,
                    p=paired_randomization(contributions, name=systems[row].name),
                    within_tolerance=abs(difference.estimate or 0.0) < TOLERANCE if rate else None,
                    surely_within_tolerance=_inside(difference) if rate else None,
                )
            )
    return out


def _inside(difference: Number) -> bool | None:
    if difference.ci95 is None:
        return None
    return difference.ci95[0] > -TOLERANCE and difference.ci95[1] < TOLERANCE
