"""Whether every curve is monotone within its intervals: more damage must never score significantly better.

Conventions
-----------
A step is two neighbouring levels of one curve; its difference, worse minus better, is paired (the same clips,
the same bootstrap draws) and macro over languages. A step is reversed where the level that is known to be worse
scores better by more than chance: paired randomization of whole sources, two-sided, p below 5 % after Holm's
correction over all steps of all curves of a measure. Beside it stands the stricter count without correction
(the step's own 95 % interval lies below zero; one step in forty does so by chance where nothing changes), and
the largest reversal between any two levels of a curve, so that many small steps cannot hide a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
)
from mtbench.statistics import Chain, Number, adjust_holm, paired_randomization, summarize

#: Level at which a reversal counts.
ALPHA = 0.05


@dataclass(frozen=True)
class Step:
    """Two levels of a curve.

    Attributes
    ----------
    better, worse : str
        Names of systems (or conditions), as it is known beforehand.
    difference : Number
        Score of *worse* minus score of *better*; positive where the measure agrees.
    p, p_holm : float
        Two-sided; 1.0 before correction is done.
    """

    better: str
    worse: str
    difference: Number
    p: float
    p_holm: float = 1.0

    @property
    def reversed(self) -> bool:
        """Whether the measure significantly contradicts the known order."""
        return (self.difference.estimate or 0.0) < 0 and self.p_holm < ALPHA

    @property
    def below_interval(self) -> bool:
        """Whether the step's own interval lies below zero, without correction."""
        return self.difference.ci95 is not None and self.difference.ci95[1] < 0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "better": self.better,
            "worse": self.worse,
            "difference": self.difference.to_json(),
            "p": self.p,
            "p_holm": self.p_holm,
            "reversed": self.reversed,
            "below_interval": self.below_interval,
        }


@dataclass(frozen=True)
class CurveCheck:
    """Whether a curve rises all the way.

    Attributes
    ----------
    curve : str
    measure : str
    steps : tuple of Step
    largest_reversal : Step or None
        The two levels, neighbours or not, that contradict the known order most; None where none do. Its
        p-value is not computed.
    """

    curve: str
    measure: str
    steps: tuple[Step, ...]
    largest_reversal: Step | None

    @property
    def monotone(self) -> bool:
        """Whether no step is significantly reversed."""
        return not any(step.reversed for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        largest = self.largest_reversal
        return {
            "monotone": self.monotone,
            "monotone_uncorrected": not any(step.below_interval for step in self.steps),
            "steps": [step.to_json() for step in self.steps],
            "largest_reversal": None
            if largest is None
            else {
                "better": largest.better,
                "worse": largest.worse,
                "difference": largest.difference.to_json(),
            },
        }


def check_chains(
    bootstrap: BootstrappedScores, measure: Measure, chains: Sequence[Chain]
) -> list[CurveCheck]:
    """Return the check of every chain of systems under one measure.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measure : Measure
    chains : sequence of Chain
        Of :func:`mtbench.meta.correlation.order_chains`.
    """
    names = [system.name for system in bootstrap.scores.systems]
    scores, samples = bootstrap.estimate(measure), bootstrap.resample(measure)

    def compare(better: int, worse: int, test: bool) -> Step:
        drawn = None if samples is None else samples[:, worse] - samples[:, better]
        difference = summarize(float(scores[worse] - scores[better]), drawn, _points(measure.unit))
        name = f"{names[better]}\x1f{names[worse]}"
        p = paired_randomization(bootstrap.contributions(measure, worse, better), name=name) if test else 1.0
        return Step(names[better], names[worse], difference, p)

    checks = []
    for chain in chains:
        rows = [int(row) for row in chain.rows]
        steps = tuple(compare(a, b, True) for a, b in pairwise(rows))
        pairs = [(scores[b] - scores[a], a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]
        gap, better, worse = min(pairs)
        largest = compare(better, worse, False) if gap < 0 else None
        checks.append(CurveCheck(chain.name, measure.name, steps, largest))
    return correct(checks)


def check_conditions(
    bootstrap: BootstrappedScores, name: str, row: int, measures: Sequence[Measure]
) -> CurveCheck:
    """Return the check of one system over conditions, quietest noise first.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    name : str
        Of the curve.
    row : int
        The system.
    measures : sequence of Measure
        The same metric under ever harder conditions, on the same clips.
    """
    labels = [measure.condition or measure.name for measure in measures]
    scores = [float(bootstrap.estimate(measure)[row]) for measure in measures]
    samples = [bootstrap.resample(measure) for measure in measures]

    def compare(better: int, worse: int, test: bool) -> Step:
        a, b = samples[better], samples[worse]
        drawn = None if a is None or b is None else b[:, row] - a[:, row]
        difference = summarize(scores[worse] - scores[better], drawn, _points(measures[0].unit))
        p = 1.0
        if test:
            both = _stack(measures[better], measures[worse], row)
            p = paired_randomization(
                bootstrap.contributions(both, 1, 0), name=f"{labels[better]}\x1f{labels[worse]}"
            )
        return Step(labels[better], labels[worse], difference, p)

    n = len(measures)
    steps = tuple(compare(i, i + 1, True) for i in range(n - 1))
    pairs = [(scores[j] - scores[i], i, j) for i in range(n) for j in range(i + 1, n)]
    gap, better, worse = min(pairs)
    return CurveCheck(name, measures[0].name, steps, compare(better, worse, False) if gap < 0 else None)


def correct(checks: Sequence[CurveCheck]) -> list[CurveCheck]:
    """Return *checks* with Holm's correction over all their steps together."""
    adjusted = iter(adjust_holm([step.p for check in checks for step in check.steps]))
    return [
        replace(check, steps=tuple(replace(step, p_holm=next(adjusted)) for step in check.steps))
        for check in checks
    ]


def count_language_reversals(
    bootstrap: BootstrappedScores, measure: Measure, chains: Sequence[Chain]
) -> dict[str, Any]:
    """Return, for each language, how many steps have an interval below zero.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measure : Measure
    chains : sequence of Chain

    Returns
    -------
    dict
        ``{language: {"n_steps", "n_below_interval", "steps": [[better, worse], …]}}``. No p-values: a language
        has too few clips for a corrected test to find anything. By chance one step in forty is counted where
        nothing changes.
    """
    names = [system.name for system in bootstrap.scores.systems]
    pairs = [(int(a), int(b)) for chain in chains for a, b in pairwise(chain.rows)]
    out: dict[str, Any] = {}
    for language in bootstrap.languages:
        samples = bootstrap.resample(measure, language)
        below = []
        for better, worse in pairs:
            drawn = None if samples is None else samples[:, worse] - samples[:, better]
            interval = summarize(0.0, drawn, "").ci95
            if interval is not None and interval[1] < 0:
                below.append([names[better], names[worse]])
        out[language] = {"n_steps": len(pairs), "n_below_interval": len(below), "steps": below}
    return out


def _stack(better: Measure, worse: Measure, row: int) -> Measure:
    """Make two conditions of one system look like two systems of one measure."""
    return replace(
        better,
        values=np.stack([better.values[row], worse.values[row]]),
        usable=better.usable & worse.usable,
        scored=np.ones(2, dtype=bool),
    )


def _points(unit: str) -> str:
    return "points" if unit == "%" else unit
