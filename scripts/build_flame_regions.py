"""Compute ``mtbench/data/flame-5023.json``: index lists of FLAME's topology, with no geometry in them.

    python scripts/build_flame_regions.py FOLDER

FOLDER holds the FLAME 2023 Open template (CC-BY-4.0) as ``flame2023open_v_template_5023x3_f64.npy``, the
head's triangles as ``flame_head_faces_7800x3_i64.npy`` and the field's index lists as
``flame_regions.json``.

Rings are counted outwards from the boundary of the mouth opening (ring 0, 32 vertices, inside the lips).
The lip line, where the lips touch, is ring 4; ring 6 is the upper lip's border to the skin, ring 7 the
lower lip's and the corners. The field's lip list is rings 2 to 9 without four vertices of ring 2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

#: Chosen by eye on pictures of the template, in the order of ``mtbench.faces.topology.LANDMARKS``.
LANDMARKS = {
    "nose base": [3552],
    "eye corners": [2437, 3632, 3833, 1175],
    "outer lips": [2827, 2813, 2774, 3543, 1657, 1696, 1710, 1795, 1865, 3503, 2948, 2898],
    "inner lips": [2844, 2786, 3531, 1669, 1729, 1848, 3509, 2937],
}
SOURCES = {
    "lips": "250 vertices (rings 2 to 9): the set of MultiTalk's evaluation without its four duplicates",
    "lips_rings": "the 254 vertices within seven edges of the mouth opening",
    "inner_lips": "ring 4, where the lips touch: viewer-left corner, upper lip, right corner, lower lip",
    "mouth": "the 422 vertices within twelve edges of the mouth opening",
    "upper_face": "827 vertices of forehead, brows and eyes, as the field uses them for FDD on FLAME",
    "mouth_loop": "boundary of the mouth opening, in order",
}


def edges_of(triangles: np.ndarray) -> tuple[dict[int, set[int]], list[tuple[int, int]]]:
    """Return the neighbours of each vertex, and the edges that belong to one triangle only."""
    pairs = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    neighbours: dict[int, set[int]] = {}
    for a, b in unique.tolist():
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    return neighbours, [tuple(edge) for edge in unique[counts == 1].tolist()]


def walk(members: set[int], links: dict[int, set[int]], start: int, second: int) -> list[int]:
    """Walk around a closed loop of *members* from *start* by way of *second*."""
    loop = [start, second]
    while len(loop) < len(members):
        loop.append(next(n for n in sorted(links[loop[-1]]) if n in members and n not in loop))
    return loop


def main() -> None:
    folder = Path(sys.argv[1])
    template = np.load(folder / "flame2023open_v_template_5023x3_f64.npy")
    triangles = np.load(folder / "flame_head_faces_7800x3_i64.npy")
    lists = json.loads((folder / "flame_regions.json").read_text())
    neighbours, boundary = edges_of(triangles)
    links: dict[int, set[int]] = {}
    for a, b in boundary:
        links.setdefault(a, set()).add(b)
        links.setdefault(b, set()).add(a)
    opening = {i for i in links if abs(template[i, 1] + 0.048) < 0.02 and template[i, 2] > 0}
    rings, inside = [opening], set(opening)
    for _ in range(12):
        rings.append({n for i in rings[-1] for n in neighbours[i]} - inside)
        inside |= rings[-1]

    def from_left(members: set[int], graph: dict[int, set[int]]) -> list[int]:
        left = min(members, key=lambda i: template[i, 0])
        upper = max((n for n in graph[left] if n in members), key=lambda i: (template[i, 1], template[i, 0]))
        loop = walk(members, graph, left, upper)
        middle = [i for i in loop[: len(loop) // 2] if abs(template[i, 0]) < 0.003]
        other = [i for i in loop[len(loop) // 2 :] if abs(template[i, 0]) < 0.003]
        if template[middle, 1].mean() < template[other, 1].mean():
            loop = [loop[0], *loop[:0:-1]]
        return loop

    regions = {
        "lips": sorted(set(lists["lips_250_unique"])),
        "lips_rings": sorted(set().union(*rings[:8])),
        "inner_lips": from_left(rings[4], neighbours),
        "mouth": sorted(set().union(*rings[:13])),
        "upper_face": sorted(set(lists["upper_face_827"])),
    }
    value = {
        "topology": "flame-5023",
        "n_vertices": len(template),
        "sources": SOURCES,
        "regions": regions,
        "mouth_loop": from_left(opening, links),
        "landmarks": [index for group in LANDMARKS.values() for index in group],
    }
    target = Path(__file__).resolve().parents[1] / "mtbench" / "data" / "flame-5023.json"
    text = json.dumps(value, indent=1)
    # One list a line: readable, and small differences stay small.
    compact = json.loads(text)
    lines = [f" {json.dumps(key)}: {json.dumps(item)}" for key, item in compact.items() if key != "regions"]
    inner = ",\n".join(f"  {json.dumps(key)}: {json.dumps(item)}" for key, item in regions.items())
    target.write_text("{\n" + ",\n".join([*lines, ' "regions": {\n' + inner + "\n }"]) + "\n}\n")
    print(f"{target}: " + ", ".join(f"{key} {len(item)}" for key, item in regions.items()))


if __name__ == "__main__":
    main()
