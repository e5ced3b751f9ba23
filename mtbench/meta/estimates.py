"""Scores of systems with replicates: what every statistic of the meta-evaluation starts from.

Conventions
-----------
A measure is one metric under one condition: a numerator for each system and clip over a denominator for each clip
(errors over words; a distance over 1). How scores, replicates and differences follow from them is said in
:mod:`mtbench.statistics.ratios`: systems are the candidates, clips the items, languages the strata, sources the
clusters. A system that lacks a value which others have is not scored at all, and is listed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.metrics import METRICS
from mtbench.statistics import REPLICATES, SEED, ClusterBootstrap, Ratios, collect_ratios

#: The condition that AVLR is published at, chosen among equals.
PUBLISHED_SNR, PUBLISHED_NOISE = -7.5, "babble"


@dataclass(frozen=True, kw_only=True)
class Measure(Ratios):
    """One metric under one condition, for all systems; larger is worse.

    Numerators are in *unit* times denominator; the candidates are systems, the items clips.

    Attributes
    ----------
    name : str
        ``"avlr"``, ``"avlr_phones"``, ``"vsr"``, ``"vsr_phones"``, ``"readability_bits"``, ``"vsr_bits"``, these two
        with ``"_others"``, or a geometric metric's name.
    title : str
        Name in the report's text and plots.
    unit : str
        Unit of the scores.
    condition : str or None
        Name of the recognition condition; None for geometry.
    """

    name: str
    title: str
    unit: str
    condition: str | None


@dataclass(frozen=True, kw_only=True)
class BootstrappedScores(ClusterBootstrap):
    """Scores of a meta-evaluation together with the draws that give every interval.

    Made by :func:`bootstrap_scores`. Strata are languages, clusters are sources of clips.

    Attributes
    ----------
    scores : MetaScores
        What the recognizer made of every system.
    """

    scores: MetaScores

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages, sorted."""
        return self.names

    def row_of(self, system: str) -> int | None:
        """Return the row of the system of this name, None where it was not run."""
        return next((row for row, known in enumerate(self.scores.systems) if known.name == system), None)


def bootstrap_scores(
    scores: MetaScores, *, replicates: int = REPLICATES, seed: int = SEED
) -> BootstrappedScores:
    """Return *scores* with draws of sources within languages.

    A clip's source is known where the scores' facts name it; else every clip is a source of its own.

    Parameters
    ----------
    scores : MetaScores
    replicates : int
        Number of replicates of the cluster bootstrap.
    seed : int
        Seed of the cluster bootstrap.
    """
    sources = scores.facts.get("sources")
    clusters = scores.clips
    if isinstance(sources, list | tuple) and len(sources) == len(scores.clips):
        clusters = tuple(str(source) for source in sources)
    return BootstrappedScores(
        strata=tuple(scores.languages), clusters=clusters, replicates=replicates, seed=seed, scores=scores
    )


def measure_errors(scores: MetaScores, condition: str, unit: str = "words") -> Measure:
    """Return an error rate under *condition*, in per cent.

    Parameters
    ----------
    scores : MetaScores
    condition : str
        One of ``scores.conditions``.
    unit : {"words", "phones"}
        ``"words"`` is the headline rate: characters in Japanese, Mandarin and Thai.

    Raises
    ------
    UsageError
        For a condition that was not run.
    """
    _require_condition(scores, condition)
    modality = Condition.parse(condition).modality or ""
    stem = {"av": "avlr", "v": "vsr", "a": "asr"}[modality]
    title = {"av": "AVLR", "v": "VSR (video only)", "a": "sound only"}[modality]
    errors, lengths = (
        (scores.errors, scores.lengths) if unit == "words" else (scores.phone_errors, scores.phone_lengths)
    )
    return _measure(
        stem if unit == "words" else f"{stem}_phones",
        title if unit == "words" else f"{title}, phones",
        "%",
        condition,
        100.0 * errors[condition],
        lengths,
    )


def measure_bits(scores: MetaScores, condition: str, against: str = "static") -> Measure:
    """Return how many readability bits a system's face has less than the true face, per token.

    Parameters
    ----------
    scores : MetaScores
    condition : str
        One of ``scores.conditions``.
    against : {"static", "others"}
        What a face is compared with. With a face that does not move systems are ordered as by
        :mod:`mtbench.metrics.readability`: it is the same for all, so that it falls out of a difference. With other
        clips' faces of the same system it stays in: what counts is whether the motion belongs to these words.

    Raises
    ------
    UsageError
        For a condition that was not run.
    """
    _require_condition(scores, condition)
    stem, title = {"av": ("readability", "readability"), "v": ("vsr", "VSR (video only)")}[
        Condition.parse(condition).modality or ""
    ]
    told = scores.log_probabilities[condition]
    name = f"{stem}_bits"
    if against == "others":
        told = told - scores.others[condition]
        name, title = f"{name}_others", f"{title} against other clips' faces"
    lost = (told[scores.index(GROUND_TRUTH)] - told) / math.log(2)
    return _measure(name, f"{title}, bits lost", "bits", condition, lost, scores.tokens)


def _require_condition(scores: MetaScores, condition: str) -> None:
    if condition not in scores.conditions:
        raise UsageError(
            f"condition {condition!r} was not run; there are {', '.join(scores.conditions) or 'none'}"
        )


def measure_geometry(scores: MetaScores, name: str) -> Measure:
    """Return the geometric metric *name*: mean over clips within a language."""
    metric = next(m for m in METRICS.geometric() if m.name == name)
    ones = np.ones(len(scores.clips))
    unit = metric.unit.replace("m2", "m²")
    return _measure(name, metric.label, unit, None, np.asarray(scores.geometry[name]), ones)


def _order_geometry(scores: MetaScores) -> list[str]:
    """Return the geometric metrics that the scores have: those of one family together, millimetres first."""
    known = [m for m in METRICS.geometric() if m.orders_systems and m.name in scores.geometry]
    families = list(dict.fromkeys(m.label.partition(",")[0] for m in known))
    known.sort(key=lambda m: (families.index(m.label.partition(",")[0]), m.unit != "mm"))
    return [metric.name for metric in known]


def _measure(
    name: str, title: str, unit: str, condition: str | None, values: np.ndarray, lengths: np.ndarray
) -> Measure:
    return Measure(
        **vars(collect_ratios(values, lengths)), name=name, title=title, unit=unit, condition=condition
    )


def headline_condition(scores: MetaScores) -> str:
    """Return the audio-visual condition that AVLR is reported at.

    It is the noisy one in which most systems were run; among equals the one nearest to -7.5 dB, then babble.

    Raises
    ------
    UsageError
        Where nothing was run with both sound and video in noise.
    """
    best: tuple[tuple[int, float, bool, str], str] | None = None
    for condition in scores.conditions:
        parsed = Condition.parse(condition)
        if parsed.modality != "av" or parsed.snr_db is None:
            continue
        n_scored = int(measure_errors(scores, condition).scored.sum())
        key = (-n_scored, abs(parsed.snr_db - PUBLISHED_SNR), parsed.noise != PUBLISHED_NOISE, condition)
        if best is None or key < best[0]:
            best = key, condition
    if best is None:
        raise UsageError(
            "the scores hold no audio-visual condition in noise, which AVLR is; "
            f"there are {', '.join(scores.conditions) or 'none'}"
        )
    return best[1]


def default_measures(scores: MetaScores, condition: str | None = None) -> list[Measure]:
    """Return AVLR, VSR and the geometric metrics that the scores have, AVLR first.

    Parameters
    ----------
    scores : MetaScores
    condition : str, optional
        Name of AVLR's condition; default :func:`headline_condition`.
    """
    condition = condition or headline_condition(scores)
    wanted = [(condition, "words"), (condition, "phones"), ("v", "words"), ("v", "phones")]
    found = [measure_errors(scores, c, unit) for c, unit in wanted if c in scores.conditions]
    for against in ("static", "others"):
        found += [measure_bits(scores, c, against) for c in (condition, "v") if c in scores.conditions]
    found += [measure_geometry(scores, name) for name in _order_geometry(scores)]
    return [measure for measure in found if measure.scored.sum() > 1]
