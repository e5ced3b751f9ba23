"""Checks and distances that the geometric metrics share.

Conventions
-----------
Distances are computed coordinate by coordinate, in a fixed order and in float64, so that results do not
depend on how a linear algebra library sums.
"""

from __future__ import annotations

import numpy as np


def check_pair(prediction: np.ndarray, truth: np.ndarray) -> None:
    """Raise ``ValueError`` unless both are (T, V, 3) with the same T >= 1 and V.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres.

    Examples
    --------
    >>> check_pair(np.zeros((4, 9, 3)), np.zeros((5, 9, 3)))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: prediction has 4 frames, ground truth has 5: another frame rate, or a clip that was cut? ...
    """
    for name, array in (("prediction", prediction), ("truth", truth)):
        if array.ndim != 3 or array.shape[2] != 3:
            raise ValueError(f"{name} must be (T, V, 3), not {array.shape}")
    if prediction.shape[1] != truth.shape[1]:
        raise ValueError(
            f"prediction has {prediction.shape[1]} vertices, ground truth has {truth.shape[1]}: "
            "another topology? Geometric metrics compare vertex by vertex"
        )
    if len(prediction) != len(truth):
        raise ValueError(
            f"prediction has {len(prediction)} frames, ground truth has {len(truth)}: "
            "another frame rate, or a clip that was cut? Frames are never dropped silently"
        )
    if not len(truth):
        raise ValueError("a clip needs at least one frame")


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances over the last axis.

    Parameters
    ----------
    a, b : (..., 3)
        Points, broadcast against each other; computed in float64.

    Returns
    -------
    (...) float64

    Examples
    --------
    >>> squared_distances(np.zeros(3), np.array([1.0, 2.0, 2.0])).item()
    9.0
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    x, y, z = (a[..., i] - b[..., i] for i in range(3))
    return x * x + y * y + z * z
