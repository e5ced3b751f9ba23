"""How a face lies in space: axes, handedness, scale and place, against a face in mtbench's convention.

Conventions
-----------
A :class:`Pose` is the similarity, reflections included, that brings a face of known position closest to the one
at hand. Where no FLAME template is installed the face of known position is a skeleton: the landmarks that FLAME
and the bundled head share, with the bundled head's positions, and the middle of all vertices. Eyes above mouth,
nose in front of the middle and the order of left and right tell axes and handedness; measured on FLAME's template
and five identities the skeleton is 8 to 15 % off, and 69 % or more when it is mirrored, 92 % when it is shuffled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mtbench.faces.flame_lists import NAME
from mtbench.faces.topology import Topology

#: Relative residuals after alignment that no face of a topology reaches: all vertices, and the skeleton.
_WHOLE, _SKELETON = 0.25, 0.4
#: The middle of FLAME's vertices in the coordinates of the bundled head, metres: found from the landmarks.
_MIDDLE = (0.0, -0.023, -0.026)
#: Weights of the skeleton's points: 5 of nose and eyes, 20 of the mouth, and the middle.
_WEIGHTS = (4.0,) * 5 + (1.0,) * 20 + (12.0,)
#: FLAME's template over the bundled head, measured by their skeletons.
_FLAME_SCALE = 1.03
#: Degrees that axes may be off a permutation to be named by it.
_NEAR = 40.0


@dataclass(frozen=True)
class Pose:
    """Where a face is, relative to a reference.

    Attributes
    ----------
    axes : (3, 3) float64
        Orthogonal; column k is where the reference's axis k points.
    scale : float
        Size over the reference's.
    distance : float
        Metres between the means.
    residual : float
        What is left after alignment, relative to the face's own extent: 0 the same shape, 1 none of it.
    matches : bool
        Whether it is the same kind of face, vertex by vertex.
    stretch : (float, float, float)
        Size over the reference's along its x, y and z.
    farthest : (int, float)
        The point that lies farthest from its counterpart after alignment, and how far, metres.
    """

    axes: np.ndarray
    scale: float
    distance: float
    residual: float
    matches: bool
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)
    farthest: tuple[int, float] = (0, 0.0)

    @property
    def mirrored(self) -> bool:
        """Whether left and right are swapped."""
        return bool(np.linalg.det(self.axes) < 0)

    @property
    def angle(self) -> float:
        """Degrees by which the face is turned; of a mirrored one, after mirroring x back."""
        axes = self.axes * [-1.0, 1.0, 1.0] if self.mirrored else self.axes
        return float(np.degrees(np.arccos(np.clip((np.trace(axes) - 1) / 2, -1, 1))))

    def cure(self) -> str | None:
        """Return the numpy expression that turns ``vertices`` back, None where no change of axes does."""
        nearest = np.zeros((3, 3))
        left = np.abs(self.axes)
        for _ in range(3):
            i, k = np.unravel_index(np.argmax(left), (3, 3))
            nearest[i, k] = np.sign(self.axes[i, k])
            left[i, :] = left[:, k] = -1.0
        if np.linalg.det(nearest) * np.linalg.det(self.axes) < 0:
            return None
        off = np.degrees(np.arccos(np.clip((np.trace(nearest.T @ self.axes) - 1) / 2, -1, 1)))
        if off > _NEAR:
            return None
        order = np.argmax(np.abs(nearest), axis=0).tolist()
        signs = [int(nearest[i, k]) for k, i in enumerate(order)]
        picked = "vertices" if order == [0, 1, 2] else f"vertices[..., {order}]"
        return picked if signs == [1, 1, 1] else f"{picked} * {signs}"


#: Finds the pose of one frame (V, 3) relative to a face in mtbench's convention.
FindPose = Callable[[np.ndarray], Pose]


def find_pose(
    points: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None, most: float = _WHOLE
) -> Pose:
    """Return the pose of *points* relative to *target*.

    Parameters
    ----------
    points, target : (n, 3) floating point
        Corresponding points, metres, finite.
    weights : (n,) float64, optional
    most : float
        Largest residual of a face that matches.

    Examples
    --------
    >>> target = np.random.default_rng(0).standard_normal((9, 3))
    >>> pose = find_pose(target[:, [0, 2, 1]] * [1, -1, 1], target)
    >>> pose.mirrored, pose.cure()
    (False, 'vertices[..., [0, 2, 1]] * [1, 1, -1]')
    """
    a, b = np.asarray(points, np.float64), np.asarray(target, np.float64)
    w = np.ones(len(a)) if weights is None else weights
    middle, origin = (w @ a) / w.sum(), (w @ b) / w.sum()
    root = np.sqrt(w)[:, None]
    a, b = (a - middle) * root, (b - origin) * root
    size, expected = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    distance = float(np.linalg.norm(middle - origin))
    if size == 0 or expected == 0 or not np.isfinite(size):
        return Pose(np.eye(3), 0.0, distance, 1.0, False)
    u, singular, vt = np.linalg.svd((a / size).T @ (b / expected))
    residual = float(np.sqrt(max(0.0, 1.0 - singular.sum() ** 2)))
    off = np.linalg.norm(a - (size / expected) * (b @ (u @ vt).T), axis=1) / root[:, 0]
    farthest = int(np.argmax(off)), float(off.max())
    along = ((a @ (u @ vt)) * b).sum(axis=0) / np.maximum((b**2).sum(axis=0), 1e-300)
    stretch = (float(along[0]), float(along[1]), float(along[2]))
    return Pose(u @ vt, size / expected, distance, residual, residual <= most, stretch, farthest)


def known_pose(topology: Topology) -> FindPose | None:
    """Return what finds poses relative to the topology's convention, None where nothing is known of it.

    By the neutral face where there is one, for FLAME without an asset by the skeleton.
    """
    if topology.neutral is not None:
        neutral = topology.neutral.astype(np.float64)
        return lambda frame: find_pose(frame, neutral)
    return skeleton_pose(topology.landmarks) if topology.name == NAME else None


def skeleton_pose(landmarks: np.ndarray) -> FindPose:
    """Return what finds the pose of a FLAME face by *landmarks* and the middle of its vertices."""
    weights = np.array(_WEIGHTS)

    def find(frame: np.ndarray) -> Pose:
        middle = frame.astype(np.float64).mean(axis=0)
        pose = find_pose(np.vstack([frame[landmarks], middle]), _skeleton(), weights, _SKELETON)
        # The middle of FLAME's vertices is the origin, far more precisely than the skeletons' means agree.
        return Pose(pose.axes, pose.scale, float(np.linalg.norm(middle)), pose.residual, pose.matches)

    return find


@lru_cache(maxsize=1)
def _skeleton() -> np.ndarray:
    from mtbench.faces.head import load_head

    topology = load_head().topology
    assert topology.neutral is not None
    points = np.vstack([topology.neutral[topology.landmarks].astype(np.float64), _MIDDLE])
    return _FLAME_SCALE * (points - _MIDDLE)
