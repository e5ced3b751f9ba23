"""Check that vertices are a face: in metres, upright, looking forward, in the right order.

Conventions
-----------
Checks compare one frame with the topology's neutral face, so they cost nothing beside reading. Thresholds are
wide: any person and any head turn below 60 degrees pass, a wrong unit, axis or vertex order doesn't.
"""

from __future__ import annotations

import numpy as np

from mtbench.topology import Topology

#: Largest side in metres of the box around FLAME's template, where no neutral face is installed.
FLAME_EXTENT = 0.322

_SCALES = (
    (1000.0, "millimetres", "divide by 1000"),
    (100.0, "centimetres", "divide by 100"),
    (10.0, "decimetres", "divide by 10"),
    (39.37, "inches", "multiply by 0.0254"),
    (0.001, "metres divided by 1000", "multiply by 1000"),
    (0.01, "metres divided by 100", "multiply by 100"),
)


def check_geometry(vertices: np.ndarray, topology: Topology) -> list[tuple[str, str, str]]:
    """Compare the first frame with the topology's neutral face.

    Parameters
    ----------
    vertices : (T, V, 3) float
        Finite positions.
    topology : Topology
        Without a neutral only the size is checked.

    Returns
    -------
    list of (code, message, hint)
        Codes ``wrong-unit``, ``displacements``, ``far-away``, ``wrong-axes``, ``wrong-vertex-order``.
    """
    if not len(vertices):
        return []
    frame = vertices[0].astype(np.float64)
    if topology.neutral is not None:
        neutral = topology.neutral.astype(np.float64)
        expected = float(np.max(np.ptp(neutral, axis=0)))
    else:
        neutral, expected = None, FLAME_EXTENT
    extent = float(np.max(np.ptp(frame, axis=0)))
    if extent < expected / 10 and (neutral is None or _align(frame, neutral)[1] > 0.25):
        return [_displacements(extent, expected)]
    if not 0.5 < extent / expected < 2.0:
        return [_wrong_unit(extent, expected)]
    problems = []
    for index, other in enumerate(vertices):
        size = float(np.ptp(other.astype(np.float64), axis=0).max())
        if not 0.4 < size / expected < 2.5:
            message = f"frame {index} is {size:.4g} m large, expected about {expected:.2f} m as in frame 0"
            problems.append(
                ("implausible", message, "the motion explodes or collapses there; look at it frame by frame")
            )
            break
    if neutral is None:
        return problems
    distance = float(np.linalg.norm(frame.mean(0) - neutral.mean(0)))
    if distance > 0.5:
        problems.append(
            (
                "far-away",
                f"the face is {distance:.2f} m away from where topology {topology.name} has it",
                "remove the camera's or body's translation; the origin is near the point between the eyes",
            )
        )
    angle, residual = _align(frame, neutral)
    if residual > 0.25:
        problems.append(
            (
                "wrong-vertex-order",
                f"vertices do not match {topology.name}: {100 * residual:.0f} % off after alignment",
                "an exporter reordered or mirrored the vertices; export without changing the mesh",
            )
        )
    elif angle > 60:
        problems.append(
            (
                "wrong-axes",
                f"the face is turned by {angle:.0f} degrees, expected y up and z out of the face",
                "another axis convention (z up, or looking along -z): rotate before saving",
            )
        )
    return problems


def _displacements(extent: float, expected: float) -> tuple[str, str, str]:
    return (
        "displacements",
        f"positions span {extent:.4g} m, expected about {expected:.2f} m",
        "displacements from the template? Add the template; or positions were divided by 100 or more",
    )


def _wrong_unit(extent: float, expected: float) -> tuple[str, str, str]:
    message = f"the face is {extent:.4g} large, expected about {expected:.2f} m"
    for factor, unit, cure in _SCALES:
        if 0.6 < extent / expected / factor < 1.6:
            return ("wrong-unit", message, f"{unit} instead of metres? {cure}")
    return ("wrong-unit", message, "positions are in metres; check the scale of the export")


def _align(points: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Return angle in degrees and relative residual of the best similarity from *target* to *points*."""
    a, b = points - points.mean(0), target - target.mean(0)
    norm_a, norm_b = np.linalg.norm(a), np.linalg.norm(b)
    if norm_a == 0 or norm_b == 0:
        return 0.0, 1.0
    u, singular, vt = np.linalg.svd((b / norm_b).T @ (a / norm_a))
    sign = np.sign(np.linalg.det(u @ vt))
    singular[2] *= sign
    rotation = (u * np.array([1.0, 1.0, sign])) @ vt
    angle = float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))
    return angle, float(np.sqrt(max(0.0, 1 - singular.sum() ** 2)))
