"""The 96x96 mouth crop that lip readers look at, rendered straight from the mesh or cut out of frames.

Conventions
-----------
Both paths do what the published front-ends do (mpc001/auto_avsr and facebookresearch/av_hubert,
``crop_patch``): a similarity transform takes five stable points (nose base and eye corners), averaged over a
forward window of 12 frames, to a mean face in a 256x256 frame; the crop is the 96x96 pixels there around the
mean of the current frame's twenty mouth points. The last 11 frames keep the last window's transform.

Points are (x, y) in pixels with whole numbers at pixel *centres*, y down, as in those front-ends. The rendered
path projects the mesh orthographically along z, composes projection, similarity and cut into one matrix per
frame, and lets the renderer draw at the crop's resolution: nothing is resampled, and the cut isn't rounded to
whole pixels. MultiTalk's released evaluation first squeezes its square pictures to 640x480, which makes faces a third
too wide; *squash* does the same to picture and points before the similarity is fitted, which cannot undo it. The
image path rounds the cut, clamps it to the frame, and truncates to whole gray levels, as the originals do.

All sums are elementwise and in a fixed order, so that crops are the same bytes everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.faces import LANDMARKS

if TYPE_CHECKING:
    from mtbench.faces import Topology
    from mtbench.renderers.base import Appearance, Camera, Renderer

#: Name and version of the rendered crop's geometry; part of signatures and cache keys.
SIGNATURE = "mouth96@1"
#: The same of crops from pictures that were squeezed from 1:1 to 4:3.
SQUASHED = f"{SIGNATURE}/4:3"
#: What becomes of width and height where 800x800 pixels are squeezed to 640x480.
SQUASH = (640 / 800, 480 / 800)
SIZE = 96
#: Side of the mean face's frame, in pixels.
FRAME = 256
#: Frames whose landmarks are averaged for one transform, the current one and those after it.
WINDOW = 12
#: Indices of the stable points in the 68-point set.
STABLE = (33, 36, 39, 42, 45)
#: The stable points (x, y) of the mean face that published recognizers were trained with (auto_avsr, Apache-2.0).
MEAN_FACE = np.array(
    [[128.8702, 137.3025], [92.5225, 94.3688], [112.7724, 94.9436], [145.5251, 94.5350], [166.6771, 93.5656]]
)

#: Half the depth (metres) in front of and behind the eyes and nose that the crop's camera sees.
_DEPTH = 0.6


def window_means(points: np.ndarray) -> np.ndarray:
    """Average *points* (T, n, d) over the :data:`WINDOW` frames from each one on; the end keeps its last full window.

    Clips shorter than that have one window, the whole clip.
    """
    frames = len(points)
    window = min(WINDOW, frames)
    starts = frames - window + 1
    total = np.zeros((starts, *points.shape[1:]))
    for k in range(window):
        total += points[k : k + starts]
    return (total / window)[np.minimum(np.arange(frames), starts - 1)]


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit rotation, scale and shift that take *source* to *target* with least squares (Umeyama 1991).

    Parameters
    ----------
    source : (T, n, 2) float64
        Points, n >= 2, not all the same.
    target : (n, 2) float64
        Where they should go.

    Returns
    -------
    (T, 4) float64
        a, b, tx, ty of ``x' = a x - b y + tx, y' = b x + a y + ty``: in the plane Umeyama's singular value
        decomposition has this closed form (no reflection is ever the best for points that are a deformed
        copy of *target*).

    Raises
    ------
    ValueError
        Where all points of a frame coincide.
    """
    n = len(target)
    mean_x, mean_y = np.zeros((2, len(source)))
    target_x = target_y = 0.0
    for i in range(n):
        mean_x += source[:, i, 0]
        mean_y += source[:, i, 1]
        target_x += float(target[i, 0])
        target_y += float(target[i, 1])
    mean_x, mean_y, target_x, target_y = mean_x / n, mean_y / n, target_x / n, target_y / n
    dot, cross, square = np.zeros((3, len(source)))
    for i in range(n):
        sx, sy = source[:, i, 0] - mean_x, source[:, i, 1] - mean_y
        gx, gy = float(target[i, 0]) - target_x, float(target[i, 1]) - target_y
        dot += sx * gx + sy * gy
        cross += sx * gy - sy * gx
        square += sx * sx + sy * sy
    if not np.all(square > 0):
        frame = int(np.argmin(square > 0))
        raise ValueError(
            f"frame {frame}: the stable points coincide or are not finite, so no crop can be placed"
        )
    a, b = dot / square, cross / square
    return np.stack(
        [a, b, target_x - (a * mean_x - b * mean_y), target_y - (b * mean_x + a * mean_y)], axis=1
    )


def name_crop(squash: bool) -> str:
    """Return what signatures and cache keys call the crop.

    Examples
    --------
    >>> name_crop(False), name_crop(True)
    ('mouth96@1', 'mouth96@1/4:3')
    """
    return SQUASHED if squash else SIGNATURE


def crop_matrices(landmarks: np.ndarray, size: int = SIZE, squash: bool = False) -> np.ndarray:
    """Place the crop's camera.

    Parameters
    ----------
    landmarks : (T, 25, 3) float
        Positions (metres) of :data:`mtbench.faces.topology.LANDMARKS`, frame by frame, at 25 fps.
    size : int
        Side of the picture; the field of view stays that of 96 pixels.
    squash : bool
        Whether the picture is squeezed from 1:1 to 4:3 before the crop is placed.

    Returns
    -------
    (T, 4, 4) float64
        Clip-from-world, one per frame; orthographic along z.

    Raises
    ------
    ValueError
        Wrong shape, or stable points that coincide.
    """
    if landmarks.ndim != 3 or landmarks.shape[1:] != (len(LANDMARKS), 3):
        raise ValueError(f"landmarks are {landmarks.shape}; expected (T, {len(LANDMARKS)}, 3)")
    points = np.asarray(landmarks, np.float64)
    if squash:
        points = points * (*SQUASH, 1.0)
    stable = window_means(points[:, : len(STABLE)])
    flat = stable[..., :2] * (1.0, -1.0)  # y down, as in pictures
    a, b, tx, ty = fit_similarity(flat, MEAN_FACE).T
    mouth_x, mouth_y = np.zeros((2, len(points)))
    for i in range(len(STABLE), len(LANDMARKS)):
        mouth_x += points[:, i, 0]
        mouth_y -= points[:, i, 1]
    mouth_x /= len(LANDMARKS) - len(STABLE)
    mouth_y /= len(LANDMARKS) - len(STABLE)
    centre_x = a * mouth_x - b * mouth_y + tx
    centre_y = b * mouth_x + a * mouth_y + ty
    depth = np.zeros(len(points))
    for i in range(len(STABLE)):
        depth += stable[:, i, 2] / len(STABLE)
    # A point p of the mean face's frame falls on p - centre + 48 (pixel centres at whole numbers), that is
    # p - centre + 48.5 from the crop's edge; clip coordinates run from -1 to 1 over the 96 pixels.
    unit = 2.0 / SIZE
    shift = 0.5 * unit
    matrices = np.zeros((len(points), 4, 4))
    matrices[:, 0, 0] = a * unit
    matrices[:, 0, 1] = b * unit  # -b y_down = +b y_up
    matrices[:, 0, 3] = (tx - centre_x) * unit + shift
    matrices[:, 1, 0] = -b * unit
    matrices[:, 1, 1] = a * unit
    matrices[:, 1, 3] = -((ty - centre_y) * unit + shift)
    matrices[:, 2, 2] = -1.0 / _DEPTH
    matrices[:, 2, 3] = depth / _DEPTH
    matrices[:, 3, 3] = 1.0
    return matrices * (*SQUASH, 1.0, 1.0) if squash else matrices


def crop_camera(topology: Topology, vertices: np.ndarray, size: int = SIZE, squash: bool = False) -> Camera:
    """Return the camera that draws the mouth crop of *vertices* (T, V, 3), metres, directly.

    *size* and *squash* are those of :func:`crop_matrices`.

    Raises
    ------
    PrerequisiteError
        *topology* has no landmarks for the crop.
    """
    from mtbench.renderers.base import Camera

    if len(topology.landmarks) != len(LANDMARKS):
        raise PrerequisiteError(
            f"topology {topology.name} names {len(topology.landmarks)} crop landmarks, but the mouth crop needs "
            f"{len(LANDMARKS)} (mtbench.faces.topology.LANDMARKS)"
        )
    return Camera(crop_matrices(vertices[:, topology.landmarks], size, squash), size, size)


def render_mouth_crops(
    renderer: Renderer,
    topology: Topology,
    vertices: np.ndarray,
    appearance: Appearance,
    squash: bool = False,
) -> np.ndarray:
    """Render the mouth crop of every frame.

    Parameters
    ----------
    renderer : Renderer
        Any backend.
    topology : Topology
        With triangles and landmarks.
    vertices : (T, V, 3) float32
        Metres, 25 fps.
    appearance : Appearance
        Shading, lights, colors.
    squash : bool
        See :func:`crop_matrices`.

    Returns
    -------
    (T, 96, 96) uint8
        Gray.
    """
    camera = crop_camera(topology, vertices, squash=squash)
    return renderer.render(topology, vertices, camera, appearance, channels=1)[..., 0]


def interpolate_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Fill the frames of *landmarks* (T, 68, 2) that are NaN: linearly between neighbours, the ends repeated.

    Raises
    ------
    ValueError
        No frame has landmarks.
    """
    found = np.flatnonzero(~np.isnan(landmarks).any(axis=(1, 2)))
    if len(found) == 0:
        raise ValueError("no frame has landmarks: the face was found nowhere")
    frames = np.arange(len(landmarks))
    right = np.clip(np.searchsorted(found, frames), 0, len(found) - 1)
    left = np.where(found[right] > frames, np.maximum(right - 1, 0), right)
    start, stop = found[left], found[right]
    share = np.clip((frames - start) / np.maximum(stop - start, 1), 0.0, 1.0)[:, None, None]
    return landmarks[start] + share * (landmarks[stop] - landmarks[start])


def crop_frames(frames: np.ndarray, landmarks: np.ndarray, mean_face: np.ndarray = MEAN_FACE) -> np.ndarray:
    """Cut the mouth out of pictures, as the published front-ends do.

    Parameters
    ----------
    frames : (T, H, W, C) uint8
        Pictures at 25 fps.
    landmarks : (T, 68, 2) float
        (x, y) pixels; frames of NaN (face not found) are interpolated.
    mean_face : (68, 2) or (5, 2) float
        Mean face, or its stable points, in the 256x256 frame.

    Returns
    -------
    (T, 96, 96, C) uint8
    """
    points = interpolate_landmarks(np.asarray(landmarks, np.float64))
    if len(mean_face) != len(STABLE):
        mean_face = np.asarray(mean_face, np.float64)[list(STABLE)]
    transforms = fit_similarity(window_means(points[:, list(STABLE)]), mean_face)
    out = np.empty((len(frames), SIZE, SIZE, frames.shape[3]), np.uint8)
    for t, (a, b, tx, ty) in enumerate(transforms):
        mouth = points[t, 48:68].mean(axis=0)
        row = first_pixel(b * mouth[0] + a * mouth[1] + ty)
        column = first_pixel(a * mouth[0] - b * mouth[1] + tx)
        # The inverse transform tells where each pixel of the crop comes from.
        x = np.arange(column, column + SIZE) - tx
        y = np.arange(row, row + SIZE)[:, None] - ty
        square = a * a + b * b
        out[t] = _sample(frames[t], (a * x + b * y) / square, (a * y - b * x) / square)
    return out


def first_pixel(centre: float) -> int:
    """Return where the crop around *centre* begins along one axis of the mean face's frame, clamped to it."""
    half = SIZE // 2
    return round(min(max(centre, half), FRAME - half)) - half


def to_gray(frames_bgr: np.ndarray) -> np.ndarray:
    """Convert (…, 3) uint8 in BGR order to (…) uint8 gray with OpenCV's fixed-point weights."""
    blue, green, red = (frames_bgr[..., k].astype(np.int32) for k in range(3))
    return ((3735 * blue + 19235 * green + 9798 * red + 16384) >> 15).astype(np.uint8)


def _sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sample *image* (H, W, C) bilinearly at *x*, *y* (h, w); black outside; truncated to uint8."""
    height, width = image.shape[:2]
    framed = np.zeros((height + 2, width + 2, image.shape[2]))  # a black rim stands for everything outside
    framed[1:-1, 1:-1] = image / 255.0
    left, top = np.floor(x), np.floor(y)
    dx, dy = (x - left)[..., None], (y - top)[..., None]
    c0 = np.clip(left + 1, 0, width + 1).astype(int)
    c1 = np.clip(left + 2, 0, width + 1).astype(int)
    r0 = np.clip(top + 1, 0, height + 1).astype(int)
    r1 = np.clip(top + 2, 0, height + 1).astype(int)
    upper = (1 - dx) * framed[r0, c0] + dx * framed[r0, c1]
    lower = (1 - dx) * framed[r1, c0] + dx * framed[r1, c1]
    return (255 * ((1 - dy) * upper + dy * lower)).astype(np.uint8)
