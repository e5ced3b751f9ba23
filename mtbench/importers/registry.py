"""Importers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`."""

from __future__ import annotations

from mtbench.importers.base import Importer
from mtbench.importers.vertex_arrays import find_vertex_arrays
from mtbench.registry import Registry

#: Importers; a factory is the importer itself.
IMPORTERS = Registry("format", "mtbench.importers", {"vertices": find_vertex_arrays})


def load_importer(name: str) -> Importer:
    """Return the importer of the format called *name*; ``UsageError`` lists the known ones."""
    importer: Importer = IMPORTERS.find(name)
    return importer
