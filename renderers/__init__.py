"""Meshes to pictures and mouth crops.

A renderer is whatever satisfies :class:`mtbench.renderers.base.Renderer`; names are turned into renderers by
:func:`mtbench.renderers.registry.load_renderer`.

Contents
--------
==================== ===============================================================================================
``base``             What a renderer is to the harness: cameras, appearance, protocol, and the registry of names
``cameras``          Cameras that look at a face from in front
``mouth_crop``       The 96x96 mouth crop that lip readers look at, rendered straight from the mesh or cut out of
                     frames
``pyrender_backend`` The pyrender backend: the same pictures as the software renderer's, drawn by OpenGL
``raster``           The rasterizer: numba kernels that turn one projected mesh into pixels
``registry``         Renderers by name; other packages add theirs by entry points, see :mod:`mtbench.registry`
``shading``          Lighting of a mesh, shared by every backend so that they cannot disagree about it
``software``         The default renderer: a rasterizer in compiled Python, the same bytes on every machine
``video``            Videos with sound, for looking at: nothing that is scored ever passes through one
==================== ===============================================================================================

Examples
--------
>>> from mtbench.renderers import Appearance
>>> Appearance().shading
'smooth'
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
