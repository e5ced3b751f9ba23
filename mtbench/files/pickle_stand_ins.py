"""Inert stand-ins for what a FLAME pickle names, and turning them into plain arrays.

Nothing here runs code of the classes that a pickle names; see :mod:`mtbench.files.safe_pickle`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

#: Most numbers of one array after expanding sparse matrices, indexed views and lists; FLAME's shapes are 6 million.
MAX_ITEMS = 1 << 24
#: Most axes of an array, and of lists within lists.
MAX_AXES = 8
#: Types of plain numbers.
_PLAIN = re.compile("[<>|=]?(f[248]|[iu][1248]|b1)")


class UnsafePickleError(ValueError):
    """A pickle that holds something else than arrays, or is damaged."""


class Stub:
    """Stand-in for an object; keeps the state that it is given and does nothing."""

    # A pickle may make an object without calling its class.
    args: tuple = ()
    state: Any = {}  # noqa: RUF012 - replaced, never changed

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ArrayClass(Stub):
    """``numpy.ndarray`` as a name; calling it gives an inert object."""


class ObjectClass(Stub):
    """``object`` as a name."""


class DType(Stub):
    """``numpy.dtype``: kind and item size, then byte order from the state."""

    def resolve(self) -> np.dtype:
        """Return the type, where it is one of plain numbers."""
        code = self.args[0] if self.args else ""
        code = code.decode("latin1") if isinstance(code, bytes) else code
        order = "|"
        if isinstance(self.state, tuple) and len(self.state) > 1:
            order = self.state[1].decode("latin1") if isinstance(self.state[1], bytes) else self.state[1]
        if not isinstance(code, str) or not _PLAIN.fullmatch(code) or order not in ("<", ">", "|", "="):
            raise UnsafePickleError(f"array of type {str(code)[:40]!r}; only plain numbers are read")
        plain = np.dtype(code)
        return plain.newbyteorder("<" if order == "<" else ">") if order in "<>" else plain


class _Array(Stub):
    """``numpy.ndarray`` that waits for its state (version, shape, dtype, fortran, data)."""

    def resolve(self) -> np.ndarray:
        """Return the plain array that this stands for."""
        state = self.state
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise UnsafePickleError("an array without contents")
        shape, dtype, fortran, data = state[-4:]
        return _make_array(shape, dtype, bool(fortran), data)


class Buffer(Stub):
    """``numpy.core.numeric._frombuffer(data, dtype, shape, order)`` of protocol 5."""

    def resolve(self) -> np.ndarray:
        """Return the plain array that this stands for."""
        if len(self.args) != 4:
            raise UnsafePickleError("an array buffer with the wrong arguments")
        data, dtype, shape, order = self.args
        return _make_array(shape, dtype, order == "F", data)


class Scalar(Stub):
    """``numpy.core.multiarray.scalar(dtype, data)``."""

    def resolve(self) -> np.ndarray:
        """Return the plain array that this stands for."""
        if len(self.args) != 2:
            raise UnsafePickleError("a number without contents")
        return _make_array((), self.args[0], False, self.args[1])


class Chumpy(Stub):
    """Any ``chumpy`` object: ``Ch`` keeps an array ``x``, ``Select`` a base ``a`` and indices ``idxs``."""

    def resolve(self) -> np.ndarray:
        """Return the plain array that this stands for."""
        state = self.state if isinstance(self.state, dict) else {}
        if "x" in state:
            return number_array(state["x"])
        if "a" in state and "idxs" in state:
            base, index = number_array(state["a"]).reshape(-1), number_array(state["idxs"]).reshape(-1)
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


class Sparse(Stub):
    """``scipy.sparse`` matrix in compressed row or column form."""

    by_column = False

    def resolve(self) -> np.ndarray:
        """Return the plain array that this stands for."""
        state = self.state if isinstance(self.state, dict) else {}
        try:
            shape = state.get("_shape", state.get("shape"))
            data, indices, pointers = (number_array(state[key]) for key in ("data", "indices", "indptr"))
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


class SparseColumns(Sparse):
    """``scipy.sparse.csc_matrix``."""

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
    if not isinstance(dtype, DType):
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


class Function:
    """Stand-in for a function; a pickle may call it, and can give it no attributes."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> Any:
        """Call the harmless function in its place."""
        return self._call(*args)

    def __setstate__(self, state: Any) -> None:
        raise UnsafePickleError("a function with a state")


def reconstruct(*args: Any) -> _Array:
    """``numpy.core.multiarray._reconstruct``."""
    return _Array()


def reconstruct_object(cls: Any = None, base: Any = None, state: Any = None, *rest: Any) -> Any:
    """``copyreg._reconstructor`` for stand-ins only."""
    if isinstance(cls, type) and issubclass(cls, Stub):
        return cls()
    raise UnsafePickleError("an object of a class that is no array")


def encode(text: Any = "", encoding: Any = "latin1", *rest: Any) -> bytes:
    """``_codecs.encode``, with which Python 3 writes bytes in old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError("text in an unexpected encoding")
    try:
        return text.encode("latin1")
    except UnicodeEncodeError:
        raise UnsafePickleError("bytes that are no bytes") from None


def ordered(pairs: Any = (), *rest: Any) -> OrderedDict:
    """``collections.OrderedDict``; Python 2 gives its items as a list of pairs."""
    if rest or not isinstance(pairs, (list, tuple)) or any(type(p) not in (list, tuple) for p in pairs):
        raise UnsafePickleError("a dictionary made in an unexpected way")
    return OrderedDict(pairs)


class StandInSet(Stub):
    """``set``: chumpy keeps one of changed variables, which nobody needs."""


def number_array(value: Any) -> np.ndarray:
    """Turn a stand-in or a nested list of numbers into an array."""
    for _ in range(8):  # a Ch may hold a Ch
        if not isinstance(value, Stub):
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
