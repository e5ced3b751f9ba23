"""Seconds of somebody who speaks, as a recognizer is shown them: the true mouth, one that never moves, other ones.

Conventions
-----------
A *window* is as many frames of another sample's mouth as the sample itself has: motion that is as real and says
something else. Where a mouth comes from (a motion bank, a benchmark) does not matter here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.speech import NoiseSet, from_pcm16
from mtbench.statistics import derive_generator

#: Windows that the true motion is ranked among, and seed of their draw.
WINDOWS, SEED = 20, 12345
#: Frames by which windows of one mouth are apart.
STEP = 10


@dataclass(frozen=True)
class MouthSample:
    """Some seconds of speech with the mouth that spoke them.

    Attributes
    ----------
    id : str
        Unique within a set; noise and windows follow from it.
    source : str
        What is drawn as a whole for intervals: the segment itself, or the source of a benchmark's clip.
    language : str
        ISO 639-3.
    crops : (T, 96, 96) uint8
        The true mouth.
    static : (T, 96, 96) uint8
        The same face at rest.
    sound : (640 T,) float32
        Mono at 16 kHz, clean.
    phones : tuple of str
        What is said, without pauses; empty where only words are known.
    text : str
        The words, where they are known.
    """

    id: str
    source: str
    language: str
    crops: np.ndarray
    static: np.ndarray
    sound: np.ndarray
    phones: tuple[str, ...]
    text: str = ""

    def hear(self, noises: NoiseSet, noise: str, snr_db: float) -> np.ndarray:
        """Return the (640 T,) float32 sound in one of *noises*, rounded to 16 bits as in a score."""
        return from_pcm16(noises[noise].mix(self.sound, snr_db, self.id))


def cut_windows(samples: Sequence[MouthSample], index: int, count: int = WINDOWS) -> list[np.ndarray]:
    """Return other mouths for as long as the sample at *index* lasts.

    Parameters
    ----------
    samples : sequence of MouthSample
        Those of another source are used: first each from its beginning, then from :data:`STEP` frames later, and so
        on; a shorter one begins anew. The order is drawn, those of its language before others.
    index : int
    count : int
        How many are wanted.

    Returns
    -------
    list of (T, 96, 96) uint8
        Fewer than *count* where the others are few or short; none where there is no other.
    """
    own = samples[index]
    others = [s for s in samples if s.source != own.source]
    if not others:
        return []
    draws = derive_generator(SEED, "windows", own.id).random_raw(len(others))
    order = sorted(range(len(others)), key=lambda i: (others[i].language != own.language, draws[i]))
    frames = np.arange(len(own.crops))
    windows: list[np.ndarray] = []
    for start in range(0, max(len(s.crops) for s in others), STEP):
        for place in order:
            crops = others[place].crops
            if start < len(crops) and len(windows) < count:
                windows.append(crops[(start + frames) % len(crops)])
    return windows
