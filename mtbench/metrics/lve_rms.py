"""LVE, root mean square: the largest lip vertex distance of a frame, squared before the mean over a clip's frames.

Conventions
-----------
With d as in :mod:`mtbench.metrics.lve`, a clip's value is 1000 sqrt(mean over t of max over L of d^2), and clips are
averaged. ARTalk's code takes the root after pooling whatever frames are in a batch; of one clip at a time that is the
same. Over all frames together it would be the root of ``lve_sq_m2``.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.lve import sum_lve_sq_m2


def root_mean_lve_mm(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the root mean square over frames of the largest lip vertex distance, millimetres.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    lips : (n,) int
        Lip vertex indices.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> truth = np.zeros((2, 1, 3))
    >>> root_mean_lve_mm(np.array([[[0, 0.001, 0]], [[0, 0.007, 0]]]), truth, np.array([0]))
    5.0
    """
    return float(1000.0 * np.sqrt(sum_lve_sq_m2(prediction, truth, lips) / len(truth)))


def _measure(pair: FacePair) -> float:
    return root_mean_lve_mm(pair.prediction, pair.truth, pair.lips)


DEFINES = (
    GeometricMetric(
        name="lve_rms_mm",
        title="lip vertex error, root mean square",
        unit="mm",
        aggregation="clip",
        overall="clip",
        order=45,
        statistic="lve_rms_mm",
        measure=_measure,
        error="rms-max-l2",
        label="LVE, rms",
        optional=True,
        definition="square root of the clip's mean over frames of the largest *squared* lip vertex distance; mean over "
        "clips",
        source="ARTalk `train_code/core/models/modules/metrics.py`, one clip a batch",
        failures="As `lve_mm`, and single bad frames weigh more; not convertible to `lve_mm`.",
    ),
)
