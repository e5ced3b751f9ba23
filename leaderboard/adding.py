"""Taking a result that somebody sends into a folder of results: checked first, and never in place of others' work."""

from __future__ import annotations

import re
from pathlib import Path

from mtbench.errors import UsageError, list_some
from mtbench.files import write_atomically
from mtbench.results import find_contradictions, place_run, read_results, read_run

#: Names of benchmarks; folders are called by them.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_FILES = ("clips.jsonl", "run.json")  # run.json last: it says that the result is whole


def add_result(result: Path | str, results: Path | str, *, replace: bool = False) -> tuple[Path, str]:
    """Check a result folder and copy it to where it belongs in a folder of results.

    Checked: layout and types of every field, that the rows are those that the numbers were made of (their digest), and
    that the numbers follow from the rows.

    Parameters
    ----------
    result : Path or str
        Folder with ``run.json`` and ``clips.jsonl``.
    results : Path or str
        Folder of results, made where it is not there.
    replace : bool
        Whether a result of another version of the same system, under the same conditions, may be replaced.

    Returns
    -------
    folder : Path
        Where it lies now.
    note : str
        What was done, a line.

    Raises
    ------
    UsageError
        Where the result is damaged or contradicts itself, or another one lies where it belongs.
    """
    source = Path(result)
    run, rows = read_results(source)
    source = source if source.is_dir() else source.parent
    if found := find_contradictions(run, rows):
        raise UsageError(
            f"{source}: {len(found)} number(s) do not follow from the rows: {list_some(found, 3)}; was run.json "
            "edited, or made by another version of mtbench? 'mtbench rescore' counts the rows anew"
        )
    if not _NAME.fullmatch(run.benchmark.name):
        raise UsageError(
            f"{source}: benchmark.name is {run.benchmark.name[:60]!r}, expected small letters, digits, '.', '_' and '-'"
        )
    folder, note = place_run(results, run)
    data = {name: (source / name).read_bytes() for name in _FILES}
    if folder.resolve() == source.resolve():
        return folder, "it lies there already"
    if (folder / "run.json").exists():
        if all((folder / name).is_file() and (folder / name).read_bytes() == data[name] for name in _FILES):
            return folder, "the same result lies there already"
        old = read_run(folder)
        if old.system.digest != run.system.digest and not replace:
            raise UsageError(
                f"{folder} holds a result of another submission by the name of {run.system.name!r} (digest "
                f"{old.system.digest[:8]}, this one {run.system.digest[:8]}), under the same conditions; if it is a "
                "new version of the same system, say --replace; if not, give the system another name and score it again"
            )
    for name in _FILES:
        write_atomically(folder / name, data[name])
    return folder, note or "added"
