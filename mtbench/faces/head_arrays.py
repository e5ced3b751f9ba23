"""The loop of :mod:`mtbench.faces.head_kernels` in numpy alone, for an installation without numba.

Conventions
-----------
Same arguments, and the same bytes: every vertex sees the same float32 additions in the same order; what the
kernel does frame by frame is done here for all frames at once. Several times slower than the kernel, fast enough to
check a submission or to measure vertex errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
#: Frames that are posed at once: what is worked on stays in the processor's cache.
_FRAMES = 32
#: Passes over a sealed mouth: the lower lip's contact points lie between mesh vertices.
_SWEEPS = 3


def pose_frames(
    curves: np.ndarray,
    base: np.ndarray,
    offsets: np.ndarray,
    vertices: np.ndarray,
    deltas: np.ndarray,
    seal_unit: int,
    jaw_unit: int,
    close_unit: int,
    upper: np.ndarray,
    lower: np.ndarray,
    lower_t: np.ndarray,
    seal_vertices: np.ndarray,
    seal_pair: np.ndarray,
    seal_blend: np.ndarray,
    seal_weight: np.ndarray,
    overlap: np.float32,
    out: np.ndarray,
) -> None:
    """Add weighted unit offsets to *base* and close the lips as far as the seal unit asks; fill *out*.

    Parameters are those of :func:`mtbench.faces.head_kernels.pose_frames`.
    """
    moved_by = seal_vertices, seal_pair, seal_blend, seal_weight
    for start in range(0, len(curves), _FRAMES):
        part = curves[start : start + _FRAMES]
        seal = np.minimum(np.maximum(part[:, seal_unit], _ZERO), _ONE)
        work = np.repeat(base[None], len(part), axis=0)
        for unit in range(part.shape[1]):
            weights = part[:, unit]
            if unit == close_unit:
                jaw = part[:, jaw_unit]
                weights = np.where(jaw > weights, weights + seal * (jaw - weights), weights)
            moved = np.flatnonzero(weights)
            rows = slice(offsets[unit], offsets[unit + 1])
            if unit == seal_unit or not len(moved) or rows.start == rows.stop:
                continue
            where = (moved[:, None], vertices[rows][None])
            work[where] += weights[moved, None, None] * deltas[rows]
        if len(upper):
            sealed = np.flatnonzero(seal > _ZERO)
            for _ in range(_SWEEPS):
                _close_lips(work, sealed, seal, (upper, lower, lower_t, overlap), moved_by)
                sealed = sealed[seal[sealed] >= _ONE]
        out[start : start + _FRAMES] = work[:, : out.shape[1]]


def _close_lips(
    work: np.ndarray,
    frames: np.ndarray,
    seal: np.ndarray,
    contact: tuple[Any, ...],
    moved_by: tuple[Any, ...],
) -> None:
    """Move the lips of *frames* towards each other once, in place."""
    if not len(frames):
        return
    upper, lower, lower_t, overlap = contact
    vertices, pair, blend, weight = moved_by
    y = work[frames, :, 1]
    first, second = y[:, lower[:, 0]], y[:, lower[:, 1]]
    low = first + lower_t * (second - first)
    excess = np.maximum(y[:, upper] - low + overlap, _ZERO) * seal[frames, None]
    near, far = excess[:, pair], excess[:, pair + 1]
    y[:, vertices] += weight * (near + blend * (far - near))
    work[frames, :, 1] = y
