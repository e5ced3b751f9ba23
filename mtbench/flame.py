"""FLAME: index lists without an asset, triangles and posing with the user's model file."""

from __future__ import annotations

N_VERTICES = 5023


def flame_topology():
    import json
    from pathlib import Path

    import numpy as np

    from mtbench.topology import Topology

    lists = json.loads((Path(__file__).parent / "data" / "flame-5023.json").read_text())["regions"]
    return Topology(
        "flame-5023",
        N_VERTICES,
        np.zeros((0, 3), np.int32),
        {k: np.array(v, np.int32) for k, v in lists.items()},
    )
