"""Reading FLAME files of users: models of any edition, and template meshes, checked to be FLAME's topology.

Conventions
-----------
Pickles are read through :mod:`mtbench.files.safe_pickle` only. What is returned is what an asset holds, see
:mod:`mtbench.faces.flame_asset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces.face_orientation import skeleton_pose
from mtbench.faces.flame_lists import N_EXPRESSION, N_SHAPE, N_VERTICES, PARENTS, WHERE_TO_GET, index_lists
from mtbench.files import (
    ArrayFileError,
    MeshFileError,
    UnsafePickleError,
    load_arrays,
    open_arrays,
    read_mesh,
)

#: Arrays of an asset made from a full model, as :class:`mtbench.faces.flame.FlameModel` names them.
MODEL_ARRAYS = ("directions", "pose_directions", "joint_regressor", "weights")
#: Most bytes of such a file.
MAX_ASSET_BYTES = 1 << 29
#: How a template may lie: degrees, metres, and sizes over a grown-up's; far wider than people and editions differ.
MOST_TURNED, MOST_DISPLACED, SCALES = 30.0, 0.1, (0.78, 1.3)

_PICKLE_KEYS = {"v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table"}


def read_flame_file(path: Path) -> dict[str, np.ndarray]:
    """Read and check a FLAME model or template without keeping it as an asset.

    Parameters
    ----------
    path : Path
        As for :func:`mtbench.faces.flame_asset.add_flame`.

    Returns
    -------
    dict of str to array
        ``template`` (5023, 3) float64 and ``triangles`` (F, 3) int32; those of :data:`MODEL_ARRAYS` too where
        the file is a full model.

    Raises
    ------
    UsageError
        As :func:`mtbench.faces.flame_asset.add_flame`.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}. {WHERE_TO_GET}")
    try:
        raw = _read_source(path.resolve())
        return check_flame_arrays(raw)
    except (UnsafePickleError, ArrayFileError, MeshFileError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be used as a FLAME model or template: it holds {error}"
            if isinstance(error, UnsafePickleError)
            else f"{path} cannot be used as a FLAME model or template: {error}"
        ) from None


def _read_source(path: Path) -> dict[str, np.ndarray]:
    suffix = path.suffix.lower()
    if suffix in (".ply", ".obj"):
        vertices, triangles = read_mesh(path)
        return {"v_template": vertices, "f": triangles}
    if suffix == ".npz":
        with open_arrays(path, MAX_ASSET_BYTES) as file:
            return {key: file.read(key, MAX_ASSET_BYTES) for key in file.headers if key in _PICKLE_KEYS}
    if suffix in (".pkl", ".pickle"):
        return load_arrays(path, _PICKLE_KEYS)
    raise ValueError(f"files ending in {suffix or 'nothing'} are not read; known: .pkl, .npz, .ply, .obj")


def check_flame_arrays(raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Check shapes, vertex order and values of FLAME's arrays.

    Parameters
    ----------
    raw : mapping of str to array
        Named as in FLAME's files: ``v_template`` and ``f``, and for a model all the others too.

    Returns
    -------
    dict of str to array
        As :func:`read_flame_file`.

    Raises
    ------
    ValueError
        Where something is missing, or not FLAME's.
    """
    if "v_template" not in raw or "f" not in raw:
        raise ValueError(f"needs 'v_template' and 'f', has {sorted(raw) or 'neither'}")
    template, triangles = raw["v_template"], raw["f"]
    if template.shape != (N_VERTICES, 3):
        raise ValueError(
            f"has {template.shape[0] if template.ndim else 0} vertices, FLAME has {N_VERTICES}; "
            "an exporter may have merged or split some"
        )
    if (
        triangles.ndim != 2
        or triangles.shape[1] != 3
        or triangles.dtype.kind not in "iu"
        or len(triangles) > 20_000
    ):
        raise ValueError(f"triangles of shape {triangles.shape} {triangles.dtype}, expected (F, 3) integers")
    if not 0 < len(triangles) <= 20_000 or triangles.min() < 0 or triangles.max() >= N_VERTICES:
        raise ValueError("has no triangles, too many, or triangles with vertices that do not exist")
    _check_order(triangles)
    template = _finite("v_template", template)
    height = float(np.ptp(template, axis=0).max())
    if not 0.2 < height < 0.5:
        raise ValueError(f"the template is {height:.4g} large, expected about 0.32 m; convert it to metres")
    _check_orientation(template)
    arrays = {"template": template, "triangles": triangles.astype(np.int32)}
    model = [key for key in ("shapedirs", "posedirs", "J_regressor", "weights") if key in raw]
    if not model:
        return arrays
    shapes = {
        "shapedirs": (N_VERTICES, 3, N_SHAPE + N_EXPRESSION),
        "posedirs": (N_VERTICES, 3, 9 * (len(PARENTS) - 1)),
        "J_regressor": (len(PARENTS), N_VERTICES),
        "weights": (N_VERTICES, len(PARENTS)),
    }
    for key, shape in shapes.items():
        if key not in raw:
            raise ValueError(f"has {', '.join(model)} but no {key}: a model needs all of {', '.join(shapes)}")
        if raw[key].shape != shape:
            raise ValueError(f"{key} has shape {raw[key].shape}, FLAME has {shape}")
    if "kintree_table" in raw:
        parents = raw["kintree_table"].reshape(2, -1)[0].astype(np.int64)[1:].tolist()
        if parents != list(PARENTS[1:]):
            raise ValueError(f"joints hang on {parents}, FLAME's on {list(PARENTS[1:])}")
    weights = _finite("weights", raw["weights"])
    if np.max(np.abs(weights.sum(axis=1) - 1)) > 1e-3 or weights.min() < -1e-6:
        raise ValueError("skinning weights do not sum to one")
    arrays["directions"] = np.ascontiguousarray(
        _finite("shapedirs", raw["shapedirs"]).transpose(2, 0, 1), np.float32
    )
    arrays["pose_directions"] = np.ascontiguousarray(
        _finite("posedirs", raw["posedirs"]).transpose(2, 0, 1), np.float32
    )
    arrays["joint_regressor"] = _finite("J_regressor", raw["J_regressor"])
    arrays["weights"] = weights
    return arrays


def _check_orientation(template: np.ndarray) -> None:
    """Check that the template is a face in metres with y up and z out of it, by its landmarks."""
    pose = skeleton_pose(np.array(index_lists()["landmarks"]))(template)
    if not pose.matches:
        raise ValueError(
            f"the template's nose, eyes and lips are {100 * pose.residual:.0f} % off those of a face: the vertices "
            "are in another order, or x, y and z lie in planes; export without changing the mesh"
        )
    cure = pose.cure()
    cure = f"save {cure.replace('vertices', 'v_template')}" if cure else "rotate it upright"
    if pose.mirrored:
        raise ValueError(
            f"the template is mirrored, expected x to the viewer's right, y up, z out of the face: {cure}"
        )
    if pose.angle > MOST_TURNED:
        raise ValueError(
            f"the template is turned by {pose.angle:.0f} degrees, expected y up and z out of the face (another "
            f"axis convention, as of z-up tools?): {cure}"
        )
    if not SCALES[0] <= pose.scale <= SCALES[1]:
        raise ValueError(
            f"the template's face is {pose.scale:.2f} times as large as a grown-up's; a scaling in the export? "
            f"Divide the positions by {pose.scale:.2g}, they are metres"
        )
    if pose.distance > MOST_DISPLACED:
        raise ValueError(
            f"the template's middle is {pose.distance:.2f} m from the origin, FLAME's lies on it: a camera's or "
            "body's translation? Subtract it"
        )


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"{name} holds something else than finite numbers")
    return array.astype(np.float64)


def _check_order(triangles: np.ndarray) -> None:
    """Check that the edge of the mouth opening is where FLAME has it: the vertex order is FLAME's."""
    pairs = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1).astype(np.int64)
    keys, counts = np.unique(pairs[:, 0] * N_VERTICES + pairs[:, 1], return_counts=True)
    boundary = set(keys[counts == 1].tolist())
    loop = index_lists()["mouth_loop"]
    for a, b in zip(loop, [*loop[1:], loop[0]]):
        if min(a, b) * N_VERTICES + max(a, b) not in boundary:
            raise ValueError(
                f"vertices {a} and {b} are no edge of the mouth opening as in FLAME: the vertices are in "
                "another order, or the mouth was closed; export without changing the mesh"
            )
