"""Teeth, tongue, cavity and lips: fitted behind every identity's mouth, and moved with it."""

from __future__ import annotations

import numpy as np

from openhead_head.contact import RIGHT_CORNER
from openhead_head.cutting import LIP_RINGS


def along_tongue(shape: np.ndarray, tongue: np.ndarray) -> np.ndarray:
    """0 at the root, 1 at the tip, for the tongue's vertices."""
    z = shape[tongue, 2]
    return (z - z.min()) / np.ptp(z)


def tongue_controls(shape: np.ndarray, tongue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Own units: tip to the ridge behind the upper teeth; whole tongue down to the floor of the mouth."""
    along = along_tongue(shape, tongue)
    up, low = np.zeros_like(shape), np.zeros_like(shape)
    up[tongue, 1] = 0.0165 * along**2
    up[tongue, 2] = 0.004 * along
    # The body sinks, the tip stays behind the lower teeth.
    low[tongue, 1] = -0.0045 * np.minimum(2 * along, 1) * (1 - 0.6 * along**4)
    low[tongue, 2] = -0.002 * along
    return up, low


def shape_mouth_inside(
    shape: np.ndarray, groups: np.ndarray, rings: dict[int, list[int]], depth: np.ndarray
) -> np.ndarray:
    """Fit teeth, tongue and the cavity's wall behind the lips of an identity (metres); a copy is returned.

    In the source the teeth are as wide as the mouth and pierce the corners, the tongue fills the opening, and
    the cavity pierces the cheeks of one identity. Teeth become narrower, the tongue flatter, both take a
    fixed place behind the middle of the lips; the cavity shrinks with its *depth* (0 at the lips, 1 deep
    inside).
    """
    out = shape.copy()
    lips = shape[rings[1]]
    middle = np.array([0.0, lips[:, 1].mean(), lips[:, 2].max()])
    teeth, tongue = (groups == 3) | (groups == 4), groups == 5
    out[teeth, 0] *= 0.78
    for group, below in ((3, 0.0015), (4, 0.0022)):
        mine = np.nonzero(groups == group)[0]
        central = mine[np.abs(shape[mine, 0]) < 0.002]
        edge = out[central[np.argmin(out[central, 1])] if group == 3 else central[np.argmax(out[central, 1])]]
        out[mine, 1] += middle[1] - below - edge[1]
        out[mine, 2] += middle[2] - (0.010 if group == 3 else 0.0112) - edge[2]
    tip = out[tongue][np.argmax(out[tongue, 2])]
    out[tongue, 1] = middle[1] - 0.0095 + 0.6 * (out[tongue, 1] - tip[1])
    out[tongue, 2] += middle[2] - 0.0185 - tip[2]
    above = out[:, 1] > middle[1]
    out[:, 1] = middle[1] + (out[:, 1] - middle[1]) * (1 - depth * np.where(above, 0.42, 0.3))
    out[:, 0] *= 1 - 0.2 * depth
    return out


def cavity_depth(faces: np.ndarray, rings: dict[int, list[int]], n_vertices: int) -> np.ndarray:
    """Measure the depth of each vertex in the mouth cavity: 0 up to ring -2, 1 from four quads further in.

    *faces* are the cavity's quads, in the head's numbering.
    """
    steps = np.full(n_vertices, np.inf)
    steps[rings[0]] = 0
    while True:
        low = steps[faces].min(1) + 1
        before = steps.copy()
        for corner in faces.T:
            np.minimum.at(steps, corner, low)
        if np.array_equal(before, steps):
            break
    steps[np.isinf(steps)] = 0
    x = np.clip((steps - 2) / 4, 0, 1)
    return x * x * (3 - 2 * x)


def smooth_lower_lip(delta: np.ndarray, rings: dict[int, list[int]]) -> np.ndarray:
    """Round the kink that opening units make in the middle of the lower lip, which has few vertices."""
    out = delta.copy()
    for k in range(-3, LIP_RINGS):
        ring = rings[k]
        middle = (RIGHT_CORNER + len(ring)) // 2
        rows = np.array(ring[middle - 4 : middle + 5])
        for _ in range(2):
            d = out[rows]
            out[rows[1:-1]] = 0.25 * d[:-2] + 0.5 * d[1:-1] + 0.25 * d[2:]
    return out


def follow_mouth(delta: np.ndarray, groups: np.ndarray, rings: dict[int, list[int]]) -> np.ndarray:
    """Let teeth and tongue move with the mouth as one piece in a local shape."""
    out = delta.copy()
    lips = delta[rings[1]]
    out[(groups == 3) | (groups == 4) | (groups == 5)] = (0.0, lips[:, 1].mean(), lips[:, 2].mean())
    return out
