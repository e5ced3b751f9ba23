"""Reading the sound and the ground-truth motion of a benchmark's clip.

Conventions
-----------
Sizes are compared with the manifest's frame count before anything is read; a file that does not fit is an
error of the benchmark, never trimmed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import BenchmarkError
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.benchmarks.benchmark import Clip
    from mtbench.faces.motion_headers import MotionSpec


def read_clip_audio(path: Path, frames: int, clip: str) -> np.ndarray:
    """Return (640 T,) float32; see :attr:`mtbench.benchmarks.benchmark.Clip.audio`."""
    import soundfile

    expected = frames * SAMPLES_PER_FRAME
    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, count = file.samplerate, file.channels, file.frames
            if rate != SAMPLE_RATE or channels != 1:
                raise BenchmarkError(
                    f"{path}: clip {clip} has {channels} channel(s) at {rate} Hz, expected mono at "
                    f"{SAMPLE_RATE} Hz; 'mtbench benchmark new' converts recordings"
                )
            if not expected - SAMPLES_PER_FRAME < count <= expected:
                raise BenchmarkError(
                    f"{path}: clip {clip} has {count} samples, that is {-(-count // SAMPLES_PER_FRAME)} "
                    f"frames, but the manifest says frames = {frames}"
                )
            samples = file.read(count, dtype="float32")
    except (soundfile.LibsndfileError, OSError) as error:
        raise BenchmarkError(f"{path}: the sound of clip {clip} cannot be read: {error}") from None
    if not np.isfinite(samples).all():
        raise BenchmarkError(f"{path}: the sound of clip {clip} has samples that are not finite")
    if len(samples) < count:
        raise BenchmarkError(
            f"{path}: the header says {count} samples, the file has {len(samples)}; the sound of clip {clip} is cut "
            "off, copy it again"
        )
    if float(np.abs(samples).max()) > 1:
        raise BenchmarkError(
            f"{path}: the sound of clip {clip} reaches {np.abs(samples).max():.4g}, expected -1..1; "
            "'mtbench benchmark new' converts recordings"
        )
    padded = np.zeros(expected, np.float32)
    padded[: len(samples)] = samples
    return padded


def measure_seconds(clip: Clip) -> float:
    """Return the length of the clip's sound, from its header; the shortest that has T frames where none can be read."""
    import soundfile

    try:
        return soundfile.info(str(clip.audio_path)).frames / SAMPLE_RATE
    except (soundfile.LibsndfileError, OSError):
        return (
            (clip.frames - 1) * SAMPLES_PER_FRAME / SAMPLE_RATE
        )  # the fault is told where the sound is heard


def read_motion_arrays(clip: Clip) -> tuple[MotionSpec, dict[str, np.ndarray]]:
    """Return what the ground truth's file holds, checked but not posed: vertices, FLAME parameters or units.

    Raises
    ------
    BenchmarkError
        Where the clip has no ground truth, or its file is unreadable or does not fit the clip.
    """
    from mtbench.faces.motion_files import motion_kind, read_motion_file
    from mtbench.faces.motion_headers import MotionSpec
    from mtbench.faces.topologies import load_topology
    from mtbench.files.arrays import ArrayFileError

    if clip.motion_path is None or clip.topology is None:
        raise BenchmarkError(f"clip {clip.id} has no ground-truth motion")
    topology = load_topology(clip.topology)
    most = MotionSpec("vertices", topology, clip.frames).max_bytes + 64 * 1024
    try:
        cure = "make the benchmark again with 'mtbench benchmark new --motion-fps {}'"
        spec = MotionSpec(
            motion_kind(clip.motion_path, most), topology, clip.frames, clip.fps, rate_hint=cure
        )
    except (ArrayFileError, OSError) as error:
        raise BenchmarkError(f"{clip.motion_path}: the motion of clip {clip.id} {error}") from None
    found = read_motion_file(clip.motion_path, str(clip.motion_path), spec, clip.id)
    if found.problems:
        lines = "".join(f"\n  - {problem}" for problem in found.problems)
        raise BenchmarkError(f"the ground truth of clip {clip.id} cannot be used:{lines}")
    return spec, found.arrays
