"""Writing whole files: a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from mtbench.files.file_errors import writing


def write_atomically(
    path: Path, data: bytes, durable: bool = True, advice: str = "give another folder (--out)"
) -> None:
    """Write *data* to *path* so that a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : Path
        Folders are created.
    data : bytes
        The whole content.
    durable : bool
        Also flush file and folder to disk, so that the file survives a power cut. Cache entries do without:
        their digests reveal damage, and they can be made again.
    advice : str
        How to write elsewhere, for the message.

    Raises
    ------
    WriteError
        With cause and advice.
    """
    with replacing(path, durable, advice) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(
    path: Path, durable: bool = True, advice: str = "give another folder (--out)"
) -> Iterator[Path]:
    """Let the block write a file beside *path*, which takes its place where the block ends without an exception.

    For libraries that write files themselves; parameters as for :func:`write_atomically`.

    Yields
    ------
    Path
        Free and of this process's own; removed where the block fails.
    """
    with writing(path, advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of a long name only the start, so that the temporary file's is no longer.
        temporary = path.with_name(f".{path.name[:80]}.{os.getpid()}-{time.monotonic_ns()}.tmp")
        try:
            yield temporary
            if durable:
                _flush(temporary, os.O_RDWR)  # Windows flushes nothing that was opened for reading
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        if durable and os.name == "posix":
            _flush(path.parent, os.O_RDONLY)


def _flush(path: Path, flags: int) -> None:
    """Wait until what was written to a file, or renamed in a folder, is on the disk."""
    number = os.open(path, flags)
    try:
        os.fsync(number)
    finally:
        os.close(number)
