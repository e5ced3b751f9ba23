"""How many closures of p, b and m, and how many of open vowels, the true lips have, by the threshold of being shut.

    python scripts/closure_thresholds.py BENCHMARK-OR-BANK...

Of a benchmark its ground truth is taken, of a motion bank its recordings, posed on the neutral bundled head. Prints,
for each, recall and false closures in per cent for thresholds in millimetres above the resting face's aperture, and
means over clips of ``lip_loudness`` and ``silent_lips_mm`` of the true lips.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.banks import load_bank, read_whole
from mtbench.benchmarks import load_benchmark, read_phone_times, template_face
from mtbench.faces import load_head, load_topology
from mtbench.metrics import METRICS, FacePair, GeometricMetric
from mtbench.metrics.closures import count_closures, count_false_closures
from mtbench.metrics.lip_gap import aperture_of

THRESHOLDS = (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
ALONE = ("lip_loudness", "silent_lips_mm")


def list_clips(name: str) -> Iterator[FacePair]:
    """Yield the true motion of each clip or recording, with its resting face, sound and phones."""
    if (Path(name) / "bank.toml").exists():
        head = load_head()
        neutral = head.identity("neutral")
        for recording in load_bank(name):
            whole = read_whole(recording)
            rest = head.pose(np.zeros_like(whole.curves[:1]), neutral)[0]
            yield _pair(head.pose(whole.curves, neutral), rest, whole.sound, whole.phones, "openhead-1")
        return
    for clip in load_benchmark(name).clips:
        motion, rest = clip.load_motion(), template_face(clip)
        if motion is not None and rest is not None and clip.phone_times_path is not None:
            phones = read_phone_times(clip)
            yield _pair(motion.vertices, rest, clip.load_audio(), phones, clip.topology or "")


def _pair(vertices: np.ndarray, rest: np.ndarray, sound: np.ndarray, phones: Any, topology: str) -> FacePair:
    found = load_topology(topology)
    return FacePair(vertices, vertices, found.region, rest, found, sound=lambda: sound, phones=lambda: phones)


def main() -> None:
    """Print a table for each argument."""
    for name in sys.argv[1:]:
        counts = np.zeros((len(THRESHOLDS), 4), int)
        values: dict[str, list[float]] = {metric: [] for metric in ALONE}
        for pair in list_clips(name):
            assert pair.template is not None
            assert pair.phones is not None
            aperture = aperture_of(pair, pair.prediction)
            rest = float(aperture_of(pair, pair.template[None])[0])
            for k, threshold in enumerate(THRESHOLDS):
                shut, phones = aperture <= rest + threshold, pair.phones()
                counts[k] += (
                    *count_closures(shut, phones, pair.fps),
                    *count_false_closures(shut, phones, pair.fps),
                )
            for metric in ALONE:
                found = METRICS[metric]
                assert isinstance(found, GeometricMetric)
                if (value := found.measure(pair)) is not None:
                    values[metric].append(value)
        told = ", ".join(f"{metric} {np.mean(found):.3f}" for metric, found in values.items() if found)
        print(f"{name}: {counts[0, 1]} closures, {counts[0, 3]} open vowels; {told}")
        for threshold, (made, closures, false, vowels) in zip(THRESHOLDS, counts, strict=True):
            print(
                f"  {threshold:3.1f} mm  recall {100 * made / closures:5.1f}  false {100 * false / vowels:5.1f}"
            )


if __name__ == "__main__":
    main()
