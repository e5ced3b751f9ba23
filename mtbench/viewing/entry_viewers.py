"""Viewers for the entries of a board: a folder an entry, with the clips that its page shows.

Conventions
-----------
A board is made of results alone; the motion that they were made of is the submissions', which are brought here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mtbench.benchmarks import Benchmark
from mtbench.errors import MtbenchError, UsageError
from mtbench.files import explain_no_folder
from mtbench.results import find_runs, folder_name, read_run
from mtbench.submissions import MANIFEST, Submission, load_submission
from mtbench.viewing.viewer import write_viewer

#: Folder of the site that gets them.
FOLDER = "viewer"


def find_submissions(roots: Sequence[Path | str]) -> list[Path]:
    """Return the submission folders among *roots* and right below them, in order.

    Raises
    ------
    UsageError
        Where one of them is no folder, or has no submission.
    """
    found = []
    for root in map(Path, roots):
        if not root.is_dir():
            raise UsageError(f"{explain_no_folder(root)}; a submission, or a folder of submissions, is meant")
        own = [root] if (root / MANIFEST).is_file() else sorted(p.parent for p in root.glob(f"*/{MANIFEST}"))
        if not own:
            raise UsageError(f"{root}: no {MANIFEST} here or in a folder below; submissions are meant")
        found += own
    return list(dict.fromkeys(found))


def write_entry_viewers(
    site: Path | str,
    submissions: Sequence[Path | str],
    clips: Mapping[str, Sequence[str]],
    *,
    results: Path | str,
    benchmark: Benchmark | str | Path | None = None,
    told: Callable[[str], None] | None = None,
) -> dict[str, dict[str, str]]:
    """Write the viewers of a board's entries into its site.

    Parameters
    ----------
    site : path
        The board's folder; they lie below ``viewer/``.
    submissions : sequence of path
        Submission folders, or folders of them. Those that no result is of are passed over, as are those that cannot be
        read.
    clips : mapping of str to sequence of str
        Clips that the page of each entry shows, by the system's folder name.
    results : path
        Folder of results.
    benchmark : Benchmark, str or Path, optional
        By default the one that each submission names.
    told : callable, optional
        Is told in a line what was passed over and why.

    Returns
    -------
    dict of str to dict of str to str
        Addresses relative to *site*, by folder name and clip: what :func:`mtbench.leaderboard.build_leaderboard` takes.

    Raises
    ------
    UsageError
        As :func:`find_submissions`, and where results cannot be read.
    """
    tell = told or (lambda line: None)
    scored = {run.system.name for run in map(read_run, find_runs(results)) if run.recognizer is not None}
    viewers: dict[str, dict[str, str]] = {}
    for folder in find_submissions(submissions):
        try:
            entry = load_submission(folder, benchmark, allow_partial=True)
            slug = folder_name(entry.system)
            wanted = [clip for clip in clips.get(slug, ()) if clip in entry.clips]
            if slug in viewers or not wanted:
                tell(f"{folder}: {_explain(entry, slug in viewers)}, so nothing of it can be looked at")
                continue
            home = ("../../index.html", "Board")
            pages = write_viewer(
                Path(site) / FOLDER / slug,
                [entry],
                benchmark,
                clips=wanted,
                results=results if entry.system in scored else None,
                home=home,
            )
        except MtbenchError as error:
            tell(f"{folder}: passed over: {error}")
            continue
        viewers[slug] = {clip: f"{FOLDER}/{slug}/{page}" for clip, page in pages.items()}
    return viewers


def _explain(entry: Submission, twice: bool) -> str:
    if twice:
        return f"a second submission of {entry.system!r}"
    return f"the board shows no clip of {entry.system!r} that is there"
