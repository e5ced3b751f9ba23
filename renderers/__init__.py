"""Meshes to pictures and mouth crops.

A renderer is whatever satisfies :class:`mtbench.renderers.base.Renderer`; names are turned into renderers by
:func:`mtbench.renderers.registry.load_renderer`.

Contents
--------
==================== ==============================================================================
``base``             What a renderer is to the harness: cameras, appearance, protocol, and the
``cameras``          Cameras that look at a face from in front
``mouth_crop``       The 96x96 mouth crop that lip readers look at, rendered straight from the
``pyrender_backend`` The pyrender backend: the same pictures as the software renderer's, drawn by
``raster``           The rasterizer: numba kernels that turn one projected mesh into pixels
``registry``         Renderers by name
``shading``          Lighting of a mesh, shared by every backend so that they cannot disagree
``software``         The default renderer: a rasterizer in compiled Python, the same bytes on
``video``            Videos with sound, for looking at: nothing that is scored ever passes through
==================== ==============================================================================

Examples
--------
>>> from mtbench.renderers import Appearance
>>> Appearance().shading
'smooth'
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
