"""Renderers by name."""

from __future__ import annotations

from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.renderers.base import Renderer


def load_renderer(name: str) -> Renderer:
    """Return the renderer called *name*; ``UsageError`` lists the known ones.

    Raises
    ------
    UsageError
        For an unknown name.
    PrerequisiteError
        Where the extra that it needs is not installed.
    """
    if name == "software":
        require_extra("render", "the renderer 'software'")
        from mtbench.renderers.software import SoftwareRenderer

        return SoftwareRenderer()
    if name == "pyrender":
        require_extra("pyrender", "the renderer 'pyrender'", "numba")
        from mtbench.renderers.pyrender_backend import PyrenderRenderer

        return PyrenderRenderer()
    raise UsageError(f"unknown renderer {name!r}; known: software, pyrender")
