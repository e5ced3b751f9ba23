"""Which clips the pages of a board show, for whoever makes them to be looked at."""

from __future__ import annotations

from pathlib import Path

from mtbench.leaderboard.groups import read_groups
from mtbench.leaderboard.site.clips import SHOWN, choose_clips
from mtbench.leaderboard.site.sections import make_sections
from mtbench.results import folder_name


def list_shown_clips(results: Path | str, most: int = SHOWN) -> dict[str, tuple[str, ...]]:
    """Return the clips that the page of each entry shows, the worst and the best, by the system's folder name.

    Parameters
    ----------
    results : Path or str
        Folder with ``<system>/<benchmark>/run.json`` below it.
    most : int
        How many of the worst, and of the best; the pages show :data:`mtbench.leaderboard.site.clips.SHOWN` of each.

    Raises
    ------
    UsageError
        Where there is no result, or one that cannot be read.
    """
    shown: dict[str, dict[str, None]] = {}
    for section in make_sections(read_groups(results), {}):
        for entry in section.all:
            worst, best = choose_clips(entry, most)
            own = shown.setdefault(folder_name(entry.run.system.name), {})
            own.update(dict.fromkeys(clip.clip for clip in (*worst, *best)))
    return {name: tuple(clips) for name, clips in shown.items()}
