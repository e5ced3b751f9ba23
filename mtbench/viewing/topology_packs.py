"""Triangles, colors and the places to look at of a topology, as data for a browser: once a page.

Conventions
-----------
A pack is JSON; arrays in it are base64, little-endian:

============= ======================================================================================================
``format``    ``"mtbench-topology-1"``
``name``      of the topology; ``vertices`` V, ``triangles`` F
``indices``   (F, 3) uint16, or uint32 where ``wide`` is true
``colors``    (V, 3) uint8: linear base colors, 0 to 255
``oral``      (V,) bits, the most significant first: the wall of the oral cavity, always dark
``lips``      indices of the lips, uint32: where the camera looks for the mouth
``upper``     indices of the upper face, uint32: with the lips, where it looks for the face
============= ======================================================================================================
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from mtbench.faces import Topology, require_renderable

FORMAT = "mtbench-topology-1"
#: Linear base color where a topology has none, and of its lips: a gray clay on which red is told from it.
_CLAY, _LIPS = (0.62, 0.58, 0.55), (0.55, 0.30, 0.28)
#: Metres from the inner edge of the lips at which their red begins to fade, and where it ends.
_RED = (0.004, 0.0085)


def pack_topology(topology: Topology) -> dict[str, Any]:
    """Return *topology* as a pack.

    Raises
    ------
    PrerequisiteError
        Where its triangles or landmarks are not here.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> pack = pack_topology(load_topology("openhead-1"))
    >>> pack["name"], pack["vertices"], pack["triangles"], pack["wide"]
    ('openhead-1', 4801, 9460, False)
    """
    require_renderable(topology)
    wide = topology.n_vertices > 0xFFFF
    oral = np.zeros(topology.n_vertices, bool) if topology.oral is None else topology.oral
    return {
        "format": FORMAT,
        "name": topology.name,
        "vertices": topology.n_vertices,
        "triangles": len(topology.triangles),
        "wide": wide,
        "indices": _encode(topology.triangles, "<u4" if wide else "<u2"),
        "colors": _encode(np.rint(255 * np.clip(base_colors(topology), 0, 1)), "|u1"),
        "oral": _encode(np.packbits(np.asarray(oral, bool)), "|u1"),
        "lips": _encode(topology.region("lips"), "<u4"),
        "upper": _encode(topology.region("upper_face"), "<u4"),
    }


def base_colors(topology: Topology) -> np.ndarray:
    """Return (V, 3) linear base colors: the topology's own, or clay with lips that can be told from it.

    Regions called lips reach beyond the red: it fades out with the distance from the lips' inner edge.
    """
    if topology.albedo is not None:
        return np.asarray(topology.albedo, np.float64)
    colors = np.tile(np.asarray(_CLAY), (topology.n_vertices, 1))
    lips, inner = topology.region("lips"), topology.region("inner_lips")
    if topology.neutral is None or not len(inner):
        return colors
    face = np.asarray(topology.neutral, np.float64)
    away = np.sqrt(((face[lips][:, None] - face[inner][None]) ** 2).sum(axis=2)).min(axis=1)
    red = np.clip((_RED[1] - away) / (_RED[1] - _RED[0]), 0, 1)[:, None]
    colors[lips] += red * (np.asarray(_LIPS) - colors[lips])
    return colors


def _encode(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array).astype(kind).tobytes()).decode()
