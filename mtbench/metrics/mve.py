"""Mean vertex error: the mean distance over frames and all vertices.

Conventions
-----------
MVE = mean over t and v of |x[t, v] - x'[t, v]|, unsquared, as in FaceDiffuser, ScanTalk and ProbTalk3D.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import GeometricMetric
from mtbench.metrics.distances import check_pair, squared_distances


def sum_mve_mm(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Return the sum over frames of the mean vertex distance.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.

    Returns
    -------
    float
        Millimetres, summed over T frames.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> truth = np.zeros((3, 4, 3))
    >>> sum_mve_mm(truth + [0, 0.003, 0.004], truth) / 3
    5.0
    """
    check_pair(prediction, truth)
    # Frame by frame: the whole clip in float64 would be a copy of 120 bytes per vertex and frame.
    means = [np.sqrt(squared_distances(p, x)).mean() for p, x in zip(prediction, truth, strict=True)]
    return float(1000.0 * np.sum(means))


DEFINES = (
    GeometricMetric(
        name="mve_mm",
        title="mean vertex error",
        unit="mm",
        aggregation="frame",
        overall="frame",
        order=20,
        statistic="mve_mm_sum",
        measure=lambda pair: sum_mve_mm(pair.prediction, pair.truth),
        error="mean-l2",
        region="all",
        required=True,
        definition="mean distance of all vertices, mean over frames",
        source="FaceDiffuser, ScanTalk, ProbTalk3D",
        failures="Scalp, neck and eyeballs are most of a mesh: it is a measure of head motion and of the mesh.",
        label="MVE",
    ),
)
