"""Whose lips are measured: a benchmark's ground truth, files of motion, or a model that says a benchmark's phones.

Conventions
-----------
A motion file holds ``units`` of the bundled head, vertices, or FLAME parameters
(:mod:`mtbench.faces.motion_files`). The resting face that measures are relative to is the clip's own in a benchmark;
that of the identity, for curves in a file; the first frame, for vertices, which tell no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtbench.benchmarks import (
    MANIFEST,
    Clip,
    as_benchmark,
    is_manifest,
    known_benchmarks,
    neutral_face,
    read_motion_arrays,
    read_phone_times,
)
from mtbench.errors import UsageError
from mtbench.faces import (
    MotionSpec,
    load_head,
    load_topology,
    motion_kind,
    pose_motion,
    pose_rest,
    read_motion_file,
    read_vertices,
    require_topology,
    topology_of_kind,
)
from mtbench.files import ArrayFileError
from mtbench.synth.articulation_settings import SETTINGS
from mtbench.synth.benchmark_writer import clip_seed
from mtbench.synth.lip_measures import LipMeasures, measure_curves, measure_vertices
from mtbench.synth.speaking_styles import STYLES
from mtbench.synth.truth_manners import animate_in
from mtbench.timing import FPS

#: What a motion file may be called.
SUFFIXES = (".npz", ".npy")
#: Before the names of manners of the rules, so that they are not taken for styles.
RULES = "rules:"
#: Bytes of the largest motion file that is looked at.
_MAX_BYTES = 4 << 30


def list_models() -> tuple[str, ...]:
    """Return the names of the models that :func:`measure_model` knows: styles, then the rules' manners."""
    return (*STYLES, *(RULES + name for name in SETTINGS))


def measure_source(source: str, fps: float = float(FPS)) -> list[LipMeasures]:
    """Measure the lips of every clip that *source* holds.

    Parameters
    ----------
    source : str
        Name or folder of a benchmark with ground truth, a folder of motion files, or one such file.
    fps : float
        Frames per second of motion files, which do not tell it.

    Returns
    -------
    list of LipMeasures
        In the order of the clips, or of the files' names.

    Raises
    ------
    UsageError
        Where there is nothing to measure, or a file holds something else.
    BenchmarkError
        Where the ground truth of a clip cannot be used.
    PrerequisiteError
        For FLAME parameters without an installed FLAME model.
    """
    path = Path(source).expanduser()
    bundled = known_benchmarks()
    if source.split("@")[0] in bundled or (path / MANIFEST).is_file() or is_manifest(path):
        clips = [clip for clip in as_benchmark(source).clips if clip.motion_path is not None]
        if not clips:
            raise UsageError(f"{source}: no clip of this benchmark has ground-truth motion to measure")
        return [_measure_clip(clip) for clip in clips]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    else:
        files = [path] if path.is_file() else []
    if not files:
        known = ", ".join(bundled)
        raise UsageError(
            f"{source}: is neither a benchmark ({known}, or a folder with {MANIFEST}) nor a motion file or a folder of "
            f"them ({', '.join(SUFFIXES)})"
        )
    return [_measure_file(file, fps) for file in files]


def measure_model(name: str, clips: Sequence[Clip]) -> list[LipMeasures]:
    """Measure the lips of a model that says the phones of *clips* at their times.

    Parameters
    ----------
    name : str
        A style of :data:`~mtbench.synth.speaking_styles.STYLES`, or ``rules:`` and a manner of
        :data:`~mtbench.synth.articulation_settings.SETTINGS`.
    clips : sequence of Clip
        With phone times.

    Returns
    -------
    list of LipMeasures

    Raises
    ------
    UsageError
        For an unknown name, or a phone without a target.
    BenchmarkError
        Where a clip has no phone times.
    """
    if name not in list_models():
        raise UsageError(f"no model of articulation is called {name!r}; known: {', '.join(list_models())}")
    measured = []
    for clip in clips:
        phones, seconds, seed = read_phone_times(clip), clip.frames / clip.fps, clip_seed(name, clip.id)
        manner = SETTINGS[name.removeprefix(RULES)] if name.startswith(RULES) else STYLES[name]
        curves = animate_in(phones, seconds, manner, clip.fps, seed)
        measured.append(measure_curves(curves, fps=clip.fps))
    return measured


def _measure_clip(clip: Clip) -> LipMeasures:
    spec, arrays = read_motion_arrays(clip)
    if spec.kind == "units":
        return _measure_units(arrays, clip.fps)
    return measure_vertices(pose_motion(arrays, spec).vertices, neutral_face(clip), spec.topology, clip.fps)


def _measure_file(path: Path, fps: float) -> LipMeasures:
    try:
        kind = motion_kind(path, _MAX_BYTES)
    except ArrayFileError as error:
        raise UsageError(f"{path}: {error} — {error.hint}") from None
    if kind == "vertices":
        vertices = read_vertices(path, "motion")
        topology = require_topology(None, vertices.shape[1], "inner_lips")
        assert topology is not None
        return measure_vertices(vertices, vertices[0], topology, fps)
    name = topology_of_kind(kind)
    assert name is not None
    spec = MotionSpec(kind, load_topology(name), None, fps)
    found = read_motion_file(path, str(path), spec)
    if found.problems:
        raise UsageError("\n".join(str(problem) for problem in found.problems))
    if kind == "units":
        return _measure_units(found.arrays, fps)
    return measure_vertices(
        pose_motion(found.arrays, spec).vertices, pose_rest(found.arrays, spec), spec.topology, fps
    )


def _measure_units(arrays: dict[str, np.ndarray], fps: float) -> LipMeasures:
    name = str(arrays["identity"]) if "identity" in arrays else "neutral"
    return measure_curves(arrays["units"], load_head().identity(name), fps)
