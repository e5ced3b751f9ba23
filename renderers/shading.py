"""Lighting of a mesh, shared by every backend so that they cannot disagree about it.

Conventions
-----------
Colours and light are linear factors 0..1 and a pixel is ``floor(255 * value + 0.5)``: there is no transfer
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

import numba
import numpy as np

if TYPE_CHECKING:
    from mtbench.renderer import Appearance
    from mtbench.topology import Topology

#: Rec. 601 luma, as in every published front-end of lip reading (OpenCV's BGR2GRAY).
LUMA = (0.299, 0.587, 0.114)

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_THIRD = np.float32(1.0 / 3.0)


def surface_albedo(topology: Topology, appearance: Appearance, channels: int) -> np.ndarray:
    """Return the base colour of each vertex under *appearance*.

    Parameters
    ----------
    topology : Topology
        Its ``albedo`` is used where *appearance* asks for colour and the topology has one; its ``oral`` always.
    appearance : Appearance
        What it looks like.
    channels : int
        1 for gray (luma of the colour) or 3.

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


def unit_lights(lights: tuple[tuple[float, float, float, float], ...]) -> np.ndarray:
    """Return (L, 4) float32 rows (unit direction towards the light, intensity) of *lights*."""
    table = np.asarray(lights, np.float64).reshape(-1, 4).copy()
    length = np.sqrt((table[:, :3] ** 2).sum(axis=1, keepdims=True))
    if not np.all(length > 0):
        raise ValueError("a light's direction must not be the zero vector")
    table[:, :3] /= length
    return table.astype(np.float32)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def light_factor(nx, ny, nz, lights, ambient):
    """Return the light that a surface with the (unnormalised) normal receives, a float32 factor."""
    total = ambient
    square = nx * nx + ny * ny + nz * nz
    if square > _ZERO:
        inverse = _ONE / np.sqrt(square)
        for i in range(lights.shape[0]):
            cosine = (nx * lights[i, 0] + ny * lights[i, 1] + nz * lights[i, 2]) * inverse
            if cosine > _ZERO:
                total += cosine * lights[i, 3]
    return total


@numba.njit(cache=True, nogil=True, error_model="numpy")
def light_vertices(triangles, vertices, lights, ambient, normals, out):
    """Fill *out* (n,) with the light at each vertex; *normals* (n, 4) float32 is scratch."""
    n = vertices.shape[0]
    for v in range(n):
        for k in range(4):
            normals[v, k] = _ZERO
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        wx, wy, wz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        nx = uy * wz - uz * wy
        ny = uz * wx - ux * wz
        nz = ux * wy - uy * wx
        normals[a, 0] += nx
        normals[a, 1] += ny
        normals[a, 2] += nz
        normals[b, 0] += nx
        normals[b, 1] += ny
        normals[b, 2] += nz
        normals[c, 0] += nx
        normals[c, 1] += ny
        normals[c, 2] += nz
    for v in range(n):
        out[v] = light_factor(normals[v, 0], normals[v, 1], normals[v, 2], lights, ambient)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def light_triangles(triangles, vertices, lights, ambient, out):
    """Fill *out* (F,) with the light on each triangle."""
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        ux, uy, uz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
        wx, wy, wz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
        out[f] = light_factor(uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx, lights, ambient)
