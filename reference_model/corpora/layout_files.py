"""The files of other projects' layouts that are no motion: sound, resting faces.

See :mod:`mtbench.reference_model.corpora.layouts`; lists of clips are read by
:mod:`mtbench.files.clip_lists`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import FLAME
from mtbench.files import UnsafePickleError, clip_name, load_arrays

TEMPLATES = "templates.pkl"
#: Sides in metres of a box that holds a resting face and nothing else.
_FACE_EXTENT = (0.1, 0.7)
_MOST_TEMPLATES = 64 << 20


def list_files(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the files of a folder with a suffix (in any case), but for hidden ones, by their clips' names.

    Raises
    ------
    UsageError
        Where two have the same name.
    """
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != suffix or path.name.startswith(".") or not path.is_file():
            continue
        other = files.setdefault(clip_name(path.name), path)
        if other is not path:
            raise UsageError(f"{folder}: {other.name} and {path.name} are the same clip; remove one")
    return files


def measure_sound(path: Path) -> float:
    """Return the length of a sound file in seconds, from its header."""
    import soundfile

    try:
        info = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"wav/{path.name} is not a readable sound file ({error})") from None
    return info.frames / info.samplerate


def read_faces(path: Path, names: set[str]) -> dict[str, np.ndarray]:
    """Return the resting faces *names* of ``templates.pkl``, (5023, 3) float32 each, without running the pickle."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; it holds the resting faces, which motion is measured from")
    if path.stat().st_size > _MOST_TEMPLATES:
        raise UsageError(
            f"{path}: {path.stat().st_size} bytes, expected at most {_MOST_TEMPLATES}; it was not read"
        )
    try:
        arrays = load_arrays(path.resolve(), names)
    except UnsafePickleError as error:
        raise UsageError(
            f"{path}: {error}; expected a dictionary of ({FLAME.n_vertices}, 3) arrays by name"
        ) from None
    missing = sorted(names - arrays.keys())
    if missing:
        raise UsageError(
            f"{path}: no resting face for {', '.join(missing[:10])}; expected one under each name"
        )
    faces = {}
    for name, array in arrays.items():
        if array.shape not in ((FLAME.n_vertices, 3), (3 * FLAME.n_vertices,)) or array.dtype.kind != "f":
            raise UsageError(
                f"{path}: under {name!r} {array.dtype} of shape {array.shape}, expected float ({FLAME.n_vertices}, 3)"
            )
        face = array.reshape(FLAME.n_vertices, 3).astype(np.float32)
        extent = float(np.ptp(face, axis=0).max()) if np.isfinite(face).all() else np.nan
        if not _FACE_EXTENT[0] < extent < _FACE_EXTENT[1]:
            raise UsageError(
                f"{path}: the face {name!r} is {extent:.3g} m across, expected some 0.3 m; in metres?"
            )
        faces[name] = face
    return faces
