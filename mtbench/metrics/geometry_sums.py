"""Sums over the frames of a clip: the statistics that every geometric metric follows from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GeometrySums:
    """Sufficient statistics of the geometric metrics of one clip, float64.

    Attributes
    ----------
    frames : int
        T, the number of frames that the sums run over.
    lve_mm_sum : float
        Sum over frames of the largest lip vertex distance, millimetres.
    lve_sq_m2_sum : float
        Sum over frames of the largest squared lip vertex distance, square metres.
    lve_centred_mm_sum : float
        As ``lve_mm_sum`` after removing each frame's mean lip position from both motions.
    lve_mean_mm_sum : float
        Sum over frames of the mean lip vertex distance, millimetres.
    mve_mm_sum : float
        Sum over frames of the mean distance of all vertices, millimetres.
    fdd_m2 : float or None
        Signed upper-face dynamics deviation of the clip, square metres; None without a template.
    lve_aligned_mm_sum : float or None
        As ``lve_mm_sum`` after moving each frame's head rigidly onto the truth's; None in rows of versions that
        did not measure it.
    """

    frames: int
    lve_mm_sum: float
    lve_sq_m2_sum: float
    lve_centred_mm_sum: float
    lve_mean_mm_sum: float
    mve_mm_sum: float
    fdd_m2: float | None
    lve_aligned_mm_sum: float | None = None
