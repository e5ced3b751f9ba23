"""What a metric is: an object that owns its measure, unit, direction, aggregation, signature and place in tables.

A metric is defined in one file, which lists what it defines as ``DEFINES``; :data:`mtbench.metrics.registry.METRICS`
finds it there, and by the entry point ``mtbench.metrics`` in other packages. Rows, summaries, tables, comparisons,
``validate-metric`` and ``mtbench ls`` iterate over what is registered, and know no metric by name.

Conventions
-----------
Every metric is a ratio of sums over clips. A recognition metric takes a clip's numerator and denominator from the edit
counts of its rows; a geometric metric from a statistic of the clip's vertices beside the true ones. ``scale`` turns
the ratio of sums into the unit that is reported. ``higher_is_better`` is None for quantities whose best value is
the ground truth's, which is zero for signed differences.

A metric that is ``optional`` is measured where somebody asks for it, and nowhere else: nothing that a run without it
computes, keeps or prints depends on its being there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from mtbench.faces import Topology
from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.geometry_sums import GeometrySums
from mtbench.speech import TimedPhone

#: What a clip gives a metric: numerator and denominator, or why there are none.
Cell = tuple[float, float] | str
#: Why a statistic is not in a row though its clip was measured.
OLDER = "scored by an older version: score it again"


@dataclass(frozen=True)
class TableColumn:
    """How a metric stands in the tables over entries.

    Attributes
    ----------
    header : str
        Head of the column, with the unit that it is shown in.
    digits : int
        Digits after the point.
    scale : float
        Factor from the metric's unit to the column's.
    sign : bool
        Whether a plus is written.
    """

    header: str
    digits: int = 1
    scale: float = 1.0
    sign: bool = False


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What every metric has.

    Attributes
    ----------
    name : str
        Key in results.
    title : str
        Name for people.
    unit : str
        Unit of ``estimate`` and ``ci95``: ``"%"``, ``"points"``, ``"bits"``, ``"mm"``, ``"m2"``.
    scale : float
        Factor from the ratio of sums to the unit.
    higher_is_better : bool or None
        Direction.
    aggregation : str
        The default within a language, see :mod:`mtbench.results.aggregation`.
    overall : str
        The default over all languages.
    order : float
        Place among the metrics, small first.
    definition : str
        What is computed, in a sentence or two, for ``docs/metrics.md``.
    source : str
        Who defined it, and whose code computes it.
    failures : str
        What it is known not to see, or to see wrongly.
    optional : bool
        Whether it is measured only where it is asked for by name.
    """

    name: str
    title: str
    unit: str
    scale: float = 1.0
    higher_is_better: bool | None = False
    aggregation: str
    overall: str
    order: float
    definition: str = ""
    source: str = ""
    failures: str = ""
    optional: bool = False

    @property
    def is_geometric(self) -> bool:
        """Whether the metric compares meshes, not transcripts."""
        return isinstance(self, GeometricMetric)


class CountedRow(Protocol):
    """What a recognition metric sees of a row (:class:`mtbench.results.rows.RecognitionRow`)."""

    @property
    def language(self) -> str:
        """ISO 639-3 code."""
        ...

    @property
    def words(self) -> EditCounts | None:
        """Edits of words."""
        ...

    @property
    def chars(self) -> EditCounts | None:
        """Edits of characters."""
        ...

    @property
    def phones(self) -> EditCounts | None:
        """Edits of phones."""
        ...

    @property
    def reason(self) -> str | None:
        """Why there are no counts."""
        ...

    @property
    def log_probability(self) -> float | None:
        """Natural logarithm of the reference's probability."""
        ...

    @property
    def tokens(self) -> int | None:
        """Number of units that it is the probability of."""
        ...


@dataclass(frozen=True, kw_only=True)
class RecognitionMetric(Metric):
    """A metric of what was recognized.

    Attributes
    ----------
    measure : function of (CountedRow, CountedRow or None) to Cell
        From the row of the entry's face, and that of a static face under the same sound where there is one.
    beside_static : bool
        Whether it exists only where the same sound was recognized with a static face too.
    settings : mapping of str to str
        Settings of its own in the signature.
    applies : function of CountedRow to bool
        Whether a row may have it. Where no row of a run may, the run has no such number, not even one that is ``n/a``.
    without : tuple of str
        Settings of recognition that it does not depend on, by their keys in the signature.
    """

    measure: Callable[[CountedRow, CountedRow | None], Cell]
    beside_static: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    applies: Callable[[CountedRow], bool] = lambda row: True
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class FacePair:
    """A clip's vertices beside the true ones, and what else is known of the clip.

    Attributes
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, both of one topology. Where there is no ground truth, *truth* is (0, V, 3): only metrics
        that do without one are then asked.
    region : function of str to (n,) int
        From the name of a region to its vertex indices; :meth:`mtbench.faces.topology.Topology.region`.
    template : (V, 3) floating point or None
        Neutral face of the clip's speaker.
    topology : Topology or None
        Of the vertices; None where only regions are known.
    fps : float
        Frames per second.
    sound : function without arguments to (n,) floating point, or None
        The clean speech, mono at 16 kHz; None where there is none.
    phones : function without arguments to sequence of TimedPhone, or None
        Reference phones with their times, pauses (``"sil"``) included; None where nobody knows them.
    """

    prediction: np.ndarray
    truth: np.ndarray
    region: Callable[[str], np.ndarray]
    template: np.ndarray | None = None
    topology: Topology | None = None
    fps: float = 25.0
    sound: Callable[[], np.ndarray] | None = None
    phones: Callable[[], Sequence[TimedPhone]] | None = None

    @property
    def lips(self) -> np.ndarray:
        """(n,) int, the vertices of the lips."""
        return self.region("lips")

    @property
    def upper_face(self) -> np.ndarray:
        """(n,) int, the vertices of forehead and eye region."""
        return self.region("upper_face")


@dataclass(frozen=True)
class Member:
    """One clip among all of a run, for metrics that depend on the others.

    Attributes
    ----------
    group : str
        Who speaks, or what language where nobody says who.
    value, per : float
        The metric's two statistics.
    """

    group: str
    value: float
    per: float


@dataclass(frozen=True, kw_only=True)
class GeometricMetric(Metric):
    """A metric of vertices, beside the true ones or alone.

    Attributes
    ----------
    statistic : str
        What a row keeps for it; metrics that follow from one statistic name the same.
    measure : function of FacePair to (float or None)
        The statistic of one clip: a sum over its frames where the aggregation is ``"frame"``, a count where it is
        ``"corpus"``, else the clip's value; None where it does not exist.
    per : str
        Name of the statistic that it is divided by where the aggregation is ``"corpus"``.
    measure_per : function of FacePair to (float or None), or None
        That statistic.
    across : function of sequence of Member to list of Cell, or None
        For what depends on other clips: from the statistics of all clips that have them to a cell for each.
    needs_truth : bool
        Whether there is no such number without ground truth.
    absent : str
        Why a clip may have no such number.
    error : str
        What is computed of the distances, for the signature: ``"max-l2"``.
    align : str
        How the prediction is aligned first, for the signature: ``"none"``, ``"lip-mean"``, ``"rigid"`` (by the upper
        face).
    region : str
        Whose distances: ``"lips"``, ``"upper_face"``, ``"all"``.
    from_template : bool
        Whether it depends on the speaker's neutral face.
    magnitude : bool
        Whether the statistic's absolute value counts.
    required : bool
        Whether every row that was measured holds the statistic; rows of older versions lack those that came later.
    version : str
        Another one wherever the same vertices give another statistic.
    label : str
        Short name in reports, before a comma what it has in common with others: ``"LVE, centred"``.
    orders_systems : bool
        Whether ``validate-metric`` asks how well it orders systems.
    column : TableColumn or None
        Its place in tables over entries; None shows it in results only.
    """

    statistic: str
    measure: Callable[[FacePair], float | None]
    per: str = ""
    measure_per: Callable[[FacePair], float | None] | None = None
    across: Callable[[Sequence[Member]], list[Cell]] | None = None
    needs_truth: bool = True
    absent: str = ""
    error: str
    align: str = "none"
    region: str = "lips"
    from_template: bool = False
    magnitude: bool = False
    required: bool = False
    version: str = "1"
    label: str
    orders_systems: bool = True
    column: TableColumn | None = None

    @property
    def measures(self) -> dict[str, Callable[[FacePair], float | None]]:
        """The functions of its statistics, by the statistics' names."""
        found = {self.statistic: self.measure}
        return found if self.measure_per is None else found | {self.per: self.measure_per}

    def cell(self, sums: GeometrySums) -> Cell:
        """Return numerator and denominator of one clip, or why there are none."""
        value = sums.get(self.statistic)
        if value is None:
            return self._explain(sums)
        value = abs(value) if self.magnitude else value
        if self.per:
            under = sums.get(self.per)
            return self._explain(sums) if not under else (value, under)
        return value, float(sums.frames) if self.aggregation == "frame" else 1.0

    def _explain(self, sums: GeometrySums) -> str:
        """Return why a clip that was measured has no value."""
        if self.absent and self.statistic in sums:
            return self.absent
        return "no template of the speaker" if self.from_template else OLDER

    def value(self, sums: GeometrySums) -> float | None:
        """Return the clip's own value in the metric's unit, None where there is none."""
        cell = self.cell(sums)
        return None if isinstance(cell, str) else self.scale * (cell[0] / cell[1])
