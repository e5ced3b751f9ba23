"""Vertex errors of arrays and files at hand, in one line: ``mtbench.lve`` and ``mtbench.fdd``.

Conventions
-----------
A clip is (T, V, 3) or (T, 3 V) floating point in metres, a :class:`mtbench.faces.motion.Motion`, or the path of a
``.npy`` or ``.npz`` with such an array; several clips are a list of them. The topology follows from the number of
vertices (4,801: ``openhead-1``, 5,023: ``flame-5023``); for meshes of another kind give the vertex indices. Results
have the units of the tables, mm and mm². Definitions: :mod:`mtbench.metrics.lve` and :mod:`mtbench.metrics.fdd`.
Nothing is aligned, resampled or cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import Motion, Topology, check_vertices, read_face, read_vertices, require_topology
from mtbench.metrics import METRICS, FacePair, fdd_m2

#: What stands for a clip: positions in metres, or a file that holds them.
Vertices: TypeAlias = "np.ndarray | Motion | str | Path"

#: Its lips are not the only vertices that it needs.
_ALIGNED = "rigid"


def lve(
    prediction: Vertices | Sequence[Vertices],
    truth: Vertices | Sequence[Vertices],
    *,
    topology: str | Topology | None = None,
    lips: Sequence[int] | np.ndarray | None = None,
    upper_face: Sequence[int] | np.ndarray | None = None,
    metric: str = "lve_mm",
) -> float:
    """Return the lip vertex error: the largest distance of a lip vertex in a frame, mean over frames, in millimetres.

    Parameters
    ----------
    prediction, truth : (T, V, 3) or (T, 3 V) floating point, Motion or path; or a list of them
        Positions in metres, same T and V; which is which does not matter here. Of a list, the mean is over all frames
        of all clips, as in the tables.
    topology : str or Topology, optional
        Topology of the vertices; by default the one that has as many vertices.
    lips : (n,) int, optional
        Vertex indices; by default the topology's lips. For meshes of another kind.
    upper_face : (n,) int, optional
        Vertex indices that the head is aligned by, for ``lve_aligned_mm``; by default the topology's upper face.
    metric : str
        ``"lve_mm"``; ``"lve_aligned_mm"`` (how the head is held is taken out first), ``"lve_centred_mm"`` (each
        frame's lips centred first), ``"lve_mean_mm"`` (mean over the lips), ``"lve_sq_m2"`` (largest *squared*
        distance, in square metres: what the papers' code computes).

    Returns
    -------
    float
        Millimetres (square metres for ``lve_sq_m2``).

    Raises
    ------
    UsageError
        Where shapes differ, the number of vertices belongs to no topology, values are not a face in metres (e.g.
        millimetres, displacements), a file cannot be read, or *metric* is unknown; the message says which and why.

    Examples
    --------
    >>> import mtbench
    >>> truth = mtbench.load_benchmark("openhead-20")["eng-01"].load_motion()
    >>> moved = truth.vertices + np.float32([0, 0.003, 0.004])
    >>> round(mtbench.lve(moved, truth), 3)
    5.0
    """
    known = {m.name: m for m in METRICS.geometric() if m.region == "lips" and m.aggregation == "frame"}
    if metric not in known:
        raise UsageError(f"unknown metric {metric!r}; known: {', '.join(known)}")
    wanted = {"lips": lips} | ({"upper_face": upper_face} if known[metric].align == _ALIGNED else {})
    asked = [name for name, given in wanted.items() if given is None]
    total, frames = 0.0, 0
    for a, b, _, found in _pair_up(prediction, truth, None, topology, "= and ".join(asked) or None):
        regions = {name: _indices(given, name, found, a.shape[1]) for name, given in wanted.items()}
        total += known[metric].measure(FacePair(a, b, regions.__getitem__)) or 0.0
        frames += len(a)
    return total / frames


def fdd(
    prediction: Vertices | Sequence[Vertices],
    truth: Vertices | Sequence[Vertices],
    template: Vertices | Sequence[Vertices],
    *,
    topology: str | Topology | None = None,
    upper_face: Sequence[int] | np.ndarray | None = None,
    absolute: bool = False,
) -> float:
    """Return the upper-face dynamics deviation in square millimetres: positive where the prediction moves too little.

    Parameters
    ----------
    prediction, truth : (T, V, 3) or (T, 3 V) floating point, Motion or path; or a list of them
        Positions in metres, same T and V, in this order: the sign depends on it. Of a list, the mean over clips.
    template : (V, 3) floating point or path (npy, npz, ply, obj); or a list of them, one a clip
        Neutral face of the speaker *of this clip*, metres: another's gives another number.
    topology : str or Topology, optional
        Topology of the vertices; by default the one that has as many vertices.
    upper_face : (n,) int, optional
        Vertex indices; by default the topology's upper face.
    absolute : bool
        Whether the result for a list is the mean of the clips' absolute values, in which opposite errors do not cancel.

    Returns
    -------
    float
        Square millimetres: 10^6 times the ``fdd_m2`` (``fdd_abs_m2``) of ``run.json``.

    Raises
    ------
    UsageError
        As :func:`lve`, for templates that do not fit, and for a clip of one frame, which has no dynamics.

    Examples
    --------
    >>> import mtbench
    >>> truth = mtbench.load_benchmark("openhead-20")["eng-01"].load_motion()
    >>> still = np.repeat(truth.vertices[:1], len(truth), axis=0)
    >>> mtbench.fdd(still, truth, truth.vertices[0]) > 0
    True
    """
    if template is None:
        raise UsageError("FDD needs the speaker's neutral face as template: (V, 3), metres")
    values = []
    for a, b, face, found in _pair_up(
        prediction, truth, template, topology, None if upper_face is not None else "upper_face"
    ):
        if len(a) < 2:
            raise UsageError("FDD needs clips of two frames or more: a single frame has no dynamics")
        value = fdd_m2(a, b, face, _indices(upper_face, "upper_face", found, a.shape[1]))
        values.append(1e6 * (abs(value) if absolute else value))
    return sum(values) / len(values)


def _pair_up(
    prediction: Any, truth: Any, template: Any, topology: str | Topology | None, region: str | None
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, Topology | None]]:
    """Return (prediction, truth, template, topology) of each clip, read and checked.

    *region* is what will be asked of the topologies; None where they may be unknown.
    """
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


def _indices(
    given: Sequence[int] | np.ndarray | None, name: str, topology: Topology | None, vertices: int
) -> np.ndarray:
    """Return the indices *given*, checked, or those of the region *name* of *topology*."""
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
