"""Curves of one clip of a submission over its frames, for plots: where in time it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import load_topology
from mtbench.metrics import measure_frames
from mtbench.submissions.validation import load_submission

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark


def curves_of_clip(
    path: str | Path, clip: str, benchmark: Benchmark | str | Path | None = None
) -> dict[str, np.ndarray]:
    """Return the curves of one clip, as :func:`mtbench.metrics.frame_series.measure_frames` has them.

    Parameters
    ----------
    path : str or Path
        Submission folder.
    clip : str
        Id.
    benchmark : Benchmark, str or Path, optional
        By default the one that the submission names.

    Returns
    -------
    dict of str to (T,) float64
        ``seconds``, errors and apertures in millimetres, and the clip's loudness.

    Raises
    ------
    UsageError
        Where there is no such clip, or no ground truth of the submission's topology.
    SubmissionError
        Where the submission cannot be used.
    """
    from mtbench.benchmarks import as_benchmark

    submission = load_submission(path, benchmark, allow_partial=True)
    found = as_benchmark(submission.benchmark_ref if benchmark is None else benchmark).clip(clip)
    truth = found.load_motion() if found.topology == submission.topology else None
    if truth is None:
        raise UsageError(
            f"clip {clip} has no ground truth of topology {submission.topology}, which its curves compare with"
        )
    motion = submission.motion(clip)
    topology = load_topology(submission.topology)
    return measure_frames(motion.vertices, truth.vertices, topology, motion.fps, found.load_audio())


def format_curves(curves: dict[str, np.ndarray]) -> str:
    """Return curves as comma-separated values with a header, six significant digits.

    Examples
    --------
    >>> print(format_curves({"seconds": np.array([0.0, 0.04]), "lve_mm": np.array([1.25, 2.0])}), end="")
    seconds,lve_mm
    0,1.25
    0.04,2
    """
    rows = zip(*curves.values(), strict=True)
    lines = [",".join(curves), *(",".join(f"{value:.6g}" for value in row) for row in rows)]
    return "\n".join(lines) + "\n"
