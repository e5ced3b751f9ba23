"""Telling from a run's rows how much of its lip error is rigid head motion.

Conventions
-----------
A clip's error is mostly head motion where LVE before aligning the head is more than twice the LVE after it, and
the difference exceeds a millimetre. Rows say all of it, so the finding is the same whether a clip was measured or
found in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable

from mtbench.metrics import GeometrySums
from mtbench.results.rows import GeometryRow, Row

#: LVE before over LVE after aligning the head, and the least difference in millimetres.
RATIO, DIFFERENCE_MM = 2.0, 1.0
#: The statistics before and after.
_BEFORE, _AFTER = "lve_mm_sum", "lve_aligned_mm_sum"


def warn_of_head_motion(rows: Iterable[Row]) -> list[str]:
    """Return a warning where rigid head motion makes up most of the LVE of some clips, else nothing.

    Parameters
    ----------
    rows : iterable of Row
        Of one run; rows that do not measure geometry do not count.

    Returns
    -------
    list of str
        At most one line, with frame-pooled millimetres over the clips that it is about.
    """
    measured = [
        (row.clip, row.geometry)
        for row in rows
        if isinstance(row, GeometryRow) and row.geometry is not None and row.geometry.get(_AFTER) is not None
    ]
    rigid = [(clip, sums) for clip, sums in measured if _is_mostly_rigid(sums)]
    if not rigid:
        return []
    before, after = _pool(sums for _, sums in rigid)
    where = f"{len(rigid)} of {len(measured)} clips" if len(rigid) < len(measured) else "all clips"
    if len(rigid) == 1 < len(measured):
        where = f"clip {rigid[0][0]}"
    return [
        f"LVE is mostly head motion in {where}: {before:.2f} mm before and {after:.2f} mm after aligning the head "
        "with the ground truth's (lve_mm, lve_aligned_mm); the head is held or placed otherwise than there"
    ]


def _is_mostly_rigid(sums: GeometrySums) -> bool:
    before, after = _pool([sums])
    return before > RATIO * after and before - after > DIFFERENCE_MM


def _pool(sums: Iterable[GeometrySums]) -> tuple[float, float]:
    """Return LVE before and after aligning the head over all frames of *sums*, millimetres."""
    frames, before, after = 0, 0.0, 0.0
    for one in sums:
        frames += one.frames
        before += one[_BEFORE] or 0.0
        after += one[_AFTER] or 0.0
    return before / frames, after / frames
