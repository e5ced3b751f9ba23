"""Compute ``mtbench/data/jaw-regions.json``: which vertices are chin and lower cheeks, by topology; no geometry in it.

    python scripts/build_jaw_regions.py FOLDER

FOLDER holds the FLAME 2023 Open template (CC-BY-4.0) as ``flame2023open_v_template_5023x3_f64.npy``. With y from the
landmark below the nose to the one below the lower lip as the unit, the jaw are the vertices of the skin, without
lips, from the lower lip's border one unit down and one and a fifth back.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from mtbench.faces import LANDMARKS, Topology, load_topology

#: FLAME's vertices from here on are eyeballs.
EYEBALLS = 3931
DOWN, BACK = 1.0, 1.2


def find_jaw(topology: Topology, neutral: np.ndarray) -> list[int]:
    """Return the jaw's vertices of a topology whose neutral face is (V, 3)."""
    nose, border = (neutral[topology.landmarks[LANDMARKS.index(k)]] for k in (33, 57))
    unit = nose[1] - border[1]
    y, z = neutral[:, 1], neutral[:, 2]
    inside = (y < border[1]) & (y > border[1] - DOWN * unit) & (z > border[2] - BACK * unit)
    for name in ("lips", "inner_lips", "teeth", "tongue", "eyes"):
        inside[topology.regions.get(name, np.zeros(0, int))] = False
    if topology.oral is not None:
        inside[np.flatnonzero(topology.oral)] = False
    if topology.name == "flame-5023":
        inside[EYEBALLS:] = False
        inside[topology.regions["lips_rings"]] = False
    return np.flatnonzero(inside).tolist()


def main() -> None:
    """Write the file."""
    flame = np.load(Path(sys.argv[1]) / "flame2023open_v_template_5023x3_f64.npy")
    head = load_topology("openhead-1")
    assert head.neutral is not None
    lists = {
        "flame-5023": find_jaw(load_topology("flame-5023"), flame),
        "openhead-1": find_jaw(head, head.neutral.astype(np.float64)),
    }
    target = Path(__file__).parent.parent / "mtbench" / "data" / "jaw-regions.json"
    target.write_text(json.dumps(lists) + "\n", encoding="utf-8")
    print({name: len(found) for name, found in lists.items()})


if __name__ == "__main__":
    main()
