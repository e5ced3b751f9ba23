"""Text files that strangers wrote: kind, size and encoding are checked before they are read."""

from __future__ import annotations

import stat
from pathlib import Path

from mtbench.errors import UsageError


def read_text_file(path: Path, most_bytes: int, *, kind: str, expected: str, mend: str) -> str:
    """Return the text of a file, breaks of lines as they are in it.

    Parameters
    ----------
    path : Path
    most_bytes : int
        No such file is larger.
    kind : str
        What is meant, for the message on size, e.g. ``"result file"``.
    expected : str
        What is meant, for the other messages, e.g. ``"a CSV file"``.
    mend : str
        What to do where the text is not UTF-8.

    Raises
    ------
    UsageError
        Where it is no file, too large, unreadable, or not UTF-8.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path}: not a file; expected {expected}")
        if status.st_size > most_bytes:
            raise UsageError(f"{path}: larger than {most_bytes >> 20} MB; no {kind} is")
        return path.read_bytes().decode("utf-8-sig")  # several times as fast as Path.read_text
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected {expected}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text ({error}); {mend}") from error
