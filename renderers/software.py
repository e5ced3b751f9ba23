"""The default renderer: a rasterizer in compiled Python, the same bytes on every machine.

Conventions
-----------
See :mod:`mtbench.renderers.raster` for coverage, depth and interpolation and :mod:`mtbench.renderers.shading`
for light. Frames are independent of each other: threads share out frames, never pixels, so neither the number
of threads nor the size of a batch can change a byte. Triangles that aren't wholly between the near and the far
plane are not drawn; there is no clipping.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.renderers import raster
from mtbench.renderers.shading import surface_albedo, unit_lights

if TYPE_CHECKING:
    from mtbench.faces import Topology
    from mtbench.renderers.base import Appearance, Camera

_DEFAULT_LIGHTS = ((0.0, 0.35, 1.0, 0.5), (-0.8, 0.5, 0.6, 0.2))
_RAMP = np.arange(raster.RAMP_LENGTH, dtype=np.float32)


def gray_level(value: float) -> np.float32:
    """Return the gray 0..1 *value* as the rasterizer wants it: 0.5..255.5, to be truncated."""
    return np.float32(min(max(value, 0.0), 1.0)) * np.float32(255.0) + np.float32(0.5)


def render_gray_bulk(
    triangles: np.ndarray,
    vertices: np.ndarray,
    matrices: np.ndarray,
    albedo: np.ndarray,
    lights: np.ndarray | tuple[tuple[float, float, float, float], ...] = _DEFAULT_LIGHTS,
    ambient: float = 0.35,
    background: float = 0.0,
    size: int | tuple[int, int] = 96,
    flat: bool = False,
    oral: float = 0.08,
) -> np.ndarray:
    """Render gray frames in the calling thread, without the interpreter lock: the fast path of training.

    Parameters
    ----------
    triangles : (F, 3) int32
        Counter-clockwise seen from outside.
    vertices : (T, n, 3) float32
        Metres.
    matrices : (T, 4, 4) or (4, 4) float
        Clip-from-world (see :class:`mtbench.renderers.base.Camera`).
    albedo : (n,) float
        Base gray 0..1 of each vertex.
    lights : sequence of (x, y, z, intensity)
        Directions towards the lights, of any length but zero.
    ambient, background, oral : float
        The same as in :class:`mtbench.renderers.base.Appearance`; *oral* is the gray of triangles seen from behind,
        negative not to draw them.
    size : int or (height, width)
        Pixels.
    flat : bool
        One normal per triangle instead of one per vertex.

    Returns
    -------
    (T, height, width) uint8
    """
    vertices = np.ascontiguousarray(vertices, np.float32)
    height, width = (size, size) if isinstance(size, int) else size
    frames = len(vertices)
    out = np.empty((frames, height, width), np.uint8)
    raster.draw_gray(
        np.ascontiguousarray(triangles, np.uint32),
        vertices,
        _matrices(matrices, frames),
        np.ascontiguousarray(albedo, np.float32),
        unit_lights(lights),
        np.float32(ambient),
        int(gray_level(background)),
        gray_level(oral) if oral >= 0 else np.float32(-1.0),
        bool(flat),
        _RAMP,
        width,
        height,
        out.reshape(frames, height * width),
    )
    return out


class SoftwareRenderer:
    """Renderer in numba; needs no graphics library.

    Parameters
    ----------
    threads : int, optional
        How many threads share out the frames; by default one per core that this process may use.
    """

    name = "software"
    version = "1"

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _usable_cores()

    def render(
        self,
        topology: Topology,
        vertices: np.ndarray,
        camera: Camera,
        appearance: Appearance,
        channels: int = 3,
    ) -> np.ndarray:
        """Render *vertices* (T, V, 3) float32, metres, to (T, H, W, *channels*) uint8.

        Parameters
        ----------
        topology : Topology
            With triangles.
        vertices : (T, V, 3) float32
            Metres.
        camera : Camera
            One matrix for all frames or one per frame.
        appearance : Appearance
            Shading, lights, colors.
        channels : int
            1 (gray) or 3 (RGB).

        Raises
        ------
        ValueError
            Where shapes don't fit together, the message says which.
        PrerequisiteError
            The topology has no triangles (its asset isn't installed).
        """
        check_scene(topology, vertices, camera, channels)
        vertices = np.ascontiguousarray(vertices, np.float32)
        frames = len(vertices)
        matrices = _matrices(camera.matrix, frames)
        triangles = np.ascontiguousarray(topology.triangles, np.uint32)
        colored = channels == 3 and appearance.colored and topology.albedo is not None
        albedo = surface_albedo(topology, appearance, 3 if colored else 1)
        if not colored:
            albedo = albedo[:, 0].copy()
        lights = unit_lights(appearance.lights)
        flat = appearance.shading == "flat"
        back = gray_level(appearance.oral)
        background = int(gray_level(appearance.background))
        height, width = camera.height, camera.width
        out = np.empty((frames, height * width * channels), np.uint8)

        def draw(chunk: slice) -> None:
            scene = (
                triangles,
                vertices[chunk],
                matrices[chunk],
                albedo,
                lights,
                np.float32(appearance.ambient),
            )
            if colored:
                raster.draw_color(*scene, background, back, flat, width, height, out[chunk])
            else:
                raster.draw_gray(*scene, background, back, flat, _RAMP, width, height, out[chunk])

        _share_out(draw, frames, self.threads)
        return out.reshape(frames, height, width, channels)


def check_scene(topology: Topology, vertices: np.ndarray, camera: Camera, channels: int) -> None:
    """Raise where *vertices*, *camera* and *topology* don't fit together; shared by the backends."""
    if len(topology.triangles) == 0:
        raise PrerequisiteError(
            f"topology {topology.name} has no triangles here, so nothing can be rendered: its model file is not "
            "installed. For FLAME, `mtbench assets add flame FILE` says what to get and from where."
        )
    if vertices.ndim != 3 or vertices.shape[1:] != (topology.n_vertices, 3):
        raise ValueError(
            f"vertices are {vertices.shape}, but {topology.name} needs (T, {topology.n_vertices}, 3)"
        )
    shape = np.shape(camera.matrix)
    if shape not in ((4, 4), (len(vertices), 4, 4)):
        raise ValueError(
            f"camera matrix is {shape}; expected (4, 4) or ({len(vertices)}, 4, 4), one per frame"
        )
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}; expected 1 (gray) or 3 (RGB)")


def _matrices(matrix: np.ndarray, frames: int) -> np.ndarray:
    """Return *matrix* as (T, 4, 4) float32."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(matrix, np.float32), (frames, 4, 4)))


def _usable_cores() -> int:
    """Return how many cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1


def _share_out(draw: Callable[[slice], None], frames: int, threads: int) -> None:
    """Call *draw* on slices that cover all *frames*, from up to *threads* threads."""
    threads = min(threads, frames)
    if threads <= 1:
        draw(slice(0, frames))
        return
    # A few slices per thread, so that one held up by other work doesn't leave the rest idle.
    edges = np.linspace(0, frames, min(frames, 4 * threads) + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(draw, [slice(a, b) for a, b in itertools.pairwise(edges)]))
