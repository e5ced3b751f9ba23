"""Draw docs/images/flame-crops.png: FLAME's mouth crop, closed and opened by a made-up jaw.

    python scripts/draw_flame_crops.py flame2023_Open.pkl docs/images/flame-crops.png

Takes any file that ``mtbench assets add flame`` takes. The jaw is made of distances along the surface to the lower and
the upper lip, since a template has none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from mtbench.faces.flame import flame_topology, vertices_behind
from mtbench.faces.flame_files import read_flame_file
from mtbench.faces.flame_lists import NAME, index_lists
from mtbench.faces.topology import Topology
from mtbench.renderers.base import Appearance
from mtbench.renderers.mouth_crop import render_mouth_crops
from mtbench.renderers.registry import load_renderer
from mtbench.shortcuts.pictures import Picture

#: Metres that the chin goes down in each picture, and how often a pixel is repeated.
OPENINGS, ZOOM = (0.0, 0.006, 0.012), 3


def main(source: str, target: str) -> None:
    arrays = read_flame_file(Path(source))
    template, triangles = arrays["template"], arrays["triangles"]
    jaw = weigh_jaw(template, triangles)
    faces = np.repeat(template[None], len(OPENINGS), axis=0)
    for face, opening in zip(faces, OPENINGS, strict=True):
        face[:, 1] -= opening * jaw
        face[:, 2] -= 0.3 * opening * jaw
    known = flame_topology()
    topology = Topology(
        NAME,
        known.n_vertices,
        triangles,
        known.regions,
        known.landmarks,
        oral=vertices_behind(triangles, known.region("inner_lips")),
    )
    crops = render_mouth_crops(load_renderer("software"), topology, faces.astype(np.float32), Appearance())
    strip = np.concatenate([np.kron(crop, np.ones((ZOOM, ZOOM), np.uint8)) for crop in crops], axis=1)
    Path(target).write_bytes(Picture(strip).to_png())


def weigh_jaw(template: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,) 0 to 1: how far each vertex goes with the jaw."""
    loop = np.array(index_lists()["regions"]["inner_lips"])
    x = template[loop, 0]
    i, j = sorted((int(np.argmin(x)), int(np.argmax(x))))
    one, two = loop[i + 1 : j], np.concatenate([loop[j + 1 :], loop[:i]])
    upper, lower = (one, two) if template[one, 1].mean() > template[two, 1].mean() else (two, one)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    lengths = np.linalg.norm(template[edges[:, 0]] - template[edges[:, 1]], axis=1)
    graph = coo_matrix((lengths, (edges[:, 0], edges[:, 1])), shape=(len(template),) * 2).tocsr()
    to_upper, to_lower = (
        np.nan_to_num(dijkstra(graph, directed=False, indices=lip).min(axis=0), posinf=0.0)
        for lip in (upper, lower)
    )
    beside = np.clip(((to_upper - to_lower) / 0.02 + 0.05) / 0.45, 0, 1)
    below = np.clip((-0.046 - template[:, 1]) / 0.014, 0, 1)
    return np.maximum(beside, below) * np.clip((template[:, 2] + 0.02) / 0.04, 0, 1)


if __name__ == "__main__":
    main(*sys.argv[1:3])
