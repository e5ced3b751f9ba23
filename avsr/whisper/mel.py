"""Whisper's log-mel spectrum of a sound of any length.

Conventions
-----------
Audio is float32 mono at 16 kHz. One frame is 10 ms: a Hann window of 400 samples (periodic), moved by 160, power
spectrum, 80 triangular filters from 0 to 8,000 Hz on Slaney's scale, each of unit area. Logarithms to base ten end
80 dB below the clip's loudest bin. Whisper itself pads every clip to 30 s of silence; here a clip ends where it
ends, and its ends are reflected.

After Radford et al., "Robust speech recognition via large-scale weak supervision" (ICML 2023).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torchaudio

from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

MELS = 80
#: Steps of what the encoder makes of the spectrum to a video frame.
HEARD_FRAMES = 2

_WINDOW, _HOP = 400, 160
_FLOOR = 1e-10
#: How far below the loudest bin the spectrum ends, in units of log10.
_RANGE = 8.0


@cache
def _filters() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the Hann window and the (80, 201) filter bank."""
    bank = torchaudio.functional.melscale_fbanks(
        _WINDOW // 2 + 1, 0.0, SAMPLE_RATE / 2, MELS, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    )
    return torch.hann_window(_WINDOW, periodic=True), bank.T.contiguous()


def compute_whisper_mel(audio: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Compute the log-mel spectrum that Whisper's encoder hears.

    Parameters
    ----------
    audio : (640 T,) float32
        Mono, 16 kHz.

    Returns
    -------
    (80, 4 T) float32 tensor
        ``(max(log10 m, its maximum over the clip - 8) + 4) / 4``.

    Raises
    ------
    ValueError
        If the length is not a positive multiple of 640.
    """
    x = torch.as_tensor(audio, dtype=torch.float32)
    if x.ndim != 1 or len(x) == 0 or len(x) % SAMPLES_PER_FRAME:
        raise ValueError(
            f"audio must be ({SAMPLES_PER_FRAME} T,) samples at {SAMPLE_RATE} Hz, not {tuple(x.shape)}"
        )
    window, bank = _filters()
    spectrum = torch.stft(x, _WINDOW, _HOP, window=window, center=True, return_complex=True)
    # The last frame starts past the clip.
    power = (spectrum.real.square() + spectrum.imag.square())[:, :-1]
    logmel = (bank @ power).clamp_min(_FLOOR).log10()
    return (torch.maximum(logmel, logmel.max() - _RANGE) + 4.0) / 4.0
