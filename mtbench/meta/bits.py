"""What readability bits say beside AVLR: gains over other faces, clips needed, and the figures they have to reach.

Conventions
-----------
Gains are absolute, in bits a token, positive where a face helps: over a face that does not move, as
:mod:`mtbench.metrics.readability` defines them, and over other clips' faces of the same system, the mean over those of
the log-probability. Clips needed are those of :mod:`mtbench.statistics.power`; their ratio is that of the squared
effects in one clip, AVLR's over that of the bits: not rounded to whole clips, below 1 where bits need fewer, 0 where
AVLR cannot tell the two apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.meta.correlation import Correlation
from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.meta.separation import Separation, separate
from mtbench.meta.systems import GROUND_TRUTH, STATIC
from mtbench.statistics import Number, collect_ratios, summarize

#: What bits have to reach: Spearman on systems, and clips needed of those that AVLR needs.
LEAST_RHO, MOST_CLIPS = 0.97, 0.5
#: The family whose order AVLR loses at 100 %, and the amplitude that is hard to tell from the true one.
HOLD, NEAR = "hold", "amplitude-0.8"


@dataclass(frozen=True)
class FaceGain:
    """By how many bits a token one system's faces make the reference more probable than other faces do.

    Attributes
    ----------
    system, family : str
        Names of the system and of its family.
    over_static : Number or None
        Over a face that does not move; None where none was shown.
    over_others : Number or None
        Over other clips' faces of the same system; None where none was shown.
    kept : Number or None
        *over_static* as a share of the true face's, per cent.
    """

    system: str
    family: str
    over_static: Number | None
    over_others: Number | None
    kept: Number | None


@dataclass(frozen=True)
class ClipSaving:
    """How many clips bits need to tell two systems apart, beside AVLR.

    Attributes
    ----------
    better, worse : str
        Names of the systems.
    measure : str
        Name of the measure that is set beside AVLR.
    clips, clips_of_avlr : int or None
        Clips needed by it and by AVLR; None where no number of clips helps.
    ratio : float or None
        The first over the second; None where that says nothing.
    ratio_ci95 : (float, float or None) or None
        Its paired 95 % interval; None as the upper end means that there is no bound.
    """

    better: str
    worse: str
    measure: str
    clips: int | None
    clips_of_avlr: int | None
    ratio: float | None
    ratio_ci95: tuple[float, float | None] | None


@dataclass(frozen=True)
class BitsReport:
    """Readability bits beside AVLR.

    Attributes
    ----------
    condition : str
        Name of the condition of both.
    gains : tuple of FaceGain
        One a system.
    savings : tuple of ClipSaving
        The ground truth against every amplitude, by every form of the bits.
    """

    condition: str
    gains: tuple[FaceGain, ...]
    savings: tuple[ClipSaving, ...]


def report_bits(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], condition: str
) -> BitsReport | None:
    """Return what the bits of *measures* say beside AVLR; None where the recognizer tells none.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measures : sequence of Measure
        The first is AVLR.
    condition : str
        Name of AVLR's condition.
    """
    bits = [m for m in measures if m.unit == "bits" and m.condition == condition]
    if not bits:
        return None
    return BitsReport(
        condition, _list_gains(bootstrap, condition), _list_savings(bootstrap, measures[0], bits)
    )


def compare_clips_needed(avlr: Separation, bits: Separation) -> ClipSaving:
    """Return how many clips *bits* needs of those that *avlr* needs to tell the same two systems apart."""
    ratio = interval = None
    theirs, ours = avlr.effect.estimate, bits.effect.estimate
    if theirs is not None and ours is not None and ours > 0:
        ratio = (max(theirs, 0.0) / ours) ** 2
    if ratio is not None and avlr.samples is not None and bits.samples is not None:
        drawn = _ratio_of_clips(avlr.samples, bits.samples)
        low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")
        interval = (float(low), float(high) if math.isfinite(high) else None) if math.isfinite(low) else None
    return ClipSaving(
        better=bits.better,
        worse=bits.worse,
        measure=bits.measure,
        clips=bits.clips_needed,
        clips_of_avlr=avlr.clips_needed,
        ratio=ratio,
        ratio_ci95=interval,
    )


def _ratio_of_clips(avlr: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Ratios of clips needed, from effects: infinite where bits tell nothing, else 0 where AVLR tells nothing."""
    helps = bits > 0
    ratio = (np.where(avlr > 0, avlr, 0.0) / np.where(helps, bits, 1.0)) ** 2
    return np.where(helps, ratio, np.inf)


def _list_savings(
    bootstrap: BootstrappedScores, avlr: Measure, bits: Sequence[Measure]
) -> tuple[ClipSaving, ...]:
    systems = bootstrap.scores.systems
    truth = bootstrap.row_of(GROUND_TRUTH)
    if truth is None or not avlr.scored[truth]:
        return ()
    found = []
    for measure in bits:
        for row, system in enumerate(systems):
            if system.family == "amplitude" and avlr.scored[row] and measure.scored[[row, truth]].all():
                first, second = (separate(bootstrap, m, truth, row) for m in (avlr, measure))
                found.append(compare_clips_needed(first, second))
    return tuple(found)


def _list_gains(bootstrap: BootstrappedScores, condition: str) -> tuple[FaceGain, ...]:
    scores = bootstrap.scores
    told = scores.log_probabilities[condition]
    static, truth = bootstrap.row_of(STATIC), bootstrap.row_of(GROUND_TRUTH)
    over_static = _Gains(bootstrap, told - (math.nan if static is None else told[static]))
    over_others = _Gains(bootstrap, told - scores.others[condition])
    return tuple(
        FaceGain(
            system=system.name,
            family=system.family,
            over_static=over_static.number(row),
            over_others=over_others.number(row),
            kept=None if truth is None else over_static.share(row, truth),
        )
        for row, system in enumerate(scores.systems)
    )


class _Gains:
    """Bits gained by every system, positive where a face helps, with their replicates."""

    def __init__(self, bootstrap: BootstrappedScores, gained: np.ndarray) -> None:
        ratios = collect_ratios(gained / math.log(2), bootstrap.scores.tokens)
        self.scored = ratios.scored
        self.scores, self.samples = bootstrap.estimate(ratios), bootstrap.resample(ratios)

    def number(self, row: int) -> Number | None:
        """Return the gain of the system in *row*, None where it has none."""
        if not self.scored[row]:
            return None
        return summarize(
            float(self.scores[row]), None if self.samples is None else self.samples[:, row], "bits"
        )

    def share(self, row: int, truth: int) -> Number | None:
        """Return which share of the true face's gain it is, where that is one."""
        if not self.scored[[row, truth]].all() or self.scores[truth] <= 0:
            return None
        drawn = None if self.samples is None else 100.0 * self.samples[:, row] / self.samples[:, truth]
        return summarize(100.0 * float(self.scores[row] / self.scores[truth]), drawn, "%")


def find_saving(
    report: BitsReport, worse: str = NEAR, measure: str = "readability_bits"
) -> ClipSaving | None:
    """Return what *measure* saves to tell *worse* from the ground truth; None where that was not run."""
    return next((s for s in report.savings if (s.worse, s.measure) == (worse, measure)), None)


def find_hold(found: Correlation | None) -> Number | None:
    """Return how well a measure's correlation orders faces that hold frames; None where they were not run."""
    return None if found is None else found.families.get(HOLD)
