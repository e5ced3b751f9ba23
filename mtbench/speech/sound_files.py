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

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.errors import BenchmarkError, Note
from mtbench.speech.audio import resample
from mtbench.speech.sound_headers import find_shortfall
from mtbench.timing import SAMPLE_RATE

#: Endings that libsndfile reads.
SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64")
#: Endings that PyAV reads.
VIDEO_SUFFIXES = (".mpg", ".mpeg", ".mp4", ".m4v", ".mkv", ".mov", ".avi", ".webm", ".m4a", ".aac")
#: Notes on sound that holds nothing to be heard.
NOT_AUDIBLE = ("silent", "nearly-silent")
#: Samples per second that are read.
LOWEST_RATE, HIGHEST_RATE = 4000, 384_000
MOST_CHANNELS = 64
LONGEST_SECONDS = 3600.0

_MOST_SAMPLES = 400_000_000
_BLOCK = 1 << 20
_PEAK = 0.95
_WIDE = ("PCM_32",)
#: Share of the energy that may lie where channels cancel each other.
_CANCELLED = 0.1

_Teller = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Sound:
    """The sound of a file.

    Attributes
    ----------
    samples : (N,) float32
        Mono, -1..1.
    notes : tuple of Note
        What was changed, or is odd; see the module's conventions.
    """

    samples: np.ndarray
    notes: tuple[Note, ...] = ()

    @property
    def audible(self) -> bool:
        """Whether there is anything to be heard."""
        return not any(note.code in NOT_AUDIBLE for note in self.notes)


@dataclass(frozen=True)
class RawSound:
    """Sound as its file has it.

    Attributes
    ----------
    samples : (N, C) float32
    rate : int
        Samples per second.
    wide : bool
        Whether the samples were integers of more than 16 bits.
    notes : tuple of Note
        On how the file was read.
    """

    samples: np.ndarray
    rate: int
    wide: bool = False
    notes: tuple[Note, ...] = ()


def load_sound(
    path: str | Path,
    sample_rate: int = SAMPLE_RATE,
    longest: float = LONGEST_SECONDS,
    name: str | None = None,
) -> Sound:
    """Read a sound or video file as mono at *sample_rate*.

    Parameters
    ----------
    path : str or Path
        Anything that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, …); files that end in :data:`VIDEO_SUFFIXES` are read
        with PyAV (extra ``[video]``).
    sample_rate : int
        Wanted samples per second.
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
    return convert_sound(raw, where, sample_rate)


def check_header(path: Path, rate: int, channels: int, frames: int, longest: float) -> None:
    """Raise ``BenchmarkError`` where a header promises what no recording has, before anything is allocated."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise BenchmarkError(
            f"{path}: {rate} samples per second, expected {LOWEST_RATE} to {HIGHEST_RATE}; is the header damaged? "
            "write the file again at 16000"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise BenchmarkError(
            f"{path}: {channels} channels, expected 1 to {MOST_CHANNELS}; mix them down to one"
        )
    if frames > longest * rate:
        raise BenchmarkError(
            f"{path}: {frames / rate:.0f} s of audio, at most {longest:.0f} s are read; cut the recording"
        )
    if frames * channels > _MOST_SAMPLES:
        raise BenchmarkError(
            f"{path}: {frames * channels} samples in all channels, at most {_MOST_SAMPLES} are read; cut the recording"
        )


def _read_file(path: Path, longest: float) -> RawSound:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, frames = file.samplerate, file.channels, file.frames
            # A stream of unknown length has the largest number that there is.
            known = 0 <= frames < 1 << 62
            check_header(path, rate, channels, frames if known else 0, longest)
            _check_whole(path, rate)
            most = min(frames, int(longest * rate) + 1, _MOST_SAMPLES // channels)
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


def convert_sound(raw: RawSound, where: str, sample_rate: int = SAMPLE_RATE) -> Sound:
    """Return *raw* as mono at *sample_rate* within -1..1.

    Parameters
    ----------
    raw : RawSound
        Finite samples, at least one.
    where : str
        What notes call it.
    sample_rate : int
        Wanted samples per second.
    """
    notes = list(raw.notes)

    def note(code: str, message: str, hint: str) -> None:
        notes.append(Note(code, where, message, hint))

    gain = _find_gain(raw, note)
    audio = _mix_down(raw.samples, raw.rate, note) * np.float32(gain)
    clipped = _count_clipped(raw.samples, raw.rate)
    if clipped:
        note(
            "clipped",
            f"clipped: {clipped} samples lie flat at the largest value",
            "recorded too loud; the sound is taken as it is",
        )
    audio = _remove_offset(audio, note)
    if raw.rate != sample_rate:
        lost = f"; there is nothing above {raw.rate / 2000:g} kHz in it" if raw.rate < sample_rate else ""
        note("resampled", f"resampled from {raw.rate} to {sample_rate} Hz", f"polyphase filter{lost}")
        audio = resample(np.ascontiguousarray(audio), raw.rate, sample_rate)
    peak = float(np.abs(audio).max())
    if peak > 1:
        note(
            "scaled",
            f"values up to {peak:.4g} were scaled to a peak of {_PEAK}",
            "expected -1..1; nothing was clipped",
        )
        audio = audio * np.float32(_PEAK / peak)
    _look_at_level(audio, note)
    return Sound(np.ascontiguousarray(audio, np.float32), tuple(notes))


def _find_gain(raw: RawSound, note: _Teller) -> float:
    """Return what makes full scale 1 where the samples are 16-bit values in a wider type."""
    peak = float(np.abs(raw.samples).max())
    if 1024 < peak <= 32768:
        note(
            "scaled",
            f"16-bit values in floating point (up to {peak:.0f}) were divided by 32768",
            "expected -1..1",
        )
        return 1 / 32768
    # Below -96 dBFS there is no recording; down to -114 dBFS it may be one of 16 bits that were not shifted.
    if raw.wide and 2**-19 <= peak <= 2**-16:
        note(
            "scaled",
            "values in the lowest 16 bits of a wide integer were multiplied by 65536",
            f"the peak was at {20 * np.log10(peak):.0f} dBFS, as where 16-bit values are written without a shift",
        )
        return 65536.0
    return 1.0


def _mix_down(samples: np.ndarray, rate: int, note: _Teller) -> np.ndarray:
    """Return the average of (N, C) *samples*, or the loudest channel where the others cancel it."""
    channels = samples.shape[1]
    if channels == 1:
        return np.ascontiguousarray(samples[:, 0])
    average = samples.mean(axis=1, dtype=np.float64)
    step = max(1, rate // 2)
    starts = np.arange(0, len(samples), step)
    own = np.stack([_power(samples[:, c], starts) for c in range(channels)], axis=1)
    together = _power(average, starts)
    total = own.sum()
    # Where channels have nothing in common, the average's power is that of all channels / C^2.
    cancelled = float(own.sum(axis=1)[together < 0.25 * own.sum(axis=1) / channels**2].sum())
    loudest = int(own.sum(axis=0).argmax())
    if total > 0 and cancelled > _CANCELLED * total:
        note(
            "opposite-phase",
            f"{channels} channels of opposite phase cancel each other: channel {loudest + 1} was taken alone",
            "a cable or an effect turned one around",
        )
        return np.ascontiguousarray(samples[:, loudest])
    heard = np.flatnonzero(own.sum(axis=0) > 1e-4 * own.sum(axis=0).max()) if total > 0 else np.zeros(0, int)
    if 0 < len(heard) < channels:
        note(
            "channels",
            f"{channels} channels were averaged, {channels - len(heard)} of them silent",
            "the level falls accordingly",
        )
    elif total > 0 and together.sum() < 1.5 * total / channels**2:
        note(
            "channels-differ",
            f"{channels} channels with different sound were averaged",
            "are there several speakers or microphones? the average holds all of them; give one channel",
        )
    else:
        note("channels", f"{channels} channels were averaged", "expected mono")
    return average.astype(np.float32)


def _power(signal: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the sum of squares of *signal* around its mean, from each start to the next."""
    wide = signal.astype(np.float64)
    wide -= wide.mean()
    return np.add.reduceat(wide * wide, starts)


def _count_clipped(samples: np.ndarray, rate: int) -> int:
    """Return how many samples of the loudest channel lie in flat tops at its largest or smallest value."""
    signal = samples[:, int(np.abs(samples).max(axis=0).argmax())]
    count = 0
    shortest = max(3, -(-3 * rate // SAMPLE_RATE))
    for end in (signal.max(), signal.min()):
        if abs(end) < 0.01 or abs(end) < 0.5 * np.abs(signal).max():
            continue
        least = max(shortest, _natural_top(signal, float(end), rate))
        edges = np.flatnonzero(np.diff(np.concatenate([[False], signal == end, [False]]).astype(np.int8)))
        runs = edges[1::2] - edges[::2]
        count += int(runs[runs >= least].sum())
    # A constant signal has no tops.
    return count if count >= max(2 * shortest, 1e-4 * len(signal)) and np.ptp(signal) else 0


def _natural_top(signal: np.ndarray, end: float, rate: int) -> int:
    """Return how many samples a tone of 120 Hz stays at its largest value *end* because levels are coarse.

    So it is in quiet sound of 8 bits, and at the top of mu-law's range, where nothing was clipped.
    """
    levels = np.unique(signal[signal * np.sign(end) >= 0.75 * abs(end)])
    step = float(np.diff(levels).min()) if len(levels) > 1 else 0.0
    return int(np.ceil(2 * np.sqrt(2 * step / abs(end)) / (2 * np.pi * 120) * rate)) + 1 if step else 0


def _remove_offset(audio: np.ndarray, note: _Teller) -> np.ndarray:
    if not np.ptp(audio):
        return audio  # silent, whatever its value
    wide = audio.astype(np.float64)
    mean = float(wide.mean())
    power = float(np.mean((wide - mean) ** 2))
    if abs(mean) <= 0.001 or mean * mean <= 0.01 * power:
        return audio
    if mean * mean <= 0.1 * power:
        note(
            "offset",
            f"the mean is {mean:.3f}, not 0",
            "left as it is: it hardly counts in the ratio to noise",
        )
        return audio
    note(
        "offset-removed",
        f"an offset of {mean:.3f} was subtracted",
        "it would count as speech in the ratio to noise",
    )
    return (wide - mean).astype(np.float32)


def _look_at_level(audio: np.ndarray, note: _Teller) -> None:
    peak = float(np.abs(audio - audio.mean(dtype=np.float64)).max()) if np.ptp(audio) else 0.0
    if peak == 0:
        note("silent", "silent: all samples are equal", "record it again, or remove the clip")
        return
    level = 20 * np.log10(peak)
    if peak < 1e-3:
        note(
            "nearly-silent",
            f"nearly silent: the peak is at {level:.0f} dBFS",
            "no speech is left in 16 bits; amplify the original, or remove the clip",
        )
    elif peak < 10**-1.5:
        note(
            "quiet",
            f"quiet: the peak is at {level:.0f} dBFS",
            "taken as it is; amplify the original if you can",
        )
