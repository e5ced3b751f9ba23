"""Cutting the head out of the body: vertices, triangles, rings around the mouth, lids."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from openhead_head.source import GROUPS, Source

RINGS_INWARD = 5
LIP_RINGS = 8
#: Quads of the patches of the texture layout that are the mouth's inside, and the inside of a lid.
CAVITY_QUADS, LID_QUADS = 398, 293


@dataclass(frozen=True)
class Cut:
    """The head's mesh. Indices are the head's own but for *used* and *of_source*.

    Attributes
    ----------
    used : (V,) int
        Vertices of the source.
    of_source : (N,) int
        Vertex of the head for each of the source, -1 for those left out.
    triangles : (F, 3) int
    parts : (F,) int
        Group of each triangle.
    groups : (V,) uint8
        Group of each vertex.
    neck : list of int
        The loop along which the head was cut off.
    rings : dict of int to list of int
        Loops around the mouth opening.
    lids : list of list of int
        The loops of the two lids.
    cavity_quads : (n, 4) int
        Of the mouth's inside.
    neighbours : dict of int to set of int
        Vertices that share an edge of the skin.
    """

    used: np.ndarray
    of_source: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray
    groups: np.ndarray
    neck: list[int]
    rings: dict[int, list[int]]
    lids: list[list[int]]
    cavity_quads: np.ndarray
    neighbours: dict[int, set[int]]

    @property
    def cavity(self) -> np.ndarray:
        """Vertices of the mouth's inside."""
        return np.unique(self.cavity_quads)

    @property
    def body(self) -> np.ndarray:
        """Vertices that are neither eye, tooth nor tongue."""
        return np.nonzero(self.groups == 0)[0]


def cut_head(source: Source) -> Cut:
    keep = head_vertices(source)
    triangles, parts = list_triangles(source, keep)
    used = np.unique(triangles)
    of_source = np.full(len(source.vertices), -1)
    of_source[used] = np.arange(len(used))
    groups = np.zeros(len(used), np.uint8)
    for part, group in enumerate(GROUPS[1:], 1):
        groups[of_source[np.unique(source.faces[group])]] = part

    quads = source.faces["body"]
    head_quads = of_source[quads][keep[quads].all(1)]
    islands = texture_islands(source)
    (cavity,) = (k for k in islands if len(k) == CAVITY_QUADS)
    lids = [boundary_loop(quads[k]) for k in islands if len(k) == LID_QUADS]
    return Cut(
        used=used,
        of_source=of_source,
        triangles=of_source[triangles],
        parts=parts,
        groups=groups,
        neck=boundary_loop(head_quads),
        rings={k: of_source[ring].tolist() for k, ring in mouth_rings(source, cavity).items()},
        lids=[of_source[loop].tolist() for loop in lids],
        cavity_quads=of_source[quads[cavity]],
        neighbours=find_neighbours(head_quads),
    )


def list_triangles(source: Source, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangles of the head and of all other groups, and the group of each."""
    triangles, parts = [], []
    for part, group in enumerate(GROUPS):
        for a, b, c, d in source.faces[group].tolist():
            if part > 0 or keep[[a, b, c, d]].all():
                triangles += [(a, b, c), (a, c, d)]
                parts += [part, part]
    return np.array(triangles), np.array(parts)


def find_neighbours(quads: np.ndarray) -> dict[int, set[int]]:
    neighbours: dict[int, set[int]] = defaultdict(set)
    for quad in quads.tolist():
        for i in range(4):
            neighbours[quad[i]] |= {quad[i - 1], quad[(i + 1) % 4]}
    return neighbours


def head_vertices(source: Source) -> np.ndarray:
    """Mask of the vertices that the rig moves mostly with the neck and everything above it."""
    weights = json.loads(source.text("mpfb2/rigs/standard/weights.default.json"))["weights"]
    rig = json.loads(source.text("mpfb2/rigs/standard/rig.default.json"))
    bones = rig.get("bones", rig)
    parent = {name: bone.get("parent") for name, bone in bones.items() if isinstance(bone, dict)}

    def above_neck(bone: str | None) -> bool:
        while bone and bone != "neck01":
            bone = parent.get(bone)
        return bool(bone)

    share = np.zeros(len(source.vertices))
    for bone, pairs in weights.items():
        if above_neck(bone):
            for index, weight in pairs:
                share[index] += weight
    return (share > 0.5) & (source.vertices[:, 1] > 5.55)


def texture_islands(source: Source) -> list[np.ndarray]:
    """Group the body faces that hang together in the texture layout."""
    faces = source.texture_faces["body"]
    label = np.arange(int(faces.max()) + 1)
    while True:
        low = label[faces].min(1)
        before = label.copy()
        for corner in faces.T:
            np.minimum.at(label, corner, low)
        label = label[label]
        if np.array_equal(before, label):
            break
    of_face = label[faces[:, 0]]
    return [np.nonzero(of_face == value)[0] for value in np.unique(of_face)]


def boundary_loop(faces: np.ndarray) -> list[int]:
    """Return the only boundary loop of a patch of quads, ordered, starting anywhere."""
    directed = {(f[i], f[(i + 1) % 4]) for f in faces.tolist() for i in range(4)}
    following = {a: b for a, b in directed if (b, a) not in directed}
    start = min(following)
    loop = [start]
    while following[loop[-1]] != start:
        loop.append(following[loop[-1]])
    if len(loop) != len(following):
        raise SystemExit("the patch has more than one boundary loop")
    return loop


def next_ring(ring: list[int], faces: np.ndarray, of_edge: dict, done: set[int]) -> list[int]:
    """Ring one row of quads further, on the side whose faces aren't in *done* (which grows)."""
    following = []
    for a, b in zip(ring, ring[1:] + ring[:1]):
        (face,) = (k for k in of_edge[frozenset((a, b))] if k not in done)
        quad = faces[face].tolist()
        i = quad.index(a)
        following.append(next(v for v in (quad[(i + 1) % 4], quad[(i - 1) % 4]) if v != b))
        done.add(face)
    return following


def mouth_rings(source: Source, cavity: np.ndarray) -> dict[int, list[int]]:
    """Rings -RINGS_INWARD..LIP_RINGS around the mouth opening; element 0 is on the viewer-left corner.

    The order runs along the upper lip to the viewer's right and back along the lower lip.
    """
    faces = source.faces["body"]
    of_edge: dict[frozenset, list[int]] = defaultdict(list)
    for k, quad in enumerate(faces.tolist()):
        for i in range(4):
            of_edge[frozenset((quad[i], quad[(i + 1) % 4]))].append(k)
    loop = boundary_loop(faces[cavity])
    x, y = source.vertices[loop, 0], source.vertices[loop, 1]
    start = int(np.argmin(x))
    loop = loop[start:] + loop[:start]
    if source.vertices[loop[5], 1] < y[start]:
        loop = [loop[0], *loop[:0:-1]]
    rings = {0: loop}
    done = set(cavity.tolist())
    for k in range(1, LIP_RINGS + 1):
        rings[k] = next_ring(rings[k - 1], faces, of_edge, done)
    done = set(range(len(faces))) - set(cavity.tolist())
    for k in range(1, RINGS_INWARD + 1):
        rings[-k] = next_ring(rings[1 - k], faces, of_edge, done)
    return rings
