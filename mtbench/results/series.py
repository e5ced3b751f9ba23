"""Series: one metric under one condition, as numerator and denominator per clip.

Conventions
-----------
Every metric is a ratio of sums over clips: errors over reference units, distances over frames, values over
clips. A series holds both per benchmark clip, in benchmark order, with NaN where a clip has no value and a
reason why. The noise ``"all"`` pools the noises of a clip, and has a value only where every noise has one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mtbench.conditions import STATIC, Condition
from mtbench.metrics import METRICS, Cell, GeometricMetric, Member, RecognitionMetric
from mtbench.results.averaging import Averaging
from mtbench.results.rows import GeometryRow, RecognitionRow, Row

MISSING = "no result"


class ClipInfo(Protocol):
    """What aggregation needs to know of a benchmark's clip."""

    @property
    def id(self) -> str:
        """Clip id."""
        ...

    @property
    def language(self) -> str:
        """ISO 639-3 code."""
        ...

    @property
    def source(self) -> str:
        """Source id, the unit of resampling."""
        ...


@dataclass(frozen=True)
class Series:
    """One metric under one condition.

    Attributes
    ----------
    metric : str
        Name in :data:`mtbench.metrics.registry.METRICS`.
    condition : Condition
        Under which it was measured; ``Condition()`` for geometry. Faces are the entry's, and not told.
    values : (n, 2) float64
        Numerator and denominator per clip, NaN where there is none.
    reasons : tuple of (str or None)
        Why a clip has none.
    """

    metric: str
    condition: Condition
    values: np.ndarray
    reasons: tuple[str | None, ...]

    @property
    def available(self) -> np.ndarray:
        """(n,) bool, the clips that have a value."""
        return np.isfinite(self.values[:, 0])

    def per_clip(self) -> np.ndarray:
        """Return (n, 2) values for a mean over clips: the clip's own ratio, and 1.

        An empty reference counts as one unit, see :attr:`mtbench.metrics.edit_counts.EditCounts.rate`.
        """
        ratio = self.values[:, 0] / np.maximum(self.values[:, 1], 1)
        return np.stack([ratio, np.where(self.available, 1.0, np.nan)], axis=1)


def collect_series(
    rows: Iterable[Row], clips: Sequence[ClipInfo], averaging: Averaging | None = None
) -> list[Series]:
    """Return all series that *rows* give, in the order of results.

    Parameters
    ----------
    rows : iterable of Row
        Rows of one entry on one benchmark; any order.
    clips : sequence of ClipInfo
        All clips of the benchmark.
    averaging : Averaging, optional
        How error rates are put together; by default they are pooled.

    Returns
    -------
    list of Series

    Raises
    ------
    ValueError
        For a row of an unknown clip, or two rows of the same clip and condition.
    """
    position = {clip.id: i for i, clip in enumerate(clips)}
    recognition: dict[Condition, dict[int, RecognitionRow]] = {}
    geometry: dict[int, GeometryRow] = {}
    for row in rows:
        i = position.get(row.clip)
        if i is None:
            raise ValueError(f"row of clip {row.clip!r}, which the benchmark does not have")
        group = geometry if isinstance(row, GeometryRow) else recognition.setdefault(row.condition, {})
        if i in group:
            raise ValueError(f"two rows of clip {row.clip!r} under one condition")
        group[i] = row  # type: ignore[assignment]

    cells = _recognition_cells(recognition, averaging or Averaging())
    _pool_noises(cells, len(clips))
    for metric in _find_geometric(geometry.values()):
        cells[metric.name, Condition()] = _geometry_cells(metric, geometry)
    series = [_series(metric, condition, found, len(clips)) for (metric, condition), found in cells.items()]
    order = list(METRICS)
    return sorted(series, key=lambda s: (order.index(s.metric), s.condition.order))


_Cells = dict[tuple[str, Condition], dict[int, Cell]]


def _recognition_cells(groups: dict[Condition, dict[int, RecognitionRow]], averaging: Averaging) -> _Cells:
    cells: _Cells = {}
    every = [row for rows in groups.values() for row in rows.values()]
    metrics = [m for m in METRICS.values() if isinstance(m, RecognitionMetric) and any(map(m.applies, every))]
    for presented, rows in groups.items():
        if presented.face == STATIC:
            continue
        beside = groups.get(presented.with_face(STATIC)) if presented.modality == "av" else None
        for metric in metrics:
            if metric.beside_static and beside is None:
                continue
            static = beside or {}
            found = {i: averaging.measure(metric, row, static.get(i)) for i, row in rows.items()}
            cells[metric.name, presented.with_face(None)] = found
    return cells


def _pool_noises(cells: _Cells, n_clips: int) -> None:
    """Add the condition noise ``"all"`` beside the single noises of each metric, modality and SNR."""
    groups: dict[tuple[str, Condition], list[dict[int, Cell]]] = {}
    for (metric, condition), found in sorted(cells.items(), key=lambda item: (item[0][0], item[0][1].order)):
        if condition.noise is not None:
            pooled = Condition(condition.modality, condition.snr_db, "all")
            groups.setdefault((metric, pooled), []).append(found)
    for key, members in groups.items():
        out: dict[int, Cell] = {}
        for i in range(n_clips):
            parts = [member.get(i, MISSING) for member in members]
            if all(part == MISSING for part in parts):
                continue
            lacking = [part for part in parts if isinstance(part, str)]
            pairs = [part for part in parts if not isinstance(part, str)]
            out[i] = lacking[0] if lacking else (sum(p[0] for p in pairs), sum(p[1] for p in pairs))
        cells[key] = out


def _find_geometric(rows: Collection[GeometryRow]) -> list[GeometricMetric]:
    """Return the metrics of vertices that *rows* are about: those of every run, and optional ones that are there."""
    if not rows:
        return []
    held = {name for row in rows for sums in (row.geometry, row.alone) if sums is not None for name in sums}
    return METRICS.geometric(m.name for m in METRICS.every_geometric() if m.statistic in held)


def _geometry_cells(metric: GeometricMetric, rows: Mapping[int, GeometryRow]) -> dict[int, Cell]:
    cells: dict[int, Cell] = {}
    for i, row in rows.items():
        sums = row.geometry if metric.needs_truth else row.alone
        cells[i] = (row.reason or MISSING) if sums is None else metric.cell(sums)
    if metric.across is not None:
        found = {i: cell for i, cell in cells.items() if not isinstance(cell, str)}
        members = [Member(rows[i].speaker or rows[i].language, *cell) for i, cell in found.items()]
        cells |= dict(zip(found, metric.across(members), strict=True))
    return cells


def _series(metric: str, condition: Condition, found: dict[int, Cell], n_clips: int) -> Series:
    values = np.full((n_clips, 2), np.nan)
    reasons: list[str | None] = [MISSING] * n_clips
    for i, cell in found.items():
        if isinstance(cell, str):
            reasons[i] = cell
        else:
            values[i], reasons[i] = cell, None
    return Series(metric, condition, values, tuple(reasons))
