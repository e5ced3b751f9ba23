"""The log filterbank that AV-HuBERT hears: 26 bands, four frames stacked.

Conventions
-----------
Windows of 25 ms every 10 ms of 16 kHz sound, rectangular, the last one filled with zeros; pre-emphasis 0.97; power of
512 points over 512; triangles between edges that are equally far apart on the mel scale ``2595 log10(1 + f / 700)``,
each edge on a whole point; natural logarithm, zeros read as the smallest step of float64. Everything is float64 until
the last step. Sound is in steps of int16, as published (AVista and Zero-AVSR take [-1, 1] instead).
"""

from __future__ import annotations

import numpy as np

#: Hertz, samples of a window and between two, points of a transform, bands, frames that are set side by side.
SAMPLE_RATE, WINDOW, HOP, POINTS, BANDS, STACKED = 16_000, 400, 160, 512, 26, 4
_EMPHASIS = 0.97


def _triangles() -> np.ndarray:
    """Return (BANDS, POINTS / 2 + 1)."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700.0)
    mels = np.linspace(2595 * np.log10(1 + 0 / 700.0), top, BANDS + 2)
    edges = np.floor((POINTS + 1) * (700 * (10 ** (mels / 2595.0) - 1)) / SAMPLE_RATE)
    filters = np.zeros((BANDS, POINTS // 2 + 1))
    for band, (low, peak, high) in enumerate(zip(edges, edges[1:], edges[2:])):
        rising, falling = np.arange(int(low), int(peak)), np.arange(int(peak), int(high))
        filters[band, rising] = (rising - low) / (peak - low)
        filters[band, falling] = (high - falling) / (high - peak)
    return filters


def compute_filterbank(sound: np.ndarray) -> np.ndarray:
    """Return (frames, 26) float64 of (samples,) *sound* at 16 kHz.

    Parameters
    ----------
    sound : numpy.ndarray
        (samples,), in steps of int16 as published.

    Raises
    ------
    ValueError
        For no samples.
    """
    sound = np.asarray(sound)
    if sound.ndim != 1 or not len(sound):
        raise ValueError(f"sound of shape {sound.shape}, expected (samples,) with at least one")
    emphasized = np.append(sound[0], sound[1:] - _EMPHASIS * sound[:-1])
    frames = 1 + max(0, -(-(len(emphasized) - WINDOW) // HOP))
    padded = np.zeros((frames - 1) * HOP + WINDOW)
    padded[: len(emphasized)] = emphasized
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = 1.0 / POINTS * np.square(np.absolute(np.fft.rfft(windows, POINTS)))
    energy = np.dot(power, _triangles().T)
    return np.log(np.where(energy == 0, np.finfo(float).eps, energy))


def stack_filterbank(sound: np.ndarray, frames: int | None = None, normalize: bool = True) -> np.ndarray:
    """Return what the network hears of *sound*: (frames, 104) float32 at 25 a second.

    Parameters
    ----------
    sound : numpy.ndarray
        (samples,) at 16 kHz, in steps of int16 as published.
    frames : int, optional
        Frames of the video beside it: what is longer is cut, what is shorter filled with zeros.
    normalize : bool
        Whether every frame is freed of mean and variance, as all published models want it.
    """
    bands = compute_filterbank(sound).astype(np.float32)
    bands = np.pad(bands, ((0, -len(bands) % STACKED), (0, 0)))
    stacked = bands.reshape(-1, STACKED * BANDS)
    if frames is not None:
        stacked = np.pad(stacked[:frames], ((0, max(0, frames - len(stacked))), (0, 0)))
    if not normalize:
        return stacked
    import torch

    return torch.nn.functional.layer_norm(torch.from_numpy(stacked), (STACKED * BANDS,)).numpy()
