"""The resting face that predicted motion is added to.

Conventions
-----------
A face is (V, 3) float32 in metres, y up. The model knows displacements only: any face of its topology will do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtbench.arrays import ArrayFileError, read_arrays
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.mesh_files import MeshFileError, read_mesh
from mtbench.safe_pickle import UnsafePickleError, load_arrays
from mtbench.topology import load_topology

#: Names under which files hold a face; ``id`` is that of MultiTalk's ``templates.pkl``.
NAMES = ("template", "vertices", "verts", "v_template", "id")
_MAX_BYTES = 64 << 20
#: Largest extent of a face in metres; what exceeds it is taken for millimetres or centimetres.
_LARGEST = 1.0


def default_template(topology: str | None, vertices: int) -> np.ndarray:
    """Return the resting face of a topology, (V, 3) float32.

    Parameters
    ----------
    topology : str or None
        Name; None where the model's is unknown.
    vertices : int
        V of the model.

    Raises
    ------
    PrerequisiteError
        Where there is no such face here.
    """
    what = "give the speaker's resting face with --template FILE (.npy, .npz, .ply, .obj or MultiTalk's templates.pkl)"
    if topology is None:
        raise PrerequisiteError(f"the model's {vertices} vertices belong to no topology known here; {what}")
    face = load_topology(topology).neutral
    if face is None:
        raise PrerequisiteError(
            f"topology {topology} has no resting face here; install its asset ('mtbench assets add'), or {what}"
        )
    return np.asarray(face, np.float32)


def read_template(path: str | Path, vertices: int) -> np.ndarray:
    """Read a resting face.

    Parameters
    ----------
    path : str or Path
        ``.npy`` or ``.npz`` with (V, 3) or (3 V,) numbers, a ``.ply`` or ``.obj`` mesh in the model's vertex order,
        or a pickle of arrays such as MultiTalk's ``templates.pkl``; see :data:`NAMES`.
    vertices : int
        V of the model.

    Returns
    -------
    (V, 3) float32

    Raises
    ------
    UsageError
        Where the file is absent, damaged, or holds another number of vertices, NaN, or other units than metres.
    """
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"template {file}: there is no such file")
    try:
        face = _read(file)
    except (ArrayFileError, MeshFileError, UnsafePickleError) as error:
        raise UsageError(f"template {file}: {error}") from None
    if face.size != 3 * vertices or face.shape not in ((vertices, 3), (3 * vertices,), (1, vertices, 3)):
        raise UsageError(
            f"template {file}: an array of shape {face.shape}, expected ({vertices}, 3), the model's vertices; "
            "it is probably of another topology"
        )
    face = face.reshape(vertices, 3).astype(np.float32)
    if not np.isfinite(face).all():
        raise UsageError(f"template {file}: holds numbers that are NaN or infinite")
    extent = float(np.ptp(face, axis=0).max())
    if extent > _LARGEST:
        raise UsageError(
            f"template {file}: {extent:.0f} m across, expected a face in metres; divide millimetres by 1000"
        )
    return face


def _read(file: Path) -> np.ndarray:
    kind = file.suffix.lower()
    if kind in (".ply", ".obj"):
        return read_mesh(file)[0]
    if kind == ".pkl":
        arrays = load_arrays(file, set(NAMES))
    else:
        arrays = read_arrays(file, _MAX_BYTES)
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    for name in NAMES:
        if name in arrays:
            return arrays[name]
    found = ", ".join(sorted(arrays)) or "none"
    raise UsageError(f"template {file}: arrays {found}; expected one of {', '.join(NAMES)}")
