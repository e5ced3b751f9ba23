"""Doors of rooms: what a package gives out, loaded on first use.

A room's ``__init__.pyi`` names what it gives out, ``from .file import name as name``; type checkers read it, and
:func:`open_door` makes it true at run time. So importing a room loads no file of it, and its files can be split or
renamed without a change elsewhere. ``from . import room as room`` gives out a room itself. Values are looked up anew
each time: what a test replaces in a file is replaced for all who enter by the door.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def open_door(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    Parameters
    ----------
    package, file : str
        Its ``__name__`` and ``__file__``; the stub lies beside the file.

    Examples
    --------
    ``__getattr__, __dir__, __all__ = open_door(__name__, __file__)``
    """
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text("utf-8"))
    places = {
        alias.name: None if node.module is None else f"{package}.{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names = sorted(places)

    def load(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        place = places[name]
        if place is None:
            return importlib.import_module(f"{package}.{name}")
        return getattr(importlib.import_module(place), name)

    return load, names.copy, names
