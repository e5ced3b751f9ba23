"""What a room, a channel and a different voice do to synthetic speech, for training.

One engine's speech all sounds alike. Here it passes through random vocal tracts (resampled with its phone times, so
that formants, pitch and rate move together), other sources (linear prediction with wider formants and a breathy
or noisy excitation), rooms, and channels (band limits, tilt, uneven frequency response), so that the recognizer
learns phones and not the engine. Noise is added by :func:`mix`.

Conventions
-----------
Audio is (n,) float32 at 16 kHz; everything random comes from the generator that is passed in.

References
----------
Ko, Peddinti, Povey and Khudanpur, "Audio augmentation for speech recognition" (Interspeech 2015);
Makhoul, "Linear prediction: a tutorial review" (Proc. IEEE 1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mtbench.timing import SAMPLE_RATE
from mtbench.work import njit_cached

if TYPE_CHECKING:
    from mtbench.benchmarks import PhoneTime
    from mtbench.synth import Phone, Speech

Timed = TypeVar("Timed", "Phone", "PhoneTime")

#: Resampling ratios are ``k / RATIO_BASE``.
RATIO_BASE = 32
#: Seconds that a room rings.
_ROOM = 0.35
#: Samples between two predictions, length of the window they are made from, and their order.
HOP, WINDOW, ORDER = 160, 480, 18
#: Centres of the random frequency response, Hz.
BANDS = np.array([60.0, 200.0, 450.0, 900.0, 1600.0, 2600.0, 4000.0, 6000.0, 8000.0])


def change_vocal_tract(speech: Speech, rng: np.random.Generator) -> Speech:
    """Play *speech* slower or faster by up to a sixth, its times with it.

    Formants and pitch move by the same factor: a shorter or longer vocal tract.
    """
    audio, factor = change_pace(speech.audio, rng)
    if factor == 1:
        return speech
    words = tuple(replace(w, start=w.start * factor, end=w.end * factor) for w in speech.words)
    return replace(speech, audio=audio, phones=stretch_phones(speech.phones, factor), words=words)


def change_pace(audio: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Play (n,) float32 *audio* slower or faster by up to a sixth; return it and how many times as long it is."""
    from scipy.signal import resample_poly

    step = int(rng.integers(-5, 6))
    if step == 0:
        return audio, 1.0
    up = RATIO_BASE + step
    return resample_poly(audio, up, RATIO_BASE).astype(np.float32), up / RATIO_BASE


def stretch_phones(phones: Sequence[Timed], factor: float) -> tuple[Timed, ...]:
    """Return *phones* with all times multiplied by *factor*."""
    return tuple(
        replace(
            p,
            start=p.start * factor,
            end=p.end * factor,
            release=None if p.release is None else p.release * factor,
        )
        for p in phones
    )


def change_source(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Filter a partly noisy excitation through widened formants (a source-filter resynthesis).

    Parameters
    ----------
    audio : (n,) float32
        Speech.
    rng : Generator
        Draws how much wider the formants are and how breathy the source.

    Returns
    -------
    (n,) float32
        As loud as *audio*.
    """
    n = len(audio)
    if n < WINDOW:
        return audio
    frames = 1 + -(-n // HOP)
    padded = np.zeros(frames * HOP + WINDOW)
    padded[WINDOW // 2 : WINDOW // 2 + n] = audio
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames] * np.hanning(WINDOW)
    correlation = np.stack([(windows[:, k:] * windows[:, : WINDOW - k]).sum(1) for k in range(ORDER + 1)], 1)
    # A noise floor keeps the prediction stable in silence.
    correlation[:, 0] = correlation[:, 0] * 1.0001 + 1e-7
    predictor = _predict(correlation)
    wider = predictor * rng.uniform(0.93, 0.995) ** np.arange(ORDER + 1)
    breath = rng.uniform(0.0, 0.9) if rng.random() < 0.6 else 0.0
    spoken = _resynthesize(
        audio.astype(np.float64), predictor, wider, rng.standard_normal(n), float(breath), HOP
    )
    level = np.sqrt(np.mean(np.square(audio, dtype=np.float64)) / (np.mean(np.square(spoken)) + 1e-12))
    return (spoken * level).astype(np.float32)


@njit_cached()
def _predict(correlation: np.ndarray) -> np.ndarray:
    """Levinson-Durbin recursion: (F, p + 1) autocorrelations to (F, p + 1) prediction-error filters."""
    frames, size = correlation.shape
    out = np.zeros((frames, size))
    for f in range(frames):
        a = np.zeros(size)
        a[0] = 1.0
        error = correlation[f, 0]
        for i in range(1, size):
            total = 0.0
            for j in range(i):
                total += a[j] * correlation[f, i - j]
            k = -total / error
            new = a.copy()
            for j in range(1, i + 1):
                new[j] = a[j] + k * a[i - j]
            a = new
            error *= 1.0 - k * k
            if error <= 0:
                break
        out[f] = a
    return out


@njit_cached()
def _resynthesize(
    x: np.ndarray, analysis: np.ndarray, synthesis: np.ndarray, noise: np.ndarray, breath: float, hop: int
) -> np.ndarray:
    """Return the excitation of *x*, mixed with noise of its own envelope, through other filters."""
    n, size = len(x), analysis.shape[1]
    y = np.zeros(n)
    envelope = 0.0
    for t in range(n):
        f = t // hop
        e = 0.0
        for k in range(min(size, t + 1)):
            e += analysis[f, k] * x[t - k]
        envelope = 0.99 * envelope + 0.01 * e * e
        e = (1.0 - breath) * e + breath * np.sqrt(envelope) * noise[t]
        for k in range(1, min(size, t + 1)):
            e -= synthesis[f, k] * y[t - k]
        y[t] = e
    return y


def draw_response(rng: np.random.Generator, bins: int) -> np.ndarray:
    """Draw a channel's frequency response: tilt, unevenness and band limits, (bins,) from 0 to 8 kHz."""
    hertz = np.linspace(0, SAMPLE_RATE / 2, bins)
    octaves = np.log2(np.maximum(hertz, 30.0) / 1000.0)
    decibels = rng.uniform(-5, 3) * octaves
    if rng.random() < 0.7:
        knots = rng.normal(0, rng.uniform(0, 5), len(BANDS))
        decibels = decibels + np.interp(np.log2(np.maximum(hertz, 30.0)), np.log2(BANDS), knots)
    if rng.random() < 0.3:
        cut = rng.uniform(3000, 7500)
        decibels = decibels - np.clip((hertz - cut) / 300.0, 0, 1) * rng.uniform(20, 50)
    if rng.random() < 0.3:
        cut = rng.uniform(80, 350)
        decibels = decibels - np.clip(np.log2(cut / np.maximum(hertz, 10.0)), 0, 3) * 12
    return 10 ** (np.clip(decibels, -70, 30) / 20)


def draw_room(rng: np.random.Generator) -> np.ndarray:
    """Draw a room's impulse response: the direct sound and exponentially decaying noise."""
    n = int(_ROOM * SAMPLE_RATE)
    time = np.arange(n) / SAMPLE_RATE
    decay = 6.9 / rng.uniform(0.12, 0.6)
    tail = rng.standard_normal(n) * np.exp(-decay * time)
    tail[: int(rng.uniform(0.001, 0.006) * SAMPLE_RATE)] = 0
    tail *= 10 ** (-rng.uniform(3, 16) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail


def change_channel(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass speech through a random source, room and channel; half of the time only gain and a gentle tilt.

    Level varies by 14 dB. Returns (n,) float32.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    gain = 10 ** rng.uniform(-0.5, 0.2)
    if rng.random() < 0.5:
        tilt = rng.uniform(-0.5, 0.3)
        shifted = np.concatenate([audio[:1], audio[:-1]])
        return (gain * (audio + tilt * shifted)).astype(np.float32)
    if rng.random() < 0.3:
        audio = change_source(audio, rng)
    n = len(audio)
    size = next_fast_len(n + int(_ROOM * SAMPLE_RATE), real=True)
    size += size % 2
    spectrum = rfft(audio.astype(np.float32), size)
    spectrum *= draw_response(rng, size // 2 + 1).astype(np.float32)
    if rng.random() < 0.4:
        spectrum *= rfft(draw_room(rng).astype(np.float32), size)
    colored = irfft(spectrum, size)[:n]
    level = np.sqrt(np.mean(np.square(audio, dtype=np.float64)) / (np.mean(np.square(colored)) + 1e-12))
    if rng.random() < 0.4:
        # The hiss of a cheap recording, 15 to 45 dB below the speech.
        colored += rng.standard_normal(n) * np.std(colored) * 10 ** (-rng.uniform(15, 45) / 20)
    return (gain * level * colored).astype(np.float32)


def mix(
    rng: np.random.Generator, speech: np.ndarray, others: list[np.ndarray], snr_db: float | None
) -> np.ndarray:
    """Add babble of *others*, colored noise or music-like tones at *snr_db* (None: clean)."""
    if snr_db is None:
        return speech
    n = len(speech)
    kind = rng.random()
    noise: np.ndarray
    if kind < 0.6:
        noise = np.zeros(n, np.float32)
        for k in rng.choice(len(others), min(len(others), int(rng.integers(3, 12))), replace=False):
            noise += np.resize(np.roll(others[k], rng.integers(len(others[k]))), n)
    elif kind < 0.85:
        spectrum = np.fft.rfft(rng.standard_normal(n))
        bins = np.arange(1, len(spectrum) + 1)
        # White, pink, or falling like the long-term spectrum of speech.
        spectrum /= bins ** rng.choice([0.0, 0.5, 1.0])
        noise = np.fft.irfft(spectrum, n)
    else:
        time = np.arange(n) / SAMPLE_RATE
        noise = np.zeros(n)
        for _ in range(int(rng.integers(3, 9))):
            pitch = 2 ** rng.uniform(6.5, 10.5)
            beat = 1 + 0.8 * np.sin(2 * np.pi * (rng.uniform(0.5, 4) * time + rng.random()))
            for harmonic in range(1, 5):
                noise += beat / harmonic * np.sin(2 * np.pi * (harmonic * pitch * time + rng.random()))
        noise += 0.1 * rng.standard_normal(n)
    level = np.sqrt(np.mean(np.square(speech)) / (np.mean(np.square(noise)) + 1e-12))
    return (speech + level / 10 ** (snr_db / 20) * noise).astype(np.float32)
