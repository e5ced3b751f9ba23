"""Clips of arrays and files at hand, prediction beside truth: read, checked, and told apart from lists of clips.

Conventions
-----------
A clip is (T, V, 3) or (T, 3 V) floating point in metres, a :class:`mtbench.faces.motion.Motion`, or the path of a
``.npy`` or ``.npz`` with such an array; several clips are a list of them. Nothing is aligned, resampled or cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import Motion, Topology, check_vertices, read_face, read_vertices, require_topology


def pair_up_clips(
    prediction: Any, truth: Any, template: Any, topology: str | Topology | None, region: str | None
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, Topology | None]]:
    """Return prediction, truth, template and topology of each clip, read and checked.

    Parameters
    ----------
    prediction, truth : clip or list of clips
        In metres; without a *truth* each clip gets one of no frames, (0, V, 3).
    template : resting face or None, or list of them
        One for all clips, or one a clip; None gives (0, 3).
    topology : str, Topology or None
        By default the one that has as many vertices.
    region : str or None
        What will be asked of the topologies; None where they may be unknown.

    Raises
    ------
    UsageError
        Where something cannot be read or does not fit; the message says what and why.

    Examples
    --------
    >>> face = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 4, 3))
    >>> [[array.shape for array in clip[:3]] for clip in pair_up_clips(face, None, None, None, None)]
    [[(2, 4, 3), (0, 4, 3), (0, 3)]]
    """
    if truth is None:
        alone = pair_up_clips(prediction, prediction, template, topology, region)
        return [(a, b[:0], face, found) for a, b, face, found in alone]
    several = _is_list(prediction), _is_list(truth)
    if several[0] != several[1]:
        raise UsageError(
            "prediction is a list of clips and truth is not, or the other way round: give both alike"
        )
    predictions, truths = (list(prediction), list(truth)) if several[0] else ([prediction], [truth])
    if len(predictions) != len(truths) or not predictions:
        raise UsageError(
            f"{len(predictions)} predictions, {len(truths)} truths: expected as many, one at least"
        )
    one_each = several[0] and isinstance(template, list | tuple)
    templates = list(template) if one_each else [template] * len(truths)
    if len(templates) != len(truths):
        raise UsageError(
            f"{len(templates)} templates for {len(truths)} clips: give one for all, or one a clip"
        )
    out = []
    for number, (one, other, face) in enumerate(zip(predictions, truths, templates)):
        suffix = f" {number}" if several[0] else ""
        a, b = read_vertices(one, f"prediction{suffix}"), read_vertices(other, f"truth{suffix}")
        _check_same_shape(a, b, suffix)
        if isinstance(one, Motion) and isinstance(other, Motion) and one.fps != other.fps:
            raise UsageError(
                f"prediction{suffix} has {one.fps:g} frames per second, truth{suffix} has {other.fps:g}: frames of "
                "equal number are not of the same moment; resample one (mtbench.faces.resampling)"
            )
        found = require_topology(topology, a.shape[1], region)
        for array, name in ((a, "prediction"), (b, "truth")):
            check_vertices(array, f"{name}{suffix}", found)
        neutral = np.zeros((0, 3))
        if template is not None:
            neutral = read_face(face, f"template{suffix}", a.shape[1])
            check_vertices(neutral[None], f"template{suffix}", found)
        out.append((a, b, neutral, found))
    return out


def _is_list(value: Any) -> bool:
    """Whether *value* is several clips: a list of paths, motions or arrays, but not of a clip's frames (V, 3)."""
    if not isinstance(value, list | tuple) or not value:
        return False
    first = value[0]
    if isinstance(first, str | Path | Motion):
        return True
    shape = np.shape(first)
    return len(shape) == 3 or (len(shape) == 2 and shape[1] != 3)


def _check_same_shape(prediction: np.ndarray, truth: np.ndarray, suffix: str) -> None:
    if prediction.shape[1] != truth.shape[1]:
        raise UsageError(
            f"prediction{suffix} has {prediction.shape[1]} vertices, truth{suffix} has {truth.shape[1]}: meshes of two "
            "kinds have no common vertices to compare"
        )
    if len(prediction) != len(truth):
        raise UsageError(
            f"prediction{suffix} has {len(prediction)} frames, truth{suffix} has {len(truth)}: another frame rate, or "
            "a clip that was cut? Resample or cut it yourself, so that it is known how; nothing is dropped here"
        )


def check_indices(
    given: Sequence[int] | np.ndarray | None, name: str, topology: Topology | None, vertices: int
) -> np.ndarray:
    """Return the indices *given*, checked, or those of the region *name* of *topology*.

    Raises
    ------
    UsageError
        Where they are no vertex indices of a mesh of so many *vertices*.

    Examples
    --------
    >>> check_indices([2, 0], "lips", None, 4).tolist()
    [2, 0]
    """
    if given is None:
        assert topology is not None
        return topology.region(name)
    try:
        indices = np.asarray(given)
    except ValueError as error:
        raise UsageError(
            f"{name} must be vertex indices (n,), not {type(given).__name__} ({error})"
        ) from None
    if indices.ndim != 1 or not len(indices) or indices.dtype.kind not in "iu":
        raise UsageError(f"{name} must be whole numbers (n,), not {indices.dtype} {indices.shape}")
    if indices.min() < 0 or indices.max() >= vertices:
        raise UsageError(
            f"{name} reach from {indices.min()} to {indices.max()}, but there are the vertices 0 to {vertices - 1}: "
            "a list for another mesh, or one that counts from 1?"
        )
    return indices
