"""Ground-truth motion, and templates, of a benchmark in the making.

Conventions
-----------
Up to :data:`TOLERANCE` frames (at 25 per second) more or fewer than the sound are cut off the longer of the two, more
are an error. Motion of another rate is posed and resampled, see :mod:`mtbench.faces.resampling`, so that a
benchmark holds 25 frames per second. What is wrong becomes a line of text, so that all files can be told at once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mtbench.errors import Note, UsageError, list_some
from mtbench.faces import (
    MAX_FPS,
    MIN_FPS,
    MotionSpec,
    check_geometry,
    count_frames,
    describe_resampling,
    is_given_once,
    kind_of_arrays,
    load_topology,
    match_speaker,
    motion_kind,
    name_topology,
    pose_motion,
    pose_rest,
    read_motion_file,
    read_templates,
    read_vertices,
    resample_motion,
    topology_of_kind,
)
from mtbench.files import ArrayFileError, open_arrays, quote_toml
from mtbench.timing import FPS

MOTION_SUFFIXES = (".npz", ".npy")
#: Frames by which motion and sound may differ.
TOLERANCE = 2
#: Largest motion file: two minutes of FLAME vertices in double precision, at the highest rate.
MAX_MOTION_BYTES = 2 << 30


def find_topology(files: Iterable[Path], topology: str | None, findings: list[str]) -> str | None:
    """Return the topology that all ground truth has.

    Parameters
    ----------
    files : iterable of Path
        Motion files.
    topology : str or None
        Its name where it is given; else array names and vertex counts tell it.
    findings : list of str
        Gets a line for every file that cannot be used.
    """
    if topology is not None:
        load_topology(topology)  # an unknown name is a usage error
    told: dict[str, str] = {}
    for path in files:
        try:
            with open_arrays(path, MAX_MOTION_BYTES) as file:
                shapes = {key: header.shape for key, header in file.headers.items()}
        except (ArrayFileError, OSError) as error:
            findings.append(f"{path.name}: {error}; {getattr(error, 'hint', 'check the file')}")
            continue
        shape = next(iter(shapes.values()), ())
        count = shape[1] if len(shape) == 3 else shape[1] // 3 if len(shape) == 2 else 0
        guess = topology or topology_of_kind(kind_of_arrays(shapes)) or name_topology(count)
        if guess is None:
            findings.append(f"{path.name}: array of shape {shape} tells no topology; give --topology")
            continue
        told.setdefault(guess, path.name)
    if len(told) > 1:
        names = ", ".join(f"{name} ({file})" for name, file in told.items())
        findings.append(f"motion of several topologies: {names}; a benchmark has one")
    return next(iter(told), None)


def describe_rate(fps: float) -> list[str]:
    """Return the lines of ``benchmark.toml`` that say which rate the ground truth had, none for 25.

    Raises
    ------
    UsageError
        For a rate out of range.
    """
    if not MIN_FPS <= fps <= MAX_FPS:
        raise UsageError(f"--motion-fps {fps:g}: expected {MIN_FPS:g} to {MAX_FPS:g} frames per second")
    method = describe_resampling(fps)
    return [] if method is None else [f"motion_fps = {fps!r}", f"motion_resampling = {quote_toml(method)}"]


def write_truth(
    source: Path,
    clip: str,
    topology: str,
    frames: int,
    work: Path,
    findings: list[str],
    notes: list[Note],
    fps: float = float(FPS),
) -> int:
    """Write the ground truth of one clip and return how many frames at 25 fps sound and motion share.

    Parameters
    ----------
    source : Path
        The motion file.
    clip : str
        Id.
    topology : str
        Name.
    frames : int
        Number of frames of the clip's sound.
    work : Path
        The benchmark's folder; gets ``motion/<clip>.npz``. Parameters and curves of another rate are written as
        vertices, which cannot tell their speaker: it gets ``templates/rest-<clip>.npz`` too.
    findings : list of str
        Gets a line for everything that is wrong with the file.
    notes : list of Note
        Gets one where the motion is longer than the sound.
    fps : float
        Frames per second of the file.

    Raises
    ------
    PrerequisiteError
        For FLAME parameters of another rate without an installed FLAME model.
    """
    try:
        kind, found = _measure_truth(source)
    except (ArrayFileError, OSError) as error:
        findings.append(f"{source.name}: {error}")
        return frames
    covered = count_frames(found, fps)
    fits = found > 0 and abs(covered - frames) <= TOLERANCE
    # Half a frame at 25 fps may be more than one at the file's rate.
    spare = round(fps / FPS) if fits and fps != FPS else 0
    expected = covered if fits else frames
    hint = "give --motion-fps {}"
    spec = MotionSpec(kind, load_topology(topology), expected, fps, spare=spare, rate_hint=hint)
    reading = read_motion_file(source, source.name, spec, clip)
    if reading.problems:
        findings.extend(str(problem) for problem in reading.problems)
        return frames
    shared = min(expected, frames)
    if shared < expected:
        lost = f"the last {expected - shared} of {expected} frames of ground truth were cut off"
        notes.append(Note("motion-cut", source.name, lost, f"the sound has {shared}"))
    if fps == FPS:
        kept = _cut(reading.arrays, shared)
    else:
        kept = {"vertices": resample_motion(pose_motion(reading.arrays, spec).vertices, fps, shared)}
        if kind != "vertices":
            _write_template(work, f"rest-{clip}", pose_rest(reading.arrays, spec))
    path = work / "motion" / f"{clip}.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, **kept)  # type: ignore[arg-type]
    return shared


@contextmanager
def scaled(source: Path, scale: float, work: Path) -> Iterator[Path]:
    """Give a motion file whose positions are *scale* times those of *source*, itself or one in *work*.

    Of a file that holds positions among other arrays, as MultiTalk's do, the positions alone are given.

    Parameters
    ----------
    source : Path
        Vertices; a file that cannot be read is given as it is, so that whoever reads it says what is wrong.
    scale : float
    work : Path
        The benchmark's folder; is as before afterwards.
    """
    if scale == 1 and not _has_more(source):
        yield source
        return
    try:
        vertices = read_vertices(source, source.name)
    except UsageError:
        yield source
        return
    folder = work / "scaled"
    folder.mkdir()
    path = folder / f"{source.stem}.npy"
    try:
        np.save(path, (vertices * scale).astype(np.float32))
        yield path
    finally:
        shutil.rmtree(folder)


def _has_more(source: Path) -> bool:
    """Return whether a file holds ``verts``, the field's name of positions, and something else."""
    try:
        with open_arrays(source, MAX_MOTION_BYTES) as file:
            return "verts" in file.headers and len(file.headers) > 1
    except (ArrayFileError, OSError):
        return False


def _measure_truth(source: Path) -> tuple[str, int]:
    """Return the kind of motion in a file, and how many frames its first array of that kind has."""
    kind = motion_kind(source, MAX_MOTION_BYTES)
    with open_arrays(source, MAX_MOTION_BYTES) as file:
        headers = file.headers
        key = next(
            (k for k in ("vertices", "verts", "units", "jaw") if k in headers), next(iter(headers), "")
        )
        return kind, headers[key].shape[0] if key in headers and headers[key].shape else 0


def _cut(arrays: Mapping[str, np.ndarray], frames: int) -> dict[str, np.ndarray]:
    """Return the arrays of a motion file as float32, of the first *frames*; what holds for the whole clip stays."""
    kept: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if name == "identity":
            kept[name] = array
        elif is_given_once(name, array.shape):
            kept[name] = array.astype(np.float32)
        else:
            kept[name] = array[:frames].astype(np.float32)
    return kept


def add_templates(
    source: Path,
    clips: Mapping[str, Path],
    topology: str | None,
    work: Path,
    findings: list[str],
    told: list[Note],
) -> tuple[list[str], dict[str, str]]:
    """Write the resting faces of the clips' speakers.

    Parameters
    ----------
    source : Path
        File or folder, see :func:`mtbench.faces.templates.read_templates`.
    clips : mapping of str to Path
        Clip id -> its recording, relative to the corpus.
    topology : str or None
        Topology of the ground truth.
    work : Path
        The benchmark's folder; gets ``templates/<speaker>.npz``.
    findings : list of str
        Gets a line for everything that is wrong.
    told : list of Note
        Gets a note for clips without a face and one for faces without a clip.

    Returns
    -------
    lines : list of str
        Lines for the head of ``benchmark.toml``.
    lines by clip : dict of str to str
        The line of each clip that has a face.

    Raises
    ------
    UsageError
        Where there is no *source*.
    """
    if topology is None:
        findings.append(f"{source}: templates without ground truth; add motion, or leave --templates out")
        return [], {}
    if not source.exists():
        raise UsageError(f"there is no file or folder {source} with templates")
    surface = load_topology(topology)
    try:
        faces = read_templates(source, surface.n_vertices)
    except UsageError as error:
        findings.append(str(error))
        return [], {}
    table: dict[str, str] = {}
    for speaker, face in faces.items():
        for _, message, hint in check_geometry(face[None], surface):
            findings.append(f"template {speaker or source.name}: {message} — {hint}")
        table[speaker] = _write_template(work, speaker or "everyone", face, set(table.values()))
    by_clip = {clip: match_speaker(path, faces) for clip, path in clips.items()}
    lines = {
        clip: f"speaker = {quote_toml(speaker)}" if speaker else f'template = "{table[""]}"'
        for clip, speaker in by_clip.items()
        if speaker is not None
    }
    alone = [clip for clip, speaker in by_clip.items() if speaker is None]
    if alone:
        known = f"FDD is n/a there; known speakers: {list_some([name or 'everyone' for name in faces])}"
        told.append(Note("no-template", "templates", f"none for {list_some(alone)}", known))
    unused = [speaker for speaker in faces if speaker and speaker not in by_clip.values()]
    if unused:
        found = f"of speakers without a clip: {list_some(unused)}"
        told.append(
            Note("unused-template", "templates", found, "clips are found by the beginning of their names")
        )
    named = ", ".join(f"{quote_toml(k)} = {quote_toml(v)}" for k, v in table.items() if k)
    return [f"templates = {{ {named} }}"] if named else [], lines


def _write_template(work: Path, name: str, face: np.ndarray, taken: set[str] | None = None) -> str:
    """Write *face* under a file name made of *name*; return its place in the benchmark."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "face"
    place, count = f"templates/{stem}.npz", 2
    while taken and place.lower() in {other.lower() for other in taken}:
        place, count = f"templates/{stem}-{count}.npz", count + 1
    (work / "templates").mkdir(exist_ok=True)
    np.savez_compressed(work / place, allow_pickle=False, template=face.astype(np.float32))
    return place
