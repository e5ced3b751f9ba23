"""A board of our own entries, with pages on which their clips are looked at.

Conventions
-----------
The page of an entry on the board shows the clips that were read worst and best; the first of them can be looked at
beside the ground truth, on pages in ``viewer/<system>/`` of the site. Equal inputs give equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mtbench.benchmarks import Benchmark, as_benchmark
from mtbench.leaderboard import build_leaderboard
from mtbench.leaderboard.site import list_shown_clips
from mtbench.scoring import score_entries
from mtbench.showcase.entries import ENTRIES, make_entries
from mtbench.viewing import write_entry_viewers
from mtbench.work import Progress, default_workers

#: Clips of an entry that can be looked at where nothing else is asked for.
CLIPS = 1


def show_board(
    benchmark: Benchmark | str | Path,
    out: Path | str,
    work: Path | str,
    *,
    names: Sequence[str] = ENTRIES,
    recognizer: str | None = "openhead-av",
    clips: int = CLIPS,
    workers: int | None = None,
    cache: Path | str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make our own entries, score them and write a board of them.

    Parameters
    ----------
    benchmark : Benchmark, str or Path
        With ground truth.
    out : path
        Folder of the site.
    work : path
        Keeps ``submissions/``, ``data/`` and ``results/``; what is there is not made again.
    names : sequence of str
        Of :data:`mtbench.showcase.ENTRIES`.
    recognizer, workers, cache
        As for :func:`mtbench.score`.
    clips : int
        How many of the worst and of the best clips of each entry can be looked at.
    progress : Progress, optional
        Told what is made.

    Returns
    -------
    list of Path
        The written files of the site, pages of the viewer last.

    Raises
    ------
    UsageError, PrerequisiteError
        See :func:`mtbench.showcase.make_entries`.
    """
    benchmark = as_benchmark(benchmark)
    folders = make_entries(benchmark, work, names, workers=workers or default_workers(), progress=progress)
    results = Path(work) / "results"
    score_entries(folders, benchmark, results, recognizer=recognizer, workers=workers, cache=cache)
    viewers: dict[str, dict[str, str]] = {}
    if clips:
        shown = list_shown_clips(results, clips)
        viewers = write_entry_viewers(out, folders, shown, results=results, benchmark=benchmark)
    faces = [Path(out) / address for pages in viewers.values() for address in pages.values()]
    return [*build_leaderboard(results, out, viewers), *faces]
