"""Reads the asset of the bundled head.

Conventions
-----------
``data/openhead-1.npz`` holds plain arrays, offsets as integer multiples of a step in metres; shapes that move
few vertices are stored sparsely. Made by ``scripts/build_openhead.py``, never by hand; a head made anew has another
:data:`DIGEST`.
"""

from __future__ import annotations

import hashlib
import io
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.faces.topology import Topology

NAME, N_VERTICES = "openhead-1", 4801
#: blake2b-128 of the file.
DIGEST = "d6c5a9bfb78e9f505868243f5772ac13"
_MAX_BYTES = 4 << 20


class SparseShapes(NamedTuple):
    """Offsets of K shapes, only for the vertices they move.

    Attributes
    ----------
    offsets : (K + 1,) int64
        Shape k owns the rows ``offsets[k]:offsets[k + 1]``.
    vertices : (N,) int32
        Vertex of each row.
    values : (N, 3) float32
        Offset of each row, metres.
    """

    offsets: np.ndarray
    vertices: np.ndarray
    values: np.ndarray

    def rows(self, k: int) -> slice:
        """Return the rows of shape *k*."""
        return slice(int(self.offsets[k]), int(self.offsets[k + 1]))

    def dense(self, n_vertices: int) -> np.ndarray:
        """Return (K, n_vertices, 3) float32."""
        out = np.zeros((len(self.offsets) - 1, n_vertices, 3), np.float32)
        for k in range(len(out)):
            out[k, self.vertices[self.rows(k)]] = self.values[self.rows(k)]
        return out


class Contact(NamedTuple):
    """Where the lips meet, and what moves with them when they are sealed.

    Attributes
    ----------
    upper : (P,) int32
        Vertices on the upper lip's edge, from the viewer-left to the viewer-right corner.
    lower : (P, 2) int32
        Vertices on the lower lip's edge; the point below ``upper[p]`` lies between the two ...
    t : (P,) float32
        ... at this share of the way.
    vertices, pair, blend, weight : (S,) arrays
        Vertex ``vertices[i]`` moves vertically by ``weight[i]`` (negative for the upper lip) times the gap,
        interpolated between pairs ``pair[i]`` and ``pair[i] + 1`` at ``blend[i]``.
    overlap : float32
        How far the lips of a closed mouth overlap, metres.
    """

    upper: np.ndarray
    lower: np.ndarray
    t: np.ndarray
    vertices: np.ndarray
    pair: np.ndarray
    blend: np.ndarray
    weight: np.ndarray
    overlap: np.float32

    def gap(self, y: np.ndarray) -> np.ndarray:
        """Return the vertical gap of each pair, (..., P), for heights (..., V)."""
        low, high = y[..., self.lower[:, 0]], y[..., self.lower[:, 1]]
        return y[..., self.upper] - (low + self.t * (high - low))


def read_asset(path: Path | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of ``data/openhead-1.npz`` by name.

    Parameters
    ----------
    path : Path, optional
        Another copy of that file.

    Raises
    ------
    PrerequisiteError
        Where the file is absent, damaged or another: the head of these versions has one digest.
    """
    source = (files("mtbench") / "data" / f"{NAME}.npz") if path is None else path
    try:
        with source.open("rb") as stream:
            content = stream.read(_MAX_BYTES)
        if (found := hashlib.blake2b(content, digest_size=16).hexdigest()) != DIGEST:
            raise ValueError(f"{len(content)} bytes of digest {found[:8]}, expected {DIGEST[:8]}")
    except (OSError, ValueError) as error:
        raise PrerequisiteError(
            f"{source}: the bundled head cannot be read ({error}); the installation is damaged, install mtbench again"
        ) from None
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def make_topology(data: dict[str, np.ndarray]) -> Topology:
    """Build the topology ``openhead-1`` from the asset's arrays."""
    regions = {k.removeprefix("region_"): v for k, v in data.items() if k.startswith("region_")}
    return Topology(
        name=NAME,
        n_vertices=len(data["neutral"]),
        triangles=data["triangles"].astype(np.int32),
        regions={name: indices.astype(np.int32) for name, indices in regions.items()},
        landmarks=data["landmarks"].astype(np.int32),
        albedo=data["albedo"].astype(np.float32) / np.float32(255),
        oral=data["oral"],
        neutral=data["neutral"],
    )


def make_shapes(data: dict[str, np.ndarray], prefix: str) -> SparseShapes:
    """Return the shapes stored as ``<prefix>_offsets``, ``_vertices`` and ``_values``."""
    values = data[f"{prefix}_values"] * np.float64(data[f"{prefix}_step"][0])
    return SparseShapes(
        data[f"{prefix}_offsets"].astype(np.int64),
        data[f"{prefix}_vertices"].astype(np.int32),
        np.ascontiguousarray(values.T, np.float32),
    )


def make_identities(data: dict[str, np.ndarray]) -> np.ndarray:
    """Return the identities' offsets from the neutral head, (12, V, 3) float32, metres."""
    values = data["identity_values"] * np.float64(data["identity_step"][0])
    return np.ascontiguousarray(values.transpose(0, 2, 1), np.float32)


def make_contact(data: dict[str, np.ndarray]) -> Contact:
    """Return the lips' contact."""
    share = np.where(data["seal_side"] == 0, np.float32(-0.5), np.float32(0.5))
    return Contact(
        upper=data["contact_upper"],
        lower=data["contact_lower"],
        t=data["contact_t"],
        vertices=data["seal_vertices"],
        pair=data["seal_pair"],
        blend=data["seal_blend"],
        weight=(share * data["seal_falloff"]).astype(np.float32),
        overlap=np.float32(data["overlap"][0]),
    )
