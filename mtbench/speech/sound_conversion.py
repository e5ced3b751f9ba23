"""From sound as its file has it to mono at 16 kHz, with a note on everything that was changed or is odd.

The notes are described in :mod:`mtbench.speech.sound_files`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtbench.errors import Note
from mtbench.speech.audio import resample
from mtbench.speech.raw_sound import RawSound
from mtbench.timing import SAMPLE_RATE

_PEAK = 0.95
#: Share of the energy that may lie where channels cancel each other.
_CANCELLED = 0.1
_Teller = Callable[[str, str, str], None]
#: Notes on sound that holds nothing to be heard.
NOT_AUDIBLE = ("silent", "nearly-silent")


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


def convert_sound(raw: RawSound, where: str) -> Sound:
    """Return *raw* as mono at 16 kHz within -1..1.

    Parameters
    ----------
    raw : RawSound
        Finite samples, at least one.
    where : str
        What notes call it.
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
    if raw.rate != SAMPLE_RATE:
        lost = f"; there is nothing above {raw.rate / 2000:g} kHz in it" if raw.rate < SAMPLE_RATE else ""
        note("resampled", f"resampled from {raw.rate} to {SAMPLE_RATE} Hz", f"polyphase filter{lost}")
        audio = resample(np.ascontiguousarray(audio), raw.rate, SAMPLE_RATE)
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
