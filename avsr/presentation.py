"""Presentation: how a clip is shown to a recognizer, in scores, meta-evaluation, error tables and lexicon reports.

Conventions
-----------
Sound in noise is rounded to 16 bits, as it lies in the cache of a score, whoever asks for it: the same condition
gives a recognizer the same samples everywhere. Conditions that show the same face are given to the recognizer
together, so that its visual front-end runs once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.base import Hypothesis, Recognizer, Reference, transcribe_checked
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.speech import NoiseSet, from_pcm16
from mtbench.timing import SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip
    from mtbench.speech import Lexicon


class ClipSound:
    """The sound of one clip under any condition; its file is decoded once.

    Parameters
    ----------
    clip : Clip
    noises : NoiseSet
        Where the conditions' noises are found by name.
    """

    def __init__(self, clip: Clip, noises: NoiseSet) -> None:
        self.clip = clip
        self.noises = noises

    @cached_property
    def clean(self) -> np.ndarray:
        """(640 T,) float32 without noise."""
        return self.clip.load_audio()

    def mix(self, condition: Condition) -> np.ndarray:
        """Return the (640 T,) int16 mixture of a noisy *condition*.

        Raises
        ------
        UsageError
            Where no such signal-to-noise ratio can be reached, naming clip and noise.
        """
        assert condition.noise is not None
        assert condition.snr_db is not None
        noise = self.noises[condition.noise]
        try:
            return noise.mix(self.clean, condition.snr_db, self.clip.id)
        except UsageError as error:
            raise UsageError(f"clip {self.clip.id} with noise {noise.name}: {error}") from None

    def hear(self, condition: Condition) -> np.ndarray | None:
        """Return the (640 T,) float32 sound of *condition*, None for silence."""
        if not condition.hears:
            return None
        return from_pcm16(self.mix(condition)) if condition.is_noisy else self.clean


@dataclass(frozen=True)
class Presentation:
    """What a recognizer is given of one clip at once.

    Attributes
    ----------
    conditions : tuple of Condition
        All with the same face, or all without one.
    crops : (T, 96, 96) uint8 or None
        Mouth crops of that face.
    sounds : list of (640 T,) float32 or None
        What is heard, by condition; None is silence.
    """

    conditions: tuple[Condition, ...]
    crops: np.ndarray | None
    sounds: list[np.ndarray | None]


def present(
    conditions: Sequence[Condition],
    see: Callable[[str], np.ndarray],
    hear: Callable[[Condition], np.ndarray | None],
) -> Iterator[Presentation]:
    """Yield what a recognizer is given under *conditions*, those with one face together.

    Parameters
    ----------
    conditions : sequence of Condition
        With the name of a face where there is something to see.
    see : function of str
        From the name of a face to its (T, 96, 96) uint8 mouth crops.
    hear : function of Condition
        To the (640 T,) float32 sound, None for silence; :meth:`ClipSound.hear`, or a cache before it.
    """
    for face in dict.fromkeys(c.face for c in conditions):
        asked = tuple(c for c in conditions if c.face == face)
        yield Presentation(asked, None if face is None else see(face), [hear(c) for c in asked])


def count_frames(crops: np.ndarray | None, audio: Sequence[np.ndarray | None]) -> int:
    """Return the frames of a clip as a recognizer is given it, 640 samples of sound each.

    Raises
    ------
    UsageError
        Where there are no mouths, and no sound in one of the conditions.
    """
    if crops is not None:
        return len(crops)
    sounds = [sound for sound in audio if sound is not None]
    if len(sounds) < len(audio) or not sounds:
        raise UsageError("neither mouth crops nor sound; expected at least one of them")
    return len(sounds[0]) // SAMPLES_PER_FRAME


def transcribe_clip(
    recognizer: Recognizer,
    clip: Clip,
    conditions: Sequence[Condition],
    see: Callable[[str], np.ndarray],
    hear: Callable[[Condition], np.ndarray | None],
    lexicon: Lexicon | None,
    about: str = "",
    reference: Reference | None = None,
) -> dict[Condition, Hypothesis]:
    """Return what *recognizer* understands of *clip* under every one of *conditions*.

    Parameters
    ----------
    recognizer : Recognizer
    clip : Clip
    conditions, see, hear
        As for :func:`present`.
    lexicon : Lexicon or None
        Word list of the clip's language.
    about : str
        Added to the condition in messages: whose face it is.
    reference : Reference or None
        What was said; hypotheses then tell how probable it is, where the recognizer can.

    Raises
    ------
    RecognizerError
        Naming clip, condition and cause, where the recognizer raises or returns no hypotheses.
    """
    found: dict[Condition, Hypothesis] = {}
    for shown in present(conditions, see, hear):
        names = [condition.describe() + about for condition in shown.conditions]
        hypotheses = transcribe_checked(
            recognizer, shown.crops, shown.sounds, clip.language, lexicon, clip.id, names, reference
        )
        found |= zip(shown.conditions, hypotheses, strict=True)
    return found
