"""Tensors that torch wrote, as numpy arrays: read without torch, and without running anything in the file.

Conventions
-----------
``torch.save`` of one tensor is a zip archive whose pickle says type, place and shape, and whose other members are
the numbers. A tensor within an ordinary pickle, such as an object array that ``numpy.savez`` wrote, brings its
numbers with it, in the format that ``torch.save`` had before 2020. Both are read by
:mod:`mtbench.files.safe_pickle`: what they name is replaced by inert stand-ins, any other name is refused, and
sizes are compared before anything is allocated.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.files.arrays import CautiousFile, fill
from mtbench.files.paths import PathError, check_regular_file
from mtbench.files.pickle_stand_ins import (
    ArrayClass,
    Function,
    Stub,
    UnsafePickleError,
    encode,
    ordered,
    reconstruct,
)
from mtbench.files.safe_pickle import load_stand_ins

_TYPES = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8"}
_MAX_PICKLE = 1 << 20
#: Pickles that a storage begins with, before its numbers.
_PICKLES = 5
#: Most axes of a tensor.
_MAX_AXES = 8


class _Sealed:
    """What a pickle may name and cannot change."""

    def __setstate__(self, state: Any) -> None:
        raise UnsafePickleError("a tensor that is altered after it was made")


class _Type(_Sealed):
    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)


class _Storage(_Sealed):
    """Numbers that a tensor is a part of: where they are, or the numbers."""

    def __init__(self, kind: Any, key: str, count: Any) -> None:
        if not isinstance(kind, _Type) or type(count) is not int or not 0 <= count < 1 << 40:
            raise UnsafePickleError("a tensor with damaged numbers, or of another type than floating point")
        self.dtype, self.key, self.count = kind.dtype, key, count
        self.numbers: np.ndarray | None = None


class _Tensor(_Sealed):
    """What a pickle says of a tensor."""

    def __init__(self, *args: Any) -> None:
        if len(args) < 4 or not isinstance(args[0], _Storage):
            raise UnsafePickleError("a tensor made in an unexpected way")
        self.storage, offset, shape, strides = args[:4]
        whole = type(offset) is int and all(type(part) is tuple for part in (shape, strides))
        if not whole or any(type(n) is not int or n < 0 for n in (offset, *shape, *strides)):
            raise UnsafePickleError("a tensor with a damaged shape")
        contiguous = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
        packed = all(n == 1 or a == b for n, a, b in zip(shape, strides, contiguous, strict=False))
        if len(shape) != len(strides) or len(shape) > _MAX_AXES or not (packed or not prod(shape)):
            raise UnsafePickleError("a tensor that does not lie row by row; save tensor.contiguous()")
        if offset + prod(shape) > self.storage.count:
            raise UnsafePickleError("a tensor that is larger than its numbers")
        self.offset, self.shape = offset, shape

    def resolve(self) -> np.ndarray:
        """Return the tensor's numbers."""
        assert self.storage.numbers is not None
        return self.storage.numbers[self.offset : self.offset + prod(self.shape)].reshape(self.shape)


class _Plain(Stub):
    """A type that is only mentioned."""


def _find(module: str, name: str) -> Any:
    if module == "torch" and name in _TYPES:
        return _Type(_TYPES[name])
    return _ALLOWED.get((module, name))


def _refer(pid: Any) -> _Storage:
    if type(pid) is not tuple or len(pid) not in (5, 6) or pid[0] != "storage" or not isinstance(pid[2], str):
        raise UnsafePickleError("a reference to something else than a tensor's numbers")
    return _Storage(pid[1], pid[2], pid[4])


def _open_storage(data: Any = None, *rest: Any) -> _Storage:
    """``torch.storage._load_from_bytes``: numbers in the format of before 2020."""
    if not isinstance(data, bytes):
        raise UnsafePickleError("numbers that are no bytes")
    stream = io.BytesIO(data)
    starts = [0]
    for _ in range(_PICKLES):
        try:
            for _ in pickletools.genops(stream):
                if stream.tell() > _MAX_PICKLE:
                    raise UnsafePickleError("numbers with a huge description")
        except ValueError as error:
            raise UnsafePickleError(f"numbers with a damaged description ({error})") from None
        starts.append(stream.tell())
    storage = load_stand_ins(data[starts[3] : starts[4]], _find, _refer, "tensor")
    if not isinstance(storage, _Storage):
        raise UnsafePickleError("numbers without a description")
    begin, size = starts[5] + 8, storage.count * storage.dtype.itemsize
    if int.from_bytes(data[begin - 8 : begin], "little") != storage.count or len(data) != begin + size:
        raise UnsafePickleError("another count of numbers than the description says; cut off?")
    # Not a copy: a pickle may open the same bytes a thousand times.
    storage.numbers = np.frombuffer(data, storage.dtype, storage.count, begin)
    return storage


_ALLOWED: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): Function(_Tensor),
    ("torch.storage", "_load_from_bytes"): Function(_open_storage),
    ("_codecs", "encode"): Function(encode),
    ("collections", "OrderedDict"): Function(ordered),
    ("numpy", "ndarray"): ArrayClass,
    ("numpy", "dtype"): _Plain,
    ("numpy.core.multiarray", "_reconstruct"): Function(reconstruct),
    ("numpy._core.multiarray", "_reconstruct"): Function(reconstruct),
}


def read_saved_tensor(path: Path, max_bytes: int) -> np.ndarray:
    """Return the tensor that ``torch.save(tensor, path)`` wrote.

    Parameters
    ----------
    path : Path
        A regular file, format of 2020 and later.
    max_bytes : int
        Most bytes of its numbers.

    Raises
    ------
    UnsafePickleError
        For anything but one tensor of floating point, for a larger and for a damaged file.
    """
    _check(path)
    with _open_archive(path, "no tensor of torch.save since 2020") as archive:
        return _read_archive(archive, max_bytes)


def _check(path: Path) -> int:
    try:
        return check_regular_file(path)
    except PathError as error:
        raise UnsafePickleError(str(error)) from None


@contextmanager
def _open_archive(path: Path, what: str) -> Iterator[zipfile.ZipFile]:
    with CautiousFile(io.FileIO(path, "rb")) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                yield archive
        except (UnsafePickleError, KeyError):
            raise
        except (
            Exception
        ) as error:  # besides BadZipFile: struct, zlib, seek and text errors of damaged directories
            raise UnsafePickleError(f"{what} ({error})") from None


def _read_archive(archive: zipfile.ZipFile, max_bytes: int) -> np.ndarray:
    members = {member.filename: member for member in archive.infolist()}
    names = [name for name in members if name.endswith("/data.pkl")]
    if len(names) != 1 or members[names[0]].file_size > _MAX_PICKLE:
        raise UnsafePickleError("an archive without data.pkl, with several or with a huge one")
    tensor = load_stand_ins(archive.read(names[0]), _find, _refer, "tensor")
    if not isinstance(tensor, _Tensor):
        raise UnsafePickleError(f"a {type(tensor).__name__} at the top, expected one tensor")
    root, storage = names[0][: -len("data.pkl")], tensor.storage
    member, order = members.get(f"{root}data/{storage.key}"), members.get(f"{root}byteorder")
    size = storage.count * storage.dtype.itemsize
    if size > max_bytes:
        raise UnsafePickleError(f"{size} bytes of numbers, expected at most {max_bytes}")
    if member is None or member.compress_type != zipfile.ZIP_STORED or member.file_size != size:
        raise UnsafePickleError("another count of numbers than the description says; cut off?")
    if order is not None and (order.file_size > _MAX_PICKLE or archive.read(order) != b"little"):
        raise UnsafePickleError("numbers of a big-endian machine")
    data = np.empty(size, np.uint8)
    with archive.open(member) as stream:
        fill(data, stream)
    storage.numbers = data.view(storage.dtype)
    return tensor.resolve()


def unpickle_tensors(data: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a dictionary, pickled as it is or as the only item of an object array.

    Parameters
    ----------
    data : bytes
        The pickle; what ``numpy.savez`` writes of a dictionary, without the array's header.

    Raises
    ------
    UnsafePickleError
        For anything else, and for damaged data.
    """
    table = load_stand_ins(data, _find, None, "dictionary of tensors")
    if isinstance(table, Stub) and isinstance(table.state, tuple) and table.state:
        items = table.state[-1]
        table = items[0] if isinstance(items, list) and len(items) == 1 else items
    if not isinstance(table, dict):
        raise UnsafePickleError(f"a {type(table).__name__}, expected a dictionary of tensors")
    return {
        name: tensor.resolve()
        for name, tensor in table.items()
        if isinstance(name, str) and isinstance(tensor, _Tensor) and tensor.storage.numbers is not None
    }


def list_archive(path: Path) -> list[str]:
    """Return the names of what ``numpy.savez`` wrote into *path*, ``.npy`` included, folders and all.

    Raises
    ------
    UnsafePickleError
        For a damaged archive.
    """
    _check(path)
    with _open_archive(path, "no archive of numpy.savez") as archive:
        return [member.filename for member in archive.infolist()]


def read_tensor_dictionary(path: Path, member: str, max_bytes: int) -> dict[str, np.ndarray]:
    """Return the tensors of a dictionary that ``numpy.savez`` wrote as an object array.

    Parameters
    ----------
    path : Path
        The archive.
    member : str
        One of :func:`list_archive`.
    max_bytes : int
        Most bytes of the dictionary.

    Raises
    ------
    UnsafePickleError
        For anything else, and for damaged or larger data.
    """
    available = _check(path)
    with _open_archive(path, "no archive of numpy.savez") as archive:
        info = archive.getinfo(member)
        if info.file_size > min(max_bytes, available) or info.compress_type != zipfile.ZIP_STORED:
            raise UnsafePickleError(
                f"{info.file_size} bytes, expected at most {min(max_bytes, available)}, not compressed"
            )
        content = np.empty(info.file_size, np.uint8)
        with archive.open(info) as stream:
            fill(content, stream)
    data = content.tobytes()
    begin = data.find(b"\n", 0, 256) + 1
    if not data.startswith(b"\x93NUMPY") or b"'|O'" not in data[:begin]:
        raise UnsafePickleError("no dictionary, but another array of numpy.savez")
    return unpickle_tensors(data[begin:])
