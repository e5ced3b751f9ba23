"""Curves of error rates over the signal-to-noise ratio, for every noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from mtbench.conditions import Condition
from mtbench.meta.estimates import BootstrappedScores, Measure, measure_errors
from mtbench.meta.json_values import LEFT_OUT
from mtbench.meta.monotonicity import CurveCheck, check_conditions, correct
from mtbench.statistics import Number, summarize

#: Fewest conditions of one noise that make a curve.
FEWEST = 3


@dataclass(frozen=True, kw_only=True)
class NoisePoint(Number):
    """Error rate of one system under one condition, over all languages, with its interval.

    Attributes
    ----------
    snr_db : float or None
        Signal-to-noise ratio in decibels; None is clean sound.
    condition : str or None
        Name of the condition.
    languages : mapping of str to Number
        Error rate in each language.
    """

    JSON_KEYS: ClassVar[tuple[str, ...]] = ("snr_db", "condition", "estimate", "ci95", "unit", "languages")

    snr_db: float | None
    condition: str | None
    languages: Mapping[str, Number]


@dataclass(frozen=True)
class NoiseCurve:
    """One system in ever more of one noise.

    Attributes
    ----------
    system : str
        Name of the system.
    modality : {"av", "a"}
        What the recognizer was given: sound and video, or sound alone.
    points : tuple of NoisePoint
        From clean sound to the loudest noise.
    check : CurveCheck
        Whether the error rate rises all the way.
    """

    system: str
    modality: str
    points: tuple[NoisePoint, ...]
    check: CurveCheck


@dataclass(frozen=True)
class NoiseGroup:
    """All curves in one noise, over ratios in *unit*."""

    unit: str
    curves: tuple[NoiseCurve, ...]


@dataclass(frozen=True, kw_only=True)
class NoiseCurves:
    """Curves over the signal-to-noise ratio, by the name of the noise.

    Attributes
    ----------
    title, unit, kind : str
        Name, unit and kind of the axis.
    words : mapping of str to NoiseGroup
        Curves of the headline rate.
    phones : mapping of str to NoiseGroup, or None
        Curves of the phone error rate; None where no phones were recognized.
    """

    title: str = "signal-to-noise ratio"
    unit: str = "dB"
    kind: str = "noise"
    words: Mapping[str, NoiseGroup]
    phones: Mapping[str, NoiseGroup] | None = field(default=None, metadata=LEFT_OUT)


def trace_noise(bootstrap: BootstrappedScores, unit: str = "words") -> dict[str, NoiseGroup]:
    """Return the curves over SNR by noise: every system that was run in at least three levels of it.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    unit : {"words", "phones"}
        What errors are counted in; ``"words"`` is the headline rate.
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
    traced: list[tuple[str, NoiseCurve]] = []
    for (noise, modality), found in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] != "av")):
        names = [condition for _, condition in sorted(found, reverse=True)]
        names = [clean[modality], *names] if modality in clean else names
        measures = [measure_errors(scores, name, unit) for name in names]
        for row, system in enumerate(scores.systems):
            run = [measure for measure in measures if measure.scored[row]]
            if len(run) < FEWEST:
                continue
            points = tuple(_noise_point(bootstrap, measure, row) for measure in run)
            curve = NoiseCurve(system.name, modality, points, check_conditions(bootstrap, row, run))
            traced.append((noise, curve))
    checks = correct([curve.check for _, curve in traced])
    out: dict[str, list[NoiseCurve]] = {}
    for (noise, curve), check in zip(traced, checks, strict=True):
        out.setdefault(noise, []).append(replace(curve, check=check))
    return {noise: NoiseGroup("dB", tuple(curves)) for noise, curves in out.items()}


def _noise_point(bootstrap: BootstrappedScores, measure: Measure, row: int) -> NoisePoint:
    alone = replace(measure, values=measure.values[[row]], scored=measure.scored[[row]])

    def number(language: str | None) -> Number:
        samples = bootstrap.resample(alone, language)
        score = float(bootstrap.estimate(alone, language)[0])
        return summarize(score, None if samples is None else samples[:, 0], "%")

    return NoisePoint(
        **vars(number(None)),
        snr_db=Condition.parse(measure.condition or "v").snr_db,
        condition=measure.condition,
        languages={language: number(language) for language in bootstrap.languages},
    )
