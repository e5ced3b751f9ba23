"""Lip vertex error, in the variants that the literature calls by the same name.

Conventions
-----------
With prediction x', truth x (T, V, 3) in metres, lip list L and d[t, v] = |x[t, v] - x'[t, v]|:

==================  ==================================  ====  ==============================================
name                per frame t                         unit  who
==================  ==================================  ====  ==============================================
``lve_mm``          1000 max over L of d                mm    text of MeshTalk, FaceFormer, CodeTalker,
                                                              MultiTalk; code of 3DiFACE, Imitator
``lve_sq_m2``       max over L of d^2                   m^2   code of CodeTalker ``main/cal_metric.py``,
                                                              MultiTalk ``main/test_multi_pred.py``,
                                                              torchmetrics ``LipVertexError``
``lve_centred_mm``  as ``lve_mm`` after subtracting     mm    MeshTalk's code (meshtalk issue 32)
                    each frame's mean over L
``lve_mean_mm``     1000 mean over L of d               mm    ARTalk's reading of DiffPoseTalk's MOD
``lve_aligned_mm``  as ``lve_mm`` after rotating and    mm    talking-head-metrics (head rotation removed
                    shifting each frame's head onto           beforehand)
                    the truth's
==================  ==================================  ====  ==============================================

Functions return sums over frames: divided by T they are the clip's value, summed over clips and divided by
all frames they are the frame-pooled value (the default, as in MultiTalk). No alignment unless the table
says so, no template subtraction. The largest value does not feel duplicates in L; the mean does.
MultiTalk's table prints ``lve_sq_m2`` with the unit mm; its code computes m^2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric, TableColumn
from mtbench.metrics.distances import check_pair, squared_distances
from mtbench.metrics.rigid import align_rigidly


def sum_lve_mm(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the sum over frames of the largest lip vertex distance.

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
    >>> truth = np.zeros((2, 4, 3))
    >>> prediction = truth + [0, 0.003, 0.004]
    >>> sum_lve_mm(prediction, truth, np.array([0, 1])) / len(truth)
    5.0
    """
    return float(np.sum(1000.0 * np.sqrt(_largest(prediction, truth, lips))))


def sum_lve_sq_m2(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the sum over frames of the largest *squared* lip vertex distance, square metres.

    Parameters and errors as in :func:`sum_lve_mm`.

    Examples
    --------
    >>> truth = np.zeros((2, 4, 3))
    >>> round(sum_lve_sq_m2(truth + [0, 0.003, 0.004], truth, np.array([0, 1])) / len(truth), 9)
    2.5e-05
    """
    return float(np.sum(_largest(prediction, truth, lips)))


def sum_lve_centred_mm(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the sum over frames of the largest lip vertex distance, each frame's lips centred, in mm.

    A mouth of the right shape in the wrong place costs nothing here. Parameters and errors as in
    :func:`sum_lve_mm`.

    Examples
    --------
    >>> truth = np.zeros((2, 4, 3))
    >>> sum_lve_centred_mm(truth + [0, 0.003, 0.004], truth, np.array([0, 1])) / len(truth)
    0.0
    """
    check_pair(prediction, truth)
    a, b = (np.asarray(x[:, lips], np.float64) for x in (prediction, truth))
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    return float(np.sum(1000.0 * np.sqrt(squared_distances(a, b).max(axis=1))))


def sum_lve_mean_mm(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> float:
    """Return the sum over frames of the mean lip vertex distance, millimetres.

    A list with duplicates weights those vertices twice. Parameters and errors as in :func:`sum_lve_mm`.

    Examples
    --------
    >>> truth = np.zeros((1, 2, 3))
    >>> prediction = np.array([[[0, 0.003, 0.004], [0, 0, 0]]])
    >>> sum_lve_mean_mm(prediction, truth, np.array([0, 1]))
    2.5
    """
    check_pair(prediction, truth)
    return float(
        np.sum(1000.0 * np.sqrt(squared_distances(prediction[:, lips], truth[:, lips])).mean(axis=1))
    )


def sum_lve_aligned_mm(
    prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray, head: np.ndarray
) -> float:
    """Return the sum over frames of the largest lip vertex distance after aligning the head, millimetres.

    Each frame is rotated and shifted, not scaled, so that *head* lies where the truth has it (see
    :func:`mtbench.metrics.rigid.align_rigidly`): how the head is held and where it is costs nothing here.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    lips : (n,) int
        Lip vertex indices.
    head : (m,) int
        Vertices that follow the head and not the speech: the upper face.

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
    >>> truth = np.random.default_rng(0).standard_normal((2, 6, 3))
    >>> prediction = truth + [0, 0, 0.3]
    >>> prediction[:, 0, 1] += 0.002
    >>> round(sum_lve_aligned_mm(prediction, truth, np.array([0, 1]), np.arange(2, 6)), 9)
    4.0
    """
    return sum_lve_mm(align_rigidly(prediction, truth, head), truth, lips)


def _largest(prediction: np.ndarray, truth: np.ndarray, lips: np.ndarray) -> np.ndarray:
    check_pair(prediction, truth)
    return squared_distances(prediction[:, lips], truth[:, lips]).max(axis=1)


def _define(
    name: str, title: str, label: str, order: float, measure: Callable[[FacePair], float], **others: Any
) -> GeometricMetric:
    return GeometricMetric(
        name=name,
        title=title,
        unit="m2" if name.endswith("_m2") else "mm",
        aggregation="frame",
        overall="frame",
        order=order,
        statistic=f"{name}_sum",
        measure=measure,
        label=label,
        **{"required": True, **others},
    )


DEFINES = (
    _define(
        "lve_mm",
        "lip vertex error",
        "LVE",
        10,
        lambda pair: sum_lve_mm(pair.prediction, pair.truth, pair.lips),
        error="max-l2",
        column=TableColumn("LVE mm", digits=2),
        definition="largest lip vertex distance of a frame, mean over frames",
        source="text of MeshTalk, FaceFormer, CodeTalker, MultiTalk; code of 3DiFACE and Imitator",
        failures="Counts whatever moves the lips, a turned head too; says nothing of what can be read from them.",
    ),
    _define(
        "lve_sq_m2",
        "squared lip vertex error",
        "LVE, squared",
        11,
        lambda pair: sum_lve_sq_m2(pair.prediction, pair.truth, pair.lips),
        error="max-l2sq",
        definition="largest *squared* lip vertex distance of a frame, mean over frames: what MultiTalk's and "
        "CodeTalker's scripts print",
        source="CodeTalker `main/cal_metric.py`, MultiTalk `main/test_multi_pred.py`, torchmetrics `LipVertexError`",
        failures="Published as mm, which it is not; not convertible to `lve_mm`; single bad frames rule it.",
    ),
    _define(
        "lve_centred_mm",
        "centred lip vertex error",
        "LVE, centred",
        12,
        lambda pair: sum_lve_centred_mm(pair.prediction, pair.truth, pair.lips),
        error="max-l2",
        align="lip-mean",
        definition="`lve_mm` after moving each frame's lips onto their mean",
        source="MeshTalk's code (its issue 32)",
        failures="Blind to a mouth in the wrong place; a turned head still counts.",
    ),
    _define(
        "lve_aligned_mm",
        "lip vertex error, head aligned",
        "LVE, head aligned",
        13,
        lambda pair: sum_lve_aligned_mm(pair.prediction, pair.truth, pair.lips, pair.upper_face),
        error="max-l2",
        align="rigid",
        required=False,
        definition="`lve_mm` after rotating and shifting each frame's head (its upper face, least squares, no "
        "scale) onto the ground truth's",
        source="talking-head-metrics removes head rotation beforehand; alignment after Kabsch 1976",
        failures="Brows and eyelids belong to the upper face: where they move otherwise, the alignment follows them.",
        # Degraded systems hold their heads as the ground truth does: it would be lve_mm once more.
        orders_systems=False,
    ),
    _define(
        "lve_mean_mm",
        "mean lip vertex error",
        "LVE, mean vertex",
        14,
        lambda pair: sum_lve_mean_mm(pair.prediction, pair.truth, pair.lips),
        error="mean-l2",
        definition="mean lip vertex distance of a frame, mean over frames",
        source="ARTalk's author's reading of DiffPoseTalk's MOD (ARTalk issue 17)",
        failures="Most of the lip vertices are skin around the lips; closures, which few vertices make, hardly show.",
    ),
)
