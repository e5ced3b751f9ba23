"""Control entries: submissions whose place in any ranking is known beforehand.

Conventions
-----------
Controls are made from a benchmark's ground truth and are ordinary submission folders. Facial-unit curves stay
curves (kind ``units``, some kilobytes a clip); FLAME parameters and vertices become vertices. Each keeps the
clip's own speaker, so that only the motion differs:

==================  ======================================================================================
``ground-truth``    the ground truth itself
``static``          the speaker's neutral face, never moving
``half-amplitude``  every displacement from the neutral face (every curve) halved
``lag-200ms``       the motion 200 ms late, its first frame held until then
``shuffled``        the motion of another clip of the same language, cut or held at its end to fit
==================  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.benchmarks import Benchmark, Clip, as_benchmark, neutral_face, read_motion_arrays
from mtbench.errors import UsageError
from mtbench.results import CONTROL_PREFIX
from mtbench.submissions.submission import ModelCard, SubmissionManifest
from mtbench.submissions.writing import begin_submission, write_motion

#: Names in the order of tables.
CONTROLS = ("ground-truth", "half-amplitude", "lag-200ms", "shuffled", "static")
_LAG_SECONDS = 0.2


@dataclass(frozen=True)
class Displacement:
    """A clip's motion as movement away from the speaker at rest.

    Attributes
    ----------
    frames : (T, …) float32
        Facial-unit curves, or vertex displacements in metres.
    identity : str or None
        Identity that curves move.
    rest : (V, 3) float32 or None
        What vertex displacements are added to.
    """

    frames: np.ndarray
    identity: str | None
    rest: np.ndarray | None


def read_displacement(clip: Clip) -> Displacement:
    """Return the ground truth of *clip* as movement away from rest.

    Raises
    ------
    BenchmarkError
        Where the clip has no usable ground truth.
    """
    spec, arrays = read_motion_arrays(clip)
    if spec.kind == "units":
        identity = str(arrays["identity"]) if "identity" in arrays else "neutral"
        return Displacement(np.asarray(arrays["units"], np.float32), identity, None)
    motion = clip.load_motion()
    assert motion is not None
    rest = neutral_face(clip)
    return Displacement(motion.vertices - rest, None, rest)


def fit_frames(frames: np.ndarray, length: int) -> np.ndarray:
    """Cut (T, …) *frames* to *length*, or hold the last one."""
    return frames[np.minimum(np.arange(length), len(frames) - 1)]


def delay(frames: np.ndarray, by: int) -> np.ndarray:
    """Delay (T, …) *frames* by so many of them (negative: advance); the first or last one is held.

    Examples
    --------
    >>> delay(np.arange(4), 1), delay(np.arange(4), -2)
    (array([0, 0, 1, 2]), array([2, 3, 3, 3]))
    """
    return frames[np.clip(np.arange(len(frames)) - by, 0, len(frames) - 1)]


def lag(frames: np.ndarray, fps: float, seconds: float = _LAG_SECONDS) -> np.ndarray:
    """Return (T, …) *frames* delayed by *seconds*, the first one held until then."""
    return delay(frames, round(seconds * fps))


def partner(benchmark: Benchmark, clip: Clip) -> Clip:
    """Return the clip whose motion ``shuffled`` shows: the next of the language, of another source if any.

    Raises
    ------
    UsageError
        Where the language has one clip with ground truth only.
    """
    same = [c for c in benchmark.clips if c.language == clip.language and c.motion_path is not None]
    start = [c.id for c in same].index(clip.id)
    others = same[start + 1 :] + same[:start]
    if not others:
        raise UsageError(
            f"clip {clip.id} is the only one of language {clip.language} with ground truth: nothing to "
            "shuffle; add a clip, or leave 'shuffled' out"
        )
    return next((c for c in others if c.source != clip.source), others[0])


def make_controls(
    benchmark: Benchmark | str | Path, out: str | Path, names: tuple[str, ...] = CONTROLS
) -> list[Path]:
    """Write control entries as submission folders.

    Parameters
    ----------
    benchmark : Benchmark, str or Path
        With ground truth for every clip.
    out : str or Path
        Gets one folder per control; controls that lie there already are replaced.
    names : tuple of str
        Which, see :data:`CONTROLS`.

    Returns
    -------
    list of Path
        The folders, in the order of *names*.

    Raises
    ------
    UsageError
        For an unknown name, a benchmark without ground truth, or a folder in the way that is no control.
    """
    benchmark = as_benchmark(benchmark)
    unknown = sorted(set(names) - set(CONTROLS))
    if unknown:
        raise UsageError(f"unknown control {', '.join(unknown)}; known: {', '.join(CONTROLS)}")
    silent = [clip.id for clip in benchmark.clips if clip.motion_path is None]
    if silent or benchmark.topology is None:
        raise UsageError(
            f"benchmark {benchmark.ref}: {len(silent) or 'all'} clips have no ground-truth motion, which "
            "controls are made of; add motion to benchmark.toml"
        )
    kinds = {"units" if read_motion_arrays(c)[0].kind == "units" else "vertices" for c in benchmark.clips}
    if len(kinds) > 1:
        raise UsageError(
            f"benchmark {benchmark.ref} mixes facial-unit curves with vertices; a submission has one kind"
        )
    folders = [_prepare(Path(out) / name, name, benchmark, kinds.copy().pop()) for name in names]
    for clip in benchmark.clips:
        own = read_displacement(clip)
        for name, folder in zip(names, folders, strict=True):
            frames = _CHANGES[name](benchmark, clip, own)
            _write(folder, clip.id, frames, own)
    return folders


def _shuffle(benchmark: Benchmark, clip: Clip, own: Displacement) -> np.ndarray:
    return fit_frames(read_displacement(partner(benchmark, clip)).frames, clip.frames)


_CHANGES: dict[str, Callable[[Benchmark, Clip, Displacement], np.ndarray]] = {
    "ground-truth": lambda benchmark, clip, own: own.frames,
    "half-amplitude": lambda benchmark, clip, own: own.frames * np.float32(0.5),
    "lag-200ms": lambda benchmark, clip, own: lag(own.frames, benchmark.fps),
    "shuffled": _shuffle,
    "static": lambda benchmark, clip, own: np.zeros_like(own.frames),
}


def _prepare(folder: Path, name: str, benchmark: Benchmark, kind: str) -> Path:
    manifest = SubmissionManifest(
        schema=1, system=name, benchmark=benchmark.ref, fps=benchmark.fps, unit="m",
        topology=benchmark.topology or "", kind=kind, model=ModelCard(name=CONTROL_PREFIX + name),
    )  # fmt: skip
    begin_submission(folder, manifest, f"the control {name}")
    return folder


def _write(folder: Path, clip: str, frames: np.ndarray, own: Displacement) -> None:
    if own.rest is None:
        write_motion(folder, clip, units=frames, identity=np.array(own.identity))
    else:
        write_motion(folder, clip, vertices=(frames + own.rest).astype(np.float32))
