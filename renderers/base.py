"""What a renderer is to the harness: cameras, appearance, protocol, and the registry of names.

Conventions
-----------
Images are uint8, row 0 on top; pixel centres at half-integers. A camera is a 4x4 matrix in OpenGL convention
(column vectors, clip = matrix @ (x, y, z, 1), visible where -w <= x, y, z <= w), one for all frames or one
per frame. Lights are directional, given in world space as the direction *towards* the light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from mtbench.faces import Topology


@dataclass(frozen=True)
class Camera:
    """Projection of world points to the image.

    Attributes
    ----------
    matrix : (4, 4) or (T, 4, 4) float64
        Clip-from-world.
    width, height : int
        Pixels.
    """

    matrix: np.ndarray
    width: int
    height: int


@dataclass(frozen=True)
class Appearance:
    """How the surface looks; every field enters the signature.

    Attributes
    ----------
    shading : str
        ``"smooth"`` (vertex normals) or ``"flat"`` (one normal per triangle).
    colored : bool
        Use the topology's albedo; otherwise gray clay. Oral-cavity vertices are dark either way.
    ambient : float
        Share of light that comes from everywhere, 0..1.
    lights : tuple of (x, y, z, intensity)
        Directions towards the lights (normalized on use) and their intensity.
    background : float
        Gray value 0..1.
    clay : float
        Albedo of clay, 0..1.
    oral : float
        Albedo of the oral cavity, 0..1.
    """

    shading: str = "smooth"
    colored: bool = True
    ambient: float = 0.35
    lights: tuple[tuple[float, float, float, float], ...] = ((0.0, 0.35, 1.0, 0.5), (-0.8, 0.5, 0.6, 0.2))
    background: float = 0.0
    clay: float = 0.72
    oral: float = 0.08


@runtime_checkable
class Renderer(Protocol):
    """Turns vertex sequences into pictures."""

    name: str
    #: Version of the picture it makes; part of signatures and cache keys.
    version: str

    def render(
        self,
        topology: Topology,
        vertices: np.ndarray,
        camera: Camera,
        appearance: Appearance,
        channels: int = 3,
    ) -> np.ndarray:
        """Render (T, V, 3) float32 *vertices* to (T, H, W, channels) uint8; *channels* is 1 (gray) or 3."""
        ...
