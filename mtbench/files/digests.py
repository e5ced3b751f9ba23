"""Digests of bytes, arrays and files, as keys of caches and parts of signatures."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_CHUNK = 1 << 20
#: Files whose digests are remembered.
_MOST = 1 << 16
#: A file that was written less long ago may be written again without a trace in its times: their grain is up to 2 s.
_GRAIN_SECONDS = 2.5


def digest_bytes(*parts: bytes) -> str:
    """blake2b-128 hex digest of *parts*, each preceded by its length."""
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        h.update(len(part).to_bytes(8, "little"))
        h.update(part)
    return h.hexdigest()


def digest_array(array: np.ndarray) -> str:
    """blake2b-128 hex digest of an array's dtype, shape and values (little-endian)."""
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return digest_bytes(f"{array.dtype.str}{array.shape}".encode(), array.tobytes())


@dataclass(frozen=True)
class FileDigest:
    """Digests of one file's bytes, in the two lengths that keys and signatures are made of.

    Attributes
    ----------
    short : bytes
        blake2b, 16 bytes.
    long : bytes
        blake2b, 32 bytes.
    """

    short: bytes
    long: bytes


#: What a file's content is known again by.
FileStamp = tuple[str, int, int, int, int, int]
_KNOWN: OrderedDict[FileStamp, FileDigest] = OrderedDict()


def stamp_file(path: Path) -> FileStamp | None:
    """Return what the content of a file is known again by: path, device, inode, size, times of writing and of change.

    None where it was written a moment ago, so that another writing might leave the same. On Windows the time of
    change is that of creation.

    Raises
    ------
    OSError
        Where there is no such file.
    """
    state = path.stat()
    if time.time() - max(state.st_mtime, state.st_ctime) < _GRAIN_SECONDS:
        return None
    return (str(path), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def digest_file(path: Path) -> FileDigest:
    """Return the digests of a file, which is read once as long as it is not written.

    Raises
    ------
    OSError
        Where it cannot be read.
    """
    stamp = stamp_file(path)
    if stamp is not None and stamp in _KNOWN:
        _KNOWN.move_to_end(stamp)
        return _KNOWN[stamp]
    short, long = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=32)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            short.update(chunk)
            long.update(chunk)
    found = FileDigest(short.digest(), long.digest())
    if stamp is not None and stamp_file(path) == stamp:
        _KNOWN[stamp] = found
        while len(_KNOWN) > _MOST:
            _KNOWN.popitem(last=False)
    return found
