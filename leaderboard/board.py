"""A board on disk: the site, and its numbers as Markdown, JSON and CSV."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from pathlib import Path

from mtbench.leaderboard.groups import read_groups
from mtbench.leaderboard.site import make_site
from mtbench.leaderboard.table import make_tables
from mtbench.pages import write_site


def build_leaderboard(
    results: Path | str, out: Path | str, viewers: Mapping[str, Mapping[str, str]] | None = None
) -> list[Path]:
    """Write a board over all results below a folder.

    Parameters
    ----------
    results : Path or str
        Folder with ``<system>/<benchmark>/run.json`` below it.
    out : Path or str
        Folder to write to: ``index.html`` and its other pages, ``leaderboard.md``, ``leaderboard.json`` and
        ``leaderboard.csv``.
    viewers : mapping of str to mapping of str to str, optional
        Where clips can be looked at: addresses relative to *out*, by the system's folder name
        (:func:`mtbench.results.folder_name`) and the clip's id.

    Returns
    -------
    list of Path
        The written files.

    Raises
    ------
    UsageError
        Where there is no result, or one that cannot be read.
    """
    with _without_collection():
        groups = read_groups(results)
        return write_site(out, {**make_site(groups, viewers or {}), **make_tables(groups)})


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Let the block keep what it makes: looking for garbage among a million numbers takes longer than reading them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
