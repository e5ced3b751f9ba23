"""Reading ``.npy`` and ``.npz`` files that strangers wrote.

Conventions
-----------
Nothing is unpickled, ever. The header of every array is read and compared with the size of the file or zip
member before anything is allocated, and the caller names the most bytes that it is ready to receive. Zip
members are read in pieces, so that neither a bomb nor a false size costs memory. Source of the format: NumPy
enhancement proposal 1 and PKWARE's APPNOTE.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

#: Most bytes of an array header; real ones have 80 to 200.
MAX_HEADER = 10_000
#: Most brackets in it; real ones have two or three.
MAX_BRACKETS = 64
#: Most members of an npz.
MAX_MEMBERS = 64
#: Bytes moved in one piece, and the most that the zip reader may ask of the file at once.
PIECE = 1 << 20
#: Most axes of an array, and most bytes that a header may speak of; numpy can hold no more.
MAX_AXES, MAX_NAMED_BYTES = 8, (1 << 63) - 1

_HEADER_HINT = "the file is damaged; save the array again with numpy.save or numpy.savez_compressed"
_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_LIKELY = (
    (b"\x89HDF", "an HDF5 file (MATLAB v7.3 or h5py)"),
    (b"MATLAB", "a MATLAB file"),
    (b"\x80", "a Python pickle"),
    (b"\x1f\x8b", "a gzip file"),
    (b"ply", "a PLY mesh"),
)


class ArrayFileError(ValueError):
    """An array file that cannot be accepted.

    Attributes
    ----------
    code : str
        Stable kebab-case name of the cause.
    hint : str
        The likely cause and what to do.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


@dataclass(frozen=True)
class ArrayHeader:
    """What an array says about itself.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    fortran : bool
        First index varies fastest.
    offset : int
        Bytes before the data.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of data (a Python integer, so it cannot overflow)."""
        return prod(self.shape) * self.dtype.itemsize


class CautiousFile(io.BufferedReader):
    """A file that hands out at most :data:`PIECE` bytes at once.

    ``zipfile`` reads a whole central directory in one go, and Python allocates what is asked for before
    reading; with this limit a false directory size is an error instead of an allocation.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Read *size* bytes; ``ArrayFileError`` for more than :data:`PIECE`."""
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > PIECE:
            raise ArrayFileError(
                "damaged-zip",
                f"the zip directory claims {size} bytes",
                "the file is damaged or made to exhaust memory; write it again with numpy.savez_compressed",
            )
        return super().read(size)


def _parse_header(stream: BinaryIO | Any) -> ArrayHeader:
    """Read magic, version and header from *stream* without trusting any length in it."""
    start = stream.read(8)
    if start[:6] != _NPY_MAGIC or len(start) < 8:
        raise _not_an_array(start)
    version = (start[6], start[7])
    if version not in ((1, 0), (2, 0)):
        raise ArrayFileError(
            "unreadable-array",
            f"array format version {version[0]}.{version[1]}, expected 1.0 or 2.0",
            "only structured arrays need version 3.0; save a plain float32 array with numpy.save",
        )
    width, code = (2, "<H") if version == (1, 0) else (4, "<I")
    length_bytes = stream.read(width)
    length = struct.unpack(code, length_bytes)[0] if len(length_bytes) == width else MAX_HEADER + 1
    if length > MAX_HEADER:
        raise ArrayFileError(
            "unreadable-array",
            f"array header of {length} bytes, expected at most {MAX_HEADER}",
            _HEADER_HINT,
        )
    text = stream.read(length)
    if sum(text.count(bracket) for bracket in b"([{") > MAX_BRACKETS:
        # Python's parser runs out of memory on brackets within brackets.
        raise ArrayFileError("unreadable-array", "array header of too many brackets", _HEADER_HINT)
    parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy remarks on headers of Python 2, which are as good
            shape, fortran, dtype = parse(io.BytesIO(length_bytes + text))
        shape = tuple(int(n) for n in shape)
    except Exception as error:  # numpy tries two parsers, which fail in many ways on damaged text
        raise ArrayFileError(
            "unreadable-array",
            f"array header cannot be parsed ({type(error).__name__})",
            _HEADER_HINT,
        ) from None
    if any(n < 0 for n in shape):
        raise ArrayFileError("unreadable-array", f"array shape {_show(shape)} is negative", _HEADER_HINT)
    # An axis of length 0 would hide lengths that numpy cannot hold; others contradict the size of the file.
    hidden = prod(max(n, 1) for n in shape) * dtype.itemsize if 0 in shape else 0
    if max(*shape, hidden, 0) > MAX_NAMED_BYTES:
        raise ArrayFileError("unreadable-array", f"array shape {_show(shape)} is impossible", _HEADER_HINT)
    if len(shape) > MAX_AXES or dtype.subdtype is not None or not dtype.itemsize:
        raise ArrayFileError(
            "unreadable-array",
            f"array of {len(shape)} axes and type {str(dtype)[:60]}, expected plain numbers of at most {MAX_AXES} axes",
            "save a plain float32 array with numpy.save",
        )
    if dtype.hasobject:
        raise ArrayFileError(
            "pickled-array",
            "array of Python objects (dtype object), which is a pickle; pickles are never read",
            "a list of frames of unequal length gives this: save numpy.stack(frames).astype('float32')",
        )
    return ArrayHeader(shape, dtype, bool(fortran), 8 + width + length)


def _show(shape: tuple[int, ...]) -> str:
    """Return a shape as text, whatever the size of its numbers."""
    return "(" + ", ".join(str(n) if abs(n) < 1 << 63 else "…" for n in shape[:MAX_AXES]) + ")"


def _not_an_array(start: bytes) -> ArrayFileError:
    for magic, name in _LIKELY:
        if start.startswith(magic):
            code = "pickled-array" if magic == b"\x80" else "unreadable-array"
            return ArrayFileError(
                code, f"is {name}, not a numpy array", "save it with numpy.save; pickles are never read"
            )
    what = "is empty" if not start else "is not a numpy array file"
    return ArrayFileError(
        "unreadable-array", what, "save the array with numpy.save or numpy.savez_compressed"
    )


class ArrayFile:
    """An open ``.npy`` or ``.npz`` whose headers were checked; see :func:`open_arrays`.

    Attributes
    ----------
    headers : dict of str to ArrayHeader
        Headers by member name without ``.npy``; a plain ``.npy`` has the one name ``""``.
    """

    def __init__(self, file: CautiousFile, size: int, archive: zipfile.ZipFile | None) -> None:
        self._file = file
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.headers: dict[str, ArrayHeader] = {}
        if archive is None:
            header = _parse_header(file)
            _check_length(header, size)
            self.headers[""] = header
        else:
            self._scan(archive)

    def _scan(self, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ArrayFileError(
                "too-many-members",
                f"npz with {len(members)} members, expected at most {MAX_MEMBERS}",
                "store one clip per file: one npz with a few named arrays",
            )
        for info in members:
            name = info.filename
            if not name.endswith(".npy") or "/" in name or "\\" in name:
                raise ArrayFileError(
                    "unexpected-member",
                    f"npz member {name!r} is not an array name",
                    "members are '<key>.npy' without folders, as numpy.savez_compressed writes them",
                )
            key = name[:-4]
            if key in self.headers:
                raise ArrayFileError(
                    "duplicate-member",
                    f"npz member {name!r} occurs twice",
                    "which one counts is undefined; write the file again with numpy.savez_compressed",
                )
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ArrayFileError(
                    "unreadable-array",
                    f"npz member {name!r} is encrypted or compressed by another method than deflate",
                    "write the file with numpy.savez_compressed",
                )
            with _naming_damage(), archive.open(info) as stream:
                header = _parse_header(stream)
            _check_length(header, info.file_size, name)
            self._members[key] = info
            self.headers[key] = header

    def read(self, name: str, max_bytes: int) -> np.ndarray:
        """Return array *name* as stored, of at most *max_bytes* bytes.

        Raises
        ------
        KeyError
            For an unknown name.
        ArrayFileError
            For a larger, truncated or damaged array.
        """
        header = self.headers[name]
        if header.nbytes > max_bytes:
            raise ArrayFileError(
                "array-too-large",
                f"array {name!r} of shape {header.shape} {header.dtype} has {header.nbytes} bytes, "
                f"expected at most {max_bytes}",
                "the clip needs fewer frames or vertices; it was not read",
            )
        data = np.empty(header.nbytes, np.uint8)
        if self._archive is None:
            self._file.seek(header.offset)
            fill(data, self._file)
        else:
            with _naming_damage(), self._archive.open(self._members[name]) as stream:
                _skip(stream, header.offset)
                fill(data, stream)
                stream.read(1)  # the checksum is compared at the end of the member only
        if (
            header.dtype.kind == "U"
            and data.view(header.dtype.byteorder.replace("|", "=") + "u4").max(initial=0) > 0x10FFFF
        ):
            raise ArrayFileError(
                "unreadable-array", f"array {name!r} holds text with impossible characters", _HEADER_HINT
            )
        return data.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")


def _check_length(header: ArrayHeader, available: int, name: str = "") -> None:
    wanted = header.offset + header.nbytes
    if wanted != available:
        where = f"npz member {name!r}" if name else "file"
        raise ArrayFileError(
            "truncated-array" if available < wanted else "false-size",
            f"{where} has {available} bytes, but its header {header.shape} {header.dtype} needs {wanted}",
            "the copy or upload was cut off, or the header is false; write the file again",
        )


def fill(data: np.ndarray, stream: Any) -> None:
    """Fill (n,) uint8 *data* from *stream* piece by piece; ``ArrayFileError`` where it ends early."""
    view, position = memoryview(data.data), 0
    while position < len(view):
        piece = stream.read(min(PIECE, len(view) - position))
        if not piece:
            raise ArrayFileError(
                "truncated-array", f"ends after {position} of {len(view)} bytes", "write it again"
            )
        view[position : position + len(piece)] = piece
        position += len(piece)


def _skip(stream: Any, count: int) -> None:
    while count > 0:
        piece = stream.read(count)
        if not piece:
            raise ArrayFileError("truncated-array", "ends within its header", "write the file again")
        count -= len(piece)


@contextmanager
def _naming_damage() -> Iterator[None]:
    """Turn whatever a damaged zip makes ``zipfile`` and ``zlib`` raise into an :class:`ArrayFileError`."""
    try:
        yield
    except ArrayFileError:
        raise
    except Exception as error:  # besides BadZipFile: struct, zlib, seek and text errors, RuntimeError, ...
        raise ArrayFileError(
            "damaged-zip",
            f"cannot be unpacked ({error})",
            "the copy or upload was cut off or altered; write it again with numpy.savez_compressed",
        ) from None


@contextmanager
def open_arrays(path: Path, max_file_bytes: int) -> Iterator[ArrayFile]:
    """Open a ``.npy`` or ``.npz`` file and check its headers; the arrays themselves are read on request.

    Parameters
    ----------
    path : Path
        A regular file; links, pipes and devices are refused.
    max_file_bytes : int
        Most bytes on disk; a larger file is refused before it is read.

    Yields
    ------
    ArrayFile

    Raises
    ------
    ArrayFileError
        For everything wrong with the file, at opening or while reading.
    OSError
        Where the file system refuses.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    with CautiousFile(io.FileIO(descriptor, "rb")) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ArrayFileError("not-a-file", "is not a regular file", "put the array file itself there")
        if status.st_size > max_file_bytes:
            raise ArrayFileError(
                "file-too-large",
                f"file of {status.st_size} bytes, expected at most {max_file_bytes}",
                "it holds more than the clip can need (other frame rate or vertex count?); it was not read",
            )
        start = file.read(8)
        file.seek(0)
        if start.startswith(_ZIP_MAGIC):
            if path.suffix == ".npy":
                raise ArrayFileError("unreadable-array", "is an npz archive named .npy", "rename it to .npz")
            with _naming_damage():
                archive = zipfile.ZipFile(file)
            with archive:
                yield ArrayFile(file, status.st_size, archive)
        else:
            if path.suffix == ".npz":
                if start.startswith(_NPY_MAGIC):
                    raise ArrayFileError(
                        "unreadable-array", "is a plain array named .npz", "rename it to .npy"
                    )
                raise _not_an_array(start)
            yield ArrayFile(file, status.st_size, None)


def read_arrays(path: Path, max_bytes: int) -> dict[str, np.ndarray]:
    """Return all arrays of a file whose data have at most *max_bytes* bytes together.

    Raises
    ------
    ArrayFileError
        For anything :func:`open_arrays` refuses, and for more data than *max_bytes*.
    """
    with open_arrays(path, max_bytes + 64 * 1024) as file:
        total = sum(header.nbytes for header in file.headers.values())
        if total > max_bytes:
            raise ArrayFileError(
                "array-too-large",
                f"arrays of {total} bytes, expected at most {max_bytes}",
                "it holds more than can be needed; it was not read",
            )
        return {name: file.read(name, max_bytes) for name in file.headers}
