"""Correspondence between the bundled head and another face mesh: which point of the one is which of the other.

Conventions
-----------
Metres, y up, z out of the face. *Source* is the bundled head, *target* the mesh that shall move like it. Both
faces look along +z, so that a displacement keeps its direction: only position and size are aligned, nothing is
turned. A smooth warp (thin-plate spline in space) lays the target over the source, guided by the landmarks of
the mouth crop, the line where the lips meet, and the tips of nose and chin; then every target vertex takes the
closest point of the source's surface that looks the same way. Upper and lower lip, and skin and the lips'
insides, are kept apart throughout: they touch, but they move in opposite directions. The lips' insides follow
the skin in front of them.

The solution of the spline uses LAPACK; its last digits may depend on the machine, by far less than a
micrometre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtbench.synth.face_mesh import Face

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: How much worse (metres) a surface is that looks the other way: the distance's allowance for the normal.
_NORMAL_COST = 0.012
#: Triangles by nearest center among which the closest point is searched.
_CANDIDATES = 24
#: Landmarks of nose, eyes and the lips' outer edge come first.
_OUTER = 17
#: How many skin vertices lead one of the lips' insides, and how far (metres) behind the nearest they may be.
_SLAB, _SLAB_REACH = 8, 0.006
#: Smoothness of the warp at landmarks and at free surface points (metres, the spline's kernel is a distance).
_STIFF, _SOFT = 2e-4, 2e-2
#: Free surface points, and how often they are matched anew.
_FREE_POINTS, _ROUNDS = 160, 3


def match_faces(source: Face, target: Face) -> tuple[csr_matrix, float]:
    """Find where every vertex of *target* lies on *source*.

    Parameters
    ----------
    source, target : Face
        The bundled head and the mesh that shall move like it.

    Returns
    -------
    mapping : (V_target, V_source) sparse matrix
        Rows are the weights (of sum 1) of at most three source vertices; a row is empty for a vertex that
        *target*'s triangles don't use.
    scale : float
        Size of the target relative to the source; displacements have to be multiplied by it.
    """
    from scipy.sparse import csr_matrix

    scale = _size(target) / _size(source)
    anchors, goals = _guides(source, target)
    goals_mean, anchors_mean = goals.mean(0), anchors.mean(0)
    points = (target.vertices - anchors_mean) / scale + goals_mean
    anchors = (anchors - anchors_mean) / scale + goals_mean
    warp = _Spline(anchors, goals, np.full(len(anchors), _STIFF))
    free = _free_points(target, scale)
    for _ in range(_ROUNDS):
        warped = np.full_like(points, np.nan)
        warped[free] = warp(points[free])
        hit, weights = _closest(source, target, warped, free)
        found = (source.vertices[hit] * weights[..., None]).sum(1)
        # Where the surfaces don't match (hair line, ears), nothing shall pull.
        near = np.linalg.norm(found - warped[free], axis=1) < 0.012
        warp = _Spline(
            np.concatenate([anchors, points[free][near]]),
            np.concatenate([goals, found[near]]),
            np.concatenate([np.full(len(anchors), _STIFF), np.full(int(near.sum()), _SOFT)]),
        )
    skin = np.flatnonzero(target.used & ~target.inside)
    hit, weights = _closest(source, target, warp(points), skin)
    rows, columns, values = np.repeat(skin, 3), hit.ravel(), weights.ravel()
    # The line where the lips meet goes to its counterpart exactly: the lips' closure rests on it.
    for mine, theirs in ((target.upper, source.upper), (target.lower, source.lower)):
        left, share = _along_line(target.vertices[mine], source.vertices[theirs])
        keep = ~np.isin(rows, mine)
        rows = np.concatenate([rows[keep], mine, mine])
        columns = np.concatenate([columns[keep], theirs[left], theirs[left + 1]])
        values = np.concatenate([values[keep], 1 - share, share])
    shape = (len(target.vertices), len(source.vertices))
    mapping = csr_matrix((values, (rows, columns)), shape=shape)
    return _follow_skin(target) @ mapping, scale


def _follow_skin(target: Face) -> csr_matrix:
    """Return (V, V) that gives the lips' insides what the skin in front of them has.

    The insides of two heads have little in common (FLAME's end a centimeter behind the lips); moved on their
    own they would come out between the lips or through them. So a lip moves as the slab that it is.
    """
    from scipy.sparse import csr_matrix
    from scipy.spatial import cKDTree

    v, count = target.vertices, len(target.vertices)
    skin = target.used & ~target.inside
    way = target.lip_distances
    upper = way[0] < way[1]
    others = np.flatnonzero(~target.inside)
    rows, columns, values = [others], [others], [np.ones(len(others))]
    for side in (upper, ~upper):
        inside, pool = np.flatnonzero(target.inside & side), np.flatnonzero(skin & side)
        away, nearest = cKDTree(v[pool]).query(v[inside], k=_SLAB)
        # Weighted by how much farther than the nearest they are: smooth, and continuous at the line itself.
        share = np.exp(-0.5 * ((away**2 - away[:, :1] ** 2) / _SLAB_REACH**2))
        rows.append(np.repeat(inside, _SLAB))
        columns.append(pool[nearest].ravel())
        values.append((share / share.sum(axis=1, keepdims=True)).ravel())
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return csr_matrix(entries, shape=(count, count))


def match_eyes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Find the vertex of the eyeball *source* that belongs to each of the eyeball *target*: (n,) int64.

    Both are brought to the same center and size; eyes look along +z.
    """
    from scipy.spatial import cKDTree

    def normed(ball: np.ndarray) -> np.ndarray:
        low, high = ball.min(0), ball.max(0)
        return (ball - (low + high) / 2) / np.maximum(high - low, 1e-9).max()

    return cKDTree(normed(source)).query(normed(target))[1].astype(np.int64)


def _size(face: Face) -> float:
    """Mean of the mouth's width, the eyes' distance and the height from mouth to eyes, by the landmarks."""
    p = face.vertices[face.landmarks]
    eyes, width = p[1:5], np.linalg.norm(p[11] - p[5])
    height = eyes[:, 1].mean() - (p[5, 1] + p[11, 1]) / 2
    span = np.linalg.norm((eyes[2] + eyes[3] - eyes[0] - eyes[1]) / 2)
    return float((width + height + span) / 3)


def _guides(source: Face, target: Face) -> tuple[np.ndarray, np.ndarray]:
    """Return points of *target* and where they belong on *source*, (n, 3) each."""
    # The inner lips' landmarks are left out: meshes put them at different places along the line.
    here = [target.vertices[target.landmarks[:_OUTER]], _tips(target)]
    there = [source.vertices[source.landmarks[:_OUTER]], _tips(source)]
    # Both lines have both corners, but the spline must not have a point twice.
    for mine, theirs, which in (
        (target.upper, source.upper, slice(None)),
        (target.lower, source.lower, slice(1, -1)),
    ):
        left, share = _along_line(target.vertices[mine], source.vertices[theirs])
        a, b = source.vertices[theirs[left]], source.vertices[theirs[left + 1]]
        here.append(target.vertices[mine[which]])
        there.append((a + share[:, None] * (b - a))[which])
    return np.concatenate(here), np.concatenate(there)


def _tips(face: Face) -> np.ndarray:
    """Return the tip of the nose and the foremost and the lowest point of the chin, (3, 3)."""
    v = face.vertices
    p = v[face.landmarks]
    width = np.linalg.norm(p[11] - p[5])
    middle = (p[5] + p[11]) / 2
    near = face.used & (np.abs(v[:, 0] - middle[0]) < 0.25 * width)
    below = near & (v[:, 1] < p[14, 1] - 0.25 * width) & (v[:, 1] > middle[1] - 1.2 * width)
    nose = near & (v[:, 1] > p[0, 1]) & (v[:, 1] < p[1:5, 1].mean())
    return np.stack(
        [
            v[nose][np.argmax(v[nose, 2])],
            v[below][np.argmax(v[below, 2])],
            v[below][np.argmax(v[below, 2] - v[below, 1])],
        ]
    )


def _along_line(mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find points of the polyline *mine* on *theirs* at the same share of the length: segment and share."""

    def shares(line: np.ndarray) -> np.ndarray:
        way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        return way / way[-1]

    at, marks = shares(mine), shares(theirs)
    left = np.clip(np.searchsorted(marks, at, side="right") - 1, 0, len(marks) - 2)
    return left, np.clip((at - marks[left]) / (marks[left + 1] - marks[left]), 0.0, 1.0)


def _free_points(target: Face, scale: float) -> np.ndarray:
    """Choose evenly spread skin vertices of the front of the face, away from lips, eyes and nose."""
    p = target.vertices[target.landmarks]
    mouth = (p[5] + p[11]) / 2
    v = target.vertices
    candidates = target.used & ~target.inside & (target.normals[:, 2] > 0.1)
    candidates &= np.abs(v[:, 1] - mouth[1]) < 0.085 * scale
    candidates &= np.abs(v[:, 0] - mouth[0]) < 0.07 * scale
    candidates &= v[:, 2] > p[1:5, 2].mean() - 0.06 * scale
    for landmark in p:
        candidates &= np.linalg.norm(v - landmark, axis=1) > 0.008 * scale
    pool = np.flatnonzero(candidates)
    # Farthest-point sampling, from the vertex farthest from the landmarks.
    distance = np.min(np.linalg.norm(v[pool, None] - p[None], axis=2), axis=1)
    chosen = []
    for _ in range(min(_FREE_POINTS, len(pool))):
        best = int(np.argmax(distance))
        chosen.append(pool[best])
        distance = np.minimum(distance, np.linalg.norm(v[pool] - v[pool[best]], axis=1))
    return np.array(chosen, np.int64)


class _Spline:
    """Smoothing thin-plate spline in space (kernel: minus the distance) plus an affine map."""

    def __init__(self, points: np.ndarray, goals: np.ndarray, smoothness: np.ndarray) -> None:
        n = len(points)
        system = np.zeros((n + 4, n + 4))
        system[:n, :n] = -np.linalg.norm(points[:, None] - points[None], axis=2)
        system[np.arange(n), np.arange(n)] += smoothness
        system[:n, n], system[:n, n + 1 :] = 1.0, points
        system[n:, :n] = system[:n, n:].T
        right = np.zeros((n + 4, 3))
        right[:n] = goals
        self._points, self._solution = points, np.linalg.solve(system, right)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        n = len(self._points)
        out = self._solution[n] + x @ self._solution[n + 1 :]
        for i in range(n):
            out -= np.linalg.norm(x - self._points[i], axis=1)[:, None] * self._solution[i]
        return out


def _closest(
    source: Face, target: Face, warped: np.ndarray, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the closest compatible skin points of *source* for skin vertices *which* of *target*, at *warped*.

    Returns
    -------
    hit : (n, 3) int64
        Source vertices.
    weights : (n, 3) float64
        Their shares.
    """
    from scipy.spatial import cKDTree

    triangles = source.triangles
    skin = ~source.inside[triangles].any(axis=1)
    centers = source.vertices[triangles].mean(axis=1)
    normals = source.normals[triangles].mean(axis=1)
    hit, weights = np.zeros((len(which), 3), np.int64), np.zeros((len(which), 3))
    may = target.sides[:, which]
    for upper, lower in ((True, True), (True, False), (False, True)):
        mine = np.flatnonzero((may[0] == upper) & (may[1] == lower))
        if not len(mine):
            continue
        # A vertex of one side looks among that side's triangles only.
        allowed = skin.copy()
        if not (upper and lower):
            allowed &= source.sides[0 if upper else 1][triangles].all(axis=1)
        pool = np.flatnonzero(allowed)
        points, look = warped[which[mine]], target.normals[which[mine]]
        count = min(_CANDIDATES, len(pool))
        _, nearest = cKDTree(centers[pool]).query(points, k=count)
        candidates = pool[nearest.reshape(len(mine), count)]
        share = _barycentric(points[:, None], source.vertices[triangles[candidates]])
        at = (source.vertices[triangles[candidates]] * share[..., None]).sum(2)
        cost = np.linalg.norm(at - points[:, None], axis=2)
        cost += _NORMAL_COST * (1 - (normals[candidates] * look[:, None]).sum(2)) / 2
        best = np.argmin(cost, axis=1)
        row = np.arange(len(mine))
        hit[mine], weights[mine] = triangles[candidates[row, best]], share[row, best]
    return hit, weights


def _barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the shares (..., 3) of *corners* (..., 3, 3) in the triangle's point closest to *points* (..., 3)."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    wu, wv = (w * u).sum(-1), (w * v).sum(-1)
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    s, t = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    inner = np.stack([1 - s - t, s, t], -1)
    edge_best, edge_distance = np.zeros_like(inner), np.full(s.shape, np.inf)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        p, q = corners[..., i, :], corners[..., j, :]
        along = q - p
        k = np.clip(((points - p) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-30), 0.0, 1.0)
        away = np.linalg.norm(p + k[..., None] * along - points, axis=-1)
        better = away < edge_distance
        share = np.zeros_like(inner)
        share[..., i], share[..., j] = 1 - k, k
        edge_best = np.where(better[..., None], share, edge_best)
        edge_distance = np.where(better, away, edge_distance)
    return np.where((inner >= 0).all(-1, keepdims=True), inner, edge_best)
