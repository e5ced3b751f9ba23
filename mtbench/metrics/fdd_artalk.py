"""FDD by ARTalk: how differently each vertex of the upper face moves, whichever moves more.

Conventions
-----------
With s[t, v] = x + y + z of a vertex in millimetres (the coordinates are *added*, not the length of anything),

    mean over v in U of |std over t of s(prediction) - std over t of s(truth)|

std with ddof 1. ARTalk's code prints a hundred times that. No template enters; the absolute value is taken vertex by
vertex.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import check_pair


def deviate_artalk_mm(prediction: np.ndarray, truth: np.ndarray, upper_face: np.ndarray) -> float | None:
    """Return ARTalk's upper-face dynamics deviation of one clip, in millimetres; None of a single frame.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    upper_face : (n,) int
        Vertex indices; what is named twice counts twice.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> truth = np.zeros((2, 1, 3))
    >>> still = deviate_artalk_mm(np.array([[[0, 0.001, 0]], [[0, 0.003, 0]]]), truth, np.array([0]))
    >>> round(still**2, 9)
    2.0
    """
    check_pair(prediction, truth)
    if len(truth) < 2:
        return None
    spreads = [
        (1000.0 * np.asarray(x[:, upper_face], np.float64)).sum(axis=2).std(axis=0, ddof=1)
        for x in (prediction, truth)
    ]
    return float(np.abs(spreads[0] - spreads[1]).mean())


def _measure(pair: FacePair) -> float | None:
    return deviate_artalk_mm(pair.prediction, pair.truth, pair.upper_face)


DEFINES = (
    GeometricMetric(
        name="fdd_artalk_mm",
        title="upper-face dynamics deviation by ARTalk",
        unit="mm",
        aggregation="clip",
        overall="clip",
        order=53,
        statistic="fdd_artalk_mm",
        measure=_measure,
        absent="a single frame does not move",
        error="std1-sum-abs",
        region="upper_face",
        label="FDD by ARTalk",
        optional=True,
        definition="mean over the upper face's vertices of the difference between the standard deviations over time of "
        "x + y + z, in absolute value",
        source="ARTalk `train_code/core/models/modules/metrics.py`, which prints 100 times that, and counts 57 "
        "vertices twice",
        failures="Adding coordinates hides movement along (1, −1, 0) and the like; any movement as large as the "
        "true one is perfect; not convertible to `fdd_m2`.",
    ),
)
