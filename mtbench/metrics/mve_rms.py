"""MVE, root mean square: the distance of all vertices, squared before the mean. ARTalk calls it MHD.

Conventions
-----------
A clip's value is 1000 sqrt(mean over t and v of |x[t, v] - x'[t, v]|^2), and clips are averaged; ARTalk's code takes
the root after pooling whatever is in a batch, which of one clip at a time is the same.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import check_pair, squared_distances


def root_mean_mve_mm(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Return the root mean square distance over frames and all vertices, millimetres.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> truth = np.zeros((2, 1, 3))
    >>> root_mean_mve_mm(np.array([[[0, 0.001, 0]], [[0, 0.007, 0]]]), truth)
    5.0
    """
    check_pair(prediction, truth)
    # Frame by frame: the whole clip in float64 would be a copy of 120 bytes per vertex and frame.
    means = [squared_distances(p, x).mean() for p, x in zip(prediction, truth, strict=True)]
    return float(1000.0 * np.sqrt(np.mean(means)))


def _measure(pair: FacePair) -> float:
    return root_mean_mve_mm(pair.prediction, pair.truth)


DEFINES = (
    GeometricMetric(
        name="mve_rms_mm",
        title="mean vertex error, root mean square",
        unit="mm",
        aggregation="clip",
        overall="clip",
        order=52,
        statistic="mve_rms_mm",
        measure=_measure,
        error="rms-l2",
        region="all",
        label="MVE, rms",
        optional=True,
        definition="square root of the clip's mean over frames and all vertices of the squared distance; mean "
        "over clips",
        source="ARTalk `train_code/core/models/modules/metrics.py`, where it is called MHD, one clip a batch",
        failures="As `mve_mm`, and what is far off weighs more.",
    ),
)
