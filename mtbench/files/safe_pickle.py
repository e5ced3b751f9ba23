"""Reading the arrays of a FLAME pickle without executing anything.

Conventions
-----------
A pickle is a program; this module runs only a harmless part of it. First every opcode is looked at without
running it: instructions that import by other means, refer to persistent or out-of-band objects, or claim more
memo places than there are instructions are refused. Then names on a short allow-list are replaced by inert
stand-ins of this module, never by the classes they name, so that no code of numpy, scipy or chumpy runs; any
other name is refused. Last, the stand-ins are turned into plain arrays.

Understood are numpy arrays of Python 2 and 3, ``chumpy`` variables (``Ch``, and ``Select``, an indexed view)
and ``scipy.sparse`` matrices in compressed form: everything that FLAME models of 2017 to 2023 hold.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections import OrderedDict
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.files.paths import PathError, check_regular_file

#: Largest pickle that is read: FLAME models have 50 to 130 MB.
MAX_BYTES = 1 << 30
#: Most instructions; FLAME models have a few thousand.
MAX_INSTRUCTIONS = 1_000_000
#: Most numbers of one array after expanding sparse matrices, indexed views and lists; FLAME's shapes are 6 million.
MAX_ITEMS = 1 << 24
#: Most numbers of all wanted arrays together: a small pickle may name one array a thousand times.
MAX_TOTAL = 1 << 25
#: Most axes of an array, and of lists within lists.
MAX_AXES = 8

_REFUSED = {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "INST", "OBJ", "NEWOBJ_EX"}
_REFUSED |= {"NEXT_BUFFER", "READONLY_BUFFER"}


#: Types of plain numbers.
_PLAIN = re.compile("[<>|=]?(f[248]|[iu][1248]|b1)")


class UnsafePickleError(ValueError):
    """A pickle that holds something else than arrays, or is damaged."""


class _Stub:
    """Stand-in for an object; keeps the state that it is given and does nothing."""

    # A pickle may make an object without calling its class.
    args: tuple = ()
    state: Any = {}  # noqa: RUF012 - replaced, never changed

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _ArrayClass(_Stub):
    """``numpy.ndarray`` as a name; calling it gives an inert object."""


class _ObjectClass(_Stub):
    """``object`` as a name."""


class _DType(_Stub):
    """``numpy.dtype``: kind and item size, then byte order from the state."""

    def resolve(self) -> np.dtype:
        code = self.args[0] if self.args else ""
        code = code.decode("latin1") if isinstance(code, bytes) else code
        order = "|"
        if isinstance(self.state, tuple) and len(self.state) > 1:
            order = self.state[1].decode("latin1") if isinstance(self.state[1], bytes) else self.state[1]
        if not isinstance(code, str) or not _PLAIN.fullmatch(code) or order not in ("<", ">", "|", "="):
            raise UnsafePickleError(f"array of type {str(code)[:40]!r}; only plain numbers are read")
        plain = np.dtype(code)
        return plain.newbyteorder("<" if order == "<" else ">") if order in "<>" else plain


class _Array(_Stub):
    """``numpy.ndarray`` that waits for its state (version, shape, dtype, fortran, data)."""

    def resolve(self) -> np.ndarray:
        state = self.state
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise UnsafePickleError("an array without contents")
        shape, dtype, fortran, data = state[-4:]
        return _make_array(shape, dtype, bool(fortran), data)


class _Buffer(_Stub):
    """``numpy.core.numeric._frombuffer(data, dtype, shape, order)`` of protocol 5."""

    def resolve(self) -> np.ndarray:
        if len(self.args) != 4:
            raise UnsafePickleError("an array buffer with the wrong arguments")
        data, dtype, shape, order = self.args
        return _make_array(shape, dtype, order == "F", data)


class _Scalar(_Stub):
    """``numpy.core.multiarray.scalar(dtype, data)``."""

    def resolve(self) -> np.ndarray:
        if len(self.args) != 2:
            raise UnsafePickleError("a number without contents")
        return _make_array((), self.args[0], False, self.args[1])


class _Chumpy(_Stub):
    """Any ``chumpy`` object: ``Ch`` keeps an array ``x``, ``Select`` a base ``a`` and indices ``idxs``."""

    def resolve(self) -> np.ndarray:
        state = self.state if isinstance(self.state, dict) else {}
        if "x" in state:
            return _number_array(state["x"])
        if "a" in state and "idxs" in state:
            base, index = _number_array(state["a"]).reshape(-1), _number_array(state["idxs"]).reshape(-1)
            if index.dtype.kind not in "iu" or (
                index.size and not 0 <= index.min() <= index.max() < base.size
            ):
                raise UnsafePickleError("a chumpy view with indices outside its array")
            chosen = base[index]
            shape = state.get("preferred_shape")
            return chosen if shape is None else chosen.reshape(_check_shape(shape, chosen.size))
        raise UnsafePickleError(
            f"a chumpy expression of {sorted(map(str, state))}; only stored values are read"
        )


class _Sparse(_Stub):
    """``scipy.sparse`` matrix in compressed row or column form."""

    by_column = False

    def resolve(self) -> np.ndarray:
        state = self.state if isinstance(self.state, dict) else {}
        try:
            shape = state.get("_shape", state.get("shape"))
            data, indices, pointers = (_number_array(state[key]) for key in ("data", "indices", "indptr"))
            rows, columns = (int(n) for n in shape)  # type: ignore[union-attr]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise UnsafePickleError("a sparse matrix without data, indices and shape") from None
        if not (0 <= rows <= MAX_ITEMS and 0 <= columns <= MAX_ITEMS and rows * columns <= MAX_ITEMS):
            raise UnsafePickleError(f"a sparse matrix of {_show(rows)} by {_show(columns)} is too large")
        if any(a.ndim != 1 for a in (data, indices, pointers)) or {
            indices.dtype.kind,
            pointers.dtype.kind,
        } - {*"iu"}:
            raise UnsafePickleError("a sparse matrix whose indices are no list of whole numbers")
        major, minor = (columns, rows) if self.by_column else (rows, columns)
        counts = np.diff(pointers.astype(np.int64)).astype(np.int64)
        if (
            data.shape != indices.shape
            or len(pointers) != major + 1
            or (counts < 0).any()
            or pointers[0] != 0
            or pointers[-1] != len(data)
            or (len(indices) and not 0 <= indices.min() <= indices.max() < minor)
        ):
            raise UnsafePickleError("a sparse matrix whose indices contradict its shape")
        dense = np.zeros((major, minor))
        np.add.at(
            dense, (np.repeat(np.arange(major), counts), indices.astype(np.int64)), data.astype(np.float64)
        )
        return dense.T if self.by_column else dense


class _SparseColumns(_Sparse):
    by_column = True


def _show(number: int) -> str:
    """Return a whole number as text, whatever its size."""
    return str(number) if abs(number) < 1 << 63 else "…"


def _check_shape(shape: Any, size: int) -> tuple[int, ...]:
    try:
        checked = tuple(int(n) for n in shape)
    except (TypeError, ValueError, OverflowError):
        raise UnsafePickleError("an array without a shape") from None
    # An axis of length 0 would hide lengths that numpy cannot hold.
    if len(checked) > MAX_AXES or any(not 0 <= n <= MAX_ITEMS for n in checked) or prod(checked) != size:
        shown = ", ".join(_show(n) for n in checked[:MAX_AXES])
        raise UnsafePickleError(f"an array of {size} numbers that claims the shape ({shown})")
    return checked


def _make_array(shape: Any, dtype: Any, fortran: bool, data: Any) -> np.ndarray:
    if not isinstance(dtype, _DType):
        raise UnsafePickleError("an array of objects; only plain numbers are read")
    kind = dtype.resolve()
    if isinstance(data, str):  # Python 2 wrote bytes as text
        try:
            data = data.encode("latin1")
        except UnicodeEncodeError:
            raise UnsafePickleError("an array with damaged contents") from None
    if not isinstance(data, (bytes, bytearray)) or len(data) % kind.itemsize:
        raise UnsafePickleError("an array with damaged contents")
    if len(data) // kind.itemsize > MAX_ITEMS:
        raise UnsafePickleError(f"an array of more than {MAX_ITEMS} numbers")
    flat = np.frombuffer(data, kind)
    return flat.reshape(_check_shape(shape, flat.size), order="F" if fortran else "C")


class _Function:
    """Stand-in for a function; a pickle may call it, and can give it no attributes."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise UnsafePickleError("a function with a state")


def _reconstruct(*args: Any) -> _Array:
    return _Array()


def _reconstruct_object(cls: Any = None, base: Any = None, state: Any = None, *rest: Any) -> Any:
    """``copyreg._reconstructor`` for stand-ins only."""
    if isinstance(cls, type) and issubclass(cls, _Stub):
        return cls()
    raise UnsafePickleError("an object of a class that is no array")


def _encode(text: Any = "", encoding: Any = "latin1", *rest: Any) -> bytes:
    """``_codecs.encode``, with which Python 3 writes bytes in old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError("text in an unexpected encoding")
    try:
        return text.encode("latin1")
    except UnicodeEncodeError:
        raise UnsafePickleError("bytes that are no bytes") from None


def _ordered(pairs: Any = (), *rest: Any) -> OrderedDict:
    """``collections.OrderedDict``; Python 2 gives its items as a list of pairs."""
    if rest or not isinstance(pairs, (list, tuple)) or any(type(p) not in (list, tuple) for p in pairs):
        raise UnsafePickleError("a dictionary made in an unexpected way")
    return OrderedDict(pairs)


class _Set(_Stub):
    """``set``: chumpy keeps one of changed variables, which nobody needs."""


_ALLOWED: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _Function(_encode),
    ("collections", "OrderedDict"): _Function(_ordered),
    ("builtins", "set"): _Set,
    ("__builtin__", "set"): _Set,
    ("builtins", "object"): _ObjectClass,
    ("__builtin__", "object"): _ObjectClass,
    ("copyreg", "_reconstructor"): _Function(_reconstruct_object),
    ("copy_reg", "_reconstructor"): _Function(_reconstruct_object),
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): _DType,
}
for _core in ("numpy.core", "numpy._core"):
    _ALLOWED[(f"{_core}.multiarray", "_reconstruct")] = _Function(_reconstruct)
    _ALLOWED[(f"{_core}.multiarray", "scalar")] = _Scalar
    _ALLOWED[(f"{_core}.numeric", "_frombuffer")] = _Buffer
for _sparse in ("csc", "_csc"):
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csc_matrix")] = _SparseColumns
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csc_array")] = _SparseColumns
for _sparse in ("csr", "_csr"):
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csr_matrix")] = _Sparse
    _ALLOWED[(f"scipy.sparse.{_sparse}", "csr_array")] = _Sparse


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "chumpy" or module.startswith("chumpy."):
            return _Chumpy
        try:
            return _ALLOWED[(module, name)]
        except KeyError:
            raise UnsafePickleError(
                f"the name {module}.{name}, which no FLAME model needs; nothing was run"
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        raise UnsafePickleError("a persistent reference")


def _inspect(data: bytes) -> None:
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
            if opcode.name in _REFUSED:
                raise UnsafePickleError(f"the instruction {opcode.name}, which no FLAME model needs")
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


def _number_array(value: Any) -> np.ndarray:
    """Turn a stand-in or a nested list of numbers into an array."""
    for _ in range(8):  # a Ch may hold a Ch
        if not isinstance(value, _Stub):
            break
        if not hasattr(value, "resolve"):
            raise UnsafePickleError("an object that is no array")
        value = value.resolve()
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (bool, int, float, list, tuple)):
        array = _listed_array(value)
        if array is not None:
            return array
    raise UnsafePickleError(f"a {type(value).__name__} where an array was expected")


def _listed_array(value: Any) -> np.ndarray | None:
    """Turn a number, or lists in lists of numbers, into an array; None where they are no array.

    Lists may hold one another many times over: sizes are multiplied before anything is unfolded.
    """
    shape: list[int] = []
    first = value
    while isinstance(first, (list, tuple)):
        shape.append(len(first))
        if len(shape) > MAX_AXES or prod(shape) > MAX_ITEMS:
            raise UnsafePickleError(f"lists in lists of more than {MAX_ITEMS} numbers or {MAX_AXES} axes")
        first = first[0] if first else None
    flat = [value]
    for length in shape:
        if any(not isinstance(part, (list, tuple)) or len(part) != length for part in flat):
            return None
        flat = [item for part in flat for item in part]
    if any(type(item) not in (bool, int, float) for item in flat):
        return None
    try:
        array = np.array(flat)
    except (ValueError, TypeError, OverflowError):
        return None
    return array.reshape(shape) if array.dtype.kind in "fiub" else None


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
    data = path.read_bytes()
    _inspect(data)
    try:
        table = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except UnsafePickleError:
        raise
    except Exception as error:
        raise UnsafePickleError(f"damaged contents ({type(error).__name__}: {error})") from None
    if not isinstance(table, dict):
        raise UnsafePickleError(f"a {type(table).__name__} at the top, expected a dictionary of arrays")
    arrays: dict[str, np.ndarray] = {}
    for key, value in table.items():
        name = key.decode("latin1") if isinstance(key, bytes) else key
        if isinstance(name, str) if wanted is None else name in wanted:
            try:
                array = _number_array(value)
            except UnsafePickleError as error:
                raise UnsafePickleError(f"under {name!r} {error}") from None
            except Exception as error:  # stand-ins are given whatever the pickle likes
                raise UnsafePickleError(f"under {name!r} a damaged array ({type(error).__name__})") from None
            if array.size + sum(a.size for a in arrays.values()) > MAX_TOTAL:
                raise UnsafePickleError(f"more than {MAX_TOTAL} numbers in all")
            arrays[name] = array.astype(array.dtype.newbyteorder("="))
    return arrays
