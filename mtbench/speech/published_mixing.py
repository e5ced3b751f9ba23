"""Mixing speech with noise as published evaluations do, sample by sample.

Conventions
-----------
AV-HuBERT, MuAViC and MultiTalk's released script share one way: 16-bit integers taken into float32, noise from its
first sample on, begun anew where the speech is longer, scaled by the RMS of both over the whole clip. Where the sum
leaves the 16-bit range, all of it is attenuated until its larger peak fits. Fractions are cut off, not rounded.

Recordings of noise need not be 16-bit ones: what is scaled by its RMS comes out the same whatever its level.
"""

from __future__ import annotations

import numpy as np

from mtbench.errors import UsageError
from mtbench.speech.audio import tile_noise

#: Goes into signatures and into the key of every such mixture; raise it when the samples change.
PUBLISHED_MIXING_VERSION = "1"

_HIGHEST, _LOWEST = np.float32(32767), np.float32(-32768)


def mix_as_published(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Add *noise* to *speech* as the published evaluations do, to the last bit.

    Parameters
    ----------
    speech : (N,) int16
        Clean speech.
    noise : (M,) float or int16
        Noise recording, any level, M >= 1.
    snr_db : float
        Decibels.

    Returns
    -------
    (N,) int16

    Raises
    ------
    UsageError
        For silent speech or silent noise (no ratio exists), or a ratio that is not finite.

    Examples
    --------
    >>> mix_as_published(np.array([1000, -1000], np.int16), np.array([1, 1]), 0.0)
    array([2000,    0], dtype=int16)
    """
    if not np.isfinite(snr_db):
        raise UsageError(f"SNR must be a finite number of decibels, not {snr_db}")
    clean = np.asarray(speech).astype(np.float32)
    part = tile_noise(np.asarray(noise, np.float32), len(clean))
    for name, signal in (("speech", clean), ("noise", part)):
        if not np.any(signal):
            raise UsageError(
                f"silent {name}: no signal-to-noise ratio exists; give a recording that holds sound"
            )
    # The order of these operations decides the last bit.
    mixture = clean + part * (_rms(clean) / _rms(part)) / np.float32(10 ** (snr_db / 20))
    high, low = mixture.max(), mixture.min()
    if high > _HIGHEST or low < _LOWEST:
        mixture = mixture * (_HIGHEST / high if high >= -low else _LOWEST / low)
    return mixture.astype("<i2")


def _rms(signal: np.ndarray) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(signal))))
