"""Faces of a clip's ground truth that the motion of a submission is looked at beside.

Conventions
-----------
Only the frames of :func:`mtbench.faces.motion_geometry.sampled_frames` are posed; they are the same parts of the clip
whatever the frame rate of the submission is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mtbench.faces import Topology, sample_frames

if TYPE_CHECKING:
    from mtbench.benchmarks.clip import Clip


def find_truth(clip: Clip | None) -> Callable[[Topology], np.ndarray | None] | None:
    """Return what :func:`mtbench.faces.motion_files.read_motion_file` compares the motion of *clip* with."""
    return None if clip is None else partial(true_faces, clip)


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
    from mtbench.benchmarks.clip import read_motion_arrays
    from mtbench.errors import PrerequisiteError
    from mtbench.faces import pose_motion

    if clip.motion_path is None or clip.topology != topology.name:
        return None
    spec, arrays = read_motion_arrays(clip)
    try:
        return pose_motion(sample_frames(arrays), spec).vertices
    except PrerequisiteError:
        return None
