"""The voice gate: where in a sound somebody speaks, so that a face is moved there and rests elsewhere.

A model that has only ever heard speech makes speech of everything: of digital silence, hum and hiss alike. The gate
tells where there is a voice before any feature is computed. The model hears those stretches of sound and no others;
between them the face is the resting face. Nothing here is learned, and no library beyond numpy and scipy is needed.

Method
------
Speech changes its *spectral shape* all the time: vowels, fricatives and closures follow each other several times a
second. The shape of hiss, hum and room tone stays, however loud they are, also where their level goes up and down. In
eight bands from 120 to 7,800 Hz the energy is smoothed over 50 ms and its logarithm taken; what remains when the mean
over bands is subtracted is the shape. A moment is *voice* where

- the shape's standard deviation over the 0.6 s around it, root mean square over bands, exceeds
  :data:`SHAPE_THRESHOLD` dB. (Stationary noise: 0.4 to 1.1 dB; clean speech: above 3.4 dB; speech in white noise of the
  same power: above 1.7 dB in 95 % of its moments.) Or where it goes on with a voiced sound, as in a held vowel;
- and its level is above :data:`LEAST_LEVEL`, and within :data:`RANGE` dB of the clip's loudest moments.

Levels are relative but for the floor, so that quiet speech moves the face as loud speech does. Voices that are no more
than :data:`PAUSE` apart are one; where the shape is on the move (:data:`CHANGE` dB in 0.1 s) for less than
:data:`SHORTEST` in all of it, it is none: a click, or hum that sets in. The gate opens :data:`BEFORE` voice and closes
:data:`AFTER` it, which lets faint onsets (f, s, th, the silence of a p) and releases pass; a pause shorter than
:data:`PAUSE` does not close it.

What it does not do: sounds that change as speech does (music, clatter, other people's voices) pass.

Sources of the idea: long-term signal variability (Ghosh, Tsiartas, Narayanan 2011, IEEE TASLP 19(3)), measured here on
the spectrum's shape instead of each band's level.

Conventions
-----------
Sound is (N,) float, mono at 16 kHz. Analysis is at 100 Hz, motion at 25 Hz. Stretches are half-open ranges of frames.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

#: Name and version, for submissions; raise the number when the same sound gives another gate.
VERSION = "voice gate 1"
#: dB by which the spectrum's shape must vary.
SHAPE_THRESHOLD = 1.5
#: dB re full scale below which there is nothing to be heard: some ten steps of 16-bit sound.
LEAST_LEVEL = -80.0
#: dB below the clip's loudest moments.
RANGE = 50.0
#: dB by which the shape differs after 0.1 s where it is on the move, and seconds of that which make a voice.
CHANGE, SHORTEST = 2.5, 0.13
#: Seconds that the gate is open before and after voice.
BEFORE, AFTER = 0.16, 0.2
#: Seconds without voice that close the gate.
PAUSE = 0.7
#: Frames over which motion comes out of the resting face, and goes back to it.
RISE, FALL = 4, 5

_RATE = 100
_HOP, _WINDOW, _FFT = SAMPLE_RATE // _RATE, 400, 512
_EDGES = (120, 300, 500, 800, 1200, 1800, 2700, 4000, 7800)
#: Moments of smoothing, and of the window in which the shape may vary.
_SMOOTH, _SPAN = 5, 61
#: Energy in a band that counts, relative to all of them together, and at all.
_LEAST_SHARE, _LEAST_ENERGY = 1e-4, 1e-11
#: Pitch that voices have, Hz; how alike successive periods are; dB that a held vowel may be below the clip's loudest.
_PITCH, _LIKENESS, _HELD_RANGE = (65, 500), 0.8, 20.0
_BATCH = 6000


class Stretch(NamedTuple):
    """Frames in which somebody speaks."""

    start: int
    stop: int


def samples_per_frame(audio: np.ndarray, frames: int) -> float:
    """Return how many samples of (N,) *audio* a frame lasts: 640, fewer where it is to be stretched to *frames*."""
    heard = len(audio) // SAMPLES_PER_FRAME
    return float(SAMPLES_PER_FRAME) if heard >= frames - 1 else len(audio) / frames


def find_speech(audio: np.ndarray, frames: int) -> list[Stretch]:
    """Return the stretches of frames in which the face is moved, in order and apart.

    Parameters
    ----------
    audio : (N,) float
        Mono, 16 kHz; any level.
    frames : int
        T; sound beyond them is not looked at, too little is stretched (:func:`samples_per_frame`).

    Returns
    -------
    list of Stretch
        Within 0..T; empty where nobody speaks.
    """
    rate = samples_per_frame(audio, frames)
    audio = np.asarray(audio)[: int(np.ceil(frames * rate))]
    moments, per_moment = len(audio) / _HOP, _HOP / rate
    stretches: list[Stretch] = []
    for start, stop in _find_voices(audio):
        first = max(0, int(np.floor((start - BEFORE * _RATE) * per_moment)))
        last = min(frames, int(np.ceil((stop + AFTER * _RATE) * per_moment)))
        first = 0 if start <= PAUSE * _RATE else first
        last = frames if moments - stop <= PAUSE * _RATE else last
        if first < last:
            stretches.append(Stretch(first, last))
    return stretches


def fade(stretch: Stretch, frames: int) -> np.ndarray:
    """Return how much of a stretch's motion is shown, (stop - start,) float32 in 0..1.

    It rises and falls like a cosine where the face rests before or after; a clip's own ends are left as they are.
    """
    n = stretch.stop - stretch.start
    gain = np.ones(n, np.float32)
    if stretch.start > 0:
        rise = min(RISE, n)
        gain[:rise] *= _cosine(rise)
    if stretch.stop < frames:
        fall = min(FALL, n)
        gain[n - fall :] *= _cosine(fall)[::-1]
    return gain


def _cosine(n: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1))).astype(np.float32)


def _find_voices(audio: np.ndarray) -> list[tuple[int, int]]:
    """Return the first moment and the one after the last of each voice; pauses within are shorter than PAUSE."""
    energy, likeness = _analyze(audio)
    level = 10 * np.log10(energy.sum(1) + 1e-12)
    if not len(level):
        return []
    # The loudest moments, of which a click is none.
    loudest = max(float(np.percentile(level, 95)), float(level.max()) - 10)
    heard = level > LEAST_LEVEL
    shape = _spectral_shape(energy)
    voice = (_deviation(shape, heard) > SHAPE_THRESHOLD) & heard & (level > loudest - RANGE)
    # A held sound goes on with the voice that it begins or ends in.
    for start, stop in _runs(heard & (likeness > _LIKENESS) & (level > loudest - _HELD_RANGE)):
        if voice[start:stop].any():
            voice[start:stop] = True
    moving = _is_moving(shape, heard)
    voices: list[tuple[int, int]] = []
    for start, stop in _runs(voice):
        joined = bool(voices) and start - voices[-1][1] <= PAUSE * _RATE
        voices.append((voices.pop()[0] if joined else start, stop))
    return [(a, b) for a, b in voices if np.count_nonzero(moving[a:b]) >= SHORTEST * _RATE]


def _analyze(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the energy in each band, smoothed, (M, 8), and how alike successive periods of pitch are, (M,)."""
    moments = -(-len(audio) // _HOP)
    padded = np.pad(np.asarray(audio, np.float64), (0, max(0, _WINDOW + _HOP * moments - len(audio))))
    # No window reaches beyond the sound: an edge would look like a change of its spectrum.
    last = max(0, len(audio) - _WINDOW)
    places = np.clip(np.arange(moments) * _HOP + (_HOP - _WINDOW) // 2, 0, last)
    window = np.hanning(_WINDOW)
    frequency = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    bands = np.array([(frequency >= a) & (frequency < b) for a, b in pairwise(_EDGES)], np.float64)
    middle = ((frequency >= 250) & (frequency < 4000)).astype(np.float64)
    shortest, longest = SAMPLE_RATE // _PITCH[1], SAMPLE_RATE // _PITCH[0]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * _FFT)) ** 2)[: longest + 1]
    energies, likenesses = [np.zeros((0, len(bands)))], [np.zeros(0)]
    for start in range(0, moments, _BATCH):
        pieces = padded[places[start : start + _BATCH, None] + np.arange(_WINDOW)] * window
        power = np.abs(np.fft.rfft(pieces, 2 * _FFT)) ** 2
        energies.append(power[:, ::2] @ bands.T * (2 / (window**2).sum() / _FFT))
        fine = np.repeat(middle, 2)[: power.shape[1]]
        alike = np.fft.irfft(power * fine)[:, : longest + 1]
        alike = alike / own * (own[0] / np.maximum(alike[:, :1], 1e-12))
        # Pure hum has little in the middle of the spectrum.
        share = (power @ fine) / np.maximum(power.sum(1), 1e-12)
        likenesses.append(np.where(share > 0.05, alike[:, shortest:].max(1), 0.0))
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(np.concatenate(energies), _SMOOTH, axis=0, mode="nearest")
    return np.maximum(smooth, 0), np.concatenate(likenesses)


def _spectral_shape(energy: np.ndarray) -> np.ndarray:
    """Return each band's level less the mean of all bands, (M, 8) dB."""
    least = _LEAST_SHARE * energy.sum(1, keepdims=True) + _LEAST_ENERGY
    shape = 10 * np.log10(energy + least)
    return shape - shape.mean(1, keepdims=True)


def _deviation(shape: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the shape around each moment, (M,) dB; what is not heard counts for nothing."""
    from scipy.ndimage import uniform_filter1d

    weight = heard.astype(np.float64)[:, None]
    weight, first, second = (
        uniform_filter1d(x, _SPAN, axis=0, mode="constant")
        for x in (weight, weight * shape, weight * shape**2)
    )
    weight = np.maximum(weight, 1 / _SPAN)
    variance = second / weight - (first / weight) ** 2
    return np.sqrt(np.maximum(variance, 0).mean(1))


def _is_moving(shape: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Return where the shape differs from that of 0.1 s before, taken in the middle, (M,) bool."""
    moving = np.zeros(len(shape), bool)
    half = _SMOOTH
    if len(shape) > 2 * half:
        change = np.sqrt(np.square(shape[2 * half :] - shape[: -2 * half]).mean(1))
        moving[half:-half] = (change > CHANGE) & heard[2 * half :] & heard[: -2 * half] & heard[half:-half]
    return moving


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return start and stop of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
