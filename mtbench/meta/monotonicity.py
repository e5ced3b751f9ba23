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
from typing import ClassVar

import numpy as np

from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
)
from mtbench.statistics import Chain, Number, adjust_holm, paired_randomization, summarize

#: Level at which a reversal counts.
ALPHA = 0.05


@dataclass(frozen=True)
class Reversal:
    """Two levels of a curve that contradict the known order.

    Attributes
    ----------
    better, worse : str
        Names of systems (or conditions), as it is known beforehand.
    difference : Number
        Score of *worse* minus score of *better*; negative.
    """

    better: str
    worse: str
    difference: Number


@dataclass(frozen=True)
class Step:
    """Two neighbouring levels of a curve.

    Attributes
    ----------
    better, worse : str
        Names of systems (or conditions), as it is known beforehand.
    difference : Number
        Score of *worse* minus score of *better*; positive where the measure agrees.
    p : float
        Two-sided p-value.
    p_holm : float
        The same after Holm's correction; 1.0 before correction is done.
    """

    JSON_KEYS: ClassVar[tuple[str, ...]] = (
        *("better", "worse", "difference", "p", "p_holm", "reversed", "below_interval"),
    )

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


@dataclass(frozen=True)
class CurveCheck:
    """Whether a curve rises all the way.

    Attributes
    ----------
    steps : tuple of Step
        Neighbouring levels, best first.
    largest_reversal : Reversal or None
        The two levels, neighbours or not, that contradict the known order most; None where none do.
    """

    JSON_KEYS: ClassVar[tuple[str, ...]] = ("monotone", "monotone_uncorrected", "steps", "largest_reversal")

    steps: tuple[Step, ...]
    largest_reversal: Reversal | None

    @property
    def monotone(self) -> bool:
        """Whether no step is significantly reversed."""
        return not any(step.reversed for step in self.steps)

    @property
    def monotone_uncorrected(self) -> bool:
        """Whether no step's own interval lies below zero."""
        return not any(step.below_interval for step in self.steps)


@dataclass(frozen=True)
class LanguageSteps:
    """Steps of a curve in one language.

    Attributes
    ----------
    n_steps, n_below_interval : int
        Number of steps, and of those whose own interval lies below zero.
    steps : tuple of (str, str)
        Names of the better and the worse system of the latter.
    """

    n_steps: int
    n_below_interval: int
    steps: tuple[tuple[str, str], ...]


def check_chains(
    bootstrap: BootstrappedScores, measure: Measure, chains: Sequence[Chain]
) -> dict[str, CurveCheck]:
    """Return the check of every chain of systems under one measure, by the chain's name.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measure : Measure
    chains : sequence of Chain
        Of :func:`mtbench.meta.correlation.order_chains`.
    """
    names = [system.name for system in bootstrap.scores.systems]
    scores, samples = bootstrap.estimate(measure), bootstrap.resample(measure)

    def compare(better: int, worse: int) -> Number:
        drawn = None if samples is None else samples[:, worse] - samples[:, better]
        return summarize(float(scores[worse] - scores[better]), drawn, _points(measure.unit))

    checks = {}
    for chain in chains:
        rows = [int(row) for row in chain.rows]
        steps = tuple(
            Step(
                names[a],
                names[b],
                compare(a, b),
                paired_randomization(
                    bootstrap.contributions(measure, b, a), name=f"{names[a]}\x1f{names[b]}"
                ),
            )
            for a, b in pairwise(rows)
        )
        pairs = [(scores[b] - scores[a], a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]
        gap, better, worse = min(pairs)
        largest = Reversal(names[better], names[worse], compare(better, worse)) if gap < 0 else None
        checks[chain.name] = CurveCheck(steps, largest)
    return dict(zip(checks, correct([*checks.values()]), strict=True))


def check_conditions(bootstrap: BootstrappedScores, row: int, measures: Sequence[Measure]) -> CurveCheck:
    """Return the check of one system over conditions, quietest noise first; p-values are not corrected.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    row : int
        Row of the system.
    measures : sequence of Measure
        The same metric under ever harder conditions, on the same clips.
    """
    labels = [measure.condition or measure.name for measure in measures]
    scores = [float(bootstrap.estimate(measure)[row]) for measure in measures]
    samples = [bootstrap.resample(measure) for measure in measures]

    def compare(better: int, worse: int) -> Number:
        a, b = samples[better], samples[worse]
        drawn = None if a is None or b is None else b[:, row] - a[:, row]
        return summarize(scores[worse] - scores[better], drawn, _points(measures[0].unit))

    def test(better: int, worse: int) -> float:
        both = _stack(measures[better], measures[worse], row)
        name = f"{labels[better]}\x1f{labels[worse]}"
        return paired_randomization(bootstrap.contributions(both, 1, 0), name=name)

    n = len(measures)
    steps = tuple(Step(labels[i], labels[j], compare(i, j), test(i, j)) for i, j in pairwise(range(n)))
    pairs = [(scores[j] - scores[i], i, j) for i in range(n) for j in range(i + 1, n)]
    gap, better, worse = min(pairs)
    largest = Reversal(labels[better], labels[worse], compare(better, worse)) if gap < 0 else None
    return CurveCheck(steps, largest)


def correct(checks: Sequence[CurveCheck]) -> list[CurveCheck]:
    """Return *checks* with Holm's correction over all their steps together."""
    adjusted = iter(adjust_holm([step.p for check in checks for step in check.steps]))
    return [
        replace(check, steps=tuple(replace(step, p_holm=next(adjusted)) for step in check.steps))
        for check in checks
    ]


def count_language_reversals(
    bootstrap: BootstrappedScores, measure: Measure, chains: Sequence[Chain]
) -> dict[str, LanguageSteps]:
    """Return, for each language, how many steps have an interval below zero.

    No p-values: a language has too few clips for a corrected test to find anything. By chance one step in forty is
    counted where nothing changes.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measure : Measure
    chains : sequence of Chain
    """
    names = [system.name for system in bootstrap.scores.systems]
    pairs = [(int(a), int(b)) for chain in chains for a, b in pairwise(chain.rows)]
    out = {}
    for language in bootstrap.languages:
        samples = bootstrap.resample(measure, language)
        below = []
        for better, worse in pairs:
            drawn = None if samples is None else samples[:, worse] - samples[:, better]
            interval = summarize(0.0, drawn, "").ci95
            if interval is not None and interval[1] < 0:
                below.append((names[better], names[worse]))
        out[language] = LanguageSteps(len(pairs), len(below), tuple(below))
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
