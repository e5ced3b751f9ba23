"""Rigid alignment of one face motion with another, frame by frame: what is left is not head motion.

Conventions
-----------
The transform of a frame is the rotation and translation (no scale, no reflection) that brings the vertices of a
region as close as possible to where the truth has them, in the sense of least squares (W. Kabsch, "A solution
for the best rotation to relate two sets of vectors", Acta Crystallographica A32, 1976). Sums run in a fixed
order; only the 3 x 3 singular value decompositions are left to LAPACK.
"""

from __future__ import annotations

import numpy as np

from mtbench.metrics.distances import check_pair

#: Second singular value over the first below which a region is a line or a point, which has no rotation.
_FLAT = 1e-9


def align_rigidly(prediction: np.ndarray, truth: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return *prediction* with each frame moved rigidly so that *region* lies where *truth* has it.

    Parameters
    ----------
    prediction, truth : (T, V, 3) floating point
        Vertices in metres, same T and V.
    region : (n,) int
        Vertices that follow the head and not the speech. Where they are on one line, frames are only shifted.

    Returns
    -------
    (T, V, 3) float64

    Raises
    ------
    ValueError
        Where shapes differ.

    Examples
    --------
    >>> truth = np.random.default_rng(0).standard_normal((2, 5, 3))
    >>> quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> moved = truth @ quarter.T + [3.0, 0.0, 1.0]
    >>> bool(np.allclose(align_rigidly(moved, truth, np.arange(4)), truth))
    True
    """
    check_pair(prediction, truth)
    rotation, source, target = rigid_transforms(prediction[:, region], truth[:, region])
    points = np.asarray(prediction, np.float64) - source[:, None]
    turned = sum(points[:, :, None, j] * rotation[:, None, :, j] for j in range(3))
    return turned + target[:, None]


def rigid_transforms(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rotations that turn *points* about their mean onto *targets* about theirs, frame by frame.

    Parameters
    ----------
    points, targets : (T, n, 3) floating point

    Returns
    -------
    rotation : (T, 3, 3) float64
        Proper; the identity where the points are on one line.
    source, target : (T, 3) float64
        Means of *points* and *targets*.

    Examples
    --------
    >>> square = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]])
    >>> rigid_transforms(square, square + 2.0)[0][0].round(9).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    a, b = np.asarray(points, np.float64), np.asarray(targets, np.float64)
    source, target = a.mean(axis=1), b.mean(axis=1)
    a, b = a - source[:, None], b - target[:, None]
    covariance = np.empty((len(a), 3, 3))
    for i in range(3):
        for j in range(3):
            covariance[:, i, j] = np.sum(b[..., i] * a[..., j], axis=1)
    u, singular, vt = np.linalg.svd(covariance)
    # Of the two closest orthogonal matrices take the proper one: a head is never mirrored.
    u[:, :, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))[:, None]
    rotation = np.stack([sum(u[:, i, k, None] * vt[:, k, :] for k in range(3)) for i in range(3)], axis=1)
    flat = singular[:, 1] <= _FLAT * singular[:, 0]
    rotation[flat] = np.eye(3)
    return rotation, source, target
