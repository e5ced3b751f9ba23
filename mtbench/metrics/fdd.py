"""Upper-face dynamics deviation (FDD): whether the upper face moves as much as it should.

Conventions
-----------
CodeTalker's definition (Doubiiu/CodeTalker, ``main/cal_metric.py``): with m[t, v] = |x[t, v] -
template[v]|^2,

    FDD = mean over v in U of std over t of m(truth) - mean over v in U of std over t of m(prediction)

std with ddof 0; the norm is *squared*, so the unit is m^2. Positive: the prediction moves too little.
Signed values of clips are averaged in CodeTalker, DiffSpeaker and ProbTalk3D, where opposite errors cancel;
``fdd_abs_m2`` is the mean of the clips' absolute values (printed beside it by FaceDiffuser and ScanTalk).
The template is the speaker's neutral face; m depends on it, and it is part of the signature.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric, TableColumn
from mtbench.metrics.distances import check_pair, squared_distances


def fdd_m2(prediction: np.ndarray, truth: np.ndarray, template: np.ndarray, upper_face: np.ndarray) -> float:
    """Return the signed upper-face dynamics deviation of one clip.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    template : (V, 3) floating point
        Neutral face of the speaker, metres.
    upper_face : (n,) int
        Upper-face vertex indices (827 of FLAME: forehead and eye region).

    Returns
    -------
    float
        Square metres, truth minus prediction.

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> template, up = np.zeros((1, 3)), np.array([[[0.1, 0, 0]], [[0, 0, 0]]])
    >>> round(fdd_m2(np.zeros((2, 1, 3)), up, template, np.array([0])), 9)
    0.005
    """
    check_pair(prediction, truth)
    if template.shape != truth.shape[1:]:
        raise ValueError(f"template must be {truth.shape[1:]}, not {template.shape}")
    return _spread(truth, template, upper_face) - _spread(prediction, template, upper_face)


def _spread(vertices: np.ndarray, template: np.ndarray, upper_face: np.ndarray) -> float:
    displacement = squared_distances(vertices[:, upper_face], template[upper_face])
    return float(np.std(displacement, axis=0).mean())


def _measure(pair: FacePair) -> float | None:
    if pair.template is None:
        return None
    return fdd_m2(pair.prediction, pair.truth, pair.template, pair.upper_face)


_SHARED: dict[str, Any] = {
    "unit": "m2",
    "aggregation": "clip",
    "overall": "clip",
    "statistic": "fdd_m2",
    "measure": _measure,
    "region": "upper_face",
    "from_template": True,
    "required": True,
}

DEFINES = (
    GeometricMetric(
        name="fdd_m2",
        title="upper-face dynamics deviation, signed",
        higher_is_better=None,
        order=30,
        error="std-l2sq",
        label="FDD",
        # A signed value has no order from better to worse.
        orders_systems=False,
        column=TableColumn("FDD mm²", digits=2, scale=1e6, sign=True),
        definition="how much less the upper face moves than it should, measured from the speaker's own template (`n/a` "
        "without one); negative: more",
        source="CodeTalker `main/cal_metric.py`; FaceDiffuser, ScanTalk, DiffSpeaker and ProbTalk3D",
        failures="Opposite errors of clips cancel; depends on the template; any movement as large as the true one is "
        "perfect; squares, so large movements rule it.",
        **_SHARED,
    ),
    GeometricMetric(
        name="fdd_abs_m2",
        title="upper-face dynamics deviation, absolute",
        order=31,
        error="abs-std-l2sq",
        magnitude=True,
        label="FDD, absolute",
        definition="`fdd_m2` without cancellation between clips",
        source="printed beside it by FaceDiffuser and ScanTalk",
        failures="As `fdd_m2`, but for the cancellation.",
        **_SHARED,
    ),
)
