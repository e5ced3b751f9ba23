"""The statistics of all geometric metrics of one clip at once."""

from __future__ import annotations

import hashlib

import numpy as np

from mtbench.faces import Topology
from mtbench.metrics.base import FacePair
from mtbench.metrics.geometry_sums import GeometrySums
from mtbench.metrics.registry import METRICS

#: Raise it when a statistic changes though vertices, topology and template do not.
GEOMETRY_VERSION = "2"
#: What geometry of that version holds; whatever metrics ask for besides, they tell the version of.
_STATISTICS = frozenset(
    {
        "lve_mm_sum",
        "lve_sq_m2_sum",
        "lve_centred_mm_sum",
        "lve_mean_mm_sum",
        "mve_mm_sum",
        "fdd_m2",
        "lve_aligned_mm_sum",
    }
)


def name_additions() -> dict[str, str]:
    """Return the versions of the statistics that are measured besides those of :data:`GEOMETRY_VERSION`, by name.

    They are settings of whatever keeps the statistics: a metric that is added is measured, not missed.

    Examples
    --------
    >>> name_additions()  # with a metric of another package installed: {'jaw_mm_sum': '1'}
    {}
    """
    return {m.statistic: m.version for m in METRICS.geometric() if m.statistic not in _STATISTICS}


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
        A statistic by name for every one that a metric names; ``fdd_m2`` is None without a template.

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
    pair = FacePair(prediction, truth, topology.region, template)
    statistics = {metric.statistic: metric.measure for metric in METRICS.geometric()}
    return GeometrySums(len(truth), {name: measure(pair) for name, measure in statistics.items()})


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
