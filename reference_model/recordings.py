"""Recordings to be animated: which files of a folder they are, how they are read, and what is spoken in them.

Conventions
-----------
What :func:`mtbench.making.folder.create_benchmark` takes is taken here. The language of a file is the one that is
asked for; else the one that its name begins with (``Italian_…``), or the nearest folder that is called after a
language.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.errors import BenchmarkError, UsageError
from mtbench.files import explain_no_folder
from mtbench.speech import SOUND_SUFFIXES, VIDEO_SUFFIXES, find_code, load_sound
from mtbench.timing import FPS, MAX_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME

#: Endings of files that count as recordings in a folder.
AUDIO_SUFFIXES = SOUND_SUFFIXES + VIDEO_SUFFIXES


@dataclass(frozen=True)
class Recording:
    """A file that is to be animated.

    Attributes
    ----------
    path : Path
    place : Path
        Place of its motion in the folder of outputs, without ending.
    notes : tuple of str
        What was passed over for it.
    """

    path: Path
    place: Path
    notes: tuple[str, ...] = ()


def read_speech(path: str | Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a recording as mono at 16 kHz.

    Parameters
    ----------
    path : str or Path
        A sound file that libsndfile reads, or a video (extra ``[video]``).

    Returns
    -------
    audio : (N,) float32
    notes : tuple of str
        What was converted, or is odd, see :mod:`mtbench.speech.sound_files`.

    Raises
    ------
    UsageError
        Where there is no such file.
    BenchmarkError
        Where it is unreadable, cut off, empty, longer than two minutes, or holds NaN or infinities.
    PrerequisiteError
        For a video without PyAV.
    """
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"{file}: there is no such sound file")
    sound = load_sound(file)
    if len(sound.samples) > MAX_FRAMES * SAMPLES_PER_FRAME:
        raise BenchmarkError(
            f"{file}: {len(sound.samples) / SAMPLE_RATE:.0f} s of audio; at most {MAX_FRAMES // FPS} s are animated at "
            "once; cut the recording"
        )
    return sound.samples, tuple(f"{note.message}; {note.hint}" for note in sound.notes)


def estimate_seconds(path: Path) -> float:
    """Return how long a sound file is, from its header; 0 where that is not known before it is read."""
    import soundfile

    try:
        info = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError):
        return 0.0
    return float(info.frames) / info.samplerate


def find_recordings(folder: str | Path, besides: str | Path | None = None) -> list[Recording]:
    """Return the recordings of a folder and its subfolders in the order of their paths.

    Parameters
    ----------
    folder : str or Path
        See :data:`AUDIO_SUFFIXES`; hidden files and folders are passed over.
    besides : str or Path, optional
        A folder that is not searched where it lies in *folder*: that of the outputs.

    Raises
    ------
    UsageError
        Where the folder holds no recording, or two whose paths differ in their endings only.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"{explain_no_folder(root)}; a folder of recordings is meant")
    outputs = Path(besides).resolve() if besides is not None else None
    if outputs == root.resolve():
        outputs = None
    found: dict[Path, Recording] = {}
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES):
        inside = path.relative_to(root)
        if any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        if outputs is not None and outputs in path.resolve().parents:
            continue
        place = inside.with_name(path.stem)
        other = found.get(place)
        if other is None:
            found[place] = Recording(path, place)
        else:
            found[place] = _choose(root, other, path)
    if not found:
        raise UsageError(
            f"{root}: holds no recording; expected names that end in {', '.join(AUDIO_SUFFIXES)}"
        )
    return list(found.values())


def _choose(root: Path, one: Recording, other: Path) -> Recording:
    """Return the sound where the other is a video of the same name, such as the one that was made of it."""
    videos = [p for p in (one.path, other) if p.suffix.lower() in VIDEO_SUFFIXES]
    if len(videos) != 1:
        raise UsageError(
            f"{root}: {one.path.relative_to(root)} and {other.relative_to(root)} would both become {one.place}.npz; "
            "rename one"
        )
    sound = other if videos[0] == one.path else one.path
    note = f"{videos[0].name} was passed over: this sound has the same name"
    return Recording(sound, one.place, (*one.notes, note))


def find_language(path: Path, root: Path | None = None) -> str:
    """Return the language that a file's name or folder says, an ISO 639-3 code.

    Parameters
    ----------
    path : Path
    root : Path, optional
        Folders from here on count; by default none do.

    Raises
    ------
    UsageError
        Where they say none, or the name another than the folder.
    """
    prefix = _code(path.stem.split("_")[0]) if "_" in path.stem else None
    folders = path.relative_to(root).parts[:-1] if root is not None else ()
    above = next((code for part in reversed(folders) if (code := _code(part))), None)
    if prefix and above and prefix != above:
        raise UsageError(
            f"{path}: its name says {prefix}, its folder {above}; name the language (--language), or rename one"
        )
    code = prefix or above
    if code is None:
        raise UsageError(
            f"{path}: name the language that is spoken (--language), call the file '<Language>_{path.name}', or put it "
            "into a folder called after its language"
        )
    return code


def _code(word: str) -> str | None:
    # Two letters are a word of some language as often as a code.
    return find_code(word) if len(word) >= 3 else None
