"""Whether the frames of imported motion fit the clips' sound, and which rate they would fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mtbench.benchmarks import Benchmark, measure_seconds
from mtbench.faces import MAX_FPS, MIN_FPS, RATES, MotionSpec, load_topology
from mtbench.importers.base import FoundMotion

#: Rates in the order in which they are thought of: a second of motion fits several.
_USUAL = (25.0, 30.0, 60.0, 50.0)


def contradict_rate(frames: Mapping[str, int], found: FoundMotion, bench: Benchmark) -> list[str]:
    """Return a line for each rate that clips fit instead of the one that is taken for granted.

    Parameters
    ----------
    frames : mapping of str to int
        Frames of each clip.
    found : FoundMotion
        Its rate is taken for granted.
    bench : Benchmark
        Whose sound they belong to.
    """
    if not MIN_FPS <= found.fps <= MAX_FPS:
        return []
    topology = load_topology(found.topology)
    specs = {
        clip.id: MotionSpec(found.kind, topology, clip.frames, found.fps, measure_seconds(clip))
        for clip in bench.clips
        if clip.id in frames
    }
    misfits = [clip for clip, spec in specs.items() if _misfit(frames[clip], spec)]
    lines = []
    for rate in sorted(RATES, key=lambda rate: (_USUAL.index(rate) if rate in _USUAL else len(_USUAL), rate)):
        fitting = [
            clip
            for clip in misfits
            if rate != found.fps and not _misfit(frames[clip], replace(specs[clip], fps=rate))
        ]
        if fitting:
            clip = fitting[0]
            lines.append(
                f"{found.fps:g} frames a second were taken for granted, and {len(fitting)} of {len(frames)} clips fit "
                f"{rate:g} (clip {clip}: {frames[clip]} frames for {specs[clip].seconds:.2f} s): give --fps {rate:g}"
            )
        misfits = [clip for clip in misfits if clip not in fitting]
    return lines


def _misfit(count: int, spec: MotionSpec) -> bool:
    fewest, most = spec.counts
    return not fewest - 1 <= count <= most + 1
