"""Faces that follow from a benchmark alone: a clip's neutral face and the static one.

Conventions
-----------
A clip's neutral face is that of its speaker at rest: the template that the benchmark gives, else the identity of
facial-unit curves or the shape of FLAME parameters. Plain vertices without a template tell no speaker: a still face
is then their first frame, but nothing is measured from it, and least of all from the mean face of a topology.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.benchmarks.clip import Clip, read_motion_arrays
from mtbench.bundled import data_path
from mtbench.errors import BenchmarkError, PrerequisiteError, UsageError
from mtbench.faces import (
    OPENHEAD,
    Topology,
    load_topology,
    motion_kind,
    pose_rest,
    read_template,
    topology_of_kind,
)
from mtbench.files import ArrayFileError, digest_array, digest_bytes, digest_file

#: Raise it when posing gives other vertices from the same file.
POSING_VERSION = "1"
_MOST_BYTES = 4 << 30


def neutral_face(clip: Clip) -> np.ndarray:
    """Return the resting face of the clip's speaker, (V, 3) float32 in metres; see the module's text.

    Raises
    ------
    BenchmarkError
        Where the clip has no usable ground truth, or an unusable template.
    """
    given = _given_template(clip)
    if given is not None:
        return given.copy()
    spec, arrays = read_motion_arrays(clip)
    face = pose_rest(arrays, spec)
    # A frame of what is kept of the file is copied, as a template is: faces are the caller's to change.
    return face if face.flags.writeable else face.copy()


def template_face(clip: Clip) -> np.ndarray | None:
    """Return the neutral face that displacements of the clip's ground truth are measured from, (V, 3) float32.

    The speaker's own, where the benchmark has a template, or curves or parameters tell it; else None.

    Raises
    ------
    BenchmarkError
        Where the clip has no usable ground truth, or an unusable template.
    PrerequisiteError
        For FLAME parameters without an installed FLAME model.
    """
    return neutral_face(clip) if _tells_rest(clip) else None


def template_digest(clip: Clip) -> str | None:
    """Return the digest of everything that :func:`template_face` follows from, None where there is none.

    Raises
    ------
    BenchmarkError, PrerequisiteError
        As for :func:`template_face`.
    """
    given = _given_template(clip)
    if given is not None:
        return digest_array(given)
    return truth_digest(clip) if _tells_rest(clip) else None


def find_untemplated(clips: Iterable[Clip]) -> list[str]:
    """Return the ids of the clips with ground truth whose speaker's resting face is unknown."""
    return [clip.id for clip in clips if clip.motion_path is not None and not _tells_rest(clip)]


def _tells_rest(clip: Clip) -> bool:
    """Whether a template, or the kind of the ground truth, tells the speaker's face at rest; headers suffice."""
    if clip.template_path is not None and clip.topology is not None:
        return True
    return clip.motion_path is not None and _truth_kind(clip) != "vertices"


def static_face(clip: Clip, topology: Topology) -> np.ndarray:
    """Return (T, V, 3) float32: a face of *topology* that does not move.

    The clip's own neutral face where its ground truth has that topology, the topology's neutral otherwise.

    Raises
    ------
    PrerequisiteError
        Where neither is known.
    """
    if clip.motion_path is not None and clip.topology == topology.name:
        face = neutral_face(clip)
    elif topology.neutral is not None:
        face = topology.neutral
    else:
        raise PrerequisiteError(
            f"topology {topology.name} has no neutral face here, which a static face needs; "
            "install its asset with 'mtbench assets add'"
        )
    return np.repeat(np.asarray(face, np.float32)[None], clip.frames, axis=0)


def motion_file_digest(path: Path, kind: str) -> str:
    """Return the digest of everything that the vertices in a motion file follow from.

    Parameters
    ----------
    path : Path
        The motion file.
    kind : str
        ``"vertices"``, ``"flame-params"`` or ``"units"``: the latter two depend on a model as well.
    """
    return digest_bytes(f"{kind}|{POSING_VERSION}|{_model_digest(kind)}".encode(), digest_file(path).short)


def name_model(kind: str) -> str | None:
    """Return what turns motion of *kind* into vertices, ``name#digest``; None for vertices.

    Raises
    ------
    PrerequisiteError
        For FLAME parameters without an installed FLAME model.
    """
    model = topology_of_kind(kind)
    return None if model is None else f"{model}#{_model_digest(kind)}"


def name_truth_models(clips: Iterable[Clip]) -> str | None:
    """Return what turns the ground truth of *clips* into vertices, by name; None where all of it is vertices.

    Raises
    ------
    BenchmarkError
        Where a file is unreadable.
    PrerequisiteError
        For FLAME parameters without an installed FLAME model.
    """
    kinds = {_truth_kind(clip) for clip in clips if clip.motion_path is not None}
    return "+".join(sorted(filter(None, map(name_model, kinds)))) or None


def name_templates(clips: Iterable[Clip]) -> str | None:
    """Return ``speaker#digest`` over the neutral faces that displacements are measured from, None without any."""
    own = [f"{clip.id}={digest}" for clip in clips if (digest := template_digest(clip)) is not None]
    return f"speaker#{digest_bytes(*(text.encode() for text in own))}" if own else None


def truth_digest(clip: Clip) -> str:
    """Return the digest of everything that the clip's ground truth follows from.

    Raises
    ------
    BenchmarkError
        Where the clip has no ground truth, or its file is unreadable.
    """
    if clip.motion_path is None:
        raise BenchmarkError(f"clip {clip.id} has no ground-truth motion")
    return motion_file_digest(clip.motion_path, _truth_kind(clip))


def _given_template(clip: Clip) -> np.ndarray | None:
    if clip.template_path is None or clip.topology is None:
        return None
    status = clip.template_path.stat()
    vertices = load_topology(clip.topology).n_vertices
    try:
        return _read_template(
            clip.template_path, (status.st_mtime_ns, status.st_size), vertices, clip.speaker
        )
    except UsageError as error:
        raise BenchmarkError(f"clip {clip.id}: {error}") from None


@lru_cache(maxsize=256)
def _read_template(path: Path, state: tuple[int, int], vertices: int, speaker: str | None) -> np.ndarray:
    face = read_template(path, vertices, speaker)
    face.setflags(write=False)
    return face


def _truth_kind(clip: Clip) -> str:
    assert clip.motion_path is not None
    try:
        return motion_kind(clip.motion_path, _MOST_BYTES)
    except (ArrayFileError, OSError) as error:
        raise BenchmarkError(f"{clip.motion_path}: the motion of clip {clip.id} {error}") from None


def static_digest(clip: Clip, topology: Topology) -> str:
    """Return the digest of everything that :func:`static_face` follows from."""
    if clip.motion_path is not None and clip.topology == topology.name:
        own = template_digest(clip) or truth_digest(clip)
    else:
        own = topology.digest
    return digest_bytes(b"static", own.encode(), str(clip.frames).encode())


def _model_digest(kind: str) -> str:
    # Not cached by kind: another FLAME model may be installed while this process lives.
    if kind == "flame-params":
        from mtbench.faces import load_flame_model

        return load_flame_model().digest
    return _head_digest() if kind == "units" else ""


@lru_cache(maxsize=1)
def _head_digest() -> str:
    return digest_file(data_path(f"{OPENHEAD.name}.npz")).short.hex()
