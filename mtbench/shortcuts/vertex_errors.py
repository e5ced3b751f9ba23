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
from typing import TypeAlias

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import Motion, Topology
from mtbench.metrics import METRICS, FacePair, check_indices, fdd_m2, pair_up_clips

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
    for a, b, _, found in pair_up_clips(prediction, truth, None, topology, "= and ".join(asked) or None):
        regions = {name: check_indices(given, name, found, a.shape[1]) for name, given in wanted.items()}
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
    for a, b, face, found in pair_up_clips(
        prediction, truth, template, topology, None if upper_face is not None else "upper_face"
    ):
        if len(a) < 2:
            raise UsageError("FDD needs clips of two frames or more: a single frame has no dynamics")
        value = fdd_m2(a, b, face, check_indices(upper_face, "upper_face", found, a.shape[1]))
        values.append(1e6 * (abs(value) if absolute else value))
    return sum(values) / len(values)
