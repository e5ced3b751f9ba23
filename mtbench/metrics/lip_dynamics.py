"""Lip dynamics: how much the shape of the lips changes over a clip. Needs no ground truth.

Conventions
-----------
For all pairs of the twenty mouth landmarks (48 to 67), the standard deviation over time (ddof 0) of their distance in
millimetres, mean over pairs. THEval takes forty points of its tracker in pixels of a 256 x 256 picture; on meshes the
unit is known, so distances are neither scaled nor divided by the size of the face. There is no best value but the
ground truth's own.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import squared_distances
from mtbench.metrics.lip_gap import find_landmark


def measure_dynamics(points: np.ndarray) -> float:
    """Return the mean over pairs of points of the standard deviation of their distance.

    Parameters
    ----------
    points : (T, n, d) floating point
        n >= 2 points of d <= 3 coordinates.

    Returns
    -------
    float
        In the unit of *points*.

    Examples
    --------
    >>> measure_dynamics(np.array([[[0.0, 0, 0], [0, 2, 0]], [[0, 0, 0], [0, 4, 0]]]))
    1.0
    """
    points = np.asarray(points, np.float64)
    if points.shape[2] < 3:
        points = np.pad(points, ((0, 0), (0, 0), (0, 3 - points.shape[2])))
    a, b = np.triu_indices(points.shape[1], 1)
    return float(np.sqrt(squared_distances(points[:, a], points[:, b])).std(axis=0).mean())


def _measure(pair: FacePair) -> float:
    if pair.topology is None:
        raise ValueError("lip dynamics need the topology of the vertices, e.g. topology='flame-5023'")
    # Meshes without a vertex of their own for each landmark have one twice.
    mouth = sorted({find_landmark(pair.topology, number) for number in range(48, 68)})
    return 1000.0 * measure_dynamics(pair.prediction[:, mouth])


DEFINES = (
    GeometricMetric(
        name="lip_dynamics_mm",
        title="lip dynamics, without ground truth",
        unit="mm",
        higher_is_better=None,
        aggregation="clip",
        overall="clip",
        order=62,
        statistic="lip_dynamics_mm",
        measure=_measure,
        needs_truth=False,
        error="std-distances",
        region="mouth-landmarks",
        label="Lip dynamics",
        orders_systems=False,
        optional=True,
        definition="standard deviation over time of the distance of two mouth landmarks, mean over all pairs",
        source="THEval `Naturalness/lip_dynamics.py` (there in pixels of a 256 × 256 picture, 40 points)",
        failures="Says how much, not whether it is right: jitter and another clip's mouth score well. Compare with the "
        "ground truth's value; a clip with long pauses has less.",
    ),
)
