"""Sites on disk: many files into one folder, each written whole, none outside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mtbench.files import write_atomically, writing


def write_site(out: Path | str, files: Mapping[str, str | bytes]) -> list[Path]:
    """Write *files* below the folder *out*.

    Parameters
    ----------
    out : path
        Made where it is not there.
    files : mapping of str to str or bytes
        Content by relative path with ``/``; text becomes UTF-8.

    Returns
    -------
    list of Path
        The written files, in the order given. A file that already has these bytes is left alone.

    Raises
    ------
    ValueError
        Where a path leads out of the folder.
    WriteError
        With cause and advice.
    """
    out = Path(out)
    written = []
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name:
            raise ValueError(f"{name!r} leads out of the site")
        data = content.encode() if isinstance(content, str) else content
        target = out / path
        with writing(target):
            same = target.is_file() and target.read_bytes() == data
        if not same:
            # A site can be made again: nothing waits for the disk.
            write_atomically(target, data, durable=False)
        written.append(target)
    return written
