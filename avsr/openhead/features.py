"""Acoustic and visual features of the bundled recognizer.

Conventions
-----------
Audio is float32 mono at 16 kHz, N = 640 T samples for T video frames at 25 fps. Log-mel features have 100
frames per second and are stacked by four, so that acoustic and visual features share the 25 Hz grid. Mouth
crops are (T, 96, 96) uint8 gray; the centre 88x88 is used with the normalization of the published
recognizers (mean 0.421, standard deviation 0.165; field: mpc001/auto_avsr, facebookresearch/av_hubert).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torchaudio

from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

MELS = 80
STACK = 4
FEATURE_SIZE = MELS * STACK
CROP = 96
CENTRE = 88
CROP_MEAN, CROP_STD = 0.421, 0.165

_WINDOW, _HOP, _FFT = 400, 160, 512
#: Energy floor before the logarithm; about 16-bit quantization noise after the window.
_FLOOR = 1e-6


@cache
def _filters() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the Hann window and the (257, 80) mel filter bank."""
    bank = torchaudio.functional.melscale_fbanks(
        _FFT // 2 + 1, 20.0, 7_800.0, MELS, SAMPLE_RATE, mel_scale="htk"
    )
    return torch.hann_window(_WINDOW, periodic=True), bank


def compute_logmel(audio: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Compute stacked log-mel features, normalized over the clip.

    Parameters
    ----------
    audio : (640 T,) float32
        Mono, 16 kHz.

    Returns
    -------
    (T, 320) float32 tensor
        Four consecutive 10-ms frames of 80 log energies each; zero mean, unit variance over the clip.

    Raises
    ------
    ValueError
        If the length is not a positive multiple of 640.
    """
    x = torch.as_tensor(audio, dtype=torch.float32)
    if x.ndim != 1 or len(x) == 0 or len(x) % SAMPLES_PER_FRAME:
        raise ValueError(f"audio must be (640 T,) samples at 16 kHz, not {tuple(x.shape)}")
    window, bank = _filters()
    # Reflecting the ends keeps the frame count at 4 T + 1; the last frame starts past the clip and is dropped.
    spectrum = torch.stft(x, _FFT, _HOP, _WINDOW, window, center=True, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    logmel = torch.log(bank.T @ power + _FLOOR)[:, :-1].T
    logmel = (logmel - logmel.mean()) / (logmel.std() + 1e-5)
    return logmel.reshape(len(x) // SAMPLES_PER_FRAME, FEATURE_SIZE)


def normalize_crops(crops: np.ndarray, offset: tuple[int, int] | None = None) -> torch.Tensor:
    """Cut 88x88 out of the mouth crops and normalize.

    Parameters
    ----------
    crops : (T, 96, 96) uint8
        Gray mouth crops.
    offset : (row, column), optional
        Upper left corner of the 88x88 window, 0..8 each; the centre (4, 4) by default.

    Returns
    -------
    (T, 88, 88) float32 tensor
        ``(x / 255 - 0.421) / 0.165``.
    """
    if crops.ndim != 3 or crops.shape[1:] != (CROP, CROP) or crops.dtype != np.uint8:
        raise ValueError(f"crops must be (T, {CROP}, {CROP}) uint8, not {crops.shape} {crops.dtype}")
    row, column = offset or ((CROP - CENTRE) // 2, (CROP - CENTRE) // 2)
    window = crops[:, row : row + CENTRE, column : column + CENTRE]
    x = torch.from_numpy(np.ascontiguousarray(window)).float()
    return (x / 255.0 - CROP_MEAN) / CROP_STD
