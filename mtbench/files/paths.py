"""Paths: those that a manifest names, never outside the manifest's folder, and what lies where a folder is meant.

Conventions
-----------
Manifests use forward slashes. A name is refused for what it says (absolute, ``..``, drive letters) and for
where it ends up (a symbolic link that leaves the folder), before the file is opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path, PurePosixPath

from mtbench.files.file_errors import shorten

#: Most bytes of a name and of a path below the manifest's folder; most systems allow 255 and 4096.
MAX_NAME, MAX_PATH = 255, 1024
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".7z", ".rar")


class PathError(ValueError):
    """A path that leaves its folder or is no regular file; the text says why."""


def resolve_inside(root: Path, relative: str) -> Path:
    """Return the path of *relative* below *root*, refusing everything that leaves *root*.

    Parameters
    ----------
    root : Path
        The folder that holds the manifest.
    relative : str
        Path as written in the manifest, with forward slashes.

    Raises
    ------
    PathError
        For an absolute path, a drive letter, ``..``, or a link whose target lies outside *root*.

    Examples
    --------
    >>> resolve_inside(Path("/data"), "audio/a.wav").name
    'a.wav'
    """
    if not relative or "\0" in relative or "\\" in relative or ":" in relative:
        raise PathError(f"{relative!r} is not a relative path with forward slashes")
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts:
        raise PathError(f"{relative!r} leaves the folder")
    if len(relative) > MAX_PATH or any(
        len(part.encode("utf-8", "replace")) > MAX_NAME for part in pure.parts
    ):
        raise PathError(
            f"{relative[:60]!r}… is longer than file systems allow ({MAX_NAME} bytes a name, {MAX_PATH} in all)"
        )
    path = root / pure
    real_root = os.path.realpath(root)
    if os.path.commonpath([real_root, os.path.realpath(path)]) != real_root:
        raise PathError(f"{relative!r} is a link that leaves the folder")
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # the caller says what is missing
    except OSError as error:  # below a folder of a long name, or one that may not be entered
        raise PathError(f"{relative[:60]!r} cannot be reached ({error.strerror})") from None
    return path


def explain_no_folder(path: str | Path) -> str:
    """Return why *path* is no folder, as a clause, with what to do where that is plain.

    Examples
    --------
    >>> explain_no_folder("no/such/place")
    'no/such/place: no such folder'
    """
    name = shorten(path)
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return f"{name}: a circle of links, not a folder"
        with contextlib.suppress(OSError):
            if Path(path).is_symlink():
                return f"{name}: a link to nothing, not a folder"
        return f"{name}: no such folder"
    if not stat.S_ISREG(mode):
        return f"{name}: a pipe, socket or device, not a folder"
    if str(path).lower().endswith(_ARCHIVES):
        return f"{name}: an archive, not a folder; unpack it first"
    return f"{name}: a file, not a folder"


def check_regular_file(path: Path) -> int:
    """Return the size in bytes of the regular file *path*, which may not be a link.

    Raises
    ------
    PathError
        Where *path* is a link, a folder, a pipe or a device.
    FileNotFoundError
        Where there is nothing.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise PathError("is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise PathError("is a folder" if stat.S_ISDIR(status.st_mode) else "is a pipe, socket or device")
    return status.st_size
