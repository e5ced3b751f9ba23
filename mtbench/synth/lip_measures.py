"""Lip measures: how far the lips are apart, how wide the mouth is, how far it is pushed forward, frame by frame.

Conventions
-----------
Measures are (T,) float64 in millimetres, taken between the 20 landmarks around the mouth that every topology names,
and relative to the resting face of the same head, so that heads of different build can be compared: 0 is the mouth at
rest, with closed lips. The face is upright and looks along +z, as in all motion here; a moving head is no motion of
the lips and has to be taken off before.

=========== ==========================================================================================================
gap         vertical distance of the lips' inner edges, the largest of three places around the middle; negative where
            they are pressed together
width       distance of the two corners
protrusion  how far the middle of both lips lies in front of where it rests
tuck        how far the lower lip's inner edge lies behind its outer one: what a lip at the upper teeth does, and what
            pressed lips do
lift        how far the upper lip is raised
=========== ==========================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtbench.timing import FPS

if TYPE_CHECKING:
    from mtbench.faces import Topology

#: Where the 20 landmarks of the mouth begin among a topology's.
_FIRST = 5
#: Among them: corners, the middle of the outer edges, three pairs of the inner edges (upper, lower).
_CORNERS = (0, 6)
_OUTER = (3, 9)
_INNER = ((13, 19), (14, 18), (15, 17))


@dataclass(frozen=True, eq=False)
class LipMeasures:
    """What the lips of one clip do.

    Attributes
    ----------
    gap, width, protrusion, tuck, lift : (T,) float64
        Millimetres away from rest, see the module.
    fps : float
        Frames per second.
    """

    gap: np.ndarray
    width: np.ndarray
    protrusion: np.ndarray
    tuck: np.ndarray
    lift: np.ndarray
    fps: float = float(FPS)


def measure_vertices(
    vertices: np.ndarray, rest: np.ndarray, topology: Topology, fps: float = float(FPS)
) -> LipMeasures:
    """Measure the lips of moving vertices.

    Parameters
    ----------
    vertices : (T, V, 3) float
        Metres.
    rest : (V, 3) float
        The same head at rest.
    topology : Topology
        Names the landmarks.
    fps : float

    Returns
    -------
    LipMeasures

    Raises
    ------
    ValueError
        Where the topology has no landmarks or the shapes do not fit.
    """
    if len(topology.landmarks) <= _FIRST:
        raise ValueError(f"topology {topology.name} names no landmarks, so that its lips cannot be measured")
    if vertices.ndim != 3 or vertices.shape[1:] != rest.shape:
        raise ValueError(f"vertices have shape {vertices.shape}, expected (frames, *{rest.shape})")
    mouth = topology.landmarks[_FIRST:]
    return _measure_points(vertices[:, mouth], rest[mouth], fps)


def measure_curves(
    curves: np.ndarray, identity: np.ndarray | None = None, fps: float = float(FPS)
) -> LipMeasures:
    """Measure the lips of the bundled head moved by *curves*.

    Parameters
    ----------
    curves : (T, U) float
        Unit weights, columns as in ``load_head().unit_names``.
    identity : (V, 3) float, optional
        Resting face, metres; the neutral head if not given.
    fps : float

    Returns
    -------
    LipMeasures
    """
    from mtbench.faces import load_head

    head = load_head()
    mouth = np.ascontiguousarray(head.topology.landmarks[_FIRST:], np.int32)
    rest = head.neutral if identity is None else np.asarray(identity)
    return _measure_points(head.pose(curves, identity, mouth), rest[mouth], fps)


def _measure_points(points: np.ndarray, rest: np.ndarray, fps: float) -> LipMeasures:
    """Measure (T, 20, 3) points in metres against the same (20, 3) points at rest."""
    moving, resting = (_distances(p.astype(np.float64) * 1e3) for p in (points, rest[None]))
    gap, width, protrusion, tuck, lift = (now - before for now, before in zip(moving, resting, strict=True))
    return LipMeasures(gap, width, protrusion, tuck, lift, fps)


def _distances(points: np.ndarray) -> tuple[np.ndarray, ...]:
    """Gap, width, protrusion, tuck and lift of (T, 20, 3) points, not yet relative to rest."""
    gap = np.max([points[:, upper, 1] - points[:, lower, 1] for upper, lower in _INNER], axis=0)
    width = np.linalg.norm(points[:, _CORNERS[1]] - points[:, _CORNERS[0]], axis=1)
    protrusion = (points[:, _OUTER[0], 2] + points[:, _OUTER[1], 2]) / 2
    upper, lower = _INNER[1]
    tuck = points[:, _OUTER[1], 2] - points[:, lower, 2]
    return gap, width, protrusion, tuck, points[:, upper, 1]
