"""``mtbench demo``: control entries, made and scored in one go.

Conventions
-----------
All entries share one set of workers and one cache, so audio-only and static-face rows are computed once.
"""

from __future__ import annotations

from pathlib import Path

from mtbench.avsr import load_recognizer
from mtbench.benchmarks import load_benchmark
from mtbench.results import Run
from mtbench.scoring.scoring import score
from mtbench.scoring.worker_count import count_workers
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
    asked = None if recognizer == "none" else recognizer
    if workers is None:
        workers = count_workers(None if asked is None else load_recognizer(asked), make_progress(None))
    folders = make_controls(loaded, Path(out) / "controls", CONTROLS)
    with Executor(workers) as executor:
        return [
            score(
                folder,
                loaded,
                recognizer=asked,
                out=Path(out) / "results",
                cache=cache,
                executor=executor,
            )
            for folder in folders
        ]
