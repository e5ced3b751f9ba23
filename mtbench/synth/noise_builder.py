"""The bundled noises: babble, speech-shaped noise and something like music.

Conventions
-----------
(N,) float64 mono at 16 kHz, RMS :data:`LEVEL`, peaks below 1; the same samples from the same seed. Babble is
synthetic speech (and results say so): speakers and texts are neither those of training nor those of the test.
"""

from __future__ import annotations

import numpy as np

from mtbench.synth.espeak import Espeak
from mtbench.synth.texts import train_texts
from mtbench.synth.voices import ENGINE_LANGUAGES, NOISE_VOICES, Voice
from mtbench.timing import SAMPLE_RATE

#: Seconds of each recording.
SECONDS = 22
#: RMS of each recording.
LEVEL = 0.04

_SEED = 20
_NOTE_A4 = 440.0
#: Chords as semitones above A2, four bars of two seconds, repeated.
_CHORDS = ((0, 7, 12, 15, 19), (-4, 3, 8, 12, 15), (3, 10, 15, 19, 22), (-2, 5, 10, 14, 17))
_BEAT = 0.5


def make_babble(engine: Espeak, seed: int) -> np.ndarray:
    """Return the sum of many voices of equal level, each in a language of its own choice."""
    length = round(SECONDS * SAMPLE_RATE)
    languages = tuple(code for code in ENGINE_LANGUAGES if code != "tha")
    total = np.zeros(length)
    for i, variant in enumerate(NOISE_VOICES):
        rng = np.random.Generator(np.random.PCG64([seed, i]))
        language = languages[i % len(languages)]
        texts = train_texts(language)
        voice = Voice(
            language,
            variant,
            int(rng.integers(135, 200)),
            int(rng.integers(30, 70)),
            int(rng.integers(30, 70)),
        )
        talk: list[np.ndarray] = []
        # Everybody is in the middle of a sentence when the recording begins.
        skip = int(rng.integers(0, 2 * SAMPLE_RATE))
        while sum(map(len, talk)) < length + skip:
            spoken = " ".join(texts[int(rng.integers(len(texts)))].spoken)
            talk += [engine.speak(spoken, voice).audio, np.zeros(int(rng.integers(800, 6400)), np.float32)]
        part = np.concatenate(talk)[skip : skip + length].astype(np.float64)
        total += part / np.sqrt(np.mean(part**2))
    return set_level(total)


def shape_noise(model: np.ndarray, seed: int, seconds: float = SECONDS) -> np.ndarray:
    """Return stationary noise with the long-term spectrum of *model* ((N,) at 16 kHz)."""
    size = 1024
    frames = np.lib.stride_tricks.sliding_window_view(model, size)[:: size // 2] * np.hanning(size)
    power = np.mean(np.abs(np.fft.rfft(frames, axis=1)) ** 2, axis=0)
    # A zero-phase filter of the same length, tapered.
    taps = np.fft.fftshift(np.fft.irfft(np.sqrt(power))) * np.hanning(size)
    length = round(seconds * SAMPLE_RATE)
    white = np.random.Generator(np.random.PCG64([seed, 1000])).standard_normal(length + size - 1)
    return set_level(_convolve(white, taps))


def make_music(seed: int, seconds: float = SECONDS) -> np.ndarray:
    """Return plucked chords, a bass, a tune and drums at 120 beats a minute."""
    rng = np.random.Generator(np.random.PCG64([seed, 2000]))
    length = round(seconds * SAMPLE_RATE)
    total = np.zeros(length + 4 * SAMPLE_RATE)

    def add(at: float, sound: np.ndarray) -> None:
        start = round(at * SAMPLE_RATE)
        if start < length:
            total[start : start + len(sound)] += sound[: len(total) - start]

    for beat in range(int(seconds / _BEAT) + 1):
        at = beat * _BEAT
        chord = _CHORDS[beat // 4 % len(_CHORDS)]
        add(at, 0.9 * _pluck(chord[0] - 24, 0.9, 6))
        for half in (0.0, 0.5):
            if half == 0.0 or beat % 2:
                for semitone in chord[1:]:
                    add(at + half * _BEAT + float(rng.uniform(0, 0.02)), 0.35 * _pluck(semitone - 12, 1.6, 8))
            if rng.random() < 0.75:
                note = chord[int(rng.integers(1, len(chord)))] + 12 * int(rng.integers(0, 2)) - 12
                add(at + half * _BEAT, 0.5 * _pluck(note, 0.7, 12))
        add(at, (1.6 * _kick()) if beat % 2 == 0 else 0.9 * _hiss(rng, 0.16, 30))
        for quarter in (0.0, 0.5):
            add(at + quarter * _BEAT, 0.35 * _hiss(rng, 0.05, 90))
    swell = 1 + 0.3 * np.sin(2 * np.pi * 0.25 * np.arange(length) / SAMPLE_RATE)
    return set_level(total[:length] * swell)


def set_level(sound: np.ndarray) -> np.ndarray:
    """Return *sound* at RMS :data:`LEVEL`; peaks are bent softly below 1."""
    scaled = sound * (LEVEL / np.sqrt(np.mean(sound**2)))
    return np.where(np.abs(scaled) > 0.9, np.sign(scaled) * 0.9, scaled)


def _pluck(semitone: int, seconds: float, partials: int) -> np.ndarray:
    """Return a decaying tone with vibrating amplitude, *semitone* above A4 less an octave per 12."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    base = _NOTE_A4 * 2.0 ** (semitone / 12)
    wave = np.zeros_like(t)
    for k in range(1, partials + 1):
        if k * base < 0.45 * SAMPLE_RATE:
            wave += np.sin(2 * np.pi * k * base * t) * np.exp(-t * (2.5 + 1.2 * k)) / k
    attack = np.minimum(t / 0.004, 1.0)
    return wave * attack * (1 + 0.2 * np.sin(2 * np.pi * 5.5 * t))


def _kick() -> np.ndarray:
    t = np.arange(round(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * (50 * t + 90 * (1 - np.exp(-t * 35)) / 35)
    return np.sin(phase) * np.exp(-t * 14)


def _hiss(rng: np.random.Generator, seconds: float, decay: float) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng.standard_normal(len(t))
    # A difference is a plain high-pass filter.
    return np.diff(noise, prepend=0.0) * np.exp(-t * decay)


def _convolve(signal: np.ndarray, taps: np.ndarray) -> np.ndarray:
    from scipy.signal import fftconvolve

    return fftconvolve(signal, taps, mode="valid")


def make_noises(engine: Espeak) -> dict[str, np.ndarray]:
    """Return all three noises by name."""
    babble = make_babble(engine, _SEED)
    return {"babble": babble, "speech-shaped": shape_noise(babble, _SEED), "music": make_music(_SEED)}
