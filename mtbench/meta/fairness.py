"""Fairness: whether a metric treats languages alike, and which traits of languages are associated with a difference.

Conventions
-----------
Of the ground truth only: its AVLR in each language, what it gains over a face that never moves (the static
system under the same condition) and over sound alone. The spread over languages is the standard deviation of
the languages' scores, and the range; part of it is chance, since a language has few clips: ``spread_beyond_chance``
takes the mean squared standard error of a language off the variance. Traits of a language (how fast it is
spoken, how visible its sounds are, …) are correlated with its scores by Spearman over languages, p from
permutations of languages, two-sided, Holm over the traits of one score. With twenty languages only strong
associations show, and an association is no cause. The range lies between the two languages that came out lowest
and highest: chosen by the data, so that its interval is too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from mtbench.conditions import Condition
from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
    measure_errors,
)
from mtbench.meta.json_values import LEFT_OUT
from mtbench.meta.language_traits import TRAITS
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH, STATIC
from mtbench.speech import LANGUAGES, ROMAN, headline_rate
from mtbench.statistics import (
    TRIALS,
    Number,
    adjust_holm,
    associate_ranks,
    percentile_interval,
    summarize,
)

#: Scores of the ground truth in a language: its error rate, and what it gains over two controls.
SCORES = ("avlr", "gain_over_static", "gain_over_sound")
#: Fewest languages that a correlation over languages is computed for.
FEWEST = 5


@dataclass(frozen=True, kw_only=True)
class LanguageScores:
    """Scores of the ground truth in one language.

    Attributes
    ----------
    rate : {"wer", "cer", "per"}
        What the error rate counts.
    approximate : bool
        Whether the bundled speech of the language is an approximation.
    avlr : Number or None
        Error rate of the ground truth, per cent.
    gain_over_static, gain_over_sound : Number or None
        What it gains over a face that never moves, and over sound alone, points; None where a language lacks it.
    traits : mapping of str to float
        Traits of the language as far as they are known, by the keys of
        :data:`mtbench.meta.language_traits.TRAITS`.
    """

    rate: str
    approximate: bool
    avlr: Number | None = field(default=None, metadata=LEFT_OUT)
    gain_over_static: Number | None = field(default=None, metadata=LEFT_OUT)
    gain_over_sound: Number | None = field(default=None, metadata=LEFT_OUT)
    traits: Mapping[str, float]

    def score(self, name: str) -> Number | None:
        """Return the score of this name, one of :data:`SCORES`."""
        found: Number | None = getattr(self, name)
        return found


@dataclass(frozen=True)
class Extreme:
    """The language with the lowest or highest score."""

    language: str
    estimate: float


@dataclass(frozen=True)
class Spread:
    """How far a score differs between languages.

    Attributes
    ----------
    lowest, highest : Extreme
        The languages at the ends.
    range : Number
        Difference between the two, points.
    standard_deviation : float
        Standard deviation over languages.
    spread_beyond_chance : float or None
        The part of it that is not chance; None without replicates or with a single language.
    mean : float
        Mean over languages.
    n_languages : int
        Number of languages.
    """

    lowest: Extreme
    highest: Extreme
    range: Number
    standard_deviation: float
    spread_beyond_chance: float | None
    mean: float
    n_languages: int


@dataclass(frozen=True)
class Association:
    """Rank correlation of a score with a trait, over languages.

    Attributes
    ----------
    score, trait : str
        Names of the two.
    title : str
        The trait in words.
    spearman : float
        Rank correlation.
    p : float
        Two-sided p-value.
    n : int
        Number of languages.
    p_holm : float
        *p* after Holm's correction over the traits of the score.
    """

    score: str
    trait: str
    title: str
    spearman: float
    p: float
    n: int
    p_holm: float


@dataclass(frozen=True, kw_only=True)
class Fairness:
    """How the ground truth's scores differ between languages, and the traits that are associated with it.

    Attributes
    ----------
    unit : {"words", "phones"}
        What errors are counted in; ``"words"`` is the headline rate.
    condition : str
        Name of the condition of AVLR.
    languages : mapping of str to LanguageScores
        Scores of each language.
    spread : mapping of str to Spread
        By the score's name; scores that a language lacks are left out.
    correlates : tuple of Association
        Every score with every trait that is known of enough languages.
    reason : str or None
        Why there is nothing; None where there is something.
    """

    unit: str
    condition: str
    languages: Mapping[str, LanguageScores]
    spread: Mapping[str, Spread]
    correlates: tuple[Association, ...]
    reason: str | None = field(default=None, metadata=LEFT_OUT)


def judge_fairness(
    bootstrap: BootstrappedScores,
    condition: str,
    traits: Mapping[str, Mapping[str, float]] | None = None,
    *,
    unit: str = "words",
    trials: int = TRIALS,
) -> Fairness:
    """Return the spread of the ground truth's scores over languages, and the traits that are associated with it.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    condition : str
        Name of the condition of AVLR.
    traits : mapping, optional
        Traits of languages, as :func:`mtbench.meta.language_traits.describe_languages` returns them.
    unit : {"words", "phones"}
        What errors are counted in; ``"words"`` is the headline rate.
    trials : int
        Draws of the permutation test.
    """
    scores = bootstrap.scores
    measure = measure_errors(scores, condition, unit)
    truth, static = bootstrap.row_of(GROUND_TRUTH), bootstrap.row_of(STATIC)
    if truth is None or not measure.scored[truth]:
        return Fairness(
            unit=unit,
            condition=condition,
            languages={},
            spread={},
            correlates=(),
            reason="no ground truth was run",
        )
    sound = _sound(scores, condition, unit)
    per_language: dict[str, dict[str, tuple[float, np.ndarray | None]]] = {}
    for language in bootstrap.languages:
        score, samples = bootstrap.estimate(measure, language), bootstrap.resample(measure, language)
        if not np.isfinite(score[truth]):
            continue
        found = {"avlr": (float(score[truth]), None if samples is None else samples[:, truth])}
        if static is not None and measure.scored[static]:
            gap = None if samples is None else samples[:, static] - samples[:, truth]
            found["gain_over_static"] = float(score[static] - score[truth]), gap
        if sound is not None and sound.scored[truth]:
            by_sound, drawn = bootstrap.estimate(sound, language), bootstrap.resample(sound, language)
            gap = None if drawn is None or samples is None else drawn[:, truth] - samples[:, truth]
            found["gain_over_sound"] = float(by_sound[truth] - score[truth]), gap
        per_language[language] = found
    roman = scores.facts.get("normalizer") == ROMAN  # characters count then, in every language
    names = [n for n in SCORES if all(n in found for found in per_language.values())]
    return Fairness(
        unit=unit,
        condition=condition,
        languages={
            language: LanguageScores(
                rate="per" if unit != "words" else "cer" if roman else headline_rate(language),
                approximate=language in LANGUAGES and LANGUAGES[language].approximate,
                traits=dict((traits or {}).get(language, {})),
                **{n: summarize(*found[n], "%" if n == "avlr" else "points") for n in names},
            )
            for language, found in per_language.items()
        },
        spread={n: _spread({k: v[n] for k, v in per_language.items()}) for n in names},
        correlates=tuple(
            row
            for n in names
            for row in _correlate({k: v[n][0] for k, v in per_language.items()}, n, traits, trials)
        ),
    )


def _sound(scores: MetaScores, condition: str, unit: str) -> Measure | None:
    name = replace(Condition.parse(condition), modality="a").name
    return measure_errors(scores, name, unit) if name in scores.conditions else None


def _spread(values: Mapping[str, tuple[float, np.ndarray | None]]) -> Spread:
    """Range and standard deviation over languages, with intervals; the part that is not chance."""
    names = list(values)
    point = np.array([values[name][0] for name in names])
    parts = [values[name][1] for name in names]
    samples = (
        np.stack([p for p in parts if p is not None], axis=1) if all(p is not None for p in parts) else None
    )
    deviation = float(np.std(point, ddof=1)) if len(point) > 1 else 0.0
    beyond = None
    if samples is not None and len(point) > 1:
        chance = float(np.mean(np.var(samples, axis=0, ddof=1)))
        beyond = float(np.sqrt(max(0.0, deviation**2 - chance)))
    lowest, highest = int(np.argmin(point)), int(np.argmax(point))
    gap = None if samples is None else percentile_interval(samples[:, highest] - samples[:, lowest])
    return Spread(
        lowest=Extreme(names[lowest], float(point[lowest])),
        highest=Extreme(names[highest], float(point[highest])),
        range=Number(float(point[highest] - point[lowest]), gap, "points"),
        standard_deviation=deviation,
        spread_beyond_chance=beyond,
        mean=float(np.mean(point)),
        n_languages=len(point),
    )


def _correlate(
    values: Mapping[str, float], score: str, traits: Mapping[str, Mapping[str, float]] | None, trials: int
) -> list[Association]:
    rows = []
    for trait in TRAITS:
        names = [name for name in values if trait in (traits or {}).get(name, {})]
        if len(names) < FEWEST:
            continue
        found = associate_ranks(
            np.array([(traits or {})[name][trait] for name in names]),
            np.array([values[name] for name in names]),
            trials=trials,
            name=f"{score}/{trait}",
        )
        rows.append(Association(score, trait, TRAITS[trait], found.correlation, found.p, len(names), found.p))
    adjusted = adjust_holm([row.p for row in rows])
    return [replace(row, p_holm=p) for row, p in zip(rows, adjusted, strict=True)]
