"""Which vertices are the jaw: chin and lower cheeks below the mouth, without the lips.

Conventions
-----------
The lists of the two bundled topologies lie in ``mtbench/data/jaw-regions.json`` (``scripts/build_jaw_regions.py``
says by which rule); a topology of another package has the region ``"jaw"`` where its jaw is to be measured.
"""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from mtbench.bundled import data_path
from mtbench.faces import Topology


@lru_cache(maxsize=1)
def _lists() -> dict[str, list[int]]:
    return json.loads(data_path("jaw-regions.json").read_text(encoding="utf-8"))


def find_jaw(topology: Topology) -> np.ndarray | None:
    """Return (n,) int, the vertices of the jaw, None where nobody says which they are.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> len(find_jaw(load_topology("openhead-1"))) > 50
    True
    """
    if "jaw" in topology.regions:
        return topology.regions["jaw"]
    known = _lists().get(topology.name)
    return None if known is None else np.array(known)
