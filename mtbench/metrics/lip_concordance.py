"""Lip CCC: whether the lips open and close when they should and as far as they should.

Conventions
-----------
Lin's concordance correlation coefficient between the apertures of prediction and truth
(:mod:`mtbench.metrics.lip_gap`),

    CCC = 2 cov(p, t) / (var(p) + var(t) + (mean(p) - mean(t))^2)

with moments over the T frames of a clip (ddof 0), then the mean over clips (L. I.-K. Lin, "A concordance correlation
coefficient to evaluate reproducibility", Biometrics 45, 1989).
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.distances import check_pair
from mtbench.metrics.lip_correlation import STILL
from mtbench.metrics.lip_gap import aperture_of


def agree_curves(prediction: np.ndarray, truth: np.ndarray, still: float = STILL) -> float | None:
    """Return the concordance of two curves.

    Parameters
    ----------
    prediction, truth : (T,) floating point
    still : float
        Standard deviation up to which a curve counts as constant.

    Returns
    -------
    float or None
        -1 to 1; None where *truth* is constant.

    Examples
    --------
    >>> round(agree_curves(np.array([0.0, 2, 4]), np.array([1.0, 2, 3])), 6)
    0.8
    >>> agree_curves(np.array([3.0, 4, 5]), np.array([1.0, 2, 3])) < 0.3
    True
    """
    p, t = np.asarray(prediction, np.float64), np.asarray(truth, np.float64)
    a, b = p - p.mean(), t - t.mean()
    if float(np.sqrt(np.mean(b * b))) <= still:
        return None
    apart = (p.mean() - t.mean()) ** 2
    return float(2.0 * np.mean(a * b) / (np.mean(a * a) + np.mean(b * b) + apart))


def _measure(pair: FacePair) -> float | None:
    check_pair(pair.prediction, pair.truth)
    return agree_curves(aperture_of(pair, pair.prediction), aperture_of(pair, pair.truth))


DEFINES = (
    GeometricMetric(
        name="lip_ccc",
        title="concordance of lip apertures",
        unit="r",
        higher_is_better=True,
        aggregation="clip",
        overall="clip",
        order=44,
        statistic="lip_ccc",
        measure=_measure,
        absent="the true lips do not move",
        error="concordance",
        region="lip-aperture",
        label="Lip CCC",
        optional=True,
        definition="Lin's concordance of the signed lip apertures of prediction and truth in a clip: r, less for "
        "another mean or spread",
        source="reported by THUNDER, whose formula and points are not published; Lin 1989",
        failures="A resting mouth of another identity, open by a millimetre more, costs as much as wrong movement; one "
        "central pair of points.",
    ),
)
