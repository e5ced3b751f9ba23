"""Checkpoints of fairseq and Lightning: the tensors and plain settings of a ``torch.save`` archive.

Conventions
-----------
The pickle inside is read by :mod:`mtbench.files.safe_pickle`. Classes of fairseq, omegaconf, sentencepiece and a few
harmless names are replaced by inert stand-ins; any other name is refused. A tensor is first only noted (type, place,
shape); the bytes of those that are wanted are read from the archive afterwards, each once, after its size was compared
with that of the archive's member. Nothing is copied that need not be.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.files.paths import PathError, check_regular_file
from mtbench.files.pickle_stand_ins import (
    DType,
    Function,
    Scalar,
    StandInSet,
    Stub,
    UnsafePickleError,
    encode,
    ordered,
)
from mtbench.files.safe_pickle import load_stand_ins
from mtbench.files.weight_files import MAX_WEIGHTS, is_archive

if TYPE_CHECKING:
    import torch

#: Largest pickle within an archive: it holds settings, a dictionary and perhaps a tokenizer.
MAX_PICKLE = 1 << 26
_STORAGES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_ROOMS = ("fairseq", "omegaconf", "sentencepiece")
_PLAIN_TYPES = {"bool", "int", "long", "float", "str", "unicode", "bytes", "dict", "list", "tuple", "object"}


class _Other(Stub):
    """Any class of fairseq, omegaconf or sentencepiece, and types that are only mentioned."""


class _StorageType:
    __slots__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]


def _whole(value: Any, what: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise UnsafePickleError(f"a tensor with a damaged {what}")
    return value


def _rebuild_tensor(*args: Any) -> _Tensor:
    """``torch._utils._rebuild_tensor_v2``: note what it would make."""
    if len(args) < 4 or not isinstance(args[0], _Storage) or any(type(a) is not tuple for a in args[2:4]):
        raise UnsafePickleError("a tensor made in an unexpected way")
    storage, offset = args[0], _whole(args[1], "offset")
    shape, strides = (tuple(_whole(n, "shape") for n in part) for part in args[2:4])
    count = prod(shape)
    contiguous = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    packed = all(n == 1 or a == b for n, a, b in zip(shape, strides, contiguous))
    if len(shape) != len(strides) or not (packed or count == 0) or offset + count > storage.count:
        raise UnsafePickleError("a tensor that does not lie in its storage row by row")
    return _Tensor(storage, offset, shape)


def _rebuild_parameter(data: Any = None, *rest: Any) -> _Tensor:
    """``torch._utils._rebuild_parameter``."""
    if not isinstance(data, _Tensor):
        raise UnsafePickleError("a parameter made in an unexpected way")
    return data


def _default_dictionary(*rest: Any) -> dict:
    """``collections.defaultdict``, without its default."""
    return {}


_ALLOWED: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): Function(encode),
    ("collections", "OrderedDict"): Function(ordered),
    ("collections", "defaultdict"): Function(_default_dictionary),
    ("torch._utils", "_rebuild_tensor_v2"): Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(_rebuild_parameter),
    ("argparse", "Namespace"): _Other,
    ("typing", "Any"): _Other,
    ("torch", "device"): _Other,
    ("numpy", "dtype"): DType,
    ("numpy.core.multiarray", "scalar"): Scalar,
    ("numpy._core.multiarray", "scalar"): Scalar,
}
for _module in ("builtins", "__builtin__"):
    _ALLOWED[(_module, "set")] = StandInSet
    _ALLOWED |= {(_module, name): _Other for name in _PLAIN_TYPES}


def _find(module: str, name: str) -> Any:
    if module == "torch" and name in _STORAGES:
        return _StorageType(_STORAGES[name])
    return _Other if module.partition(".")[0] in _ROOMS else _ALLOWED.get((module, name))


def _refer(pid: Any) -> _Storage:
    if (
        type(pid) is not tuple
        or len(pid) != 5
        or pid[0] != "storage"
        or not isinstance(pid[1], _StorageType)
        or not isinstance(pid[2], str)
    ):
        raise UnsafePickleError("a reference to something else than a tensor's storage")
    return _Storage(pid[1].dtype, pid[2], _whole(pid[4], "length"))


@dataclass(frozen=True)
class PickledCheckpoint:
    """A checkpoint that was read.

    Attributes
    ----------
    tensors : dict of str to torch.Tensor
        Those that were wanted, as stored.
    table : dict
        Everything else, with stand-ins; see :meth:`look_up`.
    """

    tensors: dict[str, torch.Tensor]
    table: dict[str, Any]

    def look_up(self, *keys: str) -> Any:
        """Return what lies under *keys*, one within another: a plain value, or None.

        Dictionaries, namespaces, omegaconf's nodes and attributes of objects are looked into alike; enumerations give
        their value.

        Parameters
        ----------
        *keys : str
            From the outside in.
        """
        value: Any = self.table
        for key in keys:
            inside = _contents(value)
            if not isinstance(inside, dict) or key not in inside:
                return None
            value = inside[key]
        return _contents(value)


def _contents(value: Any) -> Any:
    for _ in range(8):  # a node may hold a node
        if not isinstance(value, Stub):
            break
        state = value.state if isinstance(value.state, dict) else {}
        if "_content" in state:
            value = state["_content"]
        elif "_val" in state:
            value = state["_val"]
        elif state or not value.args:
            return state
        else:
            value = value.args[0]
    return value


def load_pickled_checkpoint(
    path: Path, wanted: Callable[[str], bool] = lambda name: True, holder: str = "fairseq checkpoint"
) -> PickledCheckpoint:
    """Read a checkpoint as fairseq's or Lightning's trainer writes it, or tensors by name, running nothing in it.

    Parameters
    ----------
    path : Path
        A file of ``torch.save``, format of 2020 and later.
    wanted : callable
        Whether the tensor of a name, under ``model``, ``state_dict`` or at the top, is to be read.
    holder : str
        What is read, for messages.

    Raises
    ------
    UnsafePickleError
        For a name that no such checkpoint needs, for a damaged file, and for one that is no checkpoint.
    """
    try:
        size = check_regular_file(path.resolve())  # a link will do: the user named it
        if not is_archive(path):
            raise UnsafePickleError(
                "not a zip archive as torch.save writes it since 2020: cut off, or not a checkpoint"
            )
    except UnsafePickleError:
        raise
    except (PathError, ValueError) as error:
        raise UnsafePickleError(str(error)) from None
    if size > MAX_WEIGHTS:
        raise UnsafePickleError(f"larger than {MAX_WEIGHTS >> 30} GB")
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        (name, *others) = [name for name in members if name.endswith("/data.pkl")] or [""]
        if not name or others or members[name].file_size > MAX_PICKLE:
            raise UnsafePickleError("an archive without data.pkl, with several or with a huge one")
        try:
            table = load_stand_ins(archive.read(name), _find, _refer, holder)
            model = table.get("model", table.get("state_dict", table)) if isinstance(table, dict) else None
            if not isinstance(model, dict):
                raise UnsafePickleError(
                    "no dictionary of tensors at the top or under 'model' or 'state_dict'"
                )
            noted = {
                n: t for n, t in model.items() if isinstance(t, _Tensor) and isinstance(n, str) and wanted(n)
            }
            tensors = _read_tensors(archive, members, name[: -len("data.pkl")], noted, 2 * size)
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            raise UnsafePickleError(f"damaged archive ({error})") from None
    rest = {} if model is table else {key: value for key, value in table.items() if value is not model}
    return PickledCheckpoint(tensors, rest)


def _read_tensors(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    root: str,
    noted: dict[str, _Tensor],
    most: int,
) -> dict[str, torch.Tensor]:
    import torch

    kinds = {dtype: getattr(torch, dtype) for dtype in _STORAGES.values()}
    if sum(prod(t.shape) * kinds[t.storage.dtype].itemsize for t in noted.values()) > most:
        raise UnsafePickleError("tensors that together claim more than twice what the file holds")
    storages: dict[str, torch.Tensor] = {}
    tensors = {}
    for name, tensor in noted.items():
        key, kind = tensor.storage.key, kinds[tensor.storage.dtype]
        if key not in storages:
            member = members.get(f"{root}data/{key}")
            if (
                member is None
                or member.compress_type != zipfile.ZIP_STORED
                or member.file_size != tensor.storage.count * kind.itemsize
            ):
                raise UnsafePickleError(f"the tensor {name[:100]!r} without its bytes")
            content = bytearray(member.file_size)
            with archive.open(member) as file:
                done = file.readinto(content)  # type: ignore[attr-defined]
                while done < len(content):
                    more = file.readinto(memoryview(content)[done:])  # type: ignore[attr-defined]
                    if not more:
                        raise EOFError(f"{member.filename} ends early")
                    done += more
            storages[key] = torch.frombuffer(content, dtype=kind) if content else torch.empty(0, dtype=kind)
        flat = storages[key]
        if flat.dtype != kind:
            raise UnsafePickleError(f"the tensor {name[:100]!r} of two types")
        tensors[name] = flat[tensor.offset : tensor.offset + prod(tensor.shape)].reshape(tensor.shape)
    return tensors
