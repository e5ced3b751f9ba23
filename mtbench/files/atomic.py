"""Writing whole files: a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import time
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
    with writing(path, advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of a long name only the start, so that the temporary file's is no longer.
        temporary = path.with_name(f".{path.name[:80]}.{os.getpid()}-{time.monotonic_ns()}.tmp")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        if durable and os.name == "posix":
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
