"""Batches for training a speech encoder: generated speech, its sound features and its phones.

A batch is a pure function of (seed, number), whoever makes it.

Conventions
-----------
Sound is 16 kHz mono, T frames have 640 T samples, phones stand on a grid of 20 ms; class 0 is a pause. Only training
texts and training voices are drawn. Needs the extra ``[synth]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from mtbench.avsr.openhead import change_channel, change_vocal_tract, compute_logmel, mix
from mtbench.learning import Averaging, RunSettings, Schedule
from mtbench.timing import SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.synth import Speech, UtteranceSource

#: Seconds of an utterance; those of a batch differ by less than twice the tolerance, so that little is padded.
MIN_SECONDS, MAX_SECONDS, TOLERANCE = 1.2, 3.8, 0.7


@dataclass(frozen=True)
class EncoderTraining:
    """What determines a run.

    Attributes
    ----------
    languages : tuple of str
        ISO 639-3 codes to draw from, all equally often.
    steps : int
        Of the optimizer; the learning rate falls to zero over them.
    seed : int
        Of weights and batches.
    batch : int
        Utterances a step.
    learning_rate, warmup
        Its peak, and the steps up to it.
    averaging : float
        Decay of the running average of the weights.
    checkpoint_every : int
        Steps between checkpoints.
    """

    languages: tuple[str, ...] = ("eng",)
    steps: int = 1000
    seed: int = 1
    batch: int = 16
    learning_rate: float = 2e-3
    warmup: int = 100
    averaging: float = 0.99
    checkpoint_every: int = 100

    def run_settings(self) -> RunSettings:
        """Return the numbers of the training loop, as the recognizer's are."""
        return RunSettings(
            seed=self.seed,
            schedule=Schedule(self.learning_rate, self.steps, self.warmup),
            averaging=Averaging(self.averaging, ramp=(2, 21)),
            clip=2.0,
            weight_decay=1e-2,
            betas=(0.9, 0.98),
            checkpoint_every=self.checkpoint_every,
            log_last=True,
            log_next_rate=True,
        )


@dataclass(frozen=True)
class SpeechBatch:
    """B utterances of at most T frames, padded.

    Attributes
    ----------
    logmel : (B, T, 320) float32
    lengths : (B,) int64
        Frames of 40 ms.
    labels : (sum of label_lengths,) int64
        Phone classes, one utterance after another.
    label_lengths : (B,) int64
    frames : (B, 2 T) int64
        Phone class of each 20 ms, 0 in pauses, -1 past the end.
    """

    logmel: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor
    label_lengths: torch.Tensor
    frames: torch.Tensor


@lru_cache(maxsize=1)
def _source() -> UtteranceSource:
    from mtbench.synth import UtteranceSource

    return UtteranceSource()


def make_batch(config: EncoderTraining, number: int) -> SpeechBatch:
    """Return batch *number* of a run.

    Most utterances pass through another vocal tract and a channel; two in five lie under noise, as the recognizer's did
    when its picture was withheld. Bands and a span of time of the features are blotted out (SpecAugment).
    """
    rng = np.random.Generator(np.random.PCG64([config.seed, 23, number]))
    seconds = rng.uniform(MIN_SECONDS + 0.3, MAX_SECONDS - 0.4)
    drawn = [_draw(rng, config.languages, seconds) for _ in range(config.batch)]
    sounds = [_fill_frames(speech.audio) for speech in drawn]
    lengths = [len(sound) // SAMPLES_PER_FRAME for sound in sounds]
    longest = max(lengths)
    logmel = torch.zeros(config.batch, longest, 320)
    frames = torch.full((config.batch, 2 * longest), -1)
    labels = []
    for i, (speech, sound) in enumerate(zip(drawn, sounds, strict=True)):
        snr = None if rng.random() < 0.6 else rng.uniform(-5, 20)
        others = [other for j, other in enumerate(sounds) if j != i]
        x = compute_logmel(mix(rng, change_channel(sound, rng), others, snr if others else None))
        _blot(rng, x)
        logmel[i, : lengths[i]] = x
        symbols, each = label_phones(speech, lengths[i])
        labels.append(torch.from_numpy(symbols))
        frames[i, : 2 * lengths[i]] = torch.from_numpy(each)
    counts = torch.tensor([len(x) for x in labels])
    return SpeechBatch(logmel, torch.tensor(lengths), torch.cat(labels), counts, frames)


def _draw(rng: np.random.Generator, languages: Sequence[str], seconds: float) -> Speech:
    while True:
        speech = _source().draw(rng, languages[int(rng.integers(len(languages)))], seconds)
        if rng.random() < 0.6:
            speech = change_vocal_tract(speech, rng)
        length = len(speech.audio) / 16_000
        if MIN_SECONDS <= length <= MAX_SECONDS and abs(length - seconds) < TOLERANCE:
            return speech


def _fill_frames(audio: np.ndarray) -> np.ndarray:
    """Return *audio* with zeros to a whole number of frames."""
    return np.pad(audio.astype(np.float32), (0, -len(audio) % SAMPLES_PER_FRAME))


def _blot(rng: np.random.Generator, logmel: torch.Tensor) -> None:
    """Blot out two bands and a span of the features (T, 320), in place."""
    bands = logmel.view(-1, 80)
    for _ in range(2):
        low, width = int(rng.integers(72)), int(rng.integers(9))
        bands[:, low : low + width] = 0
    start, span = int(rng.integers(len(logmel))), int(rng.integers(6))
    logmel[start : start + span] = 0


def label_phones(speech: Speech, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the phone classes of *speech* in order, (n,), and of each 20 ms, (2 * frames,), 0 in pauses."""
    from mtbench.synth import PHONES

    classes = {phone: i + 1 for i, phone in enumerate(PHONES)}
    spoken = [p for p in speech.phones if p.symbol in classes]
    each = np.zeros(2 * frames, np.int64)
    for p in spoken:
        start = round(p.start * 50)
        each[start : max(round(p.end * 50), start + 1)] = classes[p.symbol]
    return np.array([classes[p.symbol] for p in spoken], np.int64), each
