"""Cameras that look at a face from in front.

Conventions
-----------
Matrices are clip-from-world in OpenGL's convention (see :mod:`mtbench.renderers.base`); the face looks along +z,
y is up, metres.
"""

from __future__ import annotations

import numpy as np

from mtbench.renderers.base import Camera

#: Share of the picture that the head leaves free around it, on the tighter axis.
MARGIN = 0.06


def frontal_camera(
    width: int,
    height: int,
    centre: tuple[float, float, float] = (0.0, -0.03, 0.0),
    extent: float = 0.34,
    distance: float | None = 1.6,
    depth: float = 0.4,
) -> Camera:
    """Return a camera in front of *centre*, level with it, looking along -z.

    Parameters
    ----------
    width, height : int
        Pixels; they are square.
    centre : (x, y, z)
        The point (metres) that comes to the middle of the picture.
    extent : float
        Metres that the shorter side of the picture shows at *centre*.
    distance : float or None
        Metres from the camera to *centre* for a perspective view, None for an orthographic one.
    depth : float
        Metres seen in front of and behind *centre*; triangles that reach further aren't drawn.

    Raises
    ------
    ValueError
        For an extent or depth that isn't positive, or a camera inside what it looks at.
    """
    if extent <= 0 or depth <= 0:
        raise ValueError(f"extent ({extent}) and depth ({depth}) must be positive")
    shorter = min(width, height)
    scale_x, scale_y = 2.0 / extent * shorter / width, 2.0 / extent * shorter / height
    projection = np.zeros((4, 4))
    move = np.eye(4)
    if distance is None:
        projection[np.arange(4), np.arange(4)] = scale_x, scale_y, -1.0 / depth, 1.0
        move[:3, 3] = -np.asarray(centre, np.float64)
    else:
        if distance <= depth:
            raise ValueError(f"the camera's distance ({distance}) must be larger than depth ({depth})")
        near, far = distance - depth, distance + depth
        projection[0, 0] = scale_x * distance
        projection[1, 1] = scale_y * distance
        projection[2, 2:] = -(far + near) / (far - near), -2.0 * far * near / (far - near)
        projection[3, 2] = -1.0
        move[:3, 3] = -np.asarray(centre, np.float64) - (0.0, 0.0, distance)
    return Camera(projection @ move, width, height)


def portrait_camera(vertices: np.ndarray, width: int = 800, height: int = 800) -> Camera:
    """Return the camera for looking at a clip: the whole head of its first frame, in perspective.

    Parameters
    ----------
    vertices : (T, V, 3) or (V, 3) float32
        Metres; of a sequence the first frame decides, so that the camera stands still.
    width, height : int
        Pixels.

    Returns
    -------
    Camera
        One matrix for all frames.
    """
    first = vertices.reshape(-1, *vertices.shape[-2:])[0]
    low, high = first.min(axis=0).astype(np.float64), first.max(axis=0).astype(np.float64)
    shorter = min(width, height)
    extent = max((high[0] - low[0]) * shorter / width, (high[1] - low[1]) * shorter / height)
    # In perspective the front of the head is larger than its middle, where the extent is measured.
    half = (high[2] - low[2]) / 2
    distance = 5.0 * extent
    extent *= (1 + 2 * MARGIN) * distance / (distance - half)
    depth = min(2.0 * half + 0.05, 0.9 * distance)
    centre = (low + high) / 2
    return frontal_camera(width, height, (centre[0], centre[1], centre[2]), extent, distance, depth)
