"""Curves of a metric over the strength of a degradation and over noise, and what nuisances cost.

Conventions
-----------
A curve holds the ground truth and all levels of one degradation, along its axis, with the score of every measure
over all languages and of AVLR in each language. What is known to cost nothing (nuisances) is compared with the
ground truth, paired: a nuisance passes where the score moves by less than :data:`TOLERANCE`, and its whole
interval saying so is stated apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mtbench.conditions import Condition
from mtbench.meta.correlation import order_chains
from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
    measure_errors,
)
from mtbench.meta.monotonicity import (
    CurveCheck,
    check_chains,
    check_conditions,
    correct,
    count_language_reversals,
)
from mtbench.meta.systems import CURVES, FAMILIES, GROUND_TRUTH, System
from mtbench.statistics import Number, paired_randomization, summarize

#: Points of error rate that a nuisance may cost.
TOLERANCE = 2.0
#: Fewest conditions of one noise that make a curve.
FEWEST = 3


def trace_curves(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], by_language: Sequence[str]
) -> dict[str, Any]:
    """Return every curve over degradations, by name.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measures : sequence of Measure
        The first is AVLR.
    by_language : sequence of str
        Names of the measures whose curves are also given language by language.

    Returns
    -------
    dict
        ``{curve: {title, unit, kind, points, checks}}``. ``kind`` is ``"ordered"`` (known to get worse),
        ``"free"`` (its order is not known to be one of readability) or ``"nuisance"``. ``checks`` holds, for
        each family of the curve and each error rate, whether it is monotone; empty for nuisances.
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
    checks = {measure.name: _check(bootstrap, measure) for measure in measures if measure.unit == "%"}
    languages = {m.name: _reversals(bootstrap, m) for m in measures if m.name in by_language}
    out: dict[str, Any] = {}
    for name, families in curves.items():
        rows = [row for row, system in enumerate(systems) if system.family in families]
        rows += [row for row, system in enumerate(systems) if system.name == GROUND_TRUTH]
        rows.sort(key=lambda row: _place(systems[row], families[0]))
        first = FAMILIES.get(families[0])
        out[name] = {
            "title": name if first is None or len(families) > 1 else first.title,
            "unit": next(s.unit for s in systems if s.family == families[0]),
            "kind": _kind([s for s in systems if s.family in families]),
            "points": [point(row, families[0]) for row in rows],
            "checks": {
                family: {
                    measure: found[family].to_json() for measure, found in checks.items() if family in found
                }
                for family in families
            },
            "languages_below_interval": {
                measure: found[name] for measure, found in languages.items() if name in found
            },
        }
    return out


def _points(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], by_language: Sequence[str]
) -> Callable[[int, str], dict[str, Any]]:
    overall = {m.name: (bootstrap.estimate(m), bootstrap.resample(m), m) for m in measures}
    single = {
        (m.name, language): (bootstrap.estimate(m, language), bootstrap.resample(m, language), m)
        for m in measures
        if m.name in by_language
        for language in bootstrap.languages
    }

    def number(found: tuple[np.ndarray, np.ndarray | None, Measure], row: int) -> dict[str, Any]:
        scores, samples, measure = found
        return summarize(scores[row], None if samples is None else samples[:, row], measure.unit).to_json()

    def make(row: int, family: str) -> dict[str, Any]:
        system = bootstrap.scores.systems[row]
        strength = system.strength
        if system.name == GROUND_TRUTH:
            known = FAMILIES.get(family)
            strength = 0.0 if known is None else known.unharmed
        return {
            "system": system.name,
            "family": system.family,
            "strength": strength if math.isfinite(strength) else None,
            "severity": system.severity,
            "scores": {name: number(found, row) for name, found in overall.items()},
            "languages": {
                language: {
                    name: number(single[name, language], row)
                    for name in by_language
                    if (name, language) in single
                }
                for language in bootstrap.languages
            },
        }

    return make


def _check(bootstrap: BootstrappedScores, measure: Measure) -> dict[str, CurveCheck]:
    """Check every chain that is not a nuisance, those of unknown order too, and correct over all of them."""
    systems = bootstrap.scores.systems
    chains = order_chains(
        systems, measure.scored, shortest=2, belongs=lambda s: s.severity > 0 and not s.nuisance
    )
    return {check.curve: check for check in check_chains(bootstrap, measure, chains)}


def _reversals(bootstrap: BootstrappedScores, measure: Measure) -> dict[str, Any]:
    out: dict[str, Any] = {}
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
    if system.name == GROUND_TRUTH:
        return 0.0 if known is None else (-math.inf if known.unharmed > 0 else 0.0)
    falling = known is not None and known.unharmed > 0
    return -system.strength if falling else system.strength


def _kind(systems: Sequence[System]) -> str:
    if all(system.nuisance for system in systems):
        return "nuisance"
    known = FAMILIES.get(systems[0].family)
    return "ordered" if known is None or known.ordered else "free"


def trace_noise(bootstrap: BootstrappedScores, unit: str = "words") -> dict[str, Any]:
    """Return the curves over SNR: every noise, every system that was run in at least three levels of it.

    Returns
    -------
    dict
        ``{noise: {curves: [{system, modality, points, monotone, …}]}}``; points go from clean (``snr_db``
        null) to the loudest noise.
    """
    scores = bootstrap.scores
    groups: dict[tuple[str, str], list[tuple[float, str]]] = {}
    clean: dict[str, str] = {}
    for name in scores.conditions:
        condition = Condition.parse(name)
        modality = condition.modality or ""
        if condition.hears and not condition.is_noisy:
            clean[modality] = name
        elif condition.noise is not None and condition.snr_db is not None:
            groups.setdefault((condition.noise, modality), []).append((condition.snr_db, name))
    out: dict[str, Any] = {}
    traced: list[tuple[dict[str, Any], CurveCheck]] = []
    for (noise, modality), found in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] != "av")):
        names = [condition for _, condition in sorted(found, reverse=True)]
        names = [clean[modality], *names] if modality in clean else names
        measures = [measure_errors(scores, name, unit) for name in names]
        for row, system in enumerate(scores.systems):
            run = [measure for measure in measures if measure.scored[row]]
            if len(run) < FEWEST:
                continue
            name = f"snr/{noise}/{modality}/{system.name}"
            curve: dict[str, Any] = {
                "system": system.name,
                "modality": modality,
                "points": [_noise_point(bootstrap, measure, row) for measure in run],
            }
            out.setdefault(noise, {"unit": "dB", "curves": []})["curves"].append(curve)
            traced.append((curve, check_conditions(bootstrap, name, row, run)))
    for (curve, _), check in zip(traced, correct([check for _, check in traced]), strict=True):
        curve["check"] = check.to_json()
    return out


def _noise_point(bootstrap: BootstrappedScores, measure: Measure, row: int) -> dict[str, Any]:
    alone = replace(measure, values=measure.values[[row]], scored=measure.scored[[row]])

    def number(language: str | None) -> dict[str, Any]:
        samples = bootstrap.resample(alone, language)
        score = float(bootstrap.estimate(alone, language)[0])
        return summarize(score, None if samples is None else samples[:, 0], "%").to_json()

    return {
        "snr_db": Condition.parse(measure.condition or "v").snr_db,
        "condition": measure.condition,
        **number(None),
        "languages": {language: number(language) for language in bootstrap.languages},
    }


def compare_with_truth(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], rows: Sequence[int]
) -> list[dict[str, Any]]:
    """Return what systems cost against the ground truth, paired.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measures : sequence of Measure
        Error rates.
    rows : sequence of int
        The systems, nuisances for example.

    Returns
    -------
    list of dict
        One a system and measure: difference with interval, p, ``within_tolerance`` (its size) and
        ``surely_within_tolerance`` (its whole interval).
    """
    systems = bootstrap.scores.systems
    truth = next((row for row, system in enumerate(systems) if system.name == GROUND_TRUTH), None)
    out = []
    for measure in measures:
        scores, samples = bootstrap.estimate(measure), bootstrap.resample(measure)
        for row in rows:
            if truth is None or not (measure.scored[row] and measure.scored[truth]):
                continue
            drawn = None if samples is None else samples[:, row] - samples[:, truth]
            difference = summarize(float(scores[row] - scores[truth]), drawn, "points")
            contributions = bootstrap.contributions(measure, row, truth)
            out.append(
                {
                    "system": systems[row].name,
                    "family": systems[row].family,
                    "measure": measure.name,
                    "condition": measure.condition,
                    "difference": difference.to_json(),
                    "p": paired_randomization(contributions, name=systems[row].name),
                    "within_tolerance": abs(difference.estimate or 0.0) < TOLERANCE,
                    "surely_within_tolerance": _inside(difference),
                }
            )
    return out


def _inside(difference: Number) -> bool | None:
    if difference.ci95 is None:
        return None
    return difference.ci95[0] > -TOLERANCE and difference.ci95[1] < TOLERANCE
