"""Modules by the names that they had when mtbench was one folder, for recognizers and scripts that people wrote then.

What was documented under an old name is found under it, with a ``DeprecationWarning`` that tells the new one.
Nothing in mtbench itself uses an old name.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: Old name -> the room or module that gives out what was documented there.
OLD_NAMES = {
    "mtbench.avsr.openhead_av": "mtbench.avsr.openhead",
    "mtbench.benchmark": "mtbench.benchmarks",
    "mtbench.comparison": "mtbench.results",
    "mtbench.error_rates": "mtbench.metrics",
    "mtbench.head": "mtbench.faces",
    "mtbench.languages": "mtbench.speech",
    "mtbench.lexicon": "mtbench.speech",
    "mtbench.listening": "mtbench.shortcuts",
    "mtbench.motion": "mtbench.faces",
    "mtbench.paired": "mtbench.results",
    "mtbench.pictures": "mtbench.shortcuts",
    "mtbench.recognizer": "mtbench.avsr",
    "mtbench.renderer": "mtbench.renderers",
    "mtbench.submission": "mtbench.submissions",
    "mtbench.summary": "mtbench.results",
    "mtbench.topology": "mtbench.faces",
    "mtbench.vertex_errors": "mtbench.shortcuts",
}


class _OldNames(MetaPathFinder, Loader):
    """Finds modules by their old names."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in OLD_NAMES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        new = OLD_NAMES[spec.name]
        warnings.warn(f"{spec.name} is now {new}", DeprecationWarning, stacklevel=2)
        module = ModuleType(spec.name, f"Old name of :mod:`{new}`.")
        room = importlib.import_module(new)
        module.__getattr__ = lambda name: getattr(room, name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


def find_old_names() -> None:
    """Let modules be imported by their old names from now on."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.append(_OldNames())
