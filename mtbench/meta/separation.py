"""Separation: how many clips one measure needs to tell two systems apart.

Conventions
-----------
What a paired comparison needs, and what the size of its effect is, is said in :mod:`mtbench.statistics.power`: systems
are the candidates, clips the items, languages the strata.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.statistics import Number, measure_power


@dataclass(frozen=True)
class Separation:
    """How well one measure tells two systems apart.

    Attributes
    ----------
    better, worse : str
        Names of the systems.
    measure : str
        Name of the measure.
    condition : str or None
        Name of the condition; None for geometry.
    difference : Number
        Score of *worse* minus *better*.
    effect : Number
        Difference over the spread of a clip's share; None where no clip differs from any other.
    clips_needed : int or None
        Clips that a comparison needs; None where the measure puts the two the other way round or equal, so that no
        number of clips helps.
    clips_ci95 : (int, int or None) or None
        Its 95 % interval; None as the upper end means that there is no bound.
    samples : (B,) float64 or None
        Replicates of the effect.
    """

    better: str
    worse: str
    measure: str
    condition: str | None
    difference: Number
    effect: Number
    clips_needed: int | None
    clips_ci95: tuple[int, int | None] | None
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)


def separate(bootstrap: BootstrappedScores, measure: Measure, better: int, worse: int) -> Separation:
    """Return how well *measure* tells the systems in rows *better* and *worse* apart."""
    unit = "points" if measure.unit == "%" else measure.unit
    found = measure_power(bootstrap, measure, better, worse, unit=unit)
    systems = bootstrap.scores.systems
    return Separation(
        better=systems[better].name,
        worse=systems[worse].name,
        measure=measure.name,
        condition=measure.condition,
        difference=found.difference,
        effect=found.effect,
        clips_needed=found.needed,
        clips_ci95=found.needed_ci95,
        samples=found.samples,
    )
