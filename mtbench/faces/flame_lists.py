"""What is known of FLAME without its model file: counts, joints, index lists."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from mtbench.bundled import data_path

NAME = "flame-5023"
N_VERTICES = 5023
#: Vertices without the eyeballs.
N_FACE = 3931
#: Identity and expression columns of ``shapedirs``.
N_SHAPE, N_EXPRESSION = 300, 100
JOINTS = ("root", "neck", "jaw", "left eye", "right eye")
PARENTS = (-1, 0, 1, 1, 1)
#: What to do about a missing file; part of every message that needs one.
WHERE_TO_GET = (
    "Get 'FLAME 2023 Open' (flame2023_Open.pkl, license CC-BY-4.0, free registration) from "
    "https://flame.is.tue.mpg.de, or use a FLAME model of 2017 to 2023 (registration; research license) or a "
    "template mesh (ply, obj) that you have, then run: mtbench assets add flame FILE"
)
NO_TRIANGLES = f"rendering {NAME} needs FLAME's triangles, which mtbench may not ship. {WHERE_TO_GET}"


@lru_cache(maxsize=1)
def index_lists() -> dict[str, Any]:
    """Return ``data/flame-5023.json``: regions, landmarks, the mouth opening's loop, and sources."""
    path = data_path(f"{NAME}.json")
    return json.loads(path.read_text(encoding="utf-8"))
