"""Importers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`.

A file of this room that reads formats lists them as ``FORMATS``, names and importers; it is found there.
"""

from __future__ import annotations

import importlib
import pkgutil

from mtbench.importers.base import Importer
from mtbench.registry import Registry


def _find_formats() -> dict[str, Importer]:
    room = importlib.import_module("mtbench.importers")
    found: dict[str, Importer] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(room.__path__)):
        if name not in ("registry", "importing"):  # which import this file
            found |= getattr(importlib.import_module(f"{room.__name__}.{name}"), "FORMATS", {})
    return found


#: Importers; a factory is the importer itself.
IMPORTERS = Registry("format", "mtbench.importers", _find_formats())


def load_importer(name: str) -> Importer:
    """Return the importer of the format called *name*; ``UsageError`` lists the known ones."""
    importer: Importer = IMPORTERS.find(name)
    return importer
