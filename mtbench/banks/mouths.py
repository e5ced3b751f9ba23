"""From lips that were captured to units of the bundled head: a bounded least-squares fit.

Twenty points around the lips and one on the chin say how a mouth moved. The fit looks for the weights of the head's
units, within their range and from frame to frame no more restless than need be, whose points move as those did.
Contact is what points show worst, a fraction of a millimetre, so it has a rule of its own: where the inner lips come
as near to one another as they are at rest, they are sealed.

Conventions
-----------
Metres, y up, z out of the face, x to the viewer's right. Lip points are those of
:data:`mtbench.faces.topology.LANDMARKS` from 48 on; the chin is the last point. Movements are scaled by the width of
the mouth at rest, so that a small face articulates as a large one does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mtbench.faces import Topology

#: Points of the fit: twenty of the lips, and the chin.
POINTS = 21
#: What a unit of full weight costs, in millimetres of one point's error. Units that points hardly tell from others cost
#: more, so that the plain explanation wins.
STIFFNESS: dict[str, float] = {
    "jawOpen": 0.3, "jawForward": 1.2, "jawLeft": 0.5, "jawRight": 0.5, "mouthFunnel": 0.4, "mouthPucker": 0.4,
    "mouthLeft": 0.6, "mouthRight": 0.6, "mouthSmileLeft": 0.4, "mouthSmileRight": 0.4, "mouthFrownLeft": 0.4,
    "mouthFrownRight": 0.4, "mouthStretchLeft": 0.4, "mouthStretchRight": 0.4, "mouthRollLower": 0.4,
    "mouthRollUpper": 0.4, "mouthShrugLower": 0.6, "mouthShrugUpper": 0.6, "mouthPressLeft": 0.6,
    "mouthPressRight": 0.6, "mouthLowerDownLeft": 0.4, "mouthLowerDownRight": 0.4, "mouthUpperUpLeft": 0.4,
    "mouthUpperUpRight": 0.4, "mouthDimpleLeft": 0.8, "mouthDimpleRight": 0.8,
}  # fmt: skip
#: Largest weight that is fitted.
LARGEST = 1.2
#: Millimetres by which the inner lips are further apart than at rest: up to here sealed, from there on open.
SEALED, OPEN = 0.5, 1.6
#: Metres from the lower lip's outer edge down to the chin's point, on a mouth of the bundled head's width.
_CHIN = 0.028
_STEPS = 400
#: Where the middles of the inner lips are among the lip points: 62 and 66.
_UPPER, _LOWER = 14, 18


def lip_gap(curves: np.ndarray) -> np.ndarray:
    """Return by how much the middles of the inner lips are further apart than at rest, on the neutral head.

    Parameters
    ----------
    curves : (T, U) float
        Units of the bundled head.

    Returns
    -------
    (T,) float32
        Metres; 0 is a closed mouth, pressed lips are a little below.
    """
    from mtbench.faces import load_head

    head = load_head()
    still = np.zeros((1, len(head.unit_names)), np.float32)
    inner = np.ascontiguousarray(head.topology.landmarks[[5 + _UPPER, 5 + _LOWER]], np.int32)
    points = head.pose(np.concatenate([still, curves]), head.neutral, inner)
    apart = np.linalg.norm(points[:, 0] - points[:, 1], axis=1)
    return apart[1:] - apart[0]


def units_from_lips(
    moved: np.ndarray, width: float, weights: np.ndarray | None = None, smoothness: float = 1.0
) -> np.ndarray:
    """Return curves of the bundled head whose lips move as the points did.

    Parameters
    ----------
    moved : (T, 21, 3) float
        How far each point is from its place at rest, with the head held still; metres.
    width : float
        Distance of the mouth's corners at rest, metres; the head's own is 48 mm.
    weights : (21, 3) float, optional
        How much a millimetre of error counts, for each point and axis; by default depth counts a quarter, and the chin
        half. Zero for an axis that was not seen.
    smoothness : float
        What a change of full weight from one frame to the next costs, as :data:`STIFFNESS`.

    Returns
    -------
    (T, U) float32
        ``lipSeal`` is zero; see :func:`seal_of_gap`.
    """
    from mtbench.faces import load_head

    head = load_head()
    if weights is None:
        weights = np.array([1.0, 1.0, 0.25]) * np.append(np.ones(POINTS - 1), 0.5)[:, None]
    rest = head.neutral[_lip_points(head.topology, head.neutral)]
    scale = float(np.linalg.norm(rest[6] - rest[0])) / width
    columns = [head.unit_index(name) for name in STIFFNESS]
    deltas = head.unit_deltas[columns][:, _lip_points(head.topology, head.neutral)]
    system = (deltas * weights * 1e3).reshape(len(columns), -1).astype(np.float64)
    wanted = (np.asarray(moved, np.float64) * scale * weights * 1e3).reshape(len(moved), -1)
    curves = np.zeros((len(moved), len(head.unit_names)), np.float32)
    curves[:, columns] = _fit(system, wanted, np.array([*STIFFNESS.values()]), smoothness)
    return curves


def seal_of_gap(gap: np.ndarray) -> np.ndarray:
    """Return the weight of ``lipSeal`` for lips that are *gap* metres further apart than at rest, (T,) float32.

    Examples
    --------
    >>> seal_of_gap(np.array([-0.0002, 0.00105, 0.003])).round(2).tolist()
    [1.0, 0.5, 0.0]
    """
    return np.clip((OPEN - np.asarray(gap) * 1e3) / (OPEN - SEALED), 0, 1).astype(np.float32)


def units_from_vertices(vertices: np.ndarray, rest: np.ndarray | None, topology: Topology) -> np.ndarray:
    """Return curves of the bundled head whose lips move as those of another mesh do.

    Parameters
    ----------
    vertices : (T, V, 3) float32
        Metres; the head may turn.
    rest : (V, 3) float32 or None
        The speaker's resting face; by default what the frames with the nearest lips have in common.
    topology : Topology
        With landmarks.

    Returns
    -------
    (T, U) float32
        With ``lipSeal``.
    """
    from mtbench.faces import load_head

    still = vertices[0] if rest is None else rest
    chosen = np.concatenate([topology.landmarks[:5], _lip_points(topology, still)])
    path, face = vertices[:, chosen].astype(np.float64), still[chosen].astype(np.float64)
    path = _hold_still(path, face)
    gap = np.linalg.norm(path[:, 5 + _UPPER] - path[:, 5 + _LOWER], axis=1)
    if rest is None:
        face = path[gap <= np.quantile(gap, 0.1)].mean(0)
    lips = face[5:]
    width = float(np.linalg.norm(lips[6] - lips[0]))
    curves = units_from_lips(path[:, 5:] - lips, width)
    head = load_head()
    apart = (gap - np.linalg.norm(lips[_UPPER] - lips[_LOWER])) * (_head_width() / width)
    curves[:, head.unit_index("lipSeal")] = seal_of_gap(apart)
    return curves


@lru_cache(maxsize=1)
def _head_width() -> float:
    from mtbench.faces import load_head

    head = load_head()
    corners = head.neutral[head.topology.landmarks[[5, 11]]]
    return float(np.linalg.norm(corners[1] - corners[0]))


def _lip_points(topology: Topology, face: np.ndarray) -> np.ndarray:
    """Return the vertices of the twenty lip points and of the chin, (21,) int; *face* is (V, 3), upright."""
    lips = topology.landmarks[5:]
    lower = face[lips[9]]
    width = np.linalg.norm(face[lips[6]] - face[lips[0]])
    below = lower - np.array([0.0, _CHIN * width / 0.048, 0.008])
    return np.append(lips, np.argmin(np.linalg.norm(face - below, axis=1))).astype(np.int64)


def _hold_still(path: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Turn and shift each frame so that its five steady points (nose, corners of the eyes) lie on those of *face*."""
    middles, middle = path[:, :5].mean(1, keepdims=True), face[:5].mean(0)
    u, _, v = np.linalg.svd((path[:, :5] - middles).transpose(0, 2, 1) @ (face[:5] - middle))
    v[:, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    return (path - middles) @ (u @ v) + middle


def _fit(system: np.ndarray, wanted: np.ndarray, stiffness: np.ndarray, smoothness: float) -> np.ndarray:
    """Return (T, K) weights within 0 and :data:`LARGEST`: accelerated projected gradients (A. Beck, M. Teboulle, 2009).

    Units move points by one to thirty millimetres; in steps of their own size all are found at the same pace.
    """
    size = np.linalg.norm(system, axis=1)
    scaled = system / size[:, None]
    normal = scaled @ scaled.T + np.diag((stiffness / size) ** 2)
    restless = (smoothness / size) ** 2
    step = 1 / (np.linalg.eigvalsh(normal)[-1] + 4 * restless.max())
    target, most = wanted @ scaled.T, LARGEST * size
    now = ahead = np.zeros((len(wanted), len(size)))
    momentum = 1.0
    for _ in range(_STEPS):
        changes = np.diff(ahead, axis=0, prepend=ahead[:1], append=ahead[-1:])
        slope = ahead @ normal - target - restless * np.diff(changes, axis=0)
        last, now = now, np.clip(ahead - step * slope, 0, most)
        if ((ahead - now) * (now - last)).sum() > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = now + (momentum - 1) / following * (now - last)
        momentum = following
    return now / size
