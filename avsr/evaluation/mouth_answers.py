"""What a recognizer answers when it is shown a true mouth, one at rest, and other ones.

Conventions
-----------
Every sample is presented without sound, with clean sound, and in noise at one ratio; sound is presented alone, too.
No word list enters: what is counted are phones, and the probability of the true ones where the recognizer tells it.
Other people's windows are many without sound, where the true motion is ranked among them, and few with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtbench.avsr.base import Hypothesis, Recognizer, Reference, transcribe_checked
from mtbench.avsr.evaluation.conditions import NOISY, TRUTH
from mtbench.avsr.evaluation.mouth_samples import WINDOWS, MouthSample, cut_windows
from mtbench.avsr.traits import Traits, describe_traits
from mtbench.conditions import STATIC, Condition
from mtbench.metrics import EditCounts, count_character_edits, count_phone_edits, count_word_edits
from mtbench.speech import ROMAN, NoiseSet, headline_rate
from mtbench.work import Progress

SHUFFLED = "shuffled"
#: Windows that are shown with sound.
HEARD_WINDOWS = 3


@dataclass(frozen=True)
class Answer:
    """What was understood of one sample under one condition.

    Attributes
    ----------
    sample : str
        Its id.
    condition : Condition
        The face is ``"truth"``, ``"static"``, ``"shuffled"`` or None.
    window : int
        Which of the other mouths; 0 for every other face.
    phones : tuple of str or None
        What was understood.
    errors, length : int or None
        Edits between that and what was said, and of how many units; None where there are none.
    unit : str or None
        ``"phones"``; ``"words"`` or ``"characters"``, whichever is the language's headline, where the sample or the
        recognizer has no phones; None where it has no words either.
    log_probability : float or None
        Of what was said, natural logarithm.
    tokens : int or None
        Of which it is the probability.
    """

    sample: str
    condition: Condition
    window: int
    phones: tuple[str, ...] | None
    errors: int | None
    length: int | None
    unit: str | None
    log_probability: float | None
    tokens: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        told = asdict(self)
        told.pop("condition")
        phones = None if self.phones is None else " ".join(self.phones)
        return {**told, "condition": self.condition.name, "face": self.condition.face, "phones": phones}


@dataclass(frozen=True)
class Shown:
    """One face, or none, under some conditions of the sound.

    Attributes
    ----------
    crops : (T, 96, 96) uint8 or None
    conditions : tuple of Condition
        All with that face.
    sounds : tuple of (640 T,) float32 or None
        What is heard, by condition; None is silence.
    window : int
        As in :class:`Answer`.
    """

    crops: np.ndarray | None
    conditions: tuple[Condition, ...]
    sounds: tuple[np.ndarray | None, ...]
    window: int = 0


def show_samples(
    recognizer: Recognizer,
    samples: Sequence[MouthSample],
    noises: NoiseSet,
    *,
    snr_db: float = NOISY,
    windows: int = WINDOWS,
    heard_windows: int = HEARD_WINDOWS,
    brief: bool = False,
    chosen: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> list[Answer]:
    """Return what *recognizer* answers to every sample with each of its faces.

    Parameters
    ----------
    recognizer : Recognizer
        Knows the samples' languages.
    samples : sequence of MouthSample
    noises : NoiseSet
        All of them are presented.
    snr_db : float
        Signal-to-noise ratio, decibels.
    windows, heard_windows : int
        Other mouths that each sample is shown with, at most; and those of them that are shown with sound, too.
    brief : bool
        Leave out sound alone, and clean sound where there is noise.
    chosen : sequence of int, optional
        Places of the samples that are shown; the others only lend their mouths. All by default.
    progress : Progress, optional
        Told about every sample.
    """
    places = range(len(samples)) if chosen is None else chosen
    answers: list[Answer] = []
    told = nullcontext(None) if progress is None else progress.stage("showing mouths", len(places))
    with told as advance:
        for place in places:
            others = cut_windows(samples, place, windows)
            heard = _list_sounds(samples[place], noises, snr_db, brief)
            shown = _plan(samples[place], others, heard, heard_windows)
            shown += [] if brief else [Shown(None, tuple(heard), tuple(heard.values()))]
            answers += ask_about(recognizer, samples[place], shown)
            if advance is not None:
                advance()
    return answers


def _list_sounds(
    sample: MouthSample, noises: NoiseSet, snr_db: float, brief: bool
) -> dict[Condition, np.ndarray]:
    """Return what is heard of one sample, by condition of the sound alone."""
    heard = {Condition("a", snr_db, name): sample.hear(noises, name, snr_db) for name in noises.names}
    return heard if brief and heard else {Condition("a"): sample.sound, **heard}


def _plan(
    sample: MouthSample,
    others: Sequence[np.ndarray],
    heard: Mapping[Condition, np.ndarray],
    heard_windows: int,
) -> list[Shown]:
    """Return everything that one sample is shown with."""
    shown = []
    faces = [(TRUTH, 0, sample.crops), (STATIC, 0, sample.static)]
    faces += [(SHUFFLED, k, crops) for k, crops in enumerate(others)]
    for face, window, crops in faces:
        asked: dict[Condition, np.ndarray | None] = {Condition("v", face=face): None}
        if window < heard_windows:
            asked |= {Condition("av", c.snr_db, c.noise, face): sound for c, sound in heard.items()}
        shown.append(Shown(crops, tuple(asked), tuple(asked.values()), window))
    return shown


def ask_about(recognizer: Recognizer, sample: MouthSample, shown: Sequence[Shown]) -> list[Answer]:
    """Return what *recognizer* answers to *sample* as it is *shown*, in order.

    Raises
    ------
    RecognizerError
        Naming sample, condition and cause, where the recognizer raises or returns no hypotheses.
    """
    found = _ask_together(recognizer, sample, shown)
    if found is None:
        reference = Reference(sample.text or " ".join(sample.phones), sample.phones or None)
        found = [
            transcribe_checked(
                recognizer,
                one.crops,
                one.sounds,
                sample.language,
                None,
                sample.id,
                [c.describe() for c in one.conditions],
                reference,
            )
            for one in shown
        ]
    # Without a list it answers with phones, which are no words: their errors would be a wrong number.
    traits = describe_traits(recognizer)
    answers = []
    for one, hypotheses in zip(shown, found, strict=True):
        for condition, said in zip(one.conditions, hypotheses, strict=True):
            edits, unit = _count_edits(sample, said, traits)
            answers.append(
                Answer(
                    sample.id,
                    condition,
                    one.window,
                    said.phones,
                    None if edits is None else edits.errors,
                    None if edits is None else edits.reference_length,
                    unit,
                    said.log_probability,
                    said.tokens,
                )
            )
    return answers


def _count_edits(
    sample: MouthSample, said: Hypothesis, traits: Traits
) -> tuple[EditCounts | None, str | None]:
    """Return the edits of what was *said*, and what they are edits of."""
    if sample.phones and said.phones is not None:
        return count_phone_edits(sample.phones, said.phones), "phones"
    if not sample.text or traits.needs_lexicon:
        return None, None
    if traits.script == "roman":
        return count_character_edits(sample.text, said.text, sample.language, ROMAN), "romanized characters"
    if headline_rate(sample.language) == "cer":
        return count_character_edits(sample.text, said.text, sample.language), "characters"
    return count_word_edits(sample.text, said.text, sample.language), "words"


def _ask_together(
    recognizer: Recognizer, sample: MouthSample, shown: Sequence[Shown]
) -> list[list[Hypothesis]] | None:
    """Return the bundled recognizer's answers, everything through the network at once; None for another one."""
    if not hasattr(recognizer, "log_probs_many"):
        return None
    from mtbench.avsr.openhead import OpenheadAV, Request, decode_phones, phone_log_probability

    if not isinstance(recognizer, OpenheadAV):
        return None
    classes = {phone: i + 1 for i, phone in enumerate(recognizer.phones)}
    known = all(phone in classes for phone in sample.phones)
    reference = [classes[phone] for phone in sample.phones] if known else []
    requests = [Request(one.crops, one.sounds, sample.language) for one in shown]

    def understand(frames: np.ndarray) -> Hypothesis:
        told = phone_log_probability(frames, reference) if reference else None
        phones = tuple(recognizer.phones[c - 1] for c in decode_phones(frames))
        return Hypothesis("", phones, told, None if told is None else len(reference))

    return [[understand(frames) for frames in one] for one in recognizer.log_probs_many(requests)]
