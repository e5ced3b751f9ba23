"""The numbers of a meta-evaluation's report: one dataclass with a field for each part.

Conventions
-----------
:meth:`Report.to_json` gives the value that is written as ``report.json``, floats cut to ten significant digits;
:meth:`Report.from_json` reads it back. Plots and the page are functions of a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtbench.meta.bits import BitsReport
from mtbench.meta.correlation import CorrelationTable
from mtbench.meta.curves import Curve
from mtbench.meta.fairness import Fairness
from mtbench.meta.json_values import from_json_value, to_json_value
from mtbench.meta.noise_curves import NoiseCurves
from mtbench.meta.nuisances import Movement
from mtbench.meta.pairwise import AccuracyTable
from mtbench.meta.sensitivity import Sensitivity
from mtbench.meta.systems import System
from mtbench.results import Confusions, Sight, round_floats
from mtbench.statistics import Number

#: Raise one when the report's keys change.
SCHEMA = 3


@dataclass(frozen=True)
class MeasureInfo:
    """One metric under one condition, and what it was measured on.

    Attributes
    ----------
    name, title, unit : str
        As in :class:`mtbench.meta.estimates.Measure`.
    condition : str or None
        Name of the recognition condition; None for geometry.
    n_systems, n_clips : int
        Systems that have a score, and clips that entered.
    not_scored : tuple of str
        Names of the other systems.
    """

    name: str
    title: str
    unit: str
    condition: str | None
    n_systems: int
    n_clips: int
    not_scored: tuple[str, ...]


@dataclass(frozen=True)
class ScoredSystem(System):
    """A system and its scores.

    Attributes
    ----------
    scores : mapping of str to Number
        By the measure's name.
    """

    scores: Mapping[str, Number]


@dataclass(frozen=True)
class Accuracies:
    """Pairwise accuracies at both levels; None where no pair of systems is known."""

    system: AccuracyTable | None
    clip: AccuracyTable | None


@dataclass(frozen=True)
class Target:
    """A figure that AVLR, or readability bits, have to reach.

    Attributes
    ----------
    name : str
        What is measured.
    wanted : float
        What has to be reached.
    reached : float or None
        What was reached; None where it does not exist.
    ci95 : (float, float) or None
        Its 95 % interval.
    met : bool or None
        Whether that is enough; None where it cannot be judged.
    reason : str or None
        Why it cannot be judged.
    """

    name: str
    wanted: float
    reached: float | None
    ci95: tuple[float, float] | None
    met: bool | None
    reason: str | None


@dataclass(frozen=True)
class Report:
    """Everything that a meta-evaluation found.

    Attributes
    ----------
    schema : int
        Version of the keys.
    facts : mapping of str to Any
        What it was made with: :attr:`mtbench.meta.scores.MetaScores.facts`.
    condition : str
        Name of the condition that AVLR is reported at.
    n_clips : int
        Number of clips.
    languages : tuple of str
        ISO 639-3 codes, sorted.
    replicates, seed : int
        Number of replicates and seed of the cluster bootstrap.
    measures : tuple of MeasureInfo
        All metrics, AVLR first.
    systems : tuple of ScoredSystem
        All systems with their scores.
    spearman_system, spearman_clip, kendall_system, kendall_clip : CorrelationTable
        Rank correlations with the known order, by statistic and level.
    pairwise_accuracy : Accuracies
        How often a metric is right about two systems.
    curves : mapping of str to Curve
        Curves over the strength of degradations, by name.
    noise : NoiseCurves
        Curves over the signal-to-noise ratio; in JSON ``curves.snr``.
    nuisances, controls : tuple of Movement
        Differences from the ground truth: of changes that should not matter, and of two controls that should.
    sensitivity : Sensitivity
        How many clips tell systems apart.
    confusions : Confusions or None
        Confusions of viseme classes without sound; None where no phones of the ground truth were kept.
    fairness : mapping of str to Fairness
        Differences between languages, by what errors are counted in: ``"words"`` and ``"phones"``.
    sight : Sight or None
        Whether the recognizer reads the benchmark's true motion, in JSON with ``reads``; None where nobody looked.
    bits : BitsReport or None
        Readability bits beside AVLR; None where the recognizer tells none.
    bits_targets : tuple of Target
        What readability bits have to reach, and whether they do.
    targets : tuple of Target
        What AVLR has to reach, and whether it does.
    verdict : tuple of str
        Conclusion, in words.
    """

    schema: int
    facts: Mapping[str, Any]
    condition: str
    n_clips: int
    languages: tuple[str, ...]
    replicates: int
    seed: int
    measures: tuple[MeasureInfo, ...]
    systems: tuple[ScoredSystem, ...]
    spearman_system: CorrelationTable
    spearman_clip: CorrelationTable
    kendall_system: CorrelationTable
    kendall_clip: CorrelationTable
    pairwise_accuracy: Accuracies
    curves: Mapping[str, Curve]
    noise: NoiseCurves
    nuisances: tuple[Movement, ...]
    controls: tuple[Movement, ...]
    sensitivity: Sensitivity
    confusions: Confusions | None
    fairness: Mapping[str, Fairness]
    bits: BitsReport | None
    sight: Sight | None = None
    bits_targets: tuple[Target, ...] = ()
    targets: tuple[Target, ...] = ()
    verdict: tuple[str, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Titles of the measures by their names."""
        return {measure.name: measure.title for measure in self.measures}

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        table: dict[str, Any] = round_floats(to_json_value(self))
        table["curves"]["snr"] = table.pop("noise")
        if self.sight is not None:
            table["sight"] = round_floats(self.sight.to_json())
        return table

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Return the report that :meth:`to_json` made *data* of.

        Raises
        ------
        ValueError
            Where a key is missing, or a table or list is not where it belongs.
        """
        curves = data.get("curves")
        if not isinstance(curves, dict):
            raise ValueError("no table of curves")
        curves, noise = {k: v for k, v in curves.items() if k != "snr"}, curves.get("snr")
        found: Report = from_json_value(cls, {**data, "curves": curves, "noise": noise})
        return found
