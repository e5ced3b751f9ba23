"""How far the lips are apart in each frame: the curves that lip metrics compare.

Conventions
-----------
Two points stand for the mouth: the middle of the upper lip's and of the lower lip's inner edge. On ``flame-5023`` they
are the vertices 3531 and 3504, which published code uses; on other topologies the landmarks 62 and 66 of the 68-point
set. The *gap* is their distance, which is never negative: lips that are pressed together or pass through each other
open again in it. The *aperture* is signed: the part of the way from the lower point to the upper one that lies along
the face's own vertical, which runs from the middle between the lips to the landmark below the nose (33). It turns with
the head. Both are in millimetres, for vertices in metres.
"""

from __future__ import annotations

import numpy as np

from mtbench.faces import LANDMARKS, Topology
from mtbench.metrics.base import FacePair
from mtbench.metrics.distances import squared_distances

#: Upper and lower point where published code names vertices, by topology.
_PUBLISHED = {"flame-5023": (3531, 3504)}
_UPPER, _LOWER, _NOSE = 62, 66, 33


def find_lip_points(topology: Topology) -> tuple[int, int]:
    """Return the vertices in the middle of the upper and of the lower lip's inner edge.

    Raises
    ------
    ValueError
        Where the topology has no landmarks.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> find_lip_points(load_topology("flame-5023"))
    (3531, 3504)
    """
    if topology.name in _PUBLISHED:
        return _PUBLISHED[topology.name]
    return find_landmark(topology, _UPPER), find_landmark(topology, _LOWER)


def find_landmark(topology: Topology, number: int) -> int:
    """Return the vertex of a landmark of the 68-point set.

    Raises
    ------
    ValueError
        Where the topology has no landmarks.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> find_landmark(load_topology("flame-5023"), 33)
    3552
    """
    if len(topology.landmarks) != len(LANDMARKS):
        raise ValueError(
            f"topology {topology.name} has no landmarks, so that nobody knows where its lips part; metrics of the "
            "lip gap need them"
        )
    return int(topology.landmarks[LANDMARKS.index(number)])


def measure_gap_mm(vertices: np.ndarray, upper: int, lower: int) -> np.ndarray:
    """Return the distance of two vertices in each frame.

    Parameters
    ----------
    vertices : (T, V, 3) floating point
        Metres.
    upper, lower : int
        Vertices.

    Returns
    -------
    (T,) float64
        Millimetres.

    Examples
    --------
    >>> measure_gap_mm(np.array([[[0, 0.004, 0.003], [0, 0, 0]]]), 0, 1).tolist()
    [5.0]
    """
    return 1000.0 * np.sqrt(squared_distances(vertices[:, upper], vertices[:, lower]))


def measure_aperture_mm(vertices: np.ndarray, upper: int, lower: int, nose: int) -> np.ndarray:
    """Return the signed opening of the lips in each frame, along the face's own vertical.

    Parameters
    ----------
    vertices : (T, V, 3) floating point
        Metres.
    upper, lower : int
        Vertices of the lips.
    nose : int
        Vertex below the nose.

    Returns
    -------
    (T,) float64
        Millimetres; negative where the upper point lies below the lower one.

    Examples
    --------
    >>> face = np.array([[0, 0.004, 0.0], [0, -0.004, 0.0], [0, 0.03, 0.0]])
    >>> measure_aperture_mm(np.stack([face, face[[1, 0, 2]]]), 0, 1, 2).round(9).tolist()
    [8.0, -8.0]
    """
    points = np.asarray(vertices[:, [upper, lower, nose]], np.float64)
    way = points[:, 0] - points[:, 1]
    up = points[:, 2] - 0.5 * (points[:, 0] + points[:, 1])
    length = np.sqrt(squared_distances(up, np.zeros(3)))
    along = way[:, 0] * up[:, 0] + way[:, 1] * up[:, 1] + way[:, 2] * up[:, 2]
    return 1000.0 * along / np.where(length > 0, length, 1.0)


def gap_of(pair: FacePair, vertices: np.ndarray) -> np.ndarray:
    """Return the gap of *vertices*: those of *pair*, or its speaker's resting face.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> head = load_topology("openhead-1")
    >>> still = head.neutral[None]
    >>> gap_of(FacePair(still, still, head.region, topology=head), still).round(1).tolist()
    [2.1]
    """
    return measure_gap_mm(vertices, *find_lip_points(_topology(pair)))


def aperture_of(pair: FacePair, vertices: np.ndarray) -> np.ndarray:
    """Return the aperture of *vertices*: those of *pair*, or its speaker's resting face.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> head = load_topology("openhead-1")
    >>> still = head.neutral[None]
    >>> aperture_of(FacePair(still, still, head.region, topology=head), still).round(1).tolist()
    [-1.2]
    """
    topology = _topology(pair)
    return measure_aperture_mm(vertices, *find_lip_points(topology), find_landmark(topology, _NOSE))


def _topology(pair: FacePair) -> Topology:
    if pair.topology is None:
        raise ValueError(
            "metrics of the lip gap need the topology of the vertices, e.g. topology='flame-5023'"
        )
    return pair.topology
