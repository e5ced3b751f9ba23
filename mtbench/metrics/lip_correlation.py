"""Lip PCC: whether the lips open and close when they should, whatever the size.

Conventions
-----------
Pearson's r between the apertures of prediction and truth (:mod:`mtbench.metrics.lip_gap`) over the frames of a clip,
then the mean over clips. Where the true lips do not move there is no r; where only the predicted ones do not, it is 0,
since leaving those clips out would reward faces that never move.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import check_pair
from mtbench.metrics.lip_gap import aperture_of

#: Standard deviation in millimetres below which lips do not move: what rounding to float32 makes of a turning head.
STILL = 1e-3


def correlate_curves(prediction: np.ndarray, truth: np.ndarray, still: float = STILL) -> float | None:
    """Return Pearson's r of two curves.

    Parameters
    ----------
    prediction, truth : (T,) floating point
    still : float
        Standard deviation up to which a curve counts as constant.

    Returns
    -------
    float or None
        -1 to 1; 0 where only *prediction* is constant, None where *truth* is.

    Examples
    --------
    >>> correlate_curves(np.array([0.0, 2, 4]), np.array([1.0, 2, 3]))
    1.0
    >>> correlate_curves(np.zeros(3), np.array([1.0, 2, 3])), correlate_curves(np.arange(3.0), np.ones(3))
    (0.0, None)
    """
    p, t = (np.asarray(x, np.float64) - np.mean(x, dtype=np.float64) for x in (prediction, truth))
    a, b = float(np.sqrt(np.mean(p * p))), float(np.sqrt(np.mean(t * t)))
    if b <= still:
        return None
    if a <= still:
        return 0.0
    return float(np.clip(np.mean(p * t) / (a * b), -1.0, 1.0))


def _measure(pair: FacePair) -> float | None:
    check_pair(pair.prediction, pair.truth)
    return correlate_curves(aperture_of(pair, pair.prediction), aperture_of(pair, pair.truth))


DEFINES = (
    GeometricMetric(
        name="lip_pcc",
        title="correlation of lip apertures",
        unit="r",
        higher_is_better=True,
        aggregation="clip",
        overall="clip",
        order=43,
        statistic="lip_pcc",
        measure=_measure,
        absent="the true lips do not move",
        error="pearson",
        region="lip-aperture",
        label="Lip PCC",
        optional=True,
        definition="Pearson's r between the signed lip apertures of prediction and truth in a clip; 0 where only the "
        "prediction does not move",
        source="reported by THUNDER and A2-LLM, whose formulas and points are not published",
        failures="Blind to size and offset: half the amplitude costs nothing; long open pauses raise it; one central "
        "pair of points.",
    ),
)
