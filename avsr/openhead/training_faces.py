"""Faces of training: the bundled head as somebody, somewhere, before some camera.

Conventions
-----------
Mouth crops are (T, 96, 96) uint8; everything random comes from the generator that is passed in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.openhead.features import CROP
from mtbench.timing import FPS

if TYPE_CHECKING:
    from mtbench.faces import Head, MouthMesh


def render_speaker(rng: np.random.Generator, head: Head, curves: np.ndarray) -> np.ndarray:
    """Render facial-unit curves on a random speaker.

    Parameters
    ----------
    rng : Generator
        Draws identity, teeth and tongue or none, clay or skin, pose, light, framing and sensor noise.
    head : Head
        The bundled head.
    curves : (T, U) float32
        Facial units at 25 fps.

    Returns
    -------
    (T, 96, 96) uint8
        Gray mouth crops.
    """
    from mtbench.renderers import crop_matrices, render_gray_bulk

    t = len(curves)
    identity = head.random_identity(rng)
    clay = rng.random() < 0.3
    teeth = rng.random() < (0.5 if clay else 0.9)
    mesh = _mouth_mesh(head, teeth, bool(teeth and rng.random() < 0.9))
    # The head turns before the camera; carrying the turn in the camera's matrix spares turning every vertex, and
    # the lights, drawn at random, turn with the head.
    turn = np.zeros((t, 4, 4))
    turn[:, :3, :3], turn[:, 3, 3] = draw_head_turns(rng, t), 1.0
    vertices = head.pose(curves, identity, mesh.vertices)
    landmarks = head.pose(curves, identity, head.topology.landmarks)
    if rng.random() < 0.3:
        _ruffle(rng, head, mesh.vertices, vertices, landmarks)
    matrices = crop_matrices(landmarks @ turn[:, :3, :3].transpose(0, 2, 1), CROP) @ turn
    jitter = np.eye(4)
    scale, roll = rng.uniform(0.92, 1.08), rng.normal(0, 0.03)
    jitter[:2, :2] = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    jitter[:2, 3] = rng.uniform(-0.06, 0.06, 2)
    albedo = draw_albedo(rng, mesh.albedo, mesh.oral, clay)
    lights = []
    for strength in (rng.uniform(0.35, 0.7), rng.uniform(0.0, 0.35)):
        lights.append((rng.normal(0, 0.6), rng.normal(0.3, 0.4), 1.0, strength))
    images = render_gray_bulk(
        mesh.triangles,
        vertices,
        jitter @ matrices,
        albedo,
        tuple(lights),
        ambient=rng.uniform(0.25, 0.5),
        background=rng.uniform(0, 1),
        oral=rng.uniform(0.02, 0.12),
        size=CROP,
        flat=clay and rng.random() < 0.2,
    )
    return degrade(rng, images)


def _ruffle(
    rng: np.random.Generator, head: Head, chosen: np.ndarray, vertices: np.ndarray, landmarks: np.ndarray
) -> None:
    """Add noise to the upper face, in place: what it does there says nothing, and the crop must not hang on it."""
    upper = head.topology.region("upper_face")
    strength = rng.uniform(0.0, 4e-3)
    for indices, points in ((chosen, vertices), (head.topology.landmarks, landmarks)):
        moved = np.isin(indices, upper)
        points[:, moved] += strength * rng.standard_normal((len(points), int(moved.sum()), 3))


@lru_cache(maxsize=4)
def _mouth_mesh(head: Head, teeth: bool, tongue: bool) -> MouthMesh:
    return head.mouth_mesh(teeth, tongue)


def draw_head_turns(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Draw slow head rotations: (T, 3, 3), within about ten degrees."""
    base = rng.normal(0, np.radians(4), 3)
    sway = rng.normal(0, np.radians(1.5), 3) * np.sin(
        2 * np.pi * (rng.uniform(0.1, 0.5, 3) * np.arange(frames)[:, None] / FPS + rng.random(3))
    )
    x, y, z = np.clip(base + sway, -np.radians(12), np.radians(12)).T
    one, zero = np.ones(frames), np.zeros(frames)
    rx = np.stack([one, zero, zero, zero, np.cos(x), -np.sin(x), zero, np.sin(x), np.cos(x)], -1).reshape(
        -1, 3, 3
    )
    ry = np.stack([np.cos(y), zero, np.sin(y), zero, one, zero, -np.sin(y), zero, np.cos(y)], -1).reshape(
        -1, 3, 3
    )
    rz = np.stack([np.cos(z), -np.sin(z), zero, np.sin(z), np.cos(z), zero, zero, zero, one], -1).reshape(
        -1, 3, 3
    )
    return rz @ ry @ rx


def draw_albedo(rng: np.random.Generator, albedo: np.ndarray, oral: np.ndarray, clay: bool) -> np.ndarray:
    """Draw gray base colors (n,) float32: clay, or the mesh's own with random skin tone and lip contrast."""
    if clay:
        gray = np.full(len(albedo), rng.uniform(0.45, 0.9))
    else:
        gray = albedo @ np.array([0.299, 0.587, 0.114])
        skin = np.median(gray)
        gray = rng.uniform(0.25, 0.85) * (skin + rng.uniform(0.3, 1.5) * (gray - skin)) / skin
    gray = np.where(oral, rng.uniform(0.03, 0.14), gray)
    return np.clip(gray, 0.02, 1.0).astype(np.float32)


def degrade(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Apply gain, offset, blur and sensor noise to (T, H, W) uint8 *images*."""
    x = images.astype(np.float32)
    if rng.random() < 0.35:
        a = rng.uniform(0.05, 0.25)
        x[:, 1:-1] = (1 - 2 * a) * x[:, 1:-1] + a * (x[:, :-2] + x[:, 2:])
        x[:, :, 1:-1] = (1 - 2 * a) * x[:, :, 1:-1] + a * (x[:, :, :-2] + x[:, :, 2:])
    x = x * rng.uniform(0.7, 1.25) + rng.uniform(-20, 20)
    if rng.random() < 0.5:
        x += rng.normal(0, rng.uniform(0.5, 5), x.shape).astype(np.float32)
    return np.clip(x, 0, 255).astype(np.uint8)
