"""Loudness as ears weigh it, and sounds brought to the same.

Conventions
-----------
Loudness is that of a whole recording in LUFS by ITU-R BS.1770-4: both stages of the K-weighting, blocks of 400 ms that
overlap by three quarters, an absolute gate at -70 and a relative one 10 below the mean of what passes it. The
recommendation gives its filters for 48 kHz; here they are designed for the rate at hand from the same analog
prototypes, and equal the printed coefficients at 48 kHz. A recording shorter than a block is one block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtbench.errors import UsageError
from mtbench.timing import SAMPLE_RATE

#: LUFS that sounds are brought to where their peaks allow it.
TARGET = -20.0
#: Largest absolute value of a sample after a change of loudness: 1 dB below full scale.
CEILING = 10 ** (-1 / 20)
_BLOCK, _OVERLAP = 0.4, 4
_ABSOLUTE, _RELATIVE, _OFFSET = -70.0, -10.0, -0.691


@dataclass(frozen=True)
class Leveled:
    """Gains that bring sounds to the same loudness.

    Attributes
    ----------
    target : float
        LUFS that all of them have afterwards.
    gains : dict of str to float
        Factor of each.
    limited_by : str or None
        The sound whose peaks do not allow more than *target*; None where the wanted loudness is reached.
    """

    target: float
    gains: dict[str, float]
    limited_by: str | None


def weighting_filters(rate: int = SAMPLE_RATE) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return numerator and denominator, (3,) float64 each, of both stages of the K-weighting at *rate*."""
    k, q = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / q + k * k
    shelf = (
        np.array([high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]) / scale,
        np.array([scale, 2 * (k * k - 1), 1 - k / q + k * k]) / scale,
    )
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    scale = 1 + k / q + k * k
    high_pass = np.array([1.0, -2.0, 1.0]), np.array([scale, 2 * (k * k - 1), 1 - k / q + k * k]) / scale
    return [shelf, high_pass]


def measure_loudness(audio: np.ndarray, rate: int = SAMPLE_RATE) -> float:
    """Return the loudness of (N,) float *audio* in LUFS; minus infinity for silence.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
    >>> round(measure_loudness(tone, 48000), 2)
    -3.01
    """
    from scipy.signal import lfilter

    weighted = np.asarray(audio, np.float64)
    for numerator, denominator in weighting_filters(rate):
        weighted = lfilter(numerator, denominator, weighted)
    size = max(1, min(round(_BLOCK * rate), len(weighted)))
    starts = range(0, len(weighted) - size + 1, max(1, size // _OVERLAP))
    power = np.array([np.mean(weighted[start : start + size] ** 2) for start in starts])
    power = power[_loudness(power) > _ABSOLUTE] if len(power) else power
    if not len(power):
        return -np.inf
    power = power[_loudness(power) > _loudness(power.mean()) + _RELATIVE]
    return float(_loudness(power.mean()))


def level_sounds(sounds: Mapping[str, np.ndarray], target: float = TARGET) -> Leveled:
    """Return the gains that bring *sounds* to one loudness without a peak above :data:`CEILING`.

    Nothing is compressed: where the peaks of one sound do not allow *target*, all of them are made as loud as that
    one can be.

    Parameters
    ----------
    sounds : mapping of str to (N,) float
        At 16 kHz.
    target : float
        LUFS.

    Raises
    ------
    UsageError
        For a silent sound.
    """
    loudness = {name: measure_loudness(sound) for name, sound in sounds.items()}
    silent = [name for name, value in loudness.items() if not np.isfinite(value)]
    if silent:
        raise UsageError(f"the sound of {', '.join(silent)} is silent: nobody can judge lips by it")
    limits = {
        name: loudness[name] + 20 * np.log10(CEILING / float(np.abs(sound).max()))
        for name, sound in sounds.items()
    }
    lowest = min(limits, key=lambda name: limits[name])
    limited = limits[lowest] < target
    reached = float(limits[lowest]) if limited else target
    gains = {name: float(10 ** ((reached - value) / 20)) for name, value in loudness.items()}
    return Leveled(reached, gains, lowest if limited else None)


def _loudness(power: np.ndarray | float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return _OFFSET + 10 * np.log10(power)
