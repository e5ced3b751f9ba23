"""Fairness: whether a metric treats languages alike, and what goes with the difference where it does not.

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
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.conditions import Condition
from mtbench.meta.confusions import VISIBLE, name_class
from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
    bootstrap_scores,
    measure_errors,
)
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH, STATIC
from mtbench.speech import LANGUAGES, headline_rate
from mtbench.statistics import (
    TRIALS,
    adjust_holm,
    associate_ranks,
    percentile_interval,
    summarize,
)

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

#: Traits of a language, and how they are called in reports.
TRAITS = {
    "phones_per_second": "phones per second",
    "units_per_clip": "words (characters) per clip",
    "visible_share": "share of phones made at lips or teeth",
    "lexicon_size": "words in the lexicon",
    "sound_clean": "error on clean sound alone, %",
}
#: Fewest languages that a correlation over languages is computed for.
FEWEST = 5


def describe_languages(scores: MetaScores, benchmark: Benchmark | None = None) -> dict[str, dict[str, float]]:
    """Return the traits of every language, as far as they are known.

    Parameters
    ----------
    scores : MetaScores
    benchmark : Benchmark, optional
        Gives durations and lexicons.

    Returns
    -------
    dict
        ``{language: {trait: value}}``, with the keys of :data:`TRAITS`.
    """
    bootstrap = bootstrap_scores(scores)
    known = {} if benchmark is None else {clip.id: clip for clip in benchmark.clips}
    sound = None
    if Condition("a").name in scores.conditions:
        sound = measure_errors(scores, Condition("a").name)
    truth = _row(scores, GROUND_TRUTH)
    out: dict[str, dict[str, float]] = {}
    for language in bootstrap.languages:
        members = bootstrap.members(language)
        phones = [phone for i in members for phone in scores.references[i]]
        clips = [known.get(scores.clips[i]) for i in members]
        traits = {"units_per_clip": float(np.mean(scores.lengths[members]))}
        if phones:
            traits["visible_share"] = sum(name_class(p) in VISIBLE for p in phones) / len(phones)
        if phones and all(clip is not None for clip in clips):
            seconds = sum(clip.frames / clip.fps for clip in clips if clip is not None)
            traits["phones_per_second"] = len(phones) / seconds
        lexicon = None if benchmark is None else benchmark.lexicon(language)
        if lexicon is not None:
            traits["lexicon_size"] = float(len(set(lexicon.words)))
        if sound is not None and truth is not None and sound.scored[truth]:
            traits["sound_clean"] = float(bootstrap.estimate(sound, language)[truth])
        out[language] = traits
    return out


def judge_fairness(
    bootstrap: BootstrappedScores,
    condition: str,
    traits: Mapping[str, Mapping[str, float]] | None = None,
    *,
    unit: str = "words",
    trials: int = TRIALS,
) -> dict[str, Any]:
    """Return the spread of the ground truth's scores over languages, and what goes with it.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    condition : str
        Of AVLR.
    traits : mapping, optional
        Of :func:`describe_languages`.
    unit : {"words", "phones"}
    trials : int
        Of the permutation test.

    Returns
    -------
    dict
        ``languages``: the scores of each with intervals; ``spread``: of each score; ``correlates``: a list of
        ``{score, trait, spearman, p, p_holm, n}``.
    """
    scores = bootstrap.scores
    measure = measure_errors(scores, condition, unit)
    truth, static = _row(scores, GROUND_TRUTH), _row(scores, STATIC)
    if truth is None or not measure.scored[truth]:
        return {"languages": {}, "spread": {}, "correlates": [], "reason": "no ground truth was run"}
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
            heard, drawn = bootstrap.estimate(sound, language), bootstrap.resample(sound, language)
            gap = None if drawn is None or samples is None else drawn[:, truth] - samples[:, truth]
            found["gain_over_sound"] = float(heard[truth] - score[truth]), gap
        per_language[language] = found
    names = [
        n
        for n in ("avlr", "gain_over_static", "gain_over_sound")
        if all(n in f for f in per_language.values())
    ]
    return {
        "unit": unit,
        "condition": condition,
        "languages": {
            language: {
                "rate": headline_rate(language) if unit == "words" else "per",
                "approximate": language in LANGUAGES and LANGUAGES[language].approximate,
                **{n: summarize(*found[n], "%" if n == "avlr" else "points").to_json() for n in names},
                "traits": dict((traits or {}).get(language, {})),
            }
            for language, found in per_language.items()
        },
        "spread": {n: _spread({k: v[n] for k, v in per_language.items()}) for n in names},
        "correlates": [
            row
            for n in names
            for row in _correlate({k: v[n][0] for k, v in per_language.items()}, n, traits, trials)
        ],
    }


def _row(scores: MetaScores, name: str) -> int | None:
    return next((i for i, system in enumerate(scores.systems) if system.name == name), None)


def _sound(scores: MetaScores, condition: str, unit: str) -> Measure | None:
    name = replace(Condition.parse(condition), modality="a").name
    return measure_errors(scores, name, unit) if name in scores.conditions else None


def _spread(values: Mapping[str, tuple[float, np.ndarray | None]]) -> dict[str, Any]:
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
    return {
        "lowest": {"language": names[lowest], "estimate": float(point[lowest])},
        "highest": {"language": names[highest], "estimate": float(point[highest])},
        "range": {"estimate": float(point[highest] - point[lowest]), "ci95": gap, "unit": "points"},
        "standard_deviation": deviation,
        "spread_beyond_chance": beyond,
        "mean": float(np.mean(point)),
        "n_languages": len(point),
    }


def _correlate(
    values: Mapping[str, float], score: str, traits: Mapping[str, Mapping[str, float]] | None, trials: int
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
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
        rows.append(
            {
                "score": score,
                "trait": trait,
                "title": TRAITS[trait],
                "spearman": found.correlation,
                "p": found.p,
                "n": len(names),
            }
        )
    adjusted = adjust_holm([row["p"] for row in rows])
    return [row | {"p_holm": p} for row, p in zip(rows, adjusted, strict=True)]
