"""Renderers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`."""

from __future__ import annotations

from mtbench.extras import require_extra
from mtbench.registry import Registry
from mtbench.renderers.base import Renderer


def _software() -> Renderer:
    require_extra("render", "the renderer 'software'")
    from mtbench.renderers.software import SoftwareRenderer

    return SoftwareRenderer()


def _pyrender() -> Renderer:
    require_extra("pyrender", "the renderer 'pyrender'", "numba")
    from mtbench.renderers.pyrender_backend import PyrenderRenderer

    return PyrenderRenderer()


#: Renderers; a factory takes no arguments.
RENDERERS = Registry("renderer", "mtbench.renderers", {"software": _software, "pyrender": _pyrender})


def load_renderer(name: str) -> Renderer:
    """Return the renderer called *name*; ``UsageError`` lists the known ones.

    Raises
    ------
    UsageError
        For an unknown name.
    PrerequisiteError
        Where the extra that it needs is not installed.
    """
    renderer: Renderer = RENDERERS.find(name)()
    return renderer
