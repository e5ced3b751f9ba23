"""Sound as its file has it, and the bounds of what is read."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np

from mtbench.errors import BenchmarkError, Note
from mtbench.timing import SAMPLE_RATE

#: Bounds: more is no recording of speech, or a damaged header.
MOST_CHANNELS = 64
LONGEST_SECONDS = 3600.0
#: Samples of all channels together: 1.6 GB.
MOST_SAMPLES = 400_000_000
#: Samples per second that are read.
LOWEST_RATE, HIGHEST_RATE = 4000, 384_000
#: Largest rate that has no common factor with 16,000; true rates above 48,000 have large ones.
LARGEST_ODD_RATE = 100_000


@dataclass(frozen=True)
class RawSound:
    """Sound as its file has it.

    Attributes
    ----------
    samples : (N, C) float32
    rate : int
        Samples per second.
    wide : bool
        Whether the samples were integers of more than 16 bits.
    notes : tuple of Note
        Notes on how the file was read.
    """

    samples: np.ndarray
    rate: int
    wide: bool = False
    notes: tuple[Note, ...] = ()


def check_header(path: Path, rate: int, channels: int, frames: int, longest: float) -> None:
    """Raise ``BenchmarkError`` where a header promises what no recording has, before anything is allocated."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise BenchmarkError(
            f"{path}: {rate} samples per second, expected {LOWEST_RATE} to {HIGHEST_RATE}; is the header damaged? "
            "write the file again at 16000"
        )
    if rate // gcd(rate, SAMPLE_RATE) > LARGEST_ODD_RATE:
        # A filter for a ratio of such numbers takes hundreds of megabytes and seconds.
        raise BenchmarkError(
            f"{path}: {rate} samples per second, which no device records at; is the header damaged? "
            "write the file again at 16000"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise BenchmarkError(
            f"{path}: {channels} channels, expected 1 to {MOST_CHANNELS}; mix them down to one"
        )
    if frames > longest * rate:
        raise BenchmarkError(
            f"{path}: {frames / rate:.0f} s of audio, at most {longest:.0f} s are read; cut the recording"
        )
    if frames * channels > MOST_SAMPLES:
        raise BenchmarkError(
            f"{path}: {frames * channels} samples in all channels, at most {MOST_SAMPLES} are read; cut the recording"
        )
