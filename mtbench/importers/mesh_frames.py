"""A clip as a folder of meshes, a file a frame: ``00000.obj``, ``00001.obj``, …, as VOCA and EMOTE write it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError, list_some
from mtbench.files import MeshFileError, read_mesh
from mtbench.importers.positions import MAX_RATE, MAX_VERTICES

#: Most bytes of a mesh; FLAME's have 0.4 MB.
_MAX_BYTES = 16 << 20
_FRAME = re.compile(r"(\d+)(?:_[A-Za-z]+)?\.(obj|ply)")


def list_frames(folder: Path) -> list[Path]:
    """Return the meshes of a folder in the order of their numbers.

    Raises
    ------
    UsageError
        Where numbers are missing or double: a frame that was not written would shift all that follow.
    """
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        found = _FRAME.fullmatch(path.name)
        if found is None or not path.is_file():
            continue
        other = numbered.setdefault(int(found[1]), path)
        if other is not path:
            raise UsageError(f"{folder}: {other.name} and {path.name} are one frame; remove one")
    if not numbered:
        raise UsageError(f"{folder}: no meshes there, expected 00000.obj, 00001.obj, …")
    first, last = min(numbered), max(numbered)
    missing = [str(n) for n in range(first, last + 1) if n not in numbered][:20]
    if missing or first > 1:
        what = (
            f"frames {list_some(missing)} are missing"
            if missing
            else f"the first frame is {first}, expected 0"
        )
        raise UsageError(f"{folder}: {what}; was it cut off? Run the system again for this clip")
    return [numbered[n] for n in sorted(numbered)]


def count_mesh_vertices(folder: Path) -> int:
    """Return how many vertices the first mesh of a folder has."""
    return len(_read(list_frames(folder)[0]))


def read_mesh_frames(folder: Path, seconds: float) -> np.ndarray:
    """Return the (T, V, 3) float32 vertices of a folder of meshes.

    Parameters
    ----------
    folder : Path
    seconds : float
        Length of the clip; no more meshes are read than twice as long a motion at the highest rate has.

    Raises
    ------
    UsageError
        Where a mesh cannot be read, has another number of vertices than the first, or there are too many.
    """
    paths = list_frames(folder)
    most = int(2 * seconds * MAX_RATE) + MAX_RATE
    if len(paths) > most:
        raise UsageError(
            f"{folder}: {len(paths)} meshes, expected at most {most} for {seconds:.1f} s; meshes of several clips?"
        )
    first = _read(paths[0])
    out = np.empty((len(paths), *first.shape), np.float32)
    out[0] = first
    for frame, path in enumerate(paths[1:], 1):
        vertices = _read(path)
        if vertices.shape != first.shape:
            raise UsageError(f"{path}: {len(vertices)} vertices, {paths[0].name} has {len(first)}; cut off?")
        out[frame] = vertices
    return out


def _read(path: Path) -> np.ndarray:
    """Return the (V, 3) vertices of a mesh. Of an ``.obj`` nothing else is looked at: a clip has hundreds of them."""
    try:
        if path.suffix == ".obj":
            return _read_obj(path)
        return read_mesh(path)[0]
    except MeshFileError as error:
        raise UsageError(f"{path} {error}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error}); check the path") from None


def _read_obj(path: Path) -> np.ndarray:
    if path.stat().st_size > _MAX_BYTES:
        raise MeshFileError(f"has more than {_MAX_BYTES} bytes")
    # Line by line: all lines of a large file at once would be many times its size.
    rows: list[bytes] = []
    for line in io.BytesIO(path.read_bytes()):
        if line.startswith(b"v "):
            rows.append(line[2:])
        if len(rows) > MAX_VERTICES:
            raise MeshFileError(f"has more than {MAX_VERTICES} vertices")
    if not rows:
        raise MeshFileError("holds no vertices")
    try:
        numbers = np.array(b" ".join(rows).split(), np.float64)
        vertices = numbers.reshape(len(rows), -1)[:, :3]
    except ValueError as error:
        raise MeshFileError(f"is damaged ({str(error)[:200]})") from None
    if vertices.shape[1:] != (3,) or not np.isfinite(vertices).all():
        raise MeshFileError("holds coordinates that are missing, NaN or infinite")
    return vertices
