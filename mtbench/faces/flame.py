"""FLAME: its topology, and linear blend skinning with the user's model file.

Conventions
-----------
Topology ``flame-5023``: 5,023 vertices, of which 3,931 are the head and 2 x 546 the eyeballs; metres, y up,
z forward. The joints are, in order, root, neck, jaw, left eye, right eye; the neck hangs on the root, the
other three on the neck. Rotations are axis-angle vectors in radians. Expression coefficients are the last
100 columns of ``shapedirs``, identity the first 300. The package holds index lists only
(``data/flame-5023.json``, made by ``scripts/build_flame_regions.py``); geometry comes from the user's file
through :mod:`mtbench.faces.flame_asset`.

Source of the model: T. Li, T. Bolkart, M. J. Black, H. Li, J. Romero, "Learning a model of facial shape and
expression from 4D scans", ACM TOG 36(6), 2017. Sums run in a fixed order without BLAS, so that the vertices
are the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.faces.flame_lists import (
    JOINTS,
    N_SHAPE,
    N_VERTICES,
    NAME,
    NO_TRIANGLES,
    PARENTS,
    WHERE_TO_GET,
    index_lists,
)
from mtbench.faces.topology import Topology


@dataclass(frozen=True)
class FlameModel:
    """What linear blend skinning needs.

    Attributes
    ----------
    template : (V, 3) float64
        Metres.
    directions : (K, V, 3) float32
        Identity, then expression directions.
    n_shape : int
        How many of them are identity.
    pose_directions : (36, V, 3) float32
        Correctives for the rotation matrices (minus one) of all joints but the root, row by row.
    joint_regressor : (5, V) float64
    weights : (V, 5) float64
    """

    template: np.ndarray
    directions: np.ndarray
    n_shape: int
    pose_directions: np.ndarray
    joint_regressor: np.ndarray
    weights: np.ndarray

    @cached_property
    def digest(self) -> str:
        """blake2b-128 hex digest of all arrays."""
        h = hashlib.blake2b(digest_size=16)
        for array in (
            self.template,
            self.directions,
            self.pose_directions,
            self.joint_regressor,
            self.weights,
        ):
            h.update(str(array.shape).encode())
            h.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
        return h.hexdigest()

    @cached_property
    def joints(self) -> tuple[np.ndarray, np.ndarray]:
        """Joints of the template (5, 3), and how each direction moves them (K, 5, 3); float64."""
        base = np.zeros((len(JOINTS), 3))
        moves = np.zeros((len(self.directions), len(JOINTS), 3))
        for joint, row in enumerate(self.joint_regressor):
            for vertex in np.flatnonzero(row):
                base[joint] += row[vertex] * self.template[vertex]
                moves[:, joint] += row[vertex] * self.directions[:, vertex].astype(np.float64)
        return base, moves


def flame_topology() -> Topology:
    """Return FLAME's topology; triangles and the neutral face only where an asset is installed.

    Index lists suffice for every vertex error; rendering needs the triangles, see :func:`require_triangles`.
    """
    from mtbench.faces.flame_asset import flame_asset_stamp

    return _load_topology(flame_asset_stamp())


@lru_cache(maxsize=2)
def _load_topology(stamp: tuple) -> Topology:
    from mtbench.faces.flame_asset import read_flame_asset

    lists = index_lists()
    asset = read_flame_asset(("template", "triangles"))
    lips = np.array(lists["regions"]["inner_lips"], np.int32)
    return Topology(
        name=NAME,
        n_vertices=N_VERTICES,
        triangles=np.zeros((0, 3), np.int32) if asset is None else asset["triangles"].copy(),
        regions={name: np.array(indices, np.int32) for name, indices in lists["regions"].items()},
        landmarks=np.array(lists["landmarks"], np.int32),
        oral=None if asset is None else vertices_behind(asset["triangles"], lips),
        neutral=None if asset is None else asset["template"].astype(np.float32),
    )


def vertices_behind(triangles: np.ndarray, loop: np.ndarray) -> np.ndarray:
    """Find the smaller part of the surface that *loop* cuts off: the lips' insides for the inner lip loop.

    FLAME has no oral cavity, but its skin goes on some way behind the lips; seen through the open mouth that
    has to be dark.

    Parameters
    ----------
    triangles : (F, 3) int
        Triangles of FLAME; eyeballs may be missing.
    loop : (n,) int
        Vertices of a closed loop on the surface.

    Returns
    -------
    (5023,) bool
        True behind the loop; all False where the loop cuts nothing off.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    triangles = np.asarray(triangles, np.int64)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    on_loop = np.zeros(N_VERTICES, bool)
    on_loop[loop] = True
    kept = edges[~on_loop[edges].any(axis=1)]
    graph = coo_matrix((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(N_VERTICES, N_VERTICES))
    _, part = connected_components(graph, directed=False)
    touching = edges[on_loop[edges].sum(axis=1) == 1]
    beside = np.unique(part[touching[~on_loop[touching]]])
    if len(beside) == 0:
        return np.zeros(N_VERTICES, bool)
    size = np.bincount(part)
    return np.isin(part, beside[beside != beside[np.argmax(size[beside])]]) & ~on_loop


def require_triangles() -> Topology:
    """Return :func:`flame_topology` with triangles.

    Raises
    ------
    PrerequisiteError
        Where no asset is installed; the message says which file to get, from where, under which license.
    """
    topology = flame_topology()
    if not topology.renderable:
        raise PrerequisiteError(NO_TRIANGLES)
    return topology


def load_flame_model() -> FlameModel:
    """Return the installed FLAME model.

    Raises
    ------
    PrerequisiteError
        Where no asset, or a template mesh only, is installed.
    """
    from mtbench.faces.flame_asset import flame_asset_stamp

    return _load_model(flame_asset_stamp())


@lru_cache(maxsize=1)
def _load_model(stamp: tuple) -> FlameModel:
    from mtbench.faces.flame_asset import read_flame_asset
    from mtbench.faces.flame_files import MODEL_ARRAYS

    asset = read_flame_asset(("template", *MODEL_ARRAYS))
    if asset is None or "directions" not in asset:
        has = (
            "none is installed" if asset is None else "only a template mesh is installed, without expressions"
        )
        raise PrerequisiteError(f"FLAME parameters need a FLAME model, but {has}. {WHERE_TO_GET}")
    return FlameModel(n_shape=N_SHAPE, **asset)


def pose_flame(params: Mapping[str, np.ndarray], model: FlameModel) -> np.ndarray:
    """Turn FLAME parameters into vertices by linear blend skinning with pose correctives.

    Parameters
    ----------
    params : mapping of str to array
        ``exp`` (T, n) and ``jaw`` (T, 3); optionally ``shape`` (n,), (1, n) or (T, n), ``neck`` (T, 3),
        ``eyes`` (T, 6) left then right, ``rotation`` (T, 3) of the root, ``translation`` (T, 3) in metres.
    model : FlameModel

    Returns
    -------
    (T, V, 3) float32
        Metres.

    Raises
    ------
    ValueError
        Where a rotation exceeds two turns or there are more coefficients than directions.
    """
    frames = len(params["jaw"])
    coefficients = np.zeros((frames, len(model.directions)))
    exp = np.asarray(params["exp"], np.float64)
    shape = np.atleast_2d(np.asarray(params.get("shape", np.zeros((1, 0))), np.float64))
    if shape.shape[1] > model.n_shape or exp.shape[1] > len(model.directions) - model.n_shape:
        raise ValueError(
            f"the model has fewer than {shape.shape[1]} shape or {exp.shape[1]} expression directions"
        )
    coefficients[:, : shape.shape[1]] = shape
    coefficients[:, model.n_shape : model.n_shape + exp.shape[1]] = exp
    turns = np.zeros((frames, len(JOINTS), 3))
    for name, joint, width in (("rotation", 0, 1), ("neck", 1, 1), ("jaw", 2, 1), ("eyes", 3, 2)):
        if name in params:
            turns[:, joint : joint + width] = np.asarray(params[name], np.float64).reshape(frames, width, 3)
    rotations = rotation_matrices(turns.reshape(-1, 3)).reshape(frames, len(JOINTS), 3, 3)
    correctives = (rotations[:, 1:] - np.eye(3)).reshape(frames, -1)
    shaped = _blend(model.template, model.directions, coefficients)
    base, moves = model.joints
    joints = np.repeat(base[None], frames, axis=0)
    for k in np.flatnonzero(np.any(coefficients != 0, axis=0)):
        joints += coefficients[:, k, None, None] * moves[k]
    turn, shift = _chain(rotations, joints)
    if "translation" in params:
        shift = shift + np.asarray(params["translation"], np.float64)[:, None]
    posed = _blend(np.zeros_like(model.template), model.pose_directions, correctives, shaped)
    vertices = np.zeros((frames, len(model.template), 3), np.float32)
    for t in range(frames):
        vertices[t] = _skin(posed[t], turn[t], shift[t], model.weights)
    return vertices


def rotation_matrices(axis_angle: np.ndarray) -> np.ndarray:
    """Return (N, 3, 3) float64 rotation matrices of (N, 3) axis-angle vectors in radians (Rodrigues).

    Sine and cosine are power series of the squared angle: no division at zero, and no library function whose
    last digit depends on the machine.
    """
    square = axis_angle[:, 0] ** 2 + axis_angle[:, 1] ** 2 + axis_angle[:, 2] ** 2
    if len(square) and square.max() > (4.0 * np.pi) ** 2:
        raise ValueError("a rotation of more than two turns; angles are in radians")
    # At a quarter of the angle the series converge fast; doubling twice restores it.
    small = square / 16.0
    sine, versine = np.ones_like(small), np.full_like(small, 0.5)  # sin(x) / x and (1 - cos(x)) / x^2
    term_s, term_v = np.ones_like(small), np.full_like(small, 0.5)
    for n in range(1, 16):
        term_s = -term_s * small / ((2 * n) * (2 * n + 1))
        term_v = -term_v * small / ((2 * n + 1) * (2 * n + 2))
        sine, versine = sine + term_s, versine + term_v
    x, y, z = (axis_angle / 4.0).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    quarter = np.eye(3) + sine[:, None, None] * cross + versine[:, None, None] * _product(cross, cross)
    half = _product(quarter, quarter)
    return _product(half, half)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Matrix product of stacks of 3x3 matrices, summed in a fixed order."""
    return (
        a[..., :, 0, None] * b[..., None, 0, :]
        + a[..., :, 1, None] * b[..., None, 1, :]
        + a[..., :, 2, None] * b[..., None, 2, :]
    )


def _apply(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Stacks of 3x3 matrices times stacks of vectors, summed in a fixed order."""
    return a[..., :, 0] * v[..., 0, None] + a[..., :, 1] * v[..., 1, None] + a[..., :, 2] * v[..., 2, None]


def _blend(
    base: np.ndarray, directions: np.ndarray, coefficients: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """Return base + Σ coefficient x direction, (T, V, 3) float64, added to *start* where given."""
    used = np.flatnonzero(np.any(coefficients != 0, axis=0))
    constant = [int(k) for k in used if start is None and np.all(coefficients[:, k] == coefficients[0, k])]
    common = base.copy()
    for k in constant:
        common += coefficients[0, k] * directions[k].astype(np.float64)
    varying = {int(k): directions[k].astype(np.float64) for k in used if k not in set(constant)}
    out = np.repeat(common[None], len(coefficients), axis=0) if start is None else start
    buffer = np.zeros_like(base)
    for t in range(len(coefficients)):
        for k, direction in varying.items():
            np.multiply(direction, coefficients[t, k], out=buffer)
            out[t] += buffer
    return out


def _chain(rotations: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each frame and joint, rotation and shift from the rest pose: x -> rotation x + shift."""
    turn, shift = np.zeros_like(rotations), np.zeros_like(joints)
    for joint, parent in enumerate(PARENTS):
        pivot = joints[:, joint]
        own = pivot - _apply(rotations[:, joint], pivot)
        if parent < 0:
            turn[:, joint], shift[:, joint] = rotations[:, joint], own
        else:
            turn[:, joint] = _product(turn[:, parent], rotations[:, joint])
            shift[:, joint] = _apply(turn[:, parent], own) + shift[:, parent]
    return turn, shift


def _skin(vertices: np.ndarray, turn: np.ndarray, shift: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Blend the joints' transforms of one frame by their weights."""
    out = np.zeros_like(vertices)
    x, y, z = vertices[:, 0], vertices[:, 1], vertices[:, 2]
    for joint in range(len(turn)):
        for axis in range(3):
            a, b, c = turn[joint, axis]
            out[:, axis] += weights[:, joint] * (a * x + b * y + c * z + shift[joint, axis])
    return out
