"""Lighting of a mesh, shared by every backend so that they cannot disagree about it.

Conventions
-----------
Colors and light are linear factors 0..1 and a pixel is ``floor(255 * value + 0.5)``: there is no transfer
curve. Lighting is Lambert's: ``albedo * (ambient + sum_i intensity_i * max(0, normal . direction_i))``, cut at 1.
It is evaluated at the vertices (``"smooth"``, normals are the area-weighted mean of the triangles around) or
once per triangle (``"flat"``, with the mean albedo of its corners) and interpolated by the rasterizer.

A triangle seen from behind is not lit: it is drawn in the constant gray of the oral cavity, whatever the
shading. On a closed head such triangles can be seen only through the mouth opening (FLAME has no oral cavity:
one looks at the inside of the skull), so what lies behind the lips is dark on every topology, while teeth and
tongue, being seen from in front, stay lit.

All arithmetic is float32 in a fixed order, without contraction: the same bits on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtbench.work import njit_cached

if TYPE_CHECKING:
    from mtbench.faces import Topology
    from mtbench.renderers.base import Appearance

#: Rec. 601 luma, as in every published front-end of lip reading (OpenCV's BGR2GRAY).
LUMA = (0.299, 0.587, 0.114)

_ZERO = np.float32(0.0)
#: Keeps the length of a normal from being zero.
_TINY = np.float32(1e-37)


def surface_albedo(topology: Topology, appearance: Appearance, channels: int) -> np.ndarray:
    """Return the base color of each vertex under *appearance*.

    Parameters
    ----------
    topology : Topology
        Its ``albedo`` is used where *appearance* asks for color and the topology has one; its ``oral`` always.
    appearance : Appearance
        What it looks like.
    channels : int
        1 for gray (luma of the color) or 3.

    Returns
    -------
    (V, channels) float32
        0..1.
    """
    if appearance.colored and topology.albedo is not None:
        albedo = np.asarray(topology.albedo, np.float32)
        if channels == 1:
            albedo = (albedo * np.asarray(LUMA, np.float32)).sum(axis=1, keepdims=True, dtype=np.float32)
        albedo = albedo.copy()
    else:
        albedo = np.full((topology.n_vertices, channels), appearance.clay, np.float32)
    if topology.oral is not None:
        albedo[np.asarray(topology.oral, bool)] = np.float32(appearance.oral)
    return albedo


def unit_lights(lights: np.ndarray | tuple[tuple[float, float, float, float], ...]) -> np.ndarray:
    """Return (L, 4) float32 rows (unit direction towards the light, intensity) of *lights*."""
    table = np.asarray(lights, np.float64).reshape(-1, 4).copy()
    length = np.sqrt((table[:, :3] ** 2).sum(axis=1, keepdims=True))
    if not np.all(length > 0):
        raise ValueError("a light's direction must not be the zero vector")
    table[:, :3] /= length
    return table.astype(np.float32)


@njit_cached(nogil=True, error_model="numpy")
def light_normals(normals, lights, ambient, out):
    """Fill *out* (n,) with the light on surfaces with *normals* (3, n), of any length; float32 throughout."""
    xs, ys, zs = normals[0], normals[1], normals[2]
    for v in range(out.size):
        out[v] = ambient
    for i in range(lights.shape[0]):
        lx, ly, lz, intensity = lights[i, 0], lights[i, 1], lights[i, 2], lights[i, 3]
        for v in range(out.size):
            x, y, z = xs[v], ys[v], zs[v]
            square = x * x + y * y + z * z
            square = square if square > _TINY else _TINY
            cosine = (x * lx + y * ly + z * lz) / np.sqrt(square)
            out[v] += cosine * intensity if cosine > _ZERO else _ZERO


@njit_cached(nogil=True, error_model="numpy")
def light_vertices(triangles, vertices, lights, ambient, normals, out):
    """Fill *out* (n,) with the light at each vertex; *normals* (3, n) float32 is scratch.

    *triangles* is (F, 3) uint32: compiled code needn't look for negative indices then.
    """
    normals[:] = _ZERO
    xs, ys, zs = normals[0], normals[1], normals[2]
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        wx, wy, wz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        nx = uy * wz - uz * wy
        ny = uz * wx - ux * wz
        nz = ux * wy - uy * wx
        xs[a] += nx
        xs[b] += nx
        xs[c] += nx
        ys[a] += ny
        ys[b] += ny
        ys[c] += ny
        zs[a] += nz
        zs[b] += nz
        zs[c] += nz
    light_normals(normals, lights, ambient, out)


@njit_cached(nogil=True, error_model="numpy")
def light_triangles(triangles, vertices, lights, ambient, normals, out):
    """Fill *out* (F,) with the light on each triangle; *normals* (3, F) float32 is scratch."""
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        wx, wy, wz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        normals[0, f] = uy * wz - uz * wy
        normals[1, f] = uz * wx - ux * wz
        normals[2, f] = ux * wy - uy * wx
    light_normals(normals, lights, ambient, out)
