"""A face mesh as the transfer of facial units sees it: skin, the lips' insides, and which lip is which.

Conventions
-----------
Metres, y up, z out of the face. The *line* is where the lips of the resting face meet, once along the upper lip
and once along the lower, both from the viewer-left corner to the viewer-right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtbench.faces import Contact, Topology

#: Vertices as far as this (metres) from both lips, or nearer to neither by more than ``_TIE``, belong to both.
_FAR, _TIE = 0.035, 0.002
#: Reach of the lips' sealing around the line where they meet, metres on the bundled head.
_SEAL_REACH = 0.003


@dataclass(frozen=True, eq=False)
class Face:
    """A face mesh with what the correspondence needs to know about its lips.

    Attributes
    ----------
    vertices : (V, 3) float64
        The resting face with closed lips, metres.
    triangles : (F, 3) int64
        Skin and the lips' insides, one connected surface; no eyeballs, teeth or tongue.
    landmarks : (25,) int64
        As :data:`mtbench.faces.topology.LANDMARKS`.
    upper, lower : (n,) int64
        The line where the lips meet, from the viewer-left corner to the viewer-right; both have both corners.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    landmarks: np.ndarray
    upper: np.ndarray
    lower: np.ndarray

    @cached_property
    def normals(self) -> np.ndarray:
        """Unit normals of the vertices, (V, 3); zero where no triangle is."""
        corners = self.vertices[self.triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        total = np.zeros_like(self.vertices)
        for k in range(3):
            np.add.at(total, self.triangles[:, k], normal)
        return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-18)

    @cached_property
    def edges(self) -> np.ndarray:
        """Unique edges, (E, 2)."""
        t = self.triangles
        pairs = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
        return np.unique(np.sort(pairs, axis=1), axis=0)

    @cached_property
    def used(self) -> np.ndarray:
        """Vertices of the surface, (V,) bool."""
        mask = np.zeros(len(self.vertices), bool)
        mask[self.triangles] = True
        return mask

    @cached_property
    def inside(self) -> np.ndarray:
        """Vertices behind the line where the lips meet, (V,) bool; the line itself isn't."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        count = len(self.vertices)
        line = np.zeros(count, bool)
        line[self.upper], line[self.lower] = True, True
        kept = self.edges[~line[self.edges].any(axis=1)]
        graph = coo_matrix((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(count, count))
        _, label = connected_components(graph, directed=False)
        skin = np.argmax(np.bincount(label[self.used & ~line]))
        return self.used & ~line & (label != skin)

    @cached_property
    def lip_distances(self) -> np.ndarray:
        """Way along the surface from the upper and from the lower lip's line, (2, V), metres; inf if none."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import dijkstra

        a, b = self.edges.T
        length = np.linalg.norm(self.vertices[a] - self.vertices[b], axis=1)
        count = len(self.vertices)
        graph = coo_matrix((length, (a, b)), shape=(count, count)).tocsr()
        return np.stack(
            [
                dijkstra(graph, directed=False, indices=line[1:-1], min_only=True)
                for line in (self.upper, self.lower)
            ]
        )

    @cached_property
    def sides(self) -> np.ndarray:
        """Whether a vertex may belong to the upper and to the lower lip's side, (2, V) bool."""
        upper, lower = self.lip_distances
        with np.errstate(invalid="ignore"):
            difference = np.nan_to_num(upper - lower)
        free = np.minimum(upper, lower) > _FAR
        return np.stack([free | (difference <= _TIE), free | (difference >= -_TIE)])


def make_face(topology: Topology, triangles: np.ndarray, vertices: np.ndarray) -> Face:
    """Describe a mesh.

    Parameters
    ----------
    topology : Topology
        With ``landmarks`` and the region ``inner_lips``: the loop from the viewer-left corner along the upper
        lip and back along the lower.
    triangles : (F, 3) int
        Its skin and the lips' insides.
    vertices : (V, 3) float
        Resting face, metres.
    """
    loop = topology.region("inner_lips").astype(np.int64)
    right = int(np.argmax(vertices[loop, 0]))
    return Face(
        np.asarray(vertices, np.float64),
        np.asarray(triangles, np.int64),
        topology.landmarks.astype(np.int64),
        loop[: right + 1],
        np.concatenate([loop[:1], loop[: right - 1 : -1]]),
    )


def make_lip_contact(face: Face, scale: float, overlap: float) -> Contact:
    """Pair the points of both lips that meet, and say what moves with them when the lips are sealed.

    Parameters
    ----------
    face : Face
    scale : float
        Size of the face relative to the bundled head.
    overlap : float
        How far sealed lips overlap on the bundled head, metres.

    Returns
    -------
    Contact
        One pair for each vertex of the upper line between the corners.
    """
    v = face.vertices
    upper, lower = face.upper[1:-1], face.lower
    # Lines turn back by fractions of a millimetre next to the corners: a rising copy keeps the search simple.
    upper_x, lower_x = np.maximum.accumulate(v[upper, 0]), np.maximum.accumulate(v[lower, 0])
    k = np.clip(np.searchsorted(lower_x, upper_x, side="right") - 1, 0, len(lower) - 2)
    t = np.clip((upper_x - lower_x[k]) / np.maximum(lower_x[k + 1] - lower_x[k], 1e-9), 0, 1)
    way = face.lip_distances
    reach = scale * _SEAL_REACH
    falloff = np.exp(-0.5 * (way.min(0) / reach) ** 2)
    moving = np.flatnonzero(falloff > 0.01)
    moving = moving[~np.isin(moving, face.upper[[0, -1]])]
    sign = np.where(way[0, moving] < way[1, moving], -0.5, 0.5)
    pair = np.clip(np.searchsorted(upper_x, v[moving, 0], side="right") - 1, 0, len(upper) - 2)
    width = np.maximum(upper_x[pair + 1] - upper_x[pair], 1e-9)
    blend = np.clip((v[moving, 0] - upper_x[pair]) / width, 0, 1)
    return Contact(
        upper=upper.astype(np.int32),
        lower=np.stack([lower[k], lower[k + 1]], 1).astype(np.int32),
        t=t.astype(np.float32),
        vertices=moving.astype(np.int32),
        pair=pair.astype(np.int32),
        blend=blend.astype(np.float32),
        weight=(sign * falloff[moving]).astype(np.float32),
        overlap=np.float32(scale * overlap),
    )
