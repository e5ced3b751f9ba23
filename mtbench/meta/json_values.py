"""From dataclasses to JSON values and back, for the report.

Conventions
-----------
A dataclass becomes a table with its fields in their order, or with the attributes that its ``JSON_KEYS`` names:
properties too, which are left aside on the way back, since they follow from the fields. Fields that are not compared
(replicates) are not written. A field with :data:`LEFT_OUT` has no key where it is None.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

#: Metadata of a field that has no key where it is None.
LEFT_OUT = {"left_out": True}


def to_json_value(value: Any) -> Any:
    """Return *value*, made of dataclasses, tables, sequences and plain values, as a JSON value."""
    if is_dataclass(value) and not isinstance(value, type):
        return _to_table(value)
    if isinstance(value, Mapping):
        return {key: to_json_value(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json_value(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value


def _to_table(value: Any) -> dict[str, Any]:
    known = {field.name: field for field in fields(value)}
    keys = getattr(value, "JSON_KEYS", None) or [name for name, field in known.items() if field.compare]
    out = {}
    for key in keys:
        found = getattr(value, key)
        if found is None and key in known and known[key].metadata == LEFT_OUT:
            continue
        out[key] = to_json_value(found)
    return out


def from_json_value(kind: Any, data: Any) -> Any:
    """Return the value of type *kind* that :func:`to_json_value` made *data* of.

    Parameters
    ----------
    kind : type
        A dataclass, ``tuple[X, ...]``, ``tuple[X, Y]``, ``Mapping[str, X]``, ``X | None``, an array or a plain type.
    data : JSON value

    Raises
    ------
    ValueError
        Where *data* is no JSON value of that type.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if data is None:
            return None
        (kind,) = (option for option in inner if option is not type(None))
        return from_json_value(kind, data)
    if origin is tuple:
        _require(data, list, kind)
        kinds = [inner[0]] * len(data) if inner[-1] is ... else inner
        if len(kinds) != len(data):
            raise ValueError(f"{len(data)} values where {len(kinds)} belong")
        return tuple(from_json_value(k, item) for k, item in zip(kinds, data, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        _require(data, dict, kind)
        return {key: from_json_value(inner[1], item) for key, item in data.items()}
    if kind is np.ndarray:
        return np.array(data)
    if is_dataclass(kind):
        _require(data, dict, kind)
        return _from_table(kind, data)
    return data


def _from_table(kind: Any, data: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):
        if field.name in data:
            values[field.name] = from_json_value(hints[field.name], data[field.name])
        elif field.default is MISSING:
            raise ValueError(f"{kind.__name__}: no {field.name!r}")
    return kind(**values)


def _require(data: Any, wanted: type, kind: Any) -> None:
    if not isinstance(data, wanted):
        raise ValueError(f"{type(data).__name__} where a value of {kind} belongs")
