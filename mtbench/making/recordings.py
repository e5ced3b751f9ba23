"""Sound of a benchmark in the making: recordings are read, and written as 16-bit FLAC at 16 kHz."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from mtbench.errors import BenchmarkError
from mtbench.files import writing
from mtbench.making.notes import Ledger
from mtbench.speech import LONGEST_SECONDS, NOT_AUDIBLE, load_sound
from mtbench.timing import SAMPLE_RATE


def read_sound(path: Path, name: str, ledger: Ledger, longest: float = LONGEST_SECONDS) -> np.ndarray | None:
    """Return a file's sound where there is something to be heard; else, or where it is too long, say so."""
    try:
        sound = load_sound(path, longest=longest, name=name)
    except BenchmarkError as error:
        ledger.findings.append(str(error))
        return None
    for note in sound.notes:
        if note.code in NOT_AUDIBLE:
            ledger.findings.append(str(note))
        else:
            ledger.notes.append(note)
    return sound.samples if sound.audible else None


def write_sound(path: Path, sound: np.ndarray) -> None:
    """Write a FLAC file by way of memory: libsndfile would call a full disk "System error"."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, sound, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    with writing(path):
        path.write_bytes(content.getbuffer())
