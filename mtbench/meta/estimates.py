"""Scores of systems with replicates: what every statistic of the meta-evaluation starts from.

Conventions
-----------
S systems, N clips, B replicates. A measure is a numerator per system and clip over a denominator per clip
(errors over words; a distance over 1). A system's score is the ratio of sums within a language and the mean
over languages, so that no language counts more for having longer sentences. Replicates draw clusters of clips
(all clips of one source) with replacement within each language, the same draws for every system and measure:
differences are paired. A clip that no system has a value for leaves the measure for all of them; a system
that lacks a value which others have is not scored at all, and is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.meta.scores import MetaScores
from mtbench.metrics import METRICS
from mtbench.statistics import REPLICATES, SEED, derive_generator, draw_cluster_counts

#: The condition that AVLR is published at, chosen among equals.
PUBLISHED_SNR, PUBLISHED_NOISE = -7.5, "babble"

#: Geometric metrics that order systems: errors, unsigned. Several names of one metric are kept apart.
GEOMETRY = ("lve_mm", "lve_centred_mm", "lve_mean_mm", "lve_sq_m2", "mve_mm", "fdd_abs_m2")
_SHORT = {
    "lve_mm": "LVE",
    "lve_centred_mm": "LVE, centred",
    "lve_mean_mm": "LVE, mean vertex",
    "lve_sq_m2": "LVE, squared",
    "mve_mm": "MVE",
    "fdd_abs_m2": "FDD, absolute",
}


@dataclass(frozen=True)
class Measure:
    """One metric under one condition, for all systems; larger is worse.

    Attributes
    ----------
    name : str
        ``"avlr"``, ``"avlr_phones"``, ``"vsr"``, ``"vsr_phones"``, or a geometric metric's name.
    title : str
        For people.
    unit : str
        Of scores.
    condition : str or None
        Name of the recognition condition; None for geometry.
    values : (S, N) float64
        Numerators in *unit* times denominator; 0 on clips that are not *usable*, NaN for systems not *scored*.
    lengths : (N,) float64
        Denominators, 0 where not *usable*.
    usable : (N,) bool
        Clips that enter.
    scored : (S,) bool
        Systems that have a value on every usable clip.
    """

    name: str
    title: str
    unit: str
    condition: str | None
    values: np.ndarray
    lengths: np.ndarray
    usable: np.ndarray
    scored: np.ndarray

    @property
    def per_clip(self) -> np.ndarray:
        """(S, N) each clip's own score, NaN where there is none; an empty reference counts as one unit."""
        ratio = self.values / np.maximum(self.lengths, 1.0)
        return np.where(self.usable, ratio, np.nan)


@dataclass(frozen=True)
class Study:
    """Scores of a meta-evaluation together with the draws that give every interval.

    Attributes
    ----------
    scores : MetaScores
    replicates, seed : int
        Of the cluster bootstrap.
    """

    scores: MetaScores
    replicates: int = REPLICATES
    seed: int = SEED
    _resampled: dict[int, tuple[Measure, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def clusters(self) -> tuple[str, ...]:
        """Unit of resampling of each clip: its source where the scores' facts name it, else the clip."""
        sources = self.scores.facts.get("sources")
        if isinstance(sources, list | tuple) and len(sources) == len(self.scores.clips):
            return tuple(str(source) for source in sources)
        return self.scores.clips

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """All languages, sorted."""
        return tuple(sorted(set(self.scores.languages)))

    def members(self, language: str) -> np.ndarray:
        """Return the positions of the clips in *language*."""
        return np.flatnonzero([code == language for code in self.scores.languages])

    @cached_property
    def weights(self) -> np.ndarray | None:
        """(B, N) how often each clip is drawn in each replicate; None with one source in a language."""
        out = np.zeros((self.replicates, len(self.scores.clips)))
        for language in self.languages:
            members = self.members(language)
            names = sorted({self.clusters[i] for i in members})
            if len(names) < 2:
                return None
            generator = derive_generator(self.seed, "bootstrap", language, *names)
            counts = draw_cluster_counts(len(names), self.replicates, generator)
            for i in members:
                out[:, i] = counts[:, names.index(self.clusters[i])]
        return out

    def estimate(self, measure: Measure, language: str | None = None) -> np.ndarray:
        """Return the systems' scores: (S,), NaN for systems that are not scored.

        Parameters
        ----------
        measure : Measure
        language : str, optional
            Only this language; None is the mean over languages.
        """
        once = np.ones((1, len(self.scores.clips)))
        return self.aggregate(measure, once, language)[0]

    def resample(self, measure: Measure, language: str | None = None) -> np.ndarray | None:
        """Return the systems' scores in every replicate, (B, S), or None without draws."""
        if self.weights is None:
            return None
        if language is not None:
            return self.aggregate(measure, self.weights, language)
        # Every statistic starts from these; the measure is kept, so that its id stays its own.
        if id(measure) not in self._resampled:
            self._resampled[id(measure)] = measure, self.aggregate(measure, self.weights)
        return self._resampled[id(measure)][1]

    def aggregate(self, measure: Measure, weights: np.ndarray, language: str | None = None) -> np.ndarray:
        """Return the systems' scores for clip *weights* (B, N): (B, S).

        A language of which a replicate drew nothing is not in that replicate's mean over languages.
        """
        rows = np.flatnonzero(measure.scored)
        values = measure.values[rows]
        total, n_languages = np.zeros((len(weights), len(rows))), np.zeros(len(weights))
        for code in self.languages if language is None else (language,):
            members = [i for i in self.members(code) if measure.usable[i]]
            sums, lengths = np.zeros_like(total), np.zeros(len(weights))
            for i in members:  # a fixed order, without BLAS: the same bits everywhere
                sums += weights[:, i, None] * values[None, :, i]
                lengths += weights[:, i] * measure.lengths[i]
            drawn = lengths > 0
            total += np.where(drawn[:, None], sums / np.where(drawn, lengths, 1.0)[:, None], 0.0)
            n_languages += drawn
        out = np.full((len(weights), len(measure.values)), np.nan)
        out[:, rows] = total / np.where(n_languages > 0, n_languages, np.nan)[:, None]
        return out

    def contributions(self, measure: Measure, worse: int, better: int) -> np.ndarray:
        """Return each cluster's share of score(worse) - score(better), macro over languages; (C,)."""
        shares: dict[tuple[str, str], float] = {}
        used = [
            (c, m) for c in self.languages if (m := self.members(c)[measure.usable[self.members(c)]]).size
        ]
        for language, members in used:
            length = float(np.sum(measure.lengths[members]))
            if length <= 0:
                continue
            for i in members:
                key = (language, self.clusters[i])
                gap = measure.values[worse, i] - measure.values[better, i]
                shares[key] = shares.get(key, 0.0) + float(gap) / (length * len(used))
        return np.array([shares[key] for key in sorted(shares)])


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
    if condition not in scores.conditions:
        raise UsageError(
            f"condition {condition!r} was not run; there are {', '.join(scores.conditions) or 'none'}"
        )
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


def measure_geometry(scores: MetaScores, name: str) -> Measure:
    """Return the geometric metric *name*: mean over clips within a language."""
    ones = np.ones(len(scores.clips))
    unit = METRICS[name].unit.replace("m2", "m²")
    return _measure(name, _SHORT.get(name, name), unit, None, np.asarray(scores.geometry[name]), ones)


def _measure(
    name: str, title: str, unit: str, condition: str | None, values: np.ndarray, lengths: np.ndarray
) -> Measure:
    finite = np.isfinite(values)
    usable = finite.any(axis=0) & np.isfinite(lengths)
    scored = (finite | ~usable).all(axis=1) & usable.any()
    kept = np.where(usable, values, 0.0)
    kept = np.where(scored[:, None], kept, np.nan)
    return Measure(name, title, unit, condition, kept, np.where(usable, lengths, 0.0), usable, scored)


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
        Of AVLR; default :func:`headline_condition`.
    """
    condition = condition or headline_condition(scores)
    wanted = [(condition, "words"), (condition, "phones"), ("v", "words"), ("v", "phones")]
    found = [measure_errors(scores, c, unit) for c, unit in wanted if c in scores.conditions]
    found += [measure_geometry(scores, name) for name in GEOMETRY if name in scores.geometry]
    return [measure for measure in found if measure.scored.sum() > 1]


def require_systems(scores: MetaScores, names: Sequence[str]) -> list[int]:
    """Return the rows of those systems of *names* that the scores have."""
    known = {system.name: row for row, system in enumerate(scores.systems)}
    return [known[name] for name in names if name in known]
