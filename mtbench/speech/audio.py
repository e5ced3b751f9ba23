"""Sound as samples: resampling, mixing with noise, 16-bit values.

Conventions
-----------
Audio is float32 mono in -1..1 at 16 kHz (:data:`mtbench.timing.SAMPLE_RATE`). SNR is the ratio of the mean squares of
speech and noise over the *whole* clip, in decibels; nothing is weighted and no pause is left out. Mixtures
that go into recognition and cache are rounded to 16-bit PCM, so that their bytes do not depend on the
machine: the sums of squares of 16-bit samples are exact in float64, whatever the order of summation.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.timing import SAMPLE_RATE

#: Goes into the key of every cached mixture; raise it when the bytes change.
MIXING_VERSION = "1"

_FULL_SCALE = 32768.0
_CEILING = 32767.0 / _FULL_SCALE
#: scipy's filter has twenty taps per unit of the larger factor.
_LARGEST_FACTOR = 800_000


def resample(audio: np.ndarray, rate: int, new_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Resample (N,) float32 *audio* from *rate* to *new_rate* with a polyphase filter (``scipy.signal``).

    Returns
    -------
    (ceil(N new_rate / rate),) float32
        The very same array where the rates are equal. Nothing is clipped: a signal that reaches 1 may come out a little
        larger.

    Raises
    ------
    UsageError
        For rates that are no positive numbers, or need a filter of more than ten million taps.
    """
    if rate == new_rate:
        return audio
    from scipy.signal import resample_poly

    divisor = gcd(rate, new_rate)
    if min(rate, new_rate) < 1 or max(rate, new_rate) // divisor > _LARGEST_FACTOR:
        raise UsageError(f"sound of {rate} samples per second cannot be resampled to {new_rate}")
    out = resample_poly(audio.astype(np.float64), new_rate // divisor, rate // divisor)
    return out.astype(np.float32)


def fit_length(audio: np.ndarray, length: int) -> np.ndarray:
    """Cut (N,) *audio* or pad it with zeros at its end to *length* samples."""
    if len(audio) >= length:
        return audio[:length]
    return np.concatenate([audio, np.zeros(length - len(audio), audio.dtype)])


def tile_noise(noise: np.ndarray, length: int, offset: int = 0) -> np.ndarray:
    """Return *length* samples of (M,) *noise* from sample *offset* on, starting over at its end.

    Raises
    ------
    UsageError
        For noise without samples.
    """
    if len(noise) == 0:
        raise UsageError("noise without samples; give a recording that holds sound")
    return noise[(np.arange(length, dtype=np.int64) + offset) % len(noise)]


def mix_at_snr(speech: np.ndarray, noise: np.ndarray, snr_db: float, offset: int = 0) -> np.ndarray:
    """Add *noise* to *speech* at a given signal-to-noise ratio.

    The noise is tiled and cut to the speech (:func:`tile_noise`), scaled so that the ratio of the RMS over
    the whole clip is *snr_db* (``torchaudio.functional.add_noise``, in float64), and added. Where the sum
    would leave the 16-bit range, the *whole mixture* is attenuated until its peak fits: the ratio stays.

    Parameters
    ----------
    speech : (N,) float
        Clean speech, -1..1.
    noise : (M,) float
        Noise recording, any level, M >= 1.
    snr_db : float
        Decibels.
    offset : int
        First sample of the noise that is used.

    Returns
    -------
    (N,) float32
        The mixture, within -1 and 32767/32768.

    Raises
    ------
    UsageError
        For silent speech or silent noise (no ratio exists), or a ratio that is not finite.
    PrerequisiteError
        Without torchaudio (extra ``[judge]``).

    Notes
    -----
    Equal to the mixing of AV-HuBERT and MuAViC (``hubert_dataset.py``, ``avlr_utils.py``), which the
    published AVLR uses, up to rounding: they work on 16-bit integers in float32 and truncate.
    """
    require_extra("judge", "mixing speech with noise", "torch", "torchaudio")
    import torch
    from torchaudio.functional import add_noise

    if not np.isfinite(snr_db):
        raise UsageError(f"SNR must be a finite number of decibels, not {snr_db}")
    clean = np.asarray(speech, np.float64)
    part = tile_noise(np.asarray(noise, np.float64), len(clean), offset)
    for name, signal in (("speech", clean), ("noise", part)):
        if not np.any(signal):
            raise UsageError(
                f"silent {name}: no signal-to-noise ratio exists; give a recording that holds sound"
            )
    mixture = add_noise(
        torch.from_numpy(clean)[None],
        torch.from_numpy(part)[None],
        torch.tensor([snr_db], dtype=torch.float64),
    )[0].numpy()
    high, low = float(mixture.max()), float(mixture.min())
    if high > _CEILING or low < -1.0:
        mixture = mixture * min(_CEILING / high if high > 0 else np.inf, -1.0 / low if low < 0 else np.inf)
    return mixture.astype(np.float32)


def to_pcm16(audio: np.ndarray) -> np.ndarray:
    """Round (N,) float *audio* to int16, clipping at the ends of the range."""
    return np.clip(np.rint(np.asarray(audio, np.float64) * _FULL_SCALE), -32768, 32767).astype("<i2")


def from_pcm16(samples: np.ndarray) -> np.ndarray:
    """Return (N,) int16 *samples* as float32 in -1..1, exactly."""
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)
