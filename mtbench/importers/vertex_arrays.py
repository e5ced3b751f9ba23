"""Arrays of vertices, a file a clip: what FaceFormer, CodeTalker and most of their descendants write.

Conventions
-----------
``<clip>.npy`` or ``<clip>.npz`` anywhere below the folder, with (T, V, 3) or (T, 3 V) positions in metres: the only
array of an ``.npz``, or the one called ``vertices`` or ``verts``. The number of vertices says which topology it is. The
frame rate stands in no such file; it has to be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError, list_some
from mtbench.faces import list_vertex_counts, name_topology, read_vertices
from mtbench.importers.base import FoundMotion

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark


def find_vertex_arrays(folder: Path, benchmark: Benchmark, fps: float | None) -> FoundMotion:
    """Find arrays of vertices by the ids of the benchmark's clips.

    Raises
    ------
    UsageError
        Without a frame rate, for two files of one clip, where no file is a clip's, or for an unknown topology.
    """
    if fps is None:
        raise UsageError(
            "arrays of vertices do not say how many frames a second they have; give it: --fps 30"
        )
    files: dict[str, Path] = {}
    unknown = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".npy", ".npz") and p.is_file()):
        if path.stem not in benchmark:
            unknown.append(path)
        elif path.stem in files:
            raise UsageError(f"clip {path.stem} has two files, {files[path.stem]} and {path}; remove one")
        else:
            files[path.stem] = path
    if not files:
        there = list_some([path.name for path in unknown]) or "no .npy or .npz file"
        expected = list_some([f"{clip.id}.npy" for clip in benchmark.clips], 2)
        raise UsageError(
            f"{folder}: no file is named after a clip of {benchmark.ref}: found {there}; expected {expected}"
        )
    first = next(iter(files.values()))
    count = _read(first)["vertices"].shape[1]
    topology = name_topology(count)
    if topology is None:
        raise UsageError(
            f"{first}: {count} vertices belong to no topology of mtbench: {list_vertex_counts()}"
        )
    return FoundMotion(topology, "vertices", fps, files, _read, tuple(unknown))


#: What this file adds to the formats.
FORMATS = {"vertices": find_vertex_arrays}


def _read(path: Path) -> Mapping[str, np.ndarray]:
    return {"vertices": np.ascontiguousarray(read_vertices(path, "the motion"), np.float32)}
