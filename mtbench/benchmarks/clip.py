"""A clip of a benchmark: text, sound and, where there is some, ground-truth motion; and reading its files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import BenchmarkError
from mtbench.faces import Motion, load_topology
from mtbench.files import stamp_file
from mtbench.timing import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.faces import MotionSpec, Topology


@dataclass(frozen=True)
class Clip:
    """One utterance of a benchmark; sound and motion lie in files.

    Attributes
    ----------
    id : str
    language : str
        ISO 639-3.
    transcript : str
        The words as they were said, not normalized.
    source : str
        Recording that the clip was cut from: the cluster of the bootstrap.
    frames : int
        T.
    phones : tuple of str or None
        Reference IPA phones.
    audio_path : Path
    motion_path, phone_times_path : Path or None
    topology : str or None
        Topology of the ground truth.
    fps : float
    speaker : str or None
        Who speaks, as :attr:`template_path` calls the faces in it.
    template_path : Path or None
        File with the speaker's resting face; see :func:`mtbench.benchmarks.ground_truth.template_face`.
    """

    id: str
    language: str
    transcript: str
    source: str
    frames: int
    phones: tuple[str, ...] | None
    audio_path: Path
    motion_path: Path | None = None
    phone_times_path: Path | None = None
    topology: str | None = None
    fps: float = float(FPS)
    speaker: str | None = None
    template_path: Path | None = None

    def load_audio(self) -> np.ndarray:
        """Read the sound from its file, (640 T,) float32 mono at 16 kHz, zero-padded to whole frames.

        Raises
        ------
        BenchmarkError
            Where the file is missing, unreadable, or of another rate or length than the manifest says.
        """
        return read_clip_audio(self.audio_path, self.frames, self.id)

    @property
    def audio(self) -> np.ndarray:
        """Alias of :meth:`load_audio`: reads the file on every access."""
        return self.load_audio()

    def load_motion(self) -> Motion | None:
        """Read the ground-truth motion from its file, (T, V, 3) float32 in metres; None where there is none.

        The vertices are the caller's own, to change as he likes.

        Raises
        ------
        BenchmarkError
            Where the file is missing, unreadable or does not fit the clip.
        PrerequisiteError
            For FLAME parameters without an installed FLAME model.
        """
        if self.motion_path is None or self.topology is None:
            return None
        from mtbench.faces import pose_motion

        spec, arrays = read_motion_arrays(self)
        motion = pose_motion(arrays, spec)
        # Vertices that the file holds as they are would be those that are kept for the next reader.
        return motion if motion.vertices.flags.writeable else replace(motion, vertices=motion.vertices.copy())

    @property
    def motion(self) -> Motion | None:
        """Alias of :meth:`load_motion`: reads the file on every access."""
        return self.load_motion()


def read_clip_audio(path: Path, frames: int, clip: str) -> np.ndarray:
    """Return (640 T,) float32; see :meth:`mtbench.benchmarks.clip.Clip.load_audio`."""
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


#: Ground truth up to this size is kept until another is read: a clip's neutral face and motion follow from one file.
_KEPT_BYTES = 64 << 20
_Kept = tuple[tuple, "MotionSpec", dict[str, np.ndarray]]
_KEPT: list[_Kept] = []


def read_motion_arrays(clip: Clip) -> tuple[MotionSpec, dict[str, np.ndarray]]:
    """Return what the ground truth's file holds, checked but not posed: vertices, FLAME parameters or units.

    The arrays are read-only; of a file that was read last and has not been written since, they are the same ones.

    Raises
    ------
    BenchmarkError
        Where the clip has no ground truth, or its file is unreadable or does not fit the clip.
    """
    if clip.motion_path is None or clip.topology is None:
        raise BenchmarkError(f"clip {clip.id} has no ground-truth motion")
    try:
        stamp = stamp_file(clip.motion_path)
    except OSError:  # told below, with the clip
        stamp = None
    topology = load_topology(clip.topology)
    key = (stamp, clip.id, topology.digest, clip.frames, clip.fps)
    for known, spec, arrays in _KEPT:
        if stamp is not None and known == key:
            return spec, arrays
    spec, arrays = _read_motion_arrays(clip.motion_path, topology, clip)
    for array in arrays.values():
        array.setflags(write=False)
    if stamp is not None and sum(array.nbytes for array in arrays.values()) <= _KEPT_BYTES:
        _KEPT[:] = [(key, spec, arrays)]
    return spec, arrays


def _read_motion_arrays(
    path: Path, topology: Topology, clip: Clip
) -> tuple[MotionSpec, dict[str, np.ndarray]]:
    from mtbench.faces import MotionSpec, motion_kind, read_motion_file
    from mtbench.files import ArrayFileError

    most = MotionSpec("vertices", topology, clip.frames).max_bytes + 64 * 1024
    try:
        cure = "make the benchmark again with 'mtbench benchmark new --motion-fps {}'"
        spec = MotionSpec(motion_kind(path, most), topology, clip.frames, clip.fps, rate_hint=cure)
    except (ArrayFileError, OSError) as error:
        raise BenchmarkError(f"{path}: the motion of clip {clip.id} {error}") from None
    found = read_motion_file(path, str(path), spec, clip.id)
    if found.problems:
        lines = "".join(f"\n  - {problem}" for problem in found.problems)
        raise BenchmarkError(f"the ground truth of clip {clip.id} cannot be used:{lines}")
    return spec, found.arrays
