"""Resting faces of speakers, from the files that people have them in.

Conventions
-----------
A template is a (V, 3) face at rest in metres, y up: what displacements are measured from, in training data and in
FDD. Files are ``.npy`` or ``.npz`` arrays, ``.ply`` or ``.obj`` meshes in the topology's vertex order, or a pickled
dictionary of arrays by speaker, such as the ``templates.pkl`` of VOCASET and MultiTalk, which is read without being
run. A face in a file of its own belongs to the speaker whom the file is called after.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError, did_you_mean
from mtbench.files import (
    ArrayFileError,
    MeshFileError,
    UnsafePickleError,
    load_arrays,
    read_arrays,
    read_mesh,
)

#: Names under which files hold a face that belongs to no speaker; ``id`` is that of MultiTalk's ``templates.pkl``.
NAMES = ("template", "vertices", "verts", "v_template", "id")
#: Endings of files that hold faces.
SUFFIXES = (".npy", ".npz", ".ply", ".obj", ".pkl")
_MAX_BYTES = 64 << 20
#: Largest extent of a face in metres; what exceeds it is taken for millimetres or centimetres.
_LARGEST = 1.0
#: Smallest extent of a face in metres.
_SMALLEST = 0.05


def read_template(path: str | Path, vertices: int, speaker: str | None = None) -> np.ndarray:
    """Read a resting face.

    Parameters
    ----------
    path : str or Path
        ``.npy`` or ``.npz`` with (V, 3) or (3 V,) numbers, a ``.ply`` or ``.obj`` mesh in the model's vertex order,
        or a pickle of arrays such as MultiTalk's ``templates.pkl``; see :data:`NAMES`.
    vertices : int
        V.
    speaker : str, optional
        Whose face it is, for files that hold several.

    Returns
    -------
    (V, 3) float32

    Raises
    ------
    UsageError
        Where the file is absent, damaged, or holds another number of vertices, NaN, or other units than metres.
    """
    file = Path(path)
    faces = _read(file, None if speaker is None else {speaker, *NAMES})
    name = _choose(file, faces, speaker)
    return _check(f"template {file}", faces[name], vertices)


def read_templates(path: str | Path, vertices: int) -> dict[str, np.ndarray]:
    """Read the resting faces of several speakers.

    Parameters
    ----------
    path : str or Path
        A pickle or ``.npz`` with an array for each speaker, or a folder of files as :func:`read_template` reads.
    vertices : int
        V.

    Returns
    -------
    dict of str to (V, 3) float32
        By speaker; a single face under one of :data:`NAMES` is everyone's and has the name ``""``.

    Raises
    ------
    UsageError
        As for :func:`read_template`, where there are none, and where two files are of one speaker.
    """
    source = Path(path)
    if not source.is_dir():
        faces = _read(source, None)
        if len(faces) == 1:
            ((name, face),) = faces.items()
            own = "" if name in NAMES else name
            faces = {own if source.suffix.lower() == ".pkl" else _everyones(source.stem): face}
        return {name: _check(_name(source, name), face, vertices) for name, face in faces.items()}
    files = [p for p in sorted(source.iterdir()) if p.suffix.lower() in SUFFIXES and p.is_file()]
    files = [p for p in files if not p.name.startswith(".")]
    if not files:
        raise UsageError(f"{source}: no resting faces there; looked for {', '.join(SUFFIXES)}")
    found: dict[str, np.ndarray] = {}
    for file in files:
        for name, face in read_templates(file, vertices).items():
            if name in found:
                raise UsageError(f"{file}: a second face of {name or 'everyone'}; keep one")
            found[name] = face
    return found


def match_speaker(clip: Path, speakers: Iterable[str]) -> str | None:
    """Return which of *speakers* a clip's file is of.

    The longest name that the file's name begins with, which ends there or before another sort of character, counts;
    else that of a folder which the file lies in; else ``""``, the face of everyone, where there is one.

    Parameters
    ----------
    clip : Path
        Relative to the corpus.
    speakers : iterable of str

    Examples
    --------
    >>> match_speaker(Path("FaceTalk_170725_00137_TA_sentence01.wav"), ["FaceTalk_170725_00137_TA", "FaceTalk_17"])
    'FaceTalk_170725_00137_TA'
    >>> match_speaker(Path("M10_01.wav"), ["M1"]) is None
    True
    >>> match_speaker(Path("M003/front/12.wav"), ["M003", "W009"])
    'M003'
    """
    names = sorted(speakers, key=len, reverse=True)
    stem = _fold(clip.stem)
    for name in filter(None, names):
        known = _fold(name)
        rest = stem[len(known) :]
        if stem.startswith(known) and not (rest and _kind(rest[0]) == _kind(known[-1]) != "other"):
            return name
    folders = {_fold(part) for part in clip.parts[:-1]}
    return next((name for name in names if _fold(name) in folders or not name), None)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _kind(character: str) -> str:
    return "digit" if character.isdigit() else "letter" if character.isalpha() else "other"


def _everyones(stem: str) -> str:
    return "" if stem.casefold() in (*NAMES, "templates", "neutral", "mean", "rest") else stem


def _name(file: Path, speaker: str) -> str:
    return f"template {file}" + (f", {speaker}" if speaker and speaker != file.stem else "")


def _choose(file: Path, faces: dict[str, np.ndarray], speaker: str | None) -> str:
    if speaker is not None and speaker in faces:
        return speaker
    pickled = file.suffix.lower() == ".pkl"
    if len(faces) == 1 and (speaker is None or not pickled or next(iter(faces)) in NAMES):
        return next(iter(faces))
    if speaker is None or not pickled:
        for name in NAMES:
            if name in faces:
                return name
    found = ", ".join(sorted(faces)) or "none"
    if speaker is not None:
        known = sorted(_read(file, None))
        raise UsageError(
            f"template {file}: no face of {speaker!r}{did_you_mean(speaker, known)}; it has {', '.join(known[:20])}"
        )
    raise UsageError(f"template {file}: arrays {found}; expected one of {', '.join(NAMES)}")


def _read(file: Path, wanted: set[str] | None) -> dict[str, np.ndarray]:
    """Return the arrays of *file* by name; ``""`` names the only one of a file without names."""
    if not file.is_file():
        raise UsageError(f"template {file}: there is no such file")
    try:
        kind = file.suffix.lower()
        if kind in (".ply", ".obj"):
            return {"": read_mesh(file)[0]}
        if kind == ".pkl":
            if file.stat().st_size > _MAX_BYTES:
                raise UsageError(f"template {file}: more than {_MAX_BYTES >> 20} MiB; it was not read")
            return load_arrays(file.resolve(), wanted)
        return read_arrays(file, _MAX_BYTES)
    except ArrayFileError as error:
        raise UsageError(f"template {file}: {error} — {error.hint}") from None
    except (MeshFileError, UnsafePickleError) as error:
        raise UsageError(f"template {file}: {error}") from None
    except OSError as error:
        raise UsageError(f"template {file}: cannot be read ({error.strerror or error})") from None


def _check(what: str, face: np.ndarray, vertices: int) -> np.ndarray:
    if face.size != 3 * vertices or face.shape not in ((vertices, 3), (3 * vertices,), (1, vertices, 3)):
        raise UsageError(
            f"{what}: an array of shape {face.shape}, expected ({vertices}, 3); it is probably of another topology"
        )
    if face.dtype.kind != "f":
        raise UsageError(f"{what}: {face.dtype} numbers, expected floating point: positions in metres")
    face = face.reshape(vertices, 3).astype(np.float32)
    if not np.isfinite(face).all():
        raise UsageError(f"{what}: holds numbers that are NaN or infinite")
    extent = float(np.ptp(face, axis=0).max())
    if extent > _LARGEST:
        cure = "centimetres by 100" if extent < 80 else "millimetres by 1000"
        raise UsageError(f"{what}: {extent:.3g} m across, expected a face in metres; divide {cure}")
    if extent < _SMALLEST:
        raise UsageError(
            f"{what}: {extent:.3g} m across, expected a face of some 0.3 m; displacements, or no face?"
        )
    return face
