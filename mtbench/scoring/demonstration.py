"""Several entries scored in one go; ``mtbench demo``: control entries, made and scored.

Conventions
-----------
All entries share one set of workers and one cache, so audio-only and static-face rows are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mtbench.avsr import count_workers, load_recognizer
from mtbench.benchmarks import Benchmark, load_benchmark
from mtbench.results import Run
from mtbench.scoring.scoring import score
from mtbench.submissions import CONTROLS, make_controls
from mtbench.work import Executor, make_progress


def run_demo(
    benchmark: str | Path,
    out: str | Path,
    *,
    recognizer: str = "openhead-av",
    workers: int | None = None,
    cache: str | Path | None = None,
) -> list[Run]:
    """Make the control entries of *benchmark* and score them.

    Parameters
    ----------
    benchmark : str or Path
        With ground truth.
    out : str or Path
        Gets ``controls/`` and ``results/``.
    recognizer : str
        As for :func:`mtbench.score`.
    workers : int, optional
        As for :func:`mtbench.score`.
    cache : str or Path, optional
        As for :func:`mtbench.score`.

    Returns
    -------
    list of Run
        In the order of :data:`mtbench.submissions.controls.CONTROLS`.
    """
    loaded = load_benchmark(benchmark)
    folders = make_controls(loaded, Path(out) / "controls", CONTROLS)
    asked = None if recognizer == "none" else recognizer
    return score_entries(
        folders, loaded, Path(out) / "results", recognizer=asked, workers=workers, cache=cache
    )


def score_entries(
    folders: Sequence[Path],
    benchmark: Benchmark,
    out: str | Path,
    *,
    recognizer: str | None = "openhead-av",
    workers: int | None = None,
    cache: str | Path | None = None,
) -> list[Run]:
    """Score submission folders one after the other; what the cache holds is not computed again.

    Parameters
    ----------
    folders : sequence of Path
    benchmark : Benchmark
    out : str or Path
        Folder of results.
    recognizer, workers, cache
        As for :func:`mtbench.score`.

    Returns
    -------
    list of Run
        In the order of *folders*.
    """
    if workers is None:
        workers = count_workers(
            None if recognizer is None else load_recognizer(recognizer), make_progress(None)
        )
    with Executor(workers) as executor:
        return [
            score(folder, benchmark, recognizer=recognizer, out=out, cache=cache, executor=executor)
            for folder in folders
        ]
