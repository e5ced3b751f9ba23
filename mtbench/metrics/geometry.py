"""All geometric statistics of one clip at once.

Conventions
-----------
Regions come from the topology: ``lips`` for the lip vertex errors, ``upper_face`` for FDD and for aligning the head.
"""

from __future__ import annotations

import hashlib

import numpy as np

from mtbench.faces import Topology
from mtbench.metrics.fdd import fdd_m2
from mtbench.metrics.geometry_sums import GeometrySums
from mtbench.metrics.lve import (
    sum_lve_aligned_mm,
    sum_lve_centred_mm,
    sum_lve_mean_mm,
    sum_lve_mm,
    sum_lve_sq_m2,
)
from mtbench.metrics.mve import sum_mve_mm


def measure_geometry(
    prediction: np.ndarray, truth: np.ndarray, topology: Topology, template: np.ndarray | None = None
) -> GeometrySums:
    """Return the geometric sums of one clip.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, both of *topology*.
    topology : Topology
        Gives the regions.
    template : (V, 3) floating point or None
        Neutral face of the clip's speaker, from which FDD measures displacements. No other face will do: the mean
        face of a topology in its place makes FDD several times too large.

    Returns
    -------
    GeometrySums
        ``fdd_m2`` is None without a template.

    Raises
    ------
    ValueError
        Where shapes differ from each other or from the topology.

    Examples
    --------
    >>> regions = {"lips": np.array([0]), "upper_face": np.array([1])}
    >>> two_points = Topology("two", 2, np.zeros((0, 3), np.int32), regions)
    >>> measure_geometry(np.full((5, 2, 3), 0.003), np.zeros((5, 2, 3)), two_points).frames
    5
    """
    if truth.shape[1:] != (topology.n_vertices, 3):
        raise ValueError(
            f"ground truth must be (T, {topology.n_vertices}, 3) for {topology.name}, not {truth.shape}"
        )
    lips = topology.region("lips")
    return GeometrySums(
        frames=len(truth),
        lve_mm_sum=sum_lve_mm(prediction, truth, lips),
        lve_sq_m2_sum=sum_lve_sq_m2(prediction, truth, lips),
        lve_centred_mm_sum=sum_lve_centred_mm(prediction, truth, lips),
        lve_mean_mm_sum=sum_lve_mean_mm(prediction, truth, lips),
        mve_mm_sum=sum_mve_mm(prediction, truth),
        fdd_m2=None
        if template is None
        else fdd_m2(prediction, truth, template, topology.region("upper_face")),
        lve_aligned_mm_sum=sum_lve_aligned_mm(prediction, truth, lips, topology.region("upper_face")),
    )


def name_region(topology: Topology, region: str) -> str:
    """Return a region's name, size and digest as signatures have it, e.g. ``"lips-250#77c0d1f0"``.

    Examples
    --------
    >>> two_points = Topology("two", 2, np.zeros((0, 3), np.int32), {"lips": np.array([0])})
    >>> name_region(two_points, "lips").partition("#")[0]
    'lips-1'
    """
    indices = np.ascontiguousarray(topology.region(region), "<i4")
    return f"{region}-{len(indices)}#{hashlib.blake2b(indices.tobytes(), digest_size=4).hexdigest()}"
