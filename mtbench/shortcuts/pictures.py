"""Pictures of vertices at hand, in one line: ``mtbench.render``.

Conventions
-----------
A picture is (H, W) or (H, W, 3) uint8, row 0 on top, drawn by the renderer that scores are made with. A notebook
shows it by itself; files are PNG, written without another package.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import Topology, check_vertices, read_vertices, require_topology
from mtbench.files import write_atomically
from mtbench.renderers import Appearance, Renderer, load_renderer

#: Most frames side by side where none is chosen.
MOST_FRAMES = 6
_VIEWS = ("face", "mouth")
_LEAST, _MOST = 16, 4096


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A picture that a notebook shows.

    Attributes
    ----------
    array : (H, W) or (H, W, 3) uint8
        Gray or RGB.
    frames : tuple of int
        The frames that it shows, from left to right.
    """

    array: np.ndarray
    frames: tuple[int, ...] = (0,)

    def __repr__(self) -> str:
        height, width = self.array.shape[:2]
        return f"Picture({width} x {height} pixels, frames {', '.join(map(str, self.frames))})"

    def to_png(self) -> bytes:
        """Return the picture as the bytes of a PNG file.

        Examples
        --------
        >>> Picture(np.zeros((2, 3), np.uint8)).to_png()[1:4]
        b'PNG'
        """
        height, width = self.array.shape[:2]
        rows = np.ascontiguousarray(self.array).reshape(height, -1)
        filtered = np.zeros((height, rows.shape[1] + 1), np.uint8)  # a row begins with its filter; 0 is none
        filtered[:, 1:] = rows
        color = 0 if self.array.ndim == 2 else 2
        header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
        parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)

    def save(self, path: str | Path) -> Path:
        """Write the picture to *path*, which ends in ``.png``; return it.

        Raises
        ------
        UsageError
            For another ending.
        """
        path = Path(path)
        if path.suffix.lower() != ".png":
            raise UsageError(f"{path}: pictures are written as PNG; call it {path.stem}.png")
        write_atomically(path, self.to_png())
        return path

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        return self.to_png()


def render(
    vertices: Any,
    *,
    frame: int | Sequence[int] | None = None,
    view: str = "face",
    topology: str | Topology | None = None,
    size: int = 384,
    renderer: str = "software",
    appearance: Appearance | None = None,
) -> Picture:
    """Draw a face, or several frames of a clip side by side.

    Parameters
    ----------
    vertices : (V, 3), (T, V, 3) or (T, 3 V) floating point, Motion or path (npy, npz)
        Positions in metres.
    frame : int or sequence of int, optional
        Which frames, counted from 0, negative ones from the end. By default all, and of more than six, six evenly
        spread from the first to the last.
    view : str
        ``"face"``: the whole head in color. ``"mouth"``: the gray 96x96 pixels that the recognizer is shown, each
        enlarged to a square; they depend on the frames that follow, so give the whole clip.
    topology : str or Topology, optional
        Topology of the vertices; by default the one that has as many vertices.
    size : int
        Width and height of a frame in pixels; of a mouth the nearest multiple of 96 below.
    renderer : str
        ``"software"`` or ``"pyrender"``.
    appearance : Appearance, optional
        Shading, lights, colors.

    Returns
    -------
    Picture
        With ``array`` (H, W, 3) uint8, of a mouth (H, W); ``save("face.png")``.

    Raises
    ------
    UsageError
        For values that are no face in metres, or an unknown view, frame or size.
    PrerequisiteError
        Without the extra ``[render]``; for FLAME without an installed asset, which has the triangles.

    Examples
    --------
    >>> import mtbench
    >>> motion = mtbench.load_benchmark("openhead-20")["eng-01"].load_motion()
    >>> mtbench.render(motion, frame=[0, 10], size=64)
    Picture(128 x 64 pixels, frames 0, 10)
    """
    from mtbench.faces import require_renderable

    if view not in _VIEWS:
        raise UsageError(f"unknown view {view!r}; known: {', '.join(_VIEWS)}")
    least = 96 if view == "mouth" else _LEAST
    if not isinstance(size, int | np.integer) or not least <= size <= _MOST:
        raise UsageError(f"size must be {least} to {_MOST} pixels, not {size!r}")
    positions = read_vertices(vertices, "vertices")
    found = require_topology(topology, positions.shape[1], None)
    if found is None:
        raise UsageError(
            f"{positions.shape[1]} vertices belong to no topology of mtbench, so nothing says which triangles to draw; "
            "give a mtbench.faces.topology.Topology with triangles as topology="
        )
    require_renderable(found)
    check_vertices(positions, "vertices", found)
    frames = _choose(frame, len(positions))
    backend = load_renderer(renderer)
    appearance = appearance or Appearance()
    positions = np.ascontiguousarray(positions, np.float32)
    draw = _draw_mouths if view == "mouth" else _draw_faces
    pictures = draw(backend, found, positions, frames, size, appearance)
    return Picture(np.concatenate(list(pictures), axis=1), frames)


def _draw_mouths(
    backend: Renderer,
    topology: Topology,
    positions: np.ndarray,
    frames: tuple[int, ...],
    size: int,
    appearance: Appearance,
) -> np.ndarray:
    """Return mouth crops of some frames, (n, h, h) uint8, where h is the largest multiple of 96 up to *size*."""
    from mtbench.renderers import SIZE, render_mouth_crops

    crops = render_mouth_crops(backend, topology, positions, appearance)[list(frames)]
    return crops.repeat(size // SIZE, axis=1).repeat(size // SIZE, axis=2)


def _draw_faces(
    backend: Renderer,
    topology: Topology,
    positions: np.ndarray,
    frames: tuple[int, ...],
    size: int,
    appearance: Appearance,
) -> np.ndarray:
    """Return whole heads of some frames, (n, size, size, 3) uint8, all from one place."""
    from mtbench.renderers import portrait_camera

    camera = portrait_camera(positions, size, size)
    return backend.render(topology, positions[list(frames)], camera, appearance, 3)


def _choose(frame: int | Sequence[int] | None, count: int) -> tuple[int, ...]:
    """Return the frames to show, counted from 0."""
    if frame is None:
        shown = min(count, MOST_FRAMES)
        return tuple(round(k * (count - 1) / max(1, shown - 1)) for k in range(shown))
    wanted: list[Any] = [frame] if np.ndim(frame) == 0 else list(np.asarray(frame))
    if not wanted or len(wanted) > 64:
        raise UsageError(f"{len(wanted)} frames; 1 to 64 can be shown side by side")
    for index in wanted:
        if not isinstance(index, int | np.integer) or not -count <= index < count:
            raise UsageError(f"there is no frame {index!r}: the clip has the frames 0 to {count - 1}")
    return tuple(int(index) % count for index in wanted)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
