"""Training examples made on the fly: synthetic speech, articulation, and mouth crops of the bundled head.

A batch is a pure function of (seed, batch number): its languages, texts, voices, speakers' ways of articulating,
identities, poses, lights, noises and signal-to-noise ratios all come from generators seeded with them. Any number
of worker processes makes the same batches, and training resumes exactly after a kill. Speech and pictures cost more
than mixing, so every set of utterances serves two batches, some time apart, with other noises and modalities.

Only training texts, training voices and training styles of speaking are ever drawn: test sentences, test voices, noise
voices and the reserved style stay unseen. Where motion banks are given, a share of the utterances is people's: their
sound, and their articulation on faces drawn as for the others. What is generated beside them draws from the same
generators as without, and without a bank every batch is the same to the byte.

Conventions
-----------
Mouth crops (T, 96, 96) uint8, audio (640 T,) float32 at 16 kHz, phone classes as in the recognizer (0 = blank).
Needs the ``[synth]`` extra.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.openhead.acoustics import change_vocal_tract
from mtbench.avsr.openhead.captured import vary_excerpt
from mtbench.avsr.openhead.training_faces import render_speaker
from mtbench.avsr.openhead.training_views import View, draw_views
from mtbench.timing import FPS, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.banks import ExcerptSource
    from mtbench.benchmarks import PhoneTime
    from mtbench.synth import Phone, Speech

#: Seconds; longer utterances cost more than they teach.
MIN_SECONDS, MAX_SECONDS = 1.2, 3.8
#: How often a language is drawn, where that is not once: those that are hard to tell apart by ear and eye need
#: more examples, easy ones fewer, so that the judge is about as good in all of them.
LANGUAGE_WEIGHTS = {
    "rus": 5.0, "ita": 5.0, "ara": 2.2, "por": 1.6, "hin": 1.6, "pol": 1.4, "cat": 1.2, "deu": 0.8, "ces": 0.7,
    "ell": 0.6, "spa": 0.6, "jpn": 0.6, "tha": 0.3,
}  # fmt: skip
#: How often a face follows the rules of articulation, which give a phone nearly one shape: submissions may, too.
RULES = 0.15
#: Faces of a batch that do not move.
STILLS = 2
#: Sets between the first and the second use of a set of utterances; many numbers of workers divide it.
REUSE_LAG = 12


@dataclass(frozen=True)
class Utterance:
    """One clip of a batch.

    Attributes
    ----------
    crops : (T, 96, 96) uint8
        Mouth crops.
    audio : (640 T,) float32
        Clean speech.
    labels : (n,) int64
        Phone classes in order.
    frames : (2 T,) int64
        Phone class of each 20-ms frame, 0 in pauses.
    language : str
        ISO 639-3.
    """

    crops: np.ndarray
    audio: np.ndarray
    labels: np.ndarray
    frames: np.ndarray
    language: str


@dataclass(frozen=True)
class Batch:
    """Utterances with several views each.

    Attributes
    ----------
    number : int
    utterances : tuple of Utterance
    views : tuple of View
        In the order of the utterances.
    stills : tuple of (T, 96, 96) uint8
        Mouth crops of faces that do not move, as long as the longest utterance.
    """

    number: int
    utterances: tuple[Utterance, ...]
    views: tuple[View, ...]
    stills: tuple[np.ndarray, ...]


class BatchGenerator:
    """Makes batches from a seed.

    Parameters
    ----------
    seed : int
        Of the whole training.
    size : int
        Utterances per batch; each has two views.
    languages : sequence of str
        ISO 639-3 codes to draw from.
    phones : sequence of str
        Inventory; class of phone *i* is *i + 1*.
    flame : float
        Share of the faces that is rendered on the registered FLAME template.
    captured : ExcerptSource, optional
        Motion banks to draw from too.
    captured_share : float
        Share of the utterances that is drawn from them.

    Raises
    ------
    PrerequisiteError
        If FLAME is asked for and none is registered.
    """

    def __init__(
        self,
        seed: int,
        size: int,
        languages: tuple[str, ...],
        phones: tuple[str, ...],
        flame: float = 0.0,
        captured: ExcerptSource | None = None,
        captured_share: float = 0.0,
    ) -> None:
        from mtbench.faces import load_head
        from mtbench.synth import UtteranceSource

        self.seed, self.size = seed, size
        self.languages = languages
        weights = np.array([LANGUAGE_WEIGHTS.get(code, 1.0) for code in languages])
        self._shares = weights / weights.sum()
        self._class = {p: i + 1 for i, p in enumerate(phones)}
        self._head = load_head()
        self._flame = flame
        self._captured, self._captured_share = captured, captured_share
        if flame:
            from mtbench.synth import load_transferred_head

            self._flame_head = load_transferred_head()
        self._source = UtteranceSource()
        self._sets: OrderedDict[int, tuple[Utterance, ...]] = OrderedDict()

    def make(self, number: int) -> Batch:
        """Return batch *number*."""
        utterances = self._utterances(number // 2 if number % 2 == 0 else max(0, number // 2 - REUSE_LAG))
        rng = np.random.Generator(np.random.PCG64([self.seed, 2, number]))
        views = draw_views(rng, utterances)
        longest = max(len(u.crops) for u in utterances)
        stills = tuple(self._draw_still(rng, utterances, longest) for _ in range(STILLS))
        return Batch(number, utterances, views, stills)

    def _utterances(self, number: int) -> tuple[Utterance, ...]:
        """Return set *number*; of about the same length, so that little is padded."""
        if number not in self._sets:
            rng = np.random.Generator(np.random.PCG64([self.seed, 1, number]))
            seconds = rng.uniform(MIN_SECONDS + 0.3, MAX_SECONDS - 0.4)
            captured = self._draw_captured(number, seconds)
            drawn = [None if i in captured else self._draw(rng, seconds) for i in range(self.size)]
            self._sets[number] = tuple(
                captured[i] if d is None else self._make_utterance(rng, *d) for i, d in enumerate(drawn)
            )
            while len(self._sets) > REUSE_LAG + 2:
                self._sets.popitem(last=False)
        return self._sets[number]

    def _draw_captured(self, number: int, seconds: float) -> dict[int, Utterance]:
        """Draw people's utterances of set *number*, by their places in it; none without a motion bank."""
        if self._captured is None:
            return {}
        rng = np.random.Generator(np.random.PCG64([self.seed, 3, number]))
        places = np.flatnonzero(rng.random(self.size) < self._captured_share)
        found = {}
        for place in places.tolist():
            excerpt = vary_excerpt(self._captured.draw(rng, seconds), rng)
            crops = self._render(rng, excerpt.curves)
            labels, frames = self._label(excerpt.phones, len(excerpt.curves))
            found[place] = Utterance(crops, excerpt.sound, labels, frames, excerpt.language)
        return found

    def _draw(self, rng: np.random.Generator, seconds: float) -> tuple[Speech, str]:
        """Draw speech of about *seconds* in a random language."""
        while True:
            language = self.languages[int(rng.choice(len(self.languages), p=self._shares))]
            for _ in range(4):
                speech = self._source.draw(rng, language, seconds)
                if rng.random() < 0.6:
                    speech = change_vocal_tract(speech, rng)
                length = len(speech.audio) / 16_000
                if MIN_SECONDS <= length <= MAX_SECONDS and abs(length - seconds) < 0.7:
                    return speech, language

    def _make_utterance(self, rng: np.random.Generator, speech: Speech, language: str) -> Utterance:
        t = -(-len(speech.audio) // SAMPLES_PER_FRAME)
        audio = np.zeros(t * SAMPLES_PER_FRAME, np.float32)
        audio[: len(speech.audio)] = speech.audio
        crops = self._render(rng, draw_curves(rng, speech.phones, t))
        labels, frames = self._label(speech.phones, t)
        return Utterance(crops, audio, labels, frames, language)

    def _draw_still(self, rng: np.random.Generator, utterances: Sequence[Utterance], t: int) -> np.ndarray:
        """Return (t, 96, 96) mouth crops of a face that does not move: held as it speaks, or at rest."""
        if rng.random() < 0.5:
            held = utterances[int(rng.integers(len(utterances)))].crops
            return np.repeat(held[int(rng.integers(len(held)))][None], t, 0)
        rest = np.zeros((t, len(self._head.unit_names)), np.float32)
        # Half of the heads at rest are quite still, half of them sway.
        return self._render(rng, rest) if rng.random() < 0.5 else np.repeat(self._render(rng, rest[:1]), t, 0)

    def _render(self, rng: np.random.Generator, curves: np.ndarray) -> np.ndarray:
        """Return (T, 96, 96) uint8 mouth crops of a random speaker, on the FLAME template now and then."""
        head = self._flame_head if self._flame and rng.random() < self._flame else self._head
        return render_speaker(rng, head, curves)

    def _label(self, phones: Sequence[Phone | PhoneTime], t: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes of *phones* in order, and that of each 20-ms frame of *t* video frames; pauses are 0."""
        labels = [self._class[p.symbol] for p in phones if p.symbol in self._class]
        frames = np.zeros(2 * t, np.int64)
        for p in phones:
            if p.symbol in self._class:
                first = round(p.start * 50)
                frames[first : max(round(p.end * 50), first + 1)] = self._class[p.symbol]
        return np.asarray(labels, np.int64), frames


def maker_of(number: int, workers: int) -> int:
    """Return which of *workers* makes batch *number*.

    Where their number divides :data:`REUSE_LAG`, it makes the other batch of the same utterances too.

    Examples
    --------
    >>> [maker_of(number, 2) for number in (0, 1, 2, 3, 4)]
    [0, 0, 1, 1, 0]
    """
    return number // 2 % workers


def draw_curves(rng: np.random.Generator, phones: Sequence[Phone], t: int) -> np.ndarray:
    """Return (t, U) float32 curves of a random speaker who says *phones*: in a style of training, or by the rules."""
    from mtbench.synth import TRAINING, TRAINING_STYLES, animate, animate_varied, draw_speaker, perturbed

    seed, rules, which = int(rng.integers(2**31)), rng.random() < RULES, rng.random()
    if rules:
        setting = perturbed(TRAINING[int(which * len(TRAINING))], rng)
        return animate(phones, t / FPS, setting, seed=seed)
    style = draw_speaker(TRAINING_STYLES[int(which * len(TRAINING_STYLES))], rng)
    return animate_varied(phones, t / FPS, style, seed=seed)
