"""The files of other projects' layouts that are no motion: lists of clips, sound, resting faces.

See :mod:`mtbench.reference_model.layouts`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.safe_pickle import UnsafePickleError, load_arrays

#: Vertices of FLAME.
VERTICES = 5023
TEMPLATES = "templates.pkl"
TRAINING_LIST = "train.txt"
HELD_OUT_LISTS = ("test.txt", "val.txt")
#: Sides in metres of a box that holds a resting face and nothing else.
_FACE_EXTENT = (0.1, 0.7)
_MOST_TEMPLATES = 64 << 20
_MOST_LIST = 64 << 20


def list_files(folder: Path, suffix: str) -> list[Path]:
    """Return the files of a folder with a suffix, but for hidden ones."""
    return [p for p in folder.iterdir() if p.suffix == suffix and not p.name.startswith(".") and p.is_file()]


def read_lists(root: Path) -> tuple[set[str] | None, dict[str, str]]:
    """Return the clips to train on (None: all), and the list that holds out each of the others that are named.

    Raises
    ------
    UsageError
        Where a clip is in both, or a list is none.
    """
    chosen = read_list(root / TRAINING_LIST)
    held_out = {stem: name for name in HELD_OUT_LISTS for stem in sorted(read_list(root / name) or ())}
    if both := sorted((chosen or set()) & held_out.keys()):
        raise UsageError(
            f"{root}: {both[0]} is in {TRAINING_LIST} and in {held_out[both[0]]}"
            + (f", as are {len(both) - 1} more" if len(both) > 1 else "")
            + "; what is trained on cannot be tested on: leave it out of one of them"
        )
    return chosen, held_out


def read_list(path: Path) -> set[str] | None:
    """Return the names in a list of clips without suffix, None where there is no such file."""
    if not path.is_file():
        return None
    if path.stat().st_size > _MOST_LIST:
        raise UsageError(f"{path}: larger than {_MOST_LIST} bytes, expected a name a line")
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start}), expected a name a line") from None
    return {line.strip().removesuffix(".wav").removesuffix(".npz") for line in lines if line.strip()}


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
            f"{path}: {error}; expected a dictionary of ({VERTICES}, 3) arrays by name"
        ) from None
    missing = sorted(names - arrays.keys())
    if missing:
        raise UsageError(
            f"{path}: no resting face for {', '.join(missing[:10])}; expected one under each name"
        )
    faces = {}
    for name, array in arrays.items():
        if array.shape not in ((VERTICES, 3), (3 * VERTICES,)) or array.dtype.kind != "f":
            raise UsageError(
                f"{path}: under {name!r} {array.dtype} of shape {array.shape}, expected float ({VERTICES}, 3)"
            )
        face = array.reshape(VERTICES, 3).astype(np.float32)
        extent = float(np.ptp(face, axis=0).max()) if np.isfinite(face).all() else np.nan
        if not _FACE_EXTENT[0] < extent < _FACE_EXTENT[1]:
            raise UsageError(
                f"{path}: the face {name!r} is {extent:.3g} m across, expected some 0.3 m; in metres?"
            )
        faces[name] = face
    return faces
