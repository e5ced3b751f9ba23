"""Sound of a clip as data for a browser: FLAC, sample for sample what is heard in scoring.

Conventions
-----------
A pack is JSON: ``format`` ``"mtbench-sound-1"``, ``type`` the media type, ``seconds``, ``data`` base64. FLAC is taken
because every browser plays it, it is half as large as WAV, and it neither shifts nor pads the sound: coders that lose
something delay it by a frame or two.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from mtbench.speech import to_pcm16
from mtbench.timing import SAMPLE_RATE

FORMAT = "mtbench-sound-1"


def pack_sound(samples: np.ndarray, rate: int = SAMPLE_RATE) -> dict[str, Any]:
    """Return mono sound as a pack.

    Parameters
    ----------
    samples : (n,) float32
        -1 to 1; rounded to 16 bits.
    rate : int
        Samples per second.

    Examples
    --------
    >>> pack = pack_sound(np.zeros(8000, np.float32))
    >>> pack["type"], pack["seconds"]
    ('audio/flac', 0.5)
    """
    return {
        "format": FORMAT,
        "type": "audio/flac",
        "seconds": len(samples) / rate,
        "data": base64.b64encode(_write(samples, rate, "FLAC")).decode(),
    }


def format_wav(samples: np.ndarray, rate: int = SAMPLE_RATE) -> bytes:
    """Return mono sound (n,) float32 as a WAV file of 16 bits."""
    return _write(samples, rate, "WAV")


def _write(samples: np.ndarray, rate: int, kind: str) -> bytes:
    import soundfile

    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"sound must be mono samples (n,), not {samples.shape}")
    buffer = io.BytesIO()
    whole = samples if samples.dtype == np.int16 else to_pcm16(samples)
    soundfile.write(buffer, whole, rate, format=kind, subtype="PCM_16")
    return buffer.getvalue()
