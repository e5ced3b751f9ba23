"""FLAME with more vertices than 5,023: what others added is taken off, what was doubled is joined.

Conventions
-----------
=========  ==========================================================================================================
vertices   where they come from
=========  ==========================================================================================================
5,023      every FLAME of 2017 to 2023
5,143      with teeth, 120 vertices after FLAME's own (GaussianAvatars, VHAP: their teeth's triangles begin at 5,023)
5,423      a FLAME 2023 with an inner mouth (reported for CAP4D in felixtaubner/cap4d#23; that the 400 come after
           FLAME's own was not verified)
5,118      FLAME's texture coordinates: an exporter doubled the vertices at the seams of the texture
           (TimoBolkart/TF_FLAME#33, yfeng95/DECA#158), which reorders them all
=========  ==========================================================================================================

Of the first three the first 5,023 vertices are taken, and the check of the submission tells whether they are FLAME.
Of 5,118 a mesh with texture coordinates, DECA's or FLAME's ``head_template.obj``, says which vertex is which; where
the first 5,023 are FLAME's as they are, none is needed.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import FLAME, check_geometry, load_topology

#: Vertex counts of FLAME with something after its own vertices.
EXTENDED = {5143: "teeth", 5423: "an inner mouth"}
#: FLAME's texture coordinates.
DOUBLED = 5118
_MAX_BYTES = 16 << 20
#: Metres between the copies of one vertex.
_APART = 1e-4


def describe_count(count: int, uv_mesh: Path | None) -> str | None:
    """Return what is assumed of a mesh of *count* vertices that is FLAME and more, None of any other."""
    if count in EXTENDED:
        return f"{count} vertices are FLAME's {FLAME.n_vertices} and {EXTENDED[count]} after them; these are left out"
    if count == DOUBLED:
        how = f"joined by {uv_mesh.name}" if uv_mesh is not None else "of which the first are FLAME's own"
        return f"{count} vertices are FLAME's, doubled at the seams of the texture and {how}"
    return None


def reduce_to_flame(vertices: np.ndarray, uv_mesh: Path | None, clip: str, told: list[str]) -> np.ndarray:
    """Return FLAME's own vertices of a mesh of 5,118, 5,143 or 5,423; any other is returned as it is.

    Parameters
    ----------
    vertices : (T, V, 3) floating point
        Metres.
    uv_mesh : Path or None
        A mesh of FLAME with texture coordinates.
    clip : str
        Id, for messages.
    told : list of str
        Gets a line where copies of one vertex lie apart.

    Raises
    ------
    UsageError
        For 5,118 vertices in another order, without a mesh that tells it.
    """
    count = vertices.shape[1]
    if count in EXTENDED:
        return vertices[:, : FLAME.n_vertices]
    if count != DOUBLED:
        return vertices
    if uv_mesh is None:
        first = np.ascontiguousarray(vertices[:1, : FLAME.n_vertices], np.float32)
        codes = {found[0] for found in check_geometry(first, load_topology(FLAME.name))}
        if "wrong-vertex-order" in codes:
            raise UsageError(
                f"clip {clip}: {count} vertices, as many as FLAME has texture coordinates, in another order than "
                "FLAME's: an exporter doubled them at the seams; give the mesh with these coordinates, --uv-mesh "
                "head_template.obj (of DECA or of FLAME's texture space)"
            )
        return vertices[:, : FLAME.n_vertices]
    owners = read_owners(uv_mesh)
    first_copies = np.zeros(FLAME.n_vertices, np.int64)
    first_copies[owners[::-1]] = np.arange(DOUBLED)[::-1]
    reduced = vertices[:, first_copies]
    apart = float(np.abs(vertices[:1] - reduced[:1, owners]).max())
    if apart > _APART:
        told.append(
            f"clip {clip}: copies of one vertex lie {1000 * apart:.3g} mm apart: {uv_mesh.name} is not the mesh that "
            "these vertices were made with"
        )
    return reduced


@lru_cache(maxsize=4)
def read_owners(path: Path) -> np.ndarray:
    """Return which of FLAME's vertices each of the 5,118 texture coordinates of a mesh belongs to.

    Parameters
    ----------
    path : Path
        ``.obj`` whose polygons are ``f v/vt …``.

    Raises
    ------
    UsageError
        Where it is no such mesh of FLAME.
    """
    counts = f"{FLAME.n_vertices} vertices, {DOUBLED} texture coordinates"
    expected = f"expected an .obj of FLAME with polygons 'f v/vt …': {counts}"
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: more than {_MAX_BYTES >> 20} MB, {expected}")
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); {expected}") from None
    owners = np.full(DOUBLED, -1)
    try:
        for line in lines:
            if line.startswith("f "):
                for corner in line.split()[1:]:
                    vertex, coordinate = (int(number) - 1 for number in corner.split("/")[:2])
                    if not (0 <= vertex < FLAME.n_vertices and 0 <= coordinate < DOUBLED):
                        raise ValueError
                    owners[coordinate] = vertex
    except ValueError:
        raise UsageError(f"{path}: other polygons, {expected}") from None
    if (owners < 0).any() or len(np.unique(owners)) != FLAME.n_vertices:
        raise UsageError(f"{path}: its polygons do not name them all, {expected}")
    return owners
