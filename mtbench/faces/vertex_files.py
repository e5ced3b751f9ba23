"""Vertices as people have them, in arrays, motions and files: reading and checking them.

Conventions
-----------
Positions are metres, y up, z out of the face. Files are plain ``.npy`` or ``.npz`` (``vertices``, ``verts``, or the
only array in it); nothing is unpickled. Every error says which argument or file, and the likely cause.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces.motion import Motion
from mtbench.faces.motion_geometry import check_geometry
from mtbench.faces.topologies import is_topology, list_vertex_counts, load_topology, name_topology
from mtbench.faces.topology import Topology
from mtbench.files import ArrayFileError, MeshFileError, open_arrays, read_mesh

#: Most bytes that are read from a file.
MAX_BYTES = 4 << 30
#: Names of positions in an npz; a template may be called otherwise.
_NAMES = ("vertices", "verts")
_FACE_NAMES = ("template", "vertices", "verts", "v_template")
_PARAMETERS = ("exp", "jaw", "units")
#: No head has a side of more metres.
_LARGEST = 3.0


def read_vertices(source: Any, name: str) -> np.ndarray:
    """Return the positions of a clip.

    Parameters
    ----------
    source : array, list of (V, 3) arrays, Motion, str or Path
        (T, V, 3), (T, 3 V), or (V, 3) for a single frame.
    name : str
        How to call it in messages.

    Returns
    -------
    (T, V, 3) floating point
        T >= 1, finite.

    Raises
    ------
    UsageError
        Where it cannot be read, or is something else.
    """
    array, name = _open_source(source, name, _NAMES)
    shape = array.shape
    if array.ndim == 2 and shape[1] == 3:
        array = array[None]
    elif array.ndim == 2 and shape[1] % 3 == 0 and shape[1] > 3:
        array = array.reshape(len(array), -1, 3)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        hint = "the last axis holds x, y, z"
        if len(shape) == 4 and shape[0] == 1:
            hint = "drop the batch axis: array[0]"
        elif len(shape) == 3 and shape[1] == 3:
            hint = "the last two axes are swapped: array.transpose(0, 2, 1)"
        raise UsageError(f"{name} has shape {shape}, expected (T, V, 3) or (T, 3 V) with T >= 1: {hint}")
    _check_finite(array, name)
    return array


def read_face(source: Any, name: str, vertices: int) -> np.ndarray:
    """Return the positions of a resting face, (V, 3) floating point.

    Parameters
    ----------
    source : array, Motion of one frame, str or Path
        (V, 3) or (3 V,); a path may be a ``.ply`` or ``.obj`` mesh too.
    name : str
        How to call it in messages.
    vertices : int
        V.

    Raises
    ------
    UsageError
        Where it cannot be read, or is something else.
    """
    array, name = _open_source(source, name, _FACE_NAMES, meshes=True)
    if array.shape in ((1, vertices, 3), (3 * vertices,), (1, 3 * vertices)):
        array = array.reshape(vertices, 3)
    if array.shape != (vertices, 3):
        raise UsageError(
            f"{name} has shape {array.shape}, expected ({vertices}, 3): the face of another mesh?"
        )
    _check_finite(array, name)
    return array


def _open_source(
    source: Any, name: str, names: tuple[str, ...], meshes: bool = False
) -> tuple[np.ndarray, str]:
    """Return what *source* holds, and how to call it in messages."""
    if isinstance(source, Motion):
        return source.vertices, name
    if not isinstance(source, str | Path):
        return _to_array(source, name), name
    path, name = Path(source), f"{name} ({source})"
    if meshes and path.suffix.lower() in (".ply", ".obj"):
        return _read_mesh(path, name), name
    return _read_file(path, name, names), name


def require_topology(topology: str | Topology | None, vertices: int, region: str | None) -> Topology | None:
    """Return the topology that is named, or that has as many vertices.

    Parameters
    ----------
    topology : str, Topology or None
    vertices : int
        V.
    region : str or None
        Whose vertex indices are wanted of it; None where the topology is not needed, and may be None.

    Raises
    ------
    UsageError
        Where there is none, or it has another number of vertices.
    """
    if topology is None:
        topology = name_topology(vertices)
        if topology is None:
            if region is None:
                return None
            raise UsageError(
                f"{vertices} vertices belong to no topology of mtbench: {list_vertex_counts()}. FLAME without its "
                f"eyeballs, or another mesh? Give its vertex indices as {region}=, or a "
                "mtbench.faces.topology.Topology as topology="
            )
    found = topology if isinstance(topology, Topology) else load_topology(topology)
    if found.n_vertices != vertices:
        raise UsageError(f"topology {found.name} has {found.n_vertices} vertices, the array {vertices}")
    return found


def check_vertices(vertices: np.ndarray, name: str, topology: Topology | None) -> None:
    """Raise ``UsageError`` unless (T, V, 3) *vertices* are a face in metres, as far as that can be told."""
    if topology is not None and is_topology(topology.name):
        problems = check_geometry(vertices, topology)
        if problems:
            _, message, hint = problems[0]
            raise UsageError(f"{name}: {message} — {hint}")
        return
    extent = float(np.ptp(vertices[0].astype(np.float64), axis=0).max())
    if extent > _LARGEST:
        unit = "millimetres? divide by 1000" if extent > 80 else "centimetres? divide by 100"
        raise UsageError(f"{name}: the face is {extent:.4g} large, expected metres — {unit}")


def _check_type(array: np.ndarray, name: str) -> None:
    if array.dtype.kind != "f":
        raise UsageError(f"{name} holds {array.dtype}, expected floating point: positions in metres")


def _check_finite(array: np.ndarray, name: str) -> None:
    _check_type(array, name)
    if not np.isfinite(array).all():
        frame = int(np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))[0])
        raise UsageError(f"{name} holds NaN or infinite values, from row {frame} on: the generator diverged?")


def _to_array(source: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(source)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"{name} is no array ({error}); of a torch tensor give tensor.detach().cpu().numpy(), of frames of unequal "
            "size give one array"
        ) from None
    _check_type(array, name)
    return array


def _read_file(path: Path, name: str, names: tuple[str, ...]) -> np.ndarray:
    try:
        with open_arrays(path, MAX_BYTES) as file:
            present = [key for key in ("", *names) if key in file.headers]
            if not present and len(file.headers) == 1 and not set(file.headers) & set(_PARAMETERS):
                present = list(file.headers)
            if not present:
                raise UsageError(
                    f"{name} has arrays {sorted(file.headers)}, expected 'vertices'{_posed(file)}"
                )
            return file.read(present[0], MAX_BYTES)
    except ArrayFileError as error:
        raise UsageError(f"{name}: {error} — {error.hint}") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read ({error.strerror or error}); check the path") from None


def _posed(file: Any) -> str:
    if not set(file.headers) & set(_PARAMETERS):
        return ""
    return "; parameters have to be posed first: mtbench.load_submission(folder).motion(clip) does"


def _read_mesh(path: Path, name: str) -> np.ndarray:
    try:
        return read_mesh(path)[0]
    except MeshFileError as error:
        raise UsageError(f"{name} {error}") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read ({error.strerror or error}); check the path") from None
