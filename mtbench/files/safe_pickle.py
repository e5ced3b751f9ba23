"""Reading the arrays of a FLAME pickle without executing anything.

Conventions
-----------
A pickle is a program; this module runs only a harmless part of it. First every opcode is looked at without
running it: instructions that import by other means, refer to persistent or out-of-band objects, or claim more
memo places than there are instructions are refused. Then names on a short allow-list are replaced by inert
stand-ins (:mod:`mtbench.files.pickle_stand_ins`), never by the classes they name, so that no code of numpy, scipy
or chumpy runs; any other name is refused. Last, the stand-ins are turned into plain arrays.

Understood are numpy arrays of Python 2 and 3, ``chumpy`` variables (``Ch``, and ``Select``, an indexed view)
and ``scipy.sparse`` matrices in compressed form: everything that FLAME models of 2017 to 2023 hold.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.files.paths import PathError, check_regular_file
from mtbench.files.pickle_stand_ins import (
    ArrayClass,
    Buffer,
    Chumpy,
    DType,
    Function,
    ObjectClass,
    Scalar,
    Sparse,
    SparseColumns,
    StandInSet,
    UnsafePickleError,
    encode,
    number_array,
    ordered,
    reconstruct,
    reconstruct_object,
)

#: Largest pickle that is read: FLAME models have 50 to 130 MB.
MAX_BYTES = 1 << 30
#: Most instructions; FLAME models have a few thousand.
MAX_INSTRUCTIONS = 1_000_000
#: Most numbers of all wanted arrays together: a small pickle may name one array a thousand times.
MAX_TOTAL = 1 << 25

_REFUSED = {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "INST", "OBJ", "NEWOBJ_EX"}
_REFUSED |= {"NEXT_BUFFER", "READONLY_BUFFER"}


_ALLOWED: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): Function(encode),
    ("collections", "OrderedDict"): Function(ordered),
    ("builtins", "set"): StandInSet,
    ("__builtin__", "set"): StandInSet,
    ("builtins", "object"): ObjectClass,
    ("__builtin__", "object"): ObjectClass,
    ("copyreg", "_reconstructor"): Function(reconstruct_object),
    ("copy_reg", "_reconstructor"): Function(reconstruct_object),
    ("numpy", "ndarray"): ArrayClass,
    ("numpy", "dtype"): DType,
}
for _core in ("numpy.core", "numpy._core"):
    _ALLOWED[(f"{_core}.multiarray", "_reconstruct")] = Function(reconstruct)
    _ALLOWED[(f"{_core}.multiarray", "scalar")] = Scalar
    _ALLOWED[(f"{_core}.numeric", "_frombuffer")] = Buffer
for _sparse in ("csc", "_csc"):
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csc_matrix")] = SparseColumns
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csc_array")] = SparseColumns
for _sparse in ("csr", "_csr"):
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csr_matrix")] = Sparse
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csr_array")] = Sparse


def _find_flame(module: str, name: str) -> Any:
    return Chumpy if module == "chumpy" or module.startswith("chumpy.") else _ALLOWED.get((module, name))


class _Unpickler(pickle.Unpickler):
    def __init__(
        self, data: bytes, find: Callable[[str, str], Any], refer: Callable[[Any], Any] | None, holder: str
    ) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._find, self._refer, self._holder = find, refer, holder

    def find_class(self, module: str, name: str) -> Any:
        found = self._find(module, name)
        if found is None:
            raise UnsafePickleError(
                f"the name {module}.{name}, which no {self._holder} needs; nothing was run"
            )
        return found

    def persistent_load(self, pid: Any) -> Any:
        if self._refer is None:
            raise UnsafePickleError("a persistent reference")
        return self._refer(pid)


def _inspect(data: bytes, holder: str, refused: set[str]) -> None:
    """Look at every instruction without running it."""
    count, most, position, frame_end = 0, 0, 0, 0
    try:
        for opcode, argument, place in pickletools.genops(io.BytesIO(data)):
            count, position = count + 1, place or 0
            # Frames say what may be read at once; the unpickler loses its way in one that ends within an instruction.
            if frame_end and position >= frame_end:
                _check_frame(position == frame_end)
                frame_end = 0
            if opcode.name == "FRAME" and isinstance(argument, int):
                _check_frame(not frame_end)
                frame_end = position + 9 + argument
            if count > MAX_INSTRUCTIONS:
                raise UnsafePickleError(f"more than {MAX_INSTRUCTIONS} instructions")
            if opcode.name in refused:
                raise UnsafePickleError(f"the instruction {opcode.name}, which no {holder} needs")
            if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and isinstance(argument, int):
                most = max(most, argument)
        _check_frame(frame_end in (0, position + 1))
    except UnsafePickleError:
        raise
    except Exception as error:
        raise UnsafePickleError(f"damaged contents ({error})") from None
    if most > count:  # the memo is a table as long as its largest index
        raise UnsafePickleError("more memo places than instructions")


def _check_frame(right: bool) -> None:
    if not right:
        raise UnsafePickleError("damaged contents (a frame of the wrong length)")


def load_stand_ins(
    data: bytes,
    find: Callable[[str, str], Any],
    refer: Callable[[Any], Any] | None = None,
    holder: str = "FLAME model",
) -> Any:
    """Return what a pickle holds, with inert stand-ins in place of whatever it names.

    Parameters
    ----------
    data : bytes
        The pickle.
    find : callable
        Gives the stand-in of a module and a name, or None for one that is refused.
    refer : callable, optional
        Gives what a persistent reference stands for; without it they are refused.
    holder : str
        What is read, for messages.

    Raises
    ------
    UnsafePickleError
        For a name that is refused, and for damaged contents.
    """
    _inspect(data, holder, _REFUSED if refer is None else _REFUSED - {"BINPERSID"})
    try:
        return _Unpickler(data, find, refer, holder).load()
    except UnsafePickleError:
        raise
    except Exception as error:
        raise UnsafePickleError(f"damaged contents ({type(error).__name__}: {error})") from None


def load_arrays(path: Path, wanted: set[str] | None) -> dict[str, np.ndarray]:
    """Read the arrays called *wanted*, or all, from a pickled dictionary.

    Parameters
    ----------
    path : Path
        A pickle of Python 2 or 3 whose top level is a dictionary.
    wanted : set of str or None
        Keys to keep; others are not even converted. None keeps all.

    Returns
    -------
    dict of str to numpy.ndarray
        The *wanted* keys that are there, in native byte order.

    Raises
    ------
    UnsafePickleError
        For anything but arrays, for a damaged file, and for one of more than :data:`MAX_BYTES` bytes.
    """
    try:
        size = check_regular_file(path)
    except PathError as error:
        raise UnsafePickleError(str(error)) from None
    if size > MAX_BYTES:
        raise UnsafePickleError(f"{size} bytes, expected at most {MAX_BYTES}")
    table = load_stand_ins(path.read_bytes(), _find_flame)
    if not isinstance(table, dict):
        raise UnsafePickleError(f"a {type(table).__name__} at the top, expected a dictionary of arrays")
    arrays: dict[str, np.ndarray] = {}
    for key, value in table.items():
        name = key.decode("latin1") if isinstance(key, bytes) else key
        if isinstance(name, str) if wanted is None else name in wanted:
            try:
                array = number_array(value)
            except UnsafePickleError as error:
                raise UnsafePickleError(f"under {name!r} {error}") from None
            except Exception as error:  # stand-ins are given whatever the pickle likes
                raise UnsafePickleError(f"under {name!r} a damaged array ({type(error).__name__})") from None
            if array.size + sum(a.size for a in arrays.values()) > MAX_TOTAL:
                raise UnsafePickleError(f"more than {MAX_TOTAL} numbers in all")
            arrays[name] = array.astype(array.dtype.newbyteorder("="))
    return arrays


def load_tree(path: Path, deepest: int = 4) -> dict[Any, Any]:
    """Read dictionaries within dictionaries, of arrays, numbers and texts.

    Parameters
    ----------
    path : Path
        A pickle of Python 2 or 3 whose top level is a dictionary.
    deepest : int
        Most dictionaries one within another.

    Returns
    -------
    dict
        As stored; arrays in native byte order, keys whole numbers or text.

    Raises
    ------
    UnsafePickleError
        For anything else, for a damaged file, and for one of more than :data:`MAX_BYTES` bytes.
    """
    try:
        size = check_regular_file(path)
    except PathError as error:
        raise UnsafePickleError(str(error)) from None
    if size > MAX_BYTES:
        raise UnsafePickleError(f"{size} bytes, expected at most {MAX_BYTES}")
    table = load_stand_ins(path.read_bytes(), _find_flame, holder="data set")
    if not isinstance(table, dict):
        raise UnsafePickleError(f"a {type(table).__name__} at the top, expected a dictionary")
    # A small pickle may name one dictionary a thousand times, within another that it names as often.
    left = [MAX_INSTRUCTIONS, size // 2 + 1]
    try:
        return _convert(table, deepest, left)
    except UnsafePickleError:
        raise
    except Exception as error:  # stand-ins are given whatever the pickle likes
        raise UnsafePickleError(f"a damaged value ({type(error).__name__})") from None


def _convert(value: Any, deepest: int, left: list[int]) -> Any:
    """Return a value without stand-ins; *left* counts down values and numbers that may follow."""
    left[0] -= 1
    if left[0] < 0:
        raise UnsafePickleError(f"more than {MAX_INSTRUCTIONS} values")
    if isinstance(value, dict):
        if not deepest:
            raise UnsafePickleError("dictionaries nested too deeply")
        keys = [key.decode("latin1") if isinstance(key, bytes) else key for key in value]
        if not all(type(key) in (int, str) for key in keys):
            raise UnsafePickleError("a dictionary with keys that are no numbers or texts")
        return {
            key: _convert(item, deepest - 1, left) for key, item in zip(keys, value.values(), strict=True)
        }
    if type(value) in (int, float, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin1")
    array = number_array(value)
    left[1] -= array.size
    if left[1] < 0:
        raise UnsafePickleError("more numbers than the file can hold")
    return array.astype(array.dtype.newbyteorder("="))
