"""Faces of a clip's ground truth that the motion of a submission is looked at beside.

Conventions
-----------
Only the frames of :func:`mtbench.faces.motion_geometry.sampled_frames` are posed; they are the same parts of the clip
whatever the frame rate of the submission is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtbench.faces.motion_geometry import sampled_frames
from mtbench.faces.motion_headers import is_given_once
from mtbench.faces.topology import Topology

if TYPE_CHECKING:
    from mtbench.benchmarks.benchmark import Clip


def sample_frames(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a motion file at the sampled frames only; what is given once stays."""
    frames = max(len(a) for name, a in arrays.items() if name not in ("shape", "identity"))
    once = {n for n, a in arrays.items() if n == "identity" or is_given_once(n, a.shape)}
    return {n: a if n in once else a[sampled_frames(frames)] for n, a in arrays.items()}


def true_faces(clip: Clip, topology: Topology) -> np.ndarray | None:
    """Return the ground truth of *clip* at the sampled frames.

    Returns
    -------
    (n, V, 3) float32 or None
        None where there is none of *topology*, or a FLAME model that it needs is not installed.

    Raises
    ------
    BenchmarkError
        Where the ground truth cannot be used.
    """
    from mtbench.benchmarks.clip_files import read_motion_arrays
    from mtbench.errors import PrerequisiteError
    from mtbench.faces.motion_files import pose_motion

    if clip.motion_path is None or clip.topology != topology.name:
        return None
    spec, arrays = read_motion_arrays(clip)
    try:
        return pose_motion(sample_frames(arrays), spec).vertices
    except PrerequisiteError:
        return None
