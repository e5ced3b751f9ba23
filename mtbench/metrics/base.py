"""What a metric is: an object that owns its measure, unit, direction, aggregation, signature and place in tables.

A metric is defined in one file, which lists what it defines as ``DEFINES``; :data:`mtbench.metrics.registry.METRICS`
finds it there, and by the entry point ``mtbench.metrics`` in other packages. Rows, summaries, tables, comparisons,
``validate-metric`` and ``mtbench ls`` iterate over what is registered, and know no metric by name.

Conventions
-----------
Every metric is a ratio of sums over clips. A recognition metric takes a clip's numerator and denominator from the edit
counts of its rows; a geometric metric from a statistic of the clip's vertices beside the true ones. ``scale`` turns
the ratio of sums into the unit that is reported. ``higher_is_better`` is None for signed quantities whose best value is
zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.geometry_sums import GeometrySums

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
    """

    name: str
    title: str
    unit: str
    scale: float = 1.0
    higher_is_better: bool | None = False
    aggregation: str
    overall: str
    order: float

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
    """A clip's vertices beside the true ones.

    Attributes
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, both of one topology.
    region : function of str to (n,) int
        From the name of a region to its vertex indices; :meth:`mtbench.faces.topology.Topology.region`.
    template : (V, 3) floating point or None
        Neutral face of the clip's speaker.
    """

    prediction: np.ndarray
    truth: np.ndarray
    region: Callable[[str], np.ndarray]
    template: np.ndarray | None = None

    @property
    def lips(self) -> np.ndarray:
        """(n,) int, the vertices of the lips."""
        return self.region("lips")

    @property
    def upper_face(self) -> np.ndarray:
        """(n,) int, the vertices of forehead and eye region."""
        return self.region("upper_face")


@dataclass(frozen=True, kw_only=True)
class GeometricMetric(Metric):
    """A metric of vertices beside the true ones.

    Attributes
    ----------
    statistic : str
        What a row keeps for it; metrics that follow from one statistic name the same.
    measure : function of FacePair to (float or None)
        The statistic of one clip: a sum over its frames where the aggregation is ``"frame"``, else the clip's value;
        None where it does not exist.
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

    def cell(self, sums: GeometrySums) -> Cell:
        """Return numerator and denominator of one clip, or why there are none."""
        value = sums.get(self.statistic)
        if value is None:
            return "no template of the speaker" if self.from_template else OLDER
        value = abs(value) if self.magnitude else value
        return value, float(sums.frames) if self.aggregation == "frame" else 1.0

    def value(self, sums: GeometrySums) -> float | None:
        """Return the clip's own value in the metric's unit, None where there is none."""
        cell = self.cell(sums)
        return None if isinstance(cell, str) else self.scale * (cell[0] / cell[1])
