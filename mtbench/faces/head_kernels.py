"""Compiled inner loop of :mod:`mtbench.faces.head`.

Conventions
-----------
Single precision, no fast-math, one fixed order of additions for every vertex: the same bytes whatever the
machine, the number of threads or the number of frames per call. Vertices are metres; indices are local to the
vertex subset that the caller chose.
"""

from __future__ import annotations

import numpy as np

from mtbench.work import njit_cached


@njit_cached(nogil=True)
def pose_frames(
    curves,
    base,
    offsets,
    vertices,
    deltas,
    seal_unit,
    jaw_unit,
    close_unit,
    upper,
    lower,
    lower_t,
    seal_vertices,
    seal_pair,
    seal_blend,
    seal_weight,
    overlap,
    out,
):
    """Add weighted unit offsets to *base* and close the lips as far as the seal unit asks; fill *out*.

    Parameters
    ----------
    curves : (T, U) float32
    base : (n, 3) float32
        Identity at the chosen vertices, those of *out* first.
    offsets, vertices, deltas : (U+1,) int64, (N,) int32, (N, 3) float32
        Sparse units.
    seal_unit, jaw_unit, close_unit : int
        Columns of ``lipSeal``, ``jawOpen`` and ``mouthClose``.
    upper, lower, lower_t : (P,), (P, 2) int32, (P,) float32
        Contact pairs.
    seal_vertices, seal_pair, seal_blend, seal_weight : (S,)
        What moves with the pairs; *seal_weight* is signed (negative: downwards).
    overlap : float32
        How far sealed lips overlap, metres.
    out : (T, m, 3) float32
        m <= n.
    """
    one = np.float32(1.0)
    n = base.shape[0]
    m = out.shape[1]
    n_pairs = upper.shape[0]
    work = np.empty((n, 3), np.float32)
    excess = np.empty(n_pairs, np.float32)
    for t in range(curves.shape[0]):
        for i in range(n):
            work[i, 0] = base[i, 0]
            work[i, 1] = base[i, 1]
            work[i, 2] = base[i, 2]
        seal = min(max(curves[t, seal_unit], np.float32(0.0)), one)
        for u in range(curves.shape[1]):
            w = curves[t, u]
            if u == close_unit:
                jaw = curves[t, jaw_unit]
                if jaw > w:
                    w = w + seal * (jaw - w)
            if w == np.float32(0.0) or u == seal_unit:
                continue
            for k in range(offsets[u], offsets[u + 1]):
                v = vertices[k]
                work[v, 0] += w * deltas[k, 0]
                work[v, 1] += w * deltas[k, 1]
                work[v, 2] += w * deltas[k, 2]
        if seal > np.float32(0.0) and n_pairs > 0:
            # The lower lip's contact points lie between mesh vertices, hence more than one sweep.
            for _ in range(3):
                for p in range(n_pairs):
                    a = lower[p, 0]
                    b = lower[p, 1]
                    low = work[a, 1] + lower_t[p] * (work[b, 1] - work[a, 1])
                    excess[p] = max(work[upper[p], 1] - low + overlap, np.float32(0.0)) * seal
                for i in range(seal_vertices.shape[0]):
                    p = seal_pair[i]
                    e = excess[p] + seal_blend[i] * (excess[p + 1] - excess[p])
                    work[seal_vertices[i], 1] += seal_weight[i] * e
                if seal < one:
                    break
        for i in range(m):
            out[t, i, 0] = work[i, 0]
            out[t, i, 1] = work[i, 1]
            out[t, i, 2] = work[i, 2]
