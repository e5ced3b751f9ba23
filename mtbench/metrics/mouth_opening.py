"""MOD, mouth opening difference: how much the height of the lips differs from the true height.

Conventions
-----------
The opening of a frame is max y - min y over the lip vertices, so it includes both lips' thickness. DiffPoseTalk, who
introduced the name, published no formula; this is the reconstruction of talking-head-metrics. ARTalk's author means
``lve_mean_mm`` by it.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import check_pair


def measure_opening_mm(vertices: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Return (T,) float64, the vertical extent of the lips in each frame in millimetres.

    Examples
    --------
    >>> measure_opening_mm(np.array([[[0, 0.02, 0], [0, -0.01, 0]]]), np.array([0, 1])).tolist()
    [30.0]
    """
    height = np.asarray(vertices[:, lips, 1], np.float64)
    return 1000.0 * (height.max(axis=1) - height.min(axis=1))


def sum_mod_mm(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the sum over frames of the absolute difference of openings.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    lips : (n,) int
        Lip vertex indices.

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
    >>> truth = np.array([[[0, 0.02, 0], [0, -0.01, 0]]])
    >>> sum_mod_mm(0.5 * truth, truth, np.array([0, 1]))
    15.0
    """
    check_pair(prediction, truth)
    return float(np.abs(measure_opening_mm(prediction, lips) - measure_opening_mm(truth, lips)).sum())


def _measure(pair: FacePair) -> float:
    return sum_mod_mm(pair.prediction, pair.truth, pair.lips)


DEFINES = (
    GeometricMetric(
        name="mod_mm",
        title="mouth opening difference",
        unit="mm",
        aggregation="frame",
        overall="frame",
        order=42,
        statistic="mod_mm_sum",
        measure=_measure,
        error="abs-extent-y",
        label="MOD",
        optional=True,
        definition="mean over frames of |h − h'|, h = max y − min y over the lip vertices",
        source="named by DiffPoseTalk without a formula; formula of talking-head-metrics. What ARTalk's author "
        "calls MOD is `lve_mean_mm`",
        failures="Changes with the pitch of the head; does not see width, protrusion, or a mouth of the right height "
        "in the wrong place; signs of opening and closing too much cancel nowhere, but are not told apart.",
    ),
)
