"""Errors of the file system, worded so that a user can act on them.

Conventions
-----------
Whoever writes what a user named does so inside :func:`writing`, which turns an ``OSError`` into a
:class:`WriteError`; an ``OSError`` that reaches the command line bare comes from reading. A name that is wrong
(a file where a folder is meant, too long, not permitted) is a usage error, exit code 2; a machine that is full,
broken or limited is not, exit code 1.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mtbench.errors import MtbenchError

#: Causes that do not lie in the name that was given.
_MACHINE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.EAGAIN,
        errno.ESTALE,
        errno.ENODEV,
    }
)

_WRITE_ADVICE = {
    errno.ENOSPC: "the disk is full: free space there or {elsewhere}",
    errno.EDQUOT: "your quota there is used up: free space or {elsewhere}",
    errno.EFBIG: "larger than files may be: raise the limit (ulimit -f) or {elsewhere}",
    errno.EROFS: "that file system can only be read: {elsewhere}",
    errno.EACCES: "you may not write there: {elsewhere}",
    errno.EPERM: "you may not write there: {elsewhere}",
    errno.ENOTDIR: "a part of that path is a file where a folder is meant: {elsewhere}",
    errno.EEXIST: "there is a file of that name where a folder is meant: {elsewhere}",
    errno.EISDIR: "there is a folder of that name where a file is meant: {elsewhere}",
    errno.ENOTEMPTY: "there is a folder of that name where a file is meant: {elsewhere}",
    errno.ENAMETOOLONG: "that name is too long for the file system: {elsewhere}",
    errno.ENOENT: "a folder of that path is missing or is a link that leads nowhere: {elsewhere}",
    errno.ELOOP: "that path is a circle of links: {elsewhere}",
}
_READ_ADVICE = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "you may not read it: ask its owner to let you (chmod)",
    errno.EPERM: "you may not read it: ask its owner to let you (chmod)",
    errno.ENOTDIR: "a part of that path is a file, not a folder",
    errno.EISDIR: "it is a folder, a file is meant",
    errno.ENAMETOOLONG: "the name is longer than any file's can be; was a text given where a path is meant?",
    errno.ELOOP: "the path is a circle of links",
    errno.EIO: "the disk or the network folder fails",
    errno.ESTALE: "the network folder was taken away meanwhile",
}
_ANY_ADVICE = {
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n) or use fewer --workers",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "memory ran out: use fewer --workers",
    errno.EAGAIN: "no more processes or threads are allowed: use fewer --workers or raise the limit (ulimit -u)",
}


class WriteError(MtbenchError, OSError):
    """A file or folder that could not be written.

    Parameters
    ----------
    text : str
        The whole message.
    number : int or None
        The ``errno``, which decides on :attr:`exit_code`.
    """

    def __init__(self, text: str, number: int | None = None) -> None:
        super().__init__(text)
        self.errno = number
        self.exit_code = 1 if number is None or number in _MACHINE else 2

    def __reduce__(self) -> tuple:
        """Let the error travel between processes."""
        return type(self), (self.args[0], self.errno)


@contextlib.contextmanager
def writing(path: str | Path, advice: str = "give another folder (--out)") -> Iterator[None]:
    """Turn an ``OSError`` of the block into a :class:`WriteError` about *path*.

    Parameters
    ----------
    path : str or Path
        What is written.
    advice : str
        How to write elsewhere.

    Raises
    ------
    WriteError
        Also where the block was about a part of *path* only, such as its folder.
    """
    try:
        yield
    except MtbenchError:
        raise
    except OSError as error:
        number = error.errno
        cause = _ANY_ADVICE.get(number or 0) or _WRITE_ADVICE.get(number or 0)
        text = cause.format(elsewhere=advice) if cause else f"{_reason(error)}; {advice}"
        raise WriteError(f"cannot write {shorten(path)}: {text}", number) from error


def make_folder(path: str | Path) -> None:
    """Make the folder *path* and those above it, where they are missing.

    Raises
    ------
    WriteError
        Where that is not possible.
    """
    with writing(path):
        Path(path).mkdir(parents=True, exist_ok=True)


def check_output_folder(path: str | Path, advice: str = "give another folder (--out)") -> None:
    """Check before long work that *path* is a folder that can be written to, or can be made; make nothing.

    Raises
    ------
    WriteError
        Where it is not.
    """
    with writing(path, advice):
        folder = Path(path).absolute()
        while True:
            try:
                mode = folder.stat().st_mode
                break
            except FileNotFoundError:
                if folder.is_symlink():
                    raise
                folder = folder.parent
        if not stat.S_ISDIR(mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def explain_os_error(error: OSError) -> tuple[str, int]:
    """Return the message for an error that was not met while writing, and the exit code."""
    number = error.errno or 0
    cause = _ANY_ADVICE.get(number) or _READ_ADVICE.get(number)
    if error.filename is None:
        return cause or str(error) or type(error).__name__, 1
    name = shorten(os.fsdecode(error.filename) if not isinstance(error.filename, int) else error.filename)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EEXIST):
        cause = _WRITE_ADVICE[number].format(
            elsewhere="give another folder (--out, --cache or MTBENCH_CACHE)"
        )
        return f"cannot write {name}: {cause}", 1 if number in _MACHINE else 2
    return f"{name} cannot be read: {cause or _reason(error)}", 1 if number in _MACHINE else 2


def shorten(path: object) -> str:
    """Return *path* as text of at most some 130 characters, the middle left out."""
    text = str(path)
    return text if len(text) <= 130 else f"{text[:60]}…{text[-60:]}"


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
