"""Series: one metric under one condition, as numerator and denominator per clip.

Conventions
-----------
Every metric is a ratio of sums over clips: errors over reference units, distances over frames, values over
clips. A series holds both per benchmark clip, in benchmark order, with NaN where a clip has no value and a
reason why. The noise ``"all"`` pools the noises of a clip, and has a value only where every noise has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mtbench.conditions import STATIC, Condition
from mtbench.metrics import EditCounts, gain_statistics
from mtbench.results.rows import GeometryRow, RecognitionRow, Row
from mtbench.speech import headline_rate

MISSING = "no result"
_RATES = {"wer": "words", "cer": "chars", "per": "phones"}
_GEOMETRY = ("lve_mm", "lve_sq_m2", "lve_centred_mm", "lve_aligned_mm", "lve_mean_mm", "mve_mm")
_OLDER = "scored by an older version: score it again"


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
        Name in :data:`mtbench.metrics.base.METRICS`.
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


_Cell = tuple[float, float] | str


def collect_series(rows: Iterable[Row], clips: Sequence[ClipInfo]) -> list[Series]:
    """Return all series that *rows* give, in the order of results.

    Parameters
    ----------
    rows : iterable of Row
        Rows of one entry on one benchmark; any order.
    clips : sequence of ClipInfo
        All clips of the benchmark.

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

    cells = _recognition_cells(recognition)
    _pool_noises(cells, len(clips))
    _choose_headlines(cells, [clip.language for clip in clips])
    for i, geometry_row in geometry.items():
        for metric, cell in _geometry_cells(geometry_row).items():
            cells.setdefault((metric, Condition()), {})[i] = cell
    series = [_series(metric, condition, found, len(clips)) for (metric, condition), found in cells.items()]
    return sorted(series, key=lambda s: (_METRIC_ORDER.index(s.metric), s.condition.order))


_METRIC_ORDER = ("headline", "wer", "cer", "per", "avlr_gain", *_GEOMETRY, "fdd_m2", "fdd_abs_m2")
_Cells = dict[tuple[str, Condition], dict[int, _Cell]]


def _recognition_cells(groups: dict[Condition, dict[int, RecognitionRow]]) -> _Cells:
    cells: _Cells = {}
    for presented, rows in groups.items():
        if presented.face == STATIC:
            continue
        condition = presented.with_face(None)
        for metric, attribute in _RATES.items():
            cells[metric, condition] = {i: _rate_cell(row, attribute) for i, row in rows.items()}
        static = groups.get(presented.with_face(STATIC))
        if condition.modality == "av" and static is not None:
            cells["avlr_gain", condition] = {i: _gain_cell(static.get(i), row) for i, row in rows.items()}
    return cells


def _rate_cell(row: RecognitionRow, attribute: str) -> _Cell:
    counts: EditCounts | None = getattr(row, attribute)
    if counts is None:
        return row.reason or f"no {attribute}"
    return float(counts.errors), float(counts.reference_length)


def _gain_cell(static: RecognitionRow | None, row: RecognitionRow) -> _Cell:
    if static is None:
        return "no result with a static face"
    if static.words is None or row.words is None:
        return row.reason or static.reason or MISSING
    numerator, denominator = gain_statistics(static.words, row.words)
    return float(numerator), float(denominator)


def _pool_noises(cells: _Cells, n_clips: int) -> None:
    """Add the condition noise ``"all"`` beside the single noises of each metric, modality and SNR."""
    groups: dict[tuple[str, Condition], list[dict[int, _Cell]]] = {}
    for (metric, condition), found in sorted(cells.items(), key=lambda item: (item[0][0], item[0][1].order)):
        if condition.noise is not None:
            pooled = Condition(condition.modality, condition.snr_db, "all")
            groups.setdefault((metric, pooled), []).append(found)
    for key, members in groups.items():
        out: dict[int, _Cell] = {}
        for i in range(n_clips):
            parts = [member.get(i, MISSING) for member in members]
            if all(part == MISSING for part in parts):
                continue
            lacking = [part for part in parts if isinstance(part, str)]
            pairs = [part for part in parts if not isinstance(part, str)]
            out[i] = lacking[0] if lacking else (sum(p[0] for p in pairs), sum(p[1] for p in pairs))
        cells[key] = out


def _choose_headlines(cells: _Cells, languages: Sequence[str]) -> None:
    for metric, condition in list(cells):
        if metric == "wer":
            found = cells[metric, condition]
            characters = cells["cer", condition]
            cells["headline", condition] = {
                i: (characters if headline_rate(languages[i]) == "cer" else found)[i] for i in found
            }


def _geometry_cells(row: GeometryRow) -> dict[str, _Cell]:
    sums = row.geometry
    if sums is None:
        return dict.fromkeys((*_GEOMETRY, "fdd_m2", "fdd_abs_m2"), row.reason or MISSING)
    found = {m: getattr(sums, f"{m}_sum") for m in _GEOMETRY}
    out: dict[str, _Cell] = {m: _OLDER if v is None else (v, float(sums.frames)) for m, v in found.items()}
    if sums.fdd_m2 is None:
        return out | dict.fromkeys(("fdd_m2", "fdd_abs_m2"), "no template of the speaker")
    return out | {"fdd_m2": (sums.fdd_m2, 1.0), "fdd_abs_m2": (abs(sums.fdd_m2), 1.0)}


def _series(metric: str, condition: Condition, found: dict[int, _Cell], n_clips: int) -> Series:
    values = np.full((n_clips, 2), np.nan)
    reasons: list[str | None] = [MISSING] * n_clips
    for i, cell in found.items():
        if isinstance(cell, str):
            reasons[i] = cell
        else:
            values[i], reasons[i] = cell, None
    return Series(metric, condition, values, tuple(reasons))
