"""Curves of a metric over the strength of a degradation.

Conventions
-----------
A curve holds the ground truth and all levels of one degradation, along its axis, with the score of every measure
over all languages and of AVLR in each language.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.meta.correlation import order_chains
from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.meta.monotonicity import CurveCheck, LanguageSteps, check_chains, count_language_reversals
from mtbench.meta.systems import CURVES, FAMILIES, GROUND_TRUTH, System
from mtbench.statistics import Number, summarize


@dataclass(frozen=True)
class CurvePoint:
    """One system of a curve.

    Attributes
    ----------
    system, family : str
        Names of the system and of its family.
    strength : float or None
        Place on the curve's axis, in its unit; None where nothing is changed and the axis has no such value.
    severity : float
        Place in the family's known order: 0 is the ground truth, larger is worse.
    scores : mapping of str to Number
        Score over all languages, by the measure's name.
    languages : mapping of str to mapping of str to Number
        Scores of error rates in each language, by the measure's name.
    """

    system: str
    family: str
    strength: float | None
    severity: float
    scores: Mapping[str, Number]
    languages: Mapping[str, Mapping[str, Number]]


@dataclass(frozen=True)
class Curve:
    """All levels of one degradation, the ground truth among them.

    Attributes
    ----------
    title, unit : str
        Name of the curve, and unit of its axis.
    kind : {"ordered", "free", "nuisance"}
        Known to get worse; not known to be ordered by readability; changes that should not matter.
    points : tuple of CurvePoint
        From one end of the axis to the other.
    checks : mapping of str to mapping of str to CurveCheck
        Whether each measure of recognition is monotone, by family and the measure's name; empty for nuisances.
    languages_below_interval : mapping of str to mapping of str to LanguageSteps
        Steps against the known order, by the measure's name and language.
    """

    title: str
    unit: str
    kind: str
    points: tuple[CurvePoint, ...]
    checks: Mapping[str, Mapping[str, CurveCheck]]
    languages_below_interval: Mapping[str, Mapping[str, LanguageSteps]]


def trace_curves(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], by_language: Sequence[str]
) -> dict[str, Curve]:
    """Return every curve over degradations, by name.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measures : sequence of Measure
        The first is AVLR.
    by_language : sequence of str
        Names of the measures whose curves are also given language by language.
    """
    systems = bootstrap.scores.systems
    present = {system.family for system in systems}
    curves = {
        name: members
        for name, families in CURVES.items()
        if (members := [f for f in families if f in present])
    }
    # A benchmark of somebody else's making may have families that are not listed.
    listed = {family for families in CURVES.values() for family in families}
    curves |= {f: [f] for f in sorted(present - listed - {GROUND_TRUTH}) if f not in FAMILIES}
    point = _points(bootstrap, measures, by_language)
    checks = {
        measure.name: _check(bootstrap, measure) for measure in measures if measure.unit in ("%", "bits")
    }
    languages = {m.name: _reversals(bootstrap, m) for m in measures if m.name in by_language}
    out = {}
    for name, families in curves.items():
        rows = [row for row, system in enumerate(systems) if system.family in families]
        rows += [row for row, system in enumerate(systems) if system.name == GROUND_TRUTH]
        rows.sort(key=lambda row: _place(systems[row], families[0]))
        first = FAMILIES.get(families[0])
        out[name] = Curve(
            title=name if first is None or len(families) > 1 else first.title,
            unit=next(s.unit for s in systems if s.family == families[0]),
            kind=_kind([s for s in systems if s.family in families]),
            points=tuple(point(row, families[0]) for row in rows),
            checks={
                family: {measure: found[family] for measure, found in checks.items() if family in found}
                for family in families
            },
            languages_below_interval={
                measure: found[name] for measure, found in languages.items() if name in found
            },
        )
    return out


def _points(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], by_language: Sequence[str]
) -> Callable[[int, str], CurvePoint]:
    overall = {m.name: (bootstrap.estimate(m), bootstrap.resample(m), m) for m in measures}
    single = {
        (m.name, language): (bootstrap.estimate(m, language), bootstrap.resample(m, language), m)
        for m in measures
        if m.name in by_language
        for language in bootstrap.languages
    }

    def number(found: tuple[np.ndarray, np.ndarray | None, Measure], row: int) -> Number:
        scores, samples, measure = found
        return summarize(scores[row], None if samples is None else samples[:, row], measure.unit)

    def make(row: int, family: str) -> CurvePoint:
        system = bootstrap.scores.systems[row]
        strength = system.strength
        if system.name == GROUND_TRUTH:
            known = FAMILIES.get(family)
            strength = 0.0 if known is None else known.unharmed
        return CurvePoint(
            system=system.name,
            family=system.family,
            strength=strength if math.isfinite(strength) else None,
            severity=system.severity,
            scores={name: number(found, row) for name, found in overall.items()},
            languages={
                language: {
                    name: number(single[name, language], row)
                    for name in by_language
                    if (name, language) in single
                }
                for language in bootstrap.languages
            },
        )

    return make


def _check(bootstrap: BootstrappedScores, measure: Measure) -> dict[str, CurveCheck]:
    """Check every chain that is not a nuisance, those of unknown order too, and correct over all of them."""
    systems = bootstrap.scores.systems
    chains = order_chains(
        systems, measure.scored, shortest=2, belongs=lambda s: s.severity > 0 and not s.nuisance
    )
    return check_chains(bootstrap, measure, chains)


def _reversals(bootstrap: BootstrappedScores, measure: Measure) -> dict[str, dict[str, LanguageSteps]]:
    out = {}
    for name, families in CURVES.items():
        chains = [
            c
            for c in order_chains(bootstrap.scores.systems, measure.scored, shortest=2)
            if c.name in families
        ]
        if chains:
            out[name] = count_language_reversals(bootstrap, measure, chains)
    return out


def _place(system: System, family: str) -> float:
    """Place on the axis; the ground truth goes where nothing is changed."""
    known = FAMILIES.get(family)
    unharmed = 0.0 if known is None else known.unharmed
    falling = known is not None and unharmed > max(0.0, known.levels[-1])
    if system.name == GROUND_TRUTH:
        return -math.inf if falling else unharmed
    return -system.strength if falling else system.strength


def _kind(systems: Sequence[System]) -> str:
    if all(system.nuisance for system in systems):
        return "nuisance"
    known = FAMILIES.get(systems[0].family)
    return "ordered" if known is None or known.ordered else "free"
