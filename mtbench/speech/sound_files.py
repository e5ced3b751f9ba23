"""Reading sound and video files: to mono at 16 kHz, with a note on everything that was changed or is odd.

Conventions
-----------
Nothing is bent in silence. What can be repaired is repaired, and a :class:`~mtbench.errors.Note` says so: its code
is one of those below, its ``where`` the name of the file. What cannot is a ``BenchmarkError``. Sizes in headers are
checked before anything is read.

========================= =============================================================================
code                      what it says
========================= =============================================================================
``channels``              several channels were averaged
``channels-differ``       they hold different sound, and the average holds both
``opposite-phase``        they cancel each other; the loudest one was taken
``resampled``             from another rate
``scaled``                values beyond -1..1, or of 16 bits in wider ones, were brought into range
``offset``, ``offset-removed``  the mean is not zero: left where it hardly counts, else subtracted
``clipped``               the recording was too loud: flat tops at its largest value
``quiet``                 the peak is below -30 dBFS
``start-time``            sound that starts before or after the picture was cut or padded
``gap``                   sound that is missing in the middle of a video was filled with silence
``audio-tracks``          a video has several; the first was taken
``silent``, ``nearly-silent``  nothing to be heard: no benchmark takes such a clip
========================= =============================================================================
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from mtbench.errors import BenchmarkError
from mtbench.speech.raw_sound import LONGEST_SECONDS, MOST_SAMPLES, RawSound, check_header
from mtbench.speech.sound_conversion import Sound, convert_sound
from mtbench.speech.sound_headers import find_shortfall

#: Endings that libsndfile reads.
SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64")
#: Endings that PyAV reads.
VIDEO_SUFFIXES = (".mpg", ".mpeg", ".mp4", ".m4v", ".mkv", ".mov", ".avi", ".webm", ".m4a", ".aac")
_BLOCK = 1 << 20
_log = logging.getLogger(__name__)
_WIDE = ("PCM_32",)
#: Notes of sound files that change what is heard; averaged channels and other rates do not.
_ALTERED = frozenset({"opposite-phase", "scaled", "offset-removed", "start-time", "gap"})


def load_sound(
    path: str | Path,
    longest: float = LONGEST_SECONDS,
    name: str | None = None,
) -> Sound:
    """Read a sound or video file as mono at 16 kHz.

    Parameters
    ----------
    path : str or Path
        Anything that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, …); files that end in :data:`VIDEO_SUFFIXES` are read
        with PyAV (extra ``[video]``).
    longest : float
        Most seconds.
    name : str, optional
        What notes call the file; by default its name.

    Returns
    -------
    Sound

    Raises
    ------
    BenchmarkError
        Where the file is absent, unreadable, empty, cut off, longer than *longest*, holds samples that are not finite,
        or has a header beyond all bounds (rate, channels, samples).
    PrerequisiteError
        For a video without PyAV.
    """
    path = Path(path)
    where = name or path.name
    if not path.is_file():
        raise BenchmarkError(f"{path}: audio file does not exist; check the path in the benchmark's manifest")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        from mtbench.speech.video_sound import read_video_sound

        raw = read_video_sound(path, where, longest)
    else:
        raw = _read_file(path, longest)
    if not len(raw.samples):
        raise BenchmarkError(f"{path}: sound file without samples; expected speech or noise")
    if not np.isfinite(raw.samples).all():
        raise BenchmarkError(f"{path}: NaN or infinite samples; write the file again as 16-bit PCM")
    return convert_sound(raw, where)


def _read_file(path: Path, longest: float) -> RawSound:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, frames = file.samplerate, file.channels, file.frames
            # A stream of unknown length has the largest number that there is.
            known = 0 <= frames < 1 << 62
            check_header(path, rate, channels, frames if known else 0, longest)
            _check_whole(path, rate)
            most = min(frames, int(longest * rate) + 1, MOST_SAMPLES // channels)
            blocks: list[np.ndarray] = []
            count = 0
            while count < most:
                block = file.read(min(_BLOCK, most - count), dtype="float32", always_2d=True)
                blocks.append(block)
                count += len(block)
                if not len(block):
                    break
            lossy = file.format == "MP3" or file.subtype in ("VORBIS", "OPUS")
            wide = file.subtype in _WIDE
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise BenchmarkError(f"{path}: not a readable sound file ({_explain(path, error)})") from error
    if not known:
        check_header(path, rate, channels, count, longest)
    elif frames - count > (2304 if lossy else 0):  # two frames of MP3 belong to its filters
        raise BenchmarkError(_describe_cut(path, frames, count, rate))
    return RawSound(np.concatenate(blocks) if blocks else np.zeros((0, channels), np.float32), rate, wide)


def _explain(path: Path, error: Exception) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as cause:
        return f"{cause.strerror}; check its permissions"
    if not head:
        return "it has no bytes; copy it again"
    if head.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; fetch the file itself with 'git lfs pull'"
    text = str(error).replace(f"Error opening {str(path)!r}: ", "").rstrip(".")
    return f"{text}); expected WAV or FLAC, convert it first (or copy it again: it may be cut off"


def _check_whole(path: Path, rate: int) -> None:
    lack = find_shortfall(path)
    if lack is None:
        return
    if not lack.promised:
        raise BenchmarkError(
            f"{path}: the stream breaks off, its last page is not marked as the end; the file is cut off, copy it again"
        )
    share = lack.present / lack.promised
    raise BenchmarkError(
        f"{path}: the header says {lack.promised} bytes of samples, the file has {lack.present} ({share:.0%}); "
        "it is cut off, copy it again"
    )


def _describe_cut(path: Path, promised: int, present: int, rate: int) -> str:
    return (
        f"{path}: the header says {promised} samples ({promised / rate:.2f} s), the file has {present} "
        f"({present / rate:.2f} s); it is cut off, copy it again"
    )


def load_audio(path: Path) -> np.ndarray:
    """Read a sound or video file as mono float32 at 16 kHz.

    What had to be altered is logged as a warning; :func:`mtbench.speech.sound_files.load_sound` returns it, and has
    the rules.

    Parameters
    ----------
    path : Path
        Anything libsndfile reads: WAV, FLAC, OGG, MP3, …; or a video (extra ``[video]``).

    Returns
    -------
    (N,) float32
        Channels averaged, within -1..1.

    Raises
    ------
    BenchmarkError
        Where the file is absent, unreadable, empty, cut off, longer than an hour or holds non-finite samples.
    PrerequisiteError
        For a video without PyAV.
    """
    sound = load_sound(path)
    for note in sound.notes:
        if note.code in _ALTERED:
            _log.warning("%s: %s (%s)", path, note.message, note.hint)
    return sound.samples
