"""Several submissions as takes of one system: how they differ from one another, and from the truth at best.

Conventions
-----------
A take is a submission that the same system made with another seed or style. Definitions: :mod:`mtbench.metrics.takes`.
Diversity is the mean over clips; the errors pool the frames of all clips that have ground truth of the takes' topology.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.errors import UsageError
from mtbench.faces import load_topology
from mtbench.metrics import measure_diversity_mm, sum_coverage_m2, sum_mean_estimate_m2
from mtbench.submissions.validation import load_submission

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark


@dataclass(frozen=True)
class TakeMeasures:
    """What is measured of several takes.

    Attributes
    ----------
    takes, clips : int
        How many.
    diversity_mm, lip_diversity_mm : float
        Mean distance between takes, over all vertices and over the lips.
    mean_estimate_m2, coverage_m2 : float or None
        Largest squared lip vertex distance of a frame, of the takes' mean and of the best take of each clip; None
        without ground truth of this topology.
    frames : int
        With ground truth.
    """

    takes: int
    clips: int
    diversity_mm: float
    lip_diversity_mm: float
    mean_estimate_m2: float | None
    coverage_m2: float | None
    frames: int


def measure_takes(
    paths: Sequence[str | Path], benchmark: Benchmark | str | Path | None = None
) -> TakeMeasures:
    """Return how several takes of the clips of a benchmark differ.

    Parameters
    ----------
    paths : sequence of str or Path
        Submission folders, two or more, of one topology.
    benchmark : Benchmark, str or Path, optional
        By default the one that the first submission names.

    Raises
    ------
    UsageError
        For fewer than two takes, or takes of different topologies.
    SubmissionError
        Where one of them cannot be used.
    """
    from mtbench.benchmarks import as_benchmark

    if len(paths) < 2:
        raise UsageError(
            f"takes are compared with one another: give two submissions or more, not {len(paths)}"
        )
    takes = [load_submission(path, benchmark) for path in paths]
    found = as_benchmark(takes[0].benchmark_ref if benchmark is None else benchmark)
    kinds = sorted({take.topology for take in takes})
    if len(kinds) > 1:
        raise UsageError(
            f"takes have the topologies {', '.join(kinds)}; meshes of two kinds cannot be compared"
        )
    lips = load_topology(kinds[0]).region("lips")
    spread, lip_spread, sums, frames = [], [], [0.0, 0.0], 0
    for clip in found.clips:
        motions = [take.motion(clip.id).vertices for take in takes]
        spread.append(measure_diversity_mm(motions))
        lip_spread.append(measure_diversity_mm(motions, lips))
        truth = clip.load_motion() if clip.topology == kinds[0] else None
        if truth is not None:
            sums[0] += sum_mean_estimate_m2(motions, truth.vertices, lips)
            sums[1] += sum_coverage_m2(motions, truth.vertices, lips)[0]
            frames += len(truth)
    mean, best = (total / frames if frames else None for total in sums)
    n = len(spread)
    return TakeMeasures(len(takes), n, sum(spread) / n, sum(lip_spread) / n, mean, best, frames)
