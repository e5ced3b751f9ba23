"""The bundled head's facial units on another face: the user's FLAME template.

Conventions
-----------
Metres, y up, z out of the face; unit curves as in :mod:`mtbench.faces.head`. Nothing of the template is kept beyond
the process. FLAME has neither teeth nor tongue: the mouth's opening shows the dark insides of the lips and the
background. Lips are sealed by the same corrective as the bundled head's, along FLAME's own line where the lips
meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import Head, MouthMesh, SparseShapes, Topology, draw_local_weights, load_head
from mtbench.synth.face_mesh import make_face, make_lip_contact
from mtbench.synth.transfer import match_eyes, match_faces

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Displacements below this (metres) are left out.
_SMALLEST = 1e-5
#: Standard deviations of a random face: logarithm of the size along each axis, and smooth offsets in metres.
_STRETCH, _BUMP = 0.04, 0.0012
#: Smooth offsets of a random face, and their reach in metres.
_BUMPS, _BUMP_REACH = 8, (0.02, 0.05)
#: Gray of clay.
_CLAY = 0.7
#: Parts, named as the bundled head's.
_PARTS = ("body", "left-eye", "right-eye")


@dataclass(frozen=True, eq=False)
class TransferredHead(Head):
    """Another face that is animated by the bundled head's units.

    Everything works as on :class:`mtbench.faces.head.Head`; the identities and local shapes are the bundled head's,
    carried over to this face. ``topology.name`` tells the mesh.
    """

    def random_identity(self, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
        """Draw a face: the template plus the bundled head's shapes, stretches and smooth offsets.

        Parameters
        ----------
        rng : numpy.random.Generator
        strength : float
            0 gives the template, 1 ordinary faces, 2 caricatures.

        Returns
        -------
        (V, 3) float32
            Metres, the eyes where the template has them; the lips are as closed as the template's.
        """
        share = rng.dirichlet(np.full(len(self.identity_names), 0.35))
        local = draw_local_weights(self.local_names, rng)
        shape = self.neutral.astype(np.float64)
        for weight, delta in zip(strength * share, self.identity_deltas, strict=True):
            shape += weight * delta
        for k in np.flatnonzero(local):
            rows = self.local_shapes.rows(int(k))
            shape[self.local_shapes.vertices[rows]] += strength * local[k] * self.local_shapes.values[rows]
        stretch = np.exp(strength * rng.normal(0.0, _STRETCH, 3))
        offset = np.zeros_like(shape)
        for _ in range(_BUMPS):
            center = self.neutral[self._seen[rng.integers(len(self._seen))]]
            reach, push = rng.uniform(*_BUMP_REACH), rng.normal(0.0, _BUMP, 3)
            # Smooth over the whole mouth, so that both lips move alike.
            offset += np.exp(-0.5 * (((self.neutral - center) / reach) ** 2).sum(1))[:, None] * push
        shape = (shape + strength * offset) * stretch
        shape = self._rest_lips(shape.astype(np.float32))
        return shape - (self._eyes(shape) - self._eyes(self.neutral)).astype(np.float32)

    @cached_property
    def _seen(self) -> np.ndarray:
        return np.unique(self.mouth_triangles())

    def _eyes(self, shape: np.ndarray) -> np.ndarray:
        corners = shape[self.topology.landmarks[1:5]]
        return (corners.min(0) + corners.max(0)) / 2

    def _rest_lips(self, shape: np.ndarray) -> np.ndarray:
        """Give a resting face the template's gap between the lips: shapes move both lips, but not quite alike."""
        c = self.contact
        wanted = c.gap(self.neutral[:, 1])
        for _ in range(8):
            excess = c.gap(shape[:, 1]) - wanted
            along = excess[c.pair] + c.blend * (excess[c.pair + 1] - excess[c.pair])
            shape[c.vertices, 1] += c.weight * along
        return shape

    def mouth_mesh(self, teeth: bool = False, tongue: bool = False) -> MouthMesh:
        """Return what bulk rendering of mouth crops needs; there are neither teeth nor a tongue to include."""
        used, triangles = np.unique(self.mouth_triangles(teeth, tongue), return_inverse=True)
        assert self.topology.oral is not None
        return MouthMesh(
            used.astype(np.int32),
            triangles.reshape(-1, 3).astype(np.int32),
            np.full((len(used), 3), _CLAY, np.float32),
            self.topology.oral[used],
        )


def transfer_head(topology: Topology) -> TransferredHead:
    """Carry the bundled head's units, identities and local shapes over to another face.

    Parameters
    ----------
    topology : Topology
        With triangles, ``neutral`` (metres, lips closed, looking along +z), ``landmarks``, and the region
        ``inner_lips`` ordered as the bundled head's. Separate parts (eyeballs) are allowed.

    Returns
    -------
    TransferredHead
    """
    head = load_head()
    assert topology.neutral is not None
    part = _find_parts(topology)
    source = make_face(head.topology, head.topology.triangles[head.part == 0], head.neutral)
    target = make_face(topology, topology.triangles[part == 0], topology.neutral)
    mapping, scale = match_faces(source, target)
    mapping = mapping + _match_eyeballs(head, topology, part)

    def carry(shapes: np.ndarray) -> np.ndarray:
        flat = shapes.transpose(1, 0, 2).reshape(shapes.shape[1], -1).astype(np.float64)
        moved = scale * (mapping @ flat)
        return moved.reshape(-1, len(shapes), 3).transpose(1, 0, 2).astype(np.float32)

    return TransferredHead(
        topology=replace(
            topology, albedo=None, oral=target.inside if topology.oral is None else topology.oral
        ),
        unit_names=head.unit_names,
        identity_names=head.identity_names,
        identity_deltas=carry(head.identity_deltas),
        local_names=head.local_names,
        part=part,
        part_names=_PARTS,
        units=_sparse(carry(head.unit_deltas)),
        local_shapes=_sparse(carry(head.local_deltas)),
        contact=make_lip_contact(target, scale, float(head.contact.overlap)),
    )


def _find_parts(topology: Topology) -> np.ndarray:
    """Return the part of each triangle, (F,) uint8: 0 the surface with the lips, else an eyeball's by its side."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    assert topology.neutral is not None
    t = topology.triangles.astype(np.int64)
    count = topology.n_vertices
    ends = np.concatenate([t[:, 1], t[:, 2]])
    graph = coo_matrix((np.ones(2 * len(t)), (np.tile(t[:, 0], 2), ends)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    skin = label[t[:, 0]] == label[topology.region("inner_lips")[0]]
    left = topology.neutral[t].mean(axis=1)[:, 0] > 0  # the character's left is the viewer's right
    return np.where(skin, 0, np.where(left, 1, 2)).astype(np.uint8)


def _match_eyeballs(head: Head, topology: Topology, part: np.ndarray) -> csr_matrix:
    """Return (V, V_head) that moves the eyeballs like the bundled head's."""
    from scipy.sparse import csr_matrix

    assert topology.neutral is not None
    rows, columns = [], []
    for k, name in enumerate(_PARTS[1:], 1):
        mine = np.unique(topology.triangles[part == k])
        theirs = np.unique(head.topology.triangles[head.part == head.part_names.index(name)])
        if len(mine):
            rows.append(mine)
            columns.append(theirs[match_eyes(head.neutral[theirs], topology.neutral[mine])])
    shape = (topology.n_vertices, head.topology.n_vertices)
    if not rows:
        return csr_matrix(shape)
    entries = np.concatenate(rows), np.concatenate(columns)
    return csr_matrix((np.ones(len(entries[0])), entries), shape=shape)


def _sparse(dense: np.ndarray) -> SparseShapes:
    moved = np.abs(dense).max(axis=2) > _SMALLEST
    shape, vertex = np.nonzero(moved)
    offsets = np.concatenate([[0], np.cumsum(moved.sum(axis=1))]).astype(np.int64)
    return SparseShapes(offsets, vertex.astype(np.int32), np.ascontiguousarray(dense[shape, vertex]))


def load_transferred_head(
    template: np.ndarray | str | Path | None = None, faces: np.ndarray | str | Path | None = None
) -> TransferredHead:
    """Transfer the bundled head's units to a FLAME template.

    Parameters
    ----------
    template : (5023, 3) array, path or None
        Resting face in metres: an array, a ``.npy`` of one, or any file that ``mtbench assets add flame``
        takes (these bring their triangles). None takes the registered asset.
    faces : (F, 3) array or path, optional
        FLAME's triangles (with or without those of the eyeballs), or a ``.npy`` of them; by default those of
        *template* or of the registered asset.

    Returns
    -------
    TransferredHead
        Topology ``flame-5023``.

    Raises
    ------
    PrerequisiteError
        Where triangles or the template are needed and none are registered.
    UsageError
        Where a file or an array is not FLAME's.
    """
    from mtbench.faces import (
        WHERE_TO_GET,
        check_flame_arrays,
        flame_asset_stamp,
        flame_topology,
        index_lists,
        require_triangles,
        vertices_behind,
    )

    if template is None and faces is None:
        require_triangles()
        return _transfer_registered(flame_asset_stamp())
    found = None
    if isinstance(template, (str, Path)):
        template, found = _read_template(Path(template))
    elif template is None:
        template = require_triangles().neutral
    if isinstance(faces, (str, Path)):
        faces = _read_array(Path(faces))
    if faces is None:
        faces = found if found is not None else require_triangles().triangles
    assert template is not None
    try:
        arrays = check_flame_arrays({"v_template": np.asarray(template), "f": np.asarray(faces)})
    except ValueError as error:
        raise UsageError(f"these are no FLAME template and triangles: {error}. {WHERE_TO_GET}") from None
    lips = index_lists()["regions"]["inner_lips"]
    topology = replace(
        flame_topology(),
        triangles=arrays["triangles"],
        neutral=arrays["template"].astype(np.float32),
        oral=vertices_behind(arrays["triangles"], np.array(lips, np.int32)),
    )
    return transfer_head(topology)


@lru_cache(maxsize=1)
def _transfer_registered(stamp: tuple) -> TransferredHead:
    """Transfer to the registered asset; *stamp* changes whenever that does."""
    from mtbench.faces import require_triangles

    return transfer_head(require_triangles())


def _read_template(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    from mtbench.faces import read_flame_file

    if path.suffix == ".npy":
        return _read_array(path), None
    arrays = read_flame_file(path)
    return arrays["template"], arrays["triangles"]


def _read_array(path: Path) -> np.ndarray:
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise UsageError(f"{path} is not an array as numpy saves it: {error}") from None
