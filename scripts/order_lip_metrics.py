"""How the metrics of vertices order the degraded systems of ``validate-metric``, all of them, also the optional ones.

    python scripts/order_lip_metrics.py measure FOLDER [--like SCORES] [--clips N]
    python scripts/order_lip_metrics.py table FOLDER [--beside SCORES]

``measure`` degrades the ground truth of ``openhead-20`` as ``validate-metric`` does and keeps the statistics of each
clip and system in FOLDER, a file a clip; it goes on where it was stopped. Nothing is rendered or recognized. Clips
are all of them, or those of a folder SCORES that ``validate-metric`` wrote. ``table`` prints the correlations with
the known order in Markdown, beside the error rates and bits in SCORES.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from mtbench.benchmarks import load_benchmark, read_phone_times, template_face
from mtbench.faces import load_topology
from mtbench.files import write_atomically
from mtbench.meta.ground_truth import GroundTruth, degrade
from mtbench.meta.scores import MetaScores
from mtbench.meta.systems import System, default_systems
from mtbench.metrics import (
    METRICS,
    FacePair,
    measure_asked,
    measure_geometry,
)

BENCHMARK = "openhead-20@3"


def measure_clip(name: str, systems: tuple[System, ...]) -> dict[str, Any]:
    """Return the statistics of all metrics on each system of one clip, by the systems' names."""
    benchmark = load_benchmark(BENCHMARK)
    clip = benchmark.clip(name)
    truth = GroundTruth(benchmark, clip)
    topology, template = load_topology(clip.topology or ""), template_face(clip)
    phones, sound = read_phone_times(clip), clip.load_audio()
    found = {}
    for system in systems:
        vertices = degrade(truth, system)
        pair = FacePair(
            vertices,
            truth.vertices,
            topology.region,
            template,
            topology,
            clip.fps,
            lambda: sound,
            lambda: phones,
        )
        beside, alone = measure_asked(pair, METRICS.optional())
        always = measure_geometry(vertices, truth.vertices, topology, template)
        found[system.name] = {**always.to_json(), **(beside or {}), **(alone or {})}
    return found


def measure(folder: Path, like: Path | None, most: int) -> None:
    """Measure what is not in *folder* yet."""
    scores = None if like is None else MetaScores.load(like)
    systems = default_systems()
    names = [clip.id for clip in load_benchmark(BENCHMARK).clips] if scores is None else scores.clips
    folder.mkdir(parents=True, exist_ok=True)
    for name in names[:most]:
        path = folder / f"{name}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        left = tuple(system for system in systems if system.name not in known)
        if left:
            known |= measure_clip(name, left)
            write_atomically(path, (json.dumps(known) + "\n").encode())
            print(name, len(left), flush=True)


def main() -> None:
    """Parse and do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--like", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--clips", type=int, default=10**6)
    given = parser.parse_args()
    if given.what == "measure":
        measure(given.folder, given.like, given.clips)


if __name__ == "__main__":
    main()
