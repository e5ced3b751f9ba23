"""The 25 landmarks of the mouth crop as vertices of the head."""

from __future__ import annotations

import numpy as np

from openhead_head.contact import RIGHT_CORNER
from openhead_head.cutting import LIP_RINGS


def find_subnasale(neutral: np.ndarray, rings: dict[int, list[int]], neighbours: dict[int, set[int]]) -> int:
    """Where the profile, followed up from the upper lip, turns forwards most sharply: the septum's base."""
    border = rings[LIP_RINGS]
    path = [min(border[1 : len(border) // 2 + 5], key=lambda v: abs(neutral[v, 0]))]
    while True:
        ahead = [
            v
            for v in neighbours[path[-1]]
            if abs(neutral[v, 0]) < 1e-4 and v not in path and v not in rings[LIP_RINGS - 1]
        ]
        if not ahead:
            break
        path.append(ahead[0])
        if (
            len(path) > 4
            and neutral[path[-1], 2] < neutral[path[-2], 2]
            and neutral[path[-2], 2] > neutral[path[0], 2] + 0.005
        ):
            break
    step = np.diff(neutral[path][:, 1:], axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    forwards = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
    return path[1 + int(np.argmax(forwards))]


def find_landmarks(
    neutral: np.ndarray, rings: dict[int, list[int]], lids: list[list[int]], neighbours: dict[int, set[int]]
) -> list[int]:
    """Find the 25 points of ``mtbench.faces.topology.LANDMARKS`` as vertex indices."""
    nose = find_subnasale(neutral, rings, neighbours)
    left, right = sorted(lids, key=lambda loop: neutral[loop, 0].mean())
    points = [nose]
    for loop in (left, right):
        x = neutral[loop, 0]
        points += [loop[int(np.argmin(x))], loop[int(np.argmax(x))]]
    points += mouth_contour(neutral, rings[7], (-0.62, -0.24, 0, 0.24, 0.62), (0.62, 0.28, 0, -0.28, -0.62))
    points += mouth_contour(neutral, rings[1], (-0.5, 0, 0.5), (0.5, 0, -0.5))
    return points


def mouth_contour(
    neutral: np.ndarray, ring: list[int], upper: tuple[float, ...], lower: tuple[float, ...]
) -> list[int]:
    """Pick points of a ring: left corner, upper lip, right corner, lower lip, at shares of the half width."""
    x = neutral[ring, 0]

    def nearest(positions: range, share: float) -> int:
        return ring[min(positions, key=lambda i: abs(x[i] - share * x.max()))]

    above = [nearest(range(1, RIGHT_CORNER), share) for share in upper]
    below = [nearest(range(RIGHT_CORNER + 1, len(ring)), share) for share in lower]
    return [ring[0], *above, ring[RIGHT_CORNER], *below]
