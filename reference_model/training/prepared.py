"""Rows computed once from a corpus and kept in a file: motion in model space, features of speech.

Conventions
-----------
A file holds the clips' rows one after another, (n, width), little-endian, nothing else; how many rows a clip has is
known beforehand. Its name carries the digest of what its rows follow from, so that runs may share it. It grows clip by
clip under another name, so that a run that was stopped goes on behind the last whole clip, and gets its name when it is
complete.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout

from mtbench.errors import UsageError
from mtbench.files import make_folder
from mtbench.work import single_threaded_torch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedRows:
    """Rows of every clip.

    Attributes
    ----------
    rows : (n, width) float
        A memory map.
    starts : (clips + 1,) int64
        Clip i's are ``rows[starts[i]:starts[i + 1]]``.
    """

    rows: np.ndarray
    starts: np.ndarray

    def clip(self, index: int, first: int = 0, count: int | None = None) -> np.ndarray:
        """Return *count* rows of a clip from row *first* on, all by default."""
        start, end = int(self.starts[index]) + first, int(self.starts[index + 1])
        return self.rows[start : end if count is None else start + count]


def prepare_rows(
    path: Path,
    counts: np.ndarray,
    width: int,
    dtype: str,
    compute: Callable[[int], np.ndarray],
    what: str,
    threads: int = 1,
) -> PreparedRows:
    """Return the rows in *path*, computing those that are not there yet.

    Parameters
    ----------
    path : Path
        File; its folder is made.
    counts : (clips,) int
        Rows of each clip.
    width : int
        Numbers in a row.
    dtype : str
        Of the file, e.g. ``"<f2"``.
    compute : callable
        Clip index to (count, width).
    what : str
        For the log.
    threads : int
        That call *compute*; the rows' order and values do not depend on it.

    Raises
    ------
    UsageError
        For a file of another size.
    """
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    shape = (int(starts[-1]), width)
    size = np.dtype(dtype).itemsize * width
    make_folder(path.parent)
    with _alone(path, what):
        if not path.is_file():
            _write_rows(path, starts, counts, width, dtype, compute, what, threads)
    if (found := path.stat().st_size) != shape[0] * size:
        raise UsageError(
            f"{path}: {found} bytes, expected {shape[0] * size}; remove the file, it will be made again"
        )
    return PreparedRows(np.memmap(path, dtype, "r", shape=shape), starts)


@contextmanager
def _alone(path: Path, what: str) -> Iterator[None]:
    """Keep other processes out that would write the same file; they wait and find it."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("%s: another run prepares %s; waiting for it", what, path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _write_rows(
    path: Path,
    starts: np.ndarray,
    counts: np.ndarray,
    width: int,
    dtype: str,
    compute: Callable[[int], np.ndarray],
    what: str,
    threads: int,
) -> None:
    size = np.dtype(dtype).itemsize * width
    part = path.with_name(f"{path.name}.part")
    with part.open("ab") as file:
        done = int(np.searchsorted(starts, file.tell() // size, "right")) - 1
        file.truncate(int(starts[done]) * size)
        begun = said = time.monotonic()
        for index, result in enumerate(_ahead(compute, done, len(counts), threads), done):
            rows = np.asarray(result).astype(dtype)
            if rows.shape != (counts[index], width):
                raise ValueError(f"{what} of clip {index}: {rows.shape}, expected {(counts[index], width)}")
            file.write(rows.tobytes())
            now = time.monotonic()
            if now - said > 20:
                said = now
                left = (now - begun) / (index + 1 - done) * (len(counts) - index - 1)
                log.info("%s: %d/%d clips, %.0f s left", what, index + 1, len(counts), left)
    part.replace(path)


def _ahead(compute: Callable[[int], np.ndarray], first: int, end: int, threads: int) -> Iterator[np.ndarray]:
    """Yield ``compute(i)`` in order, computed by threads a few results ahead."""
    # numpy and torch let go of Python's lock. Torch's own number of threads is one in all of them: were it another in
    # one of them, switching it there would switch it in the others' midst, and results end in other bits.
    with (
        single_threaded_torch(),
        ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool,
    ):
        waiting: deque[Future[np.ndarray]] = deque()
        try:
            for index in range(first, end):
                waiting.append(pool.submit(compute, index))
                if len(waiting) > 4 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
