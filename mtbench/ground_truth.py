"""Faces that follow from a benchmark alone: a clip's neutral face and the static one.

Conventions
-----------
A clip's neutral face is that of its speaker at rest: the identity of facial-unit curves, the shape of FLAME
parameters, and for plain vertices the first frame, since nothing else is known of the speaker.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.arrays import ArrayFileError
from mtbench.benchmark import Clip
from mtbench.cache import digest_bytes
from mtbench.clip_files import read_motion_arrays
from mtbench.errors import BenchmarkError, PrerequisiteError
from mtbench.motion_files import motion_kind, pose_motion
from mtbench.topology import Topology

#: Raise it when posing gives other vertices from the same file.
POSING_VERSION = "1"
_MOST_BYTES = 4 << 30


def neutral_face(clip: Clip) -> np.ndarray:
    """Return the resting face of the clip's speaker, (V, 3) float32 in metres.

    Raises
    ------
    BenchmarkError
        Where the clip has no usable ground truth.
    """
    spec, arrays = read_motion_arrays(clip)
    still = {name: array[:1] for name, array in arrays.items() if name not in ("shape", "identity")}
    if spec.kind != "vertices":
        still = {name: np.zeros_like(array) for name, array in still.items()}
    still |= {name: arrays[name] for name in ("shape", "identity") if name in arrays}
    if spec.kind == "flame-params" and "shape" in still and still["shape"].ndim == 2:
        still["shape"] = still["shape"][:1]
    return pose_motion(still, spec).vertices[0]


def template_face(clip: Clip, topology: Topology) -> np.ndarray | None:
    """Return the neutral face that displacements of the clip's ground truth are measured from.

    The speaker's own where curves or parameters tell it; else the topology's, which may be unknown (None).
    """
    spec, _ = read_motion_arrays(clip)
    return topology.neutral if spec.kind == "vertices" else neutral_face(clip)


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
    return digest_bytes(f"{kind}|{POSING_VERSION}|{_model_digest(kind)}".encode(), _file_digest(path))


def truth_digest(clip: Clip) -> str:
    """Return the digest of everything that the clip's ground truth follows from.

    Raises
    ------
    BenchmarkError
        Where the clip has no ground truth, or its file is unreadable.
    """
    if clip.motion_path is None:
        raise BenchmarkError(f"clip {clip.id} has no ground-truth motion")
    try:
        kind = motion_kind(clip.motion_path, _MOST_BYTES)
    except (ArrayFileError, OSError) as error:
        raise BenchmarkError(f"{clip.motion_path}: the motion of clip {clip.id} {error}") from None
    return motion_file_digest(clip.motion_path, kind)


def static_digest(clip: Clip, topology: Topology) -> str:
    """Return the digest of everything that :func:`static_face` follows from."""
    if clip.motion_path is not None and clip.topology == topology.name:
        own = truth_digest(clip)
    else:
        own = topology.digest
    return digest_bytes(b"static", own.encode(), str(clip.frames).encode())


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()


@lru_cache(maxsize=4)
def _model_digest(kind: str) -> str:
    if kind == "units":
        return _file_digest(Path(__file__).parent / "data" / "openhead-1.npz").hex()
    if kind == "flame-params":
        from mtbench.flame import load_flame_model

        return load_flame_model().digest
    return ""
