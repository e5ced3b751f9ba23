"""Random utterances for training: text, voice and speech in one call.

Conventions
-----------
See :mod:`mtbench.synth.espeak` for audio and phones. Everything follows from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mtbench.synth.espeak import Espeak
from mtbench.synth.phones import SILENCE
from mtbench.synth.texts import TrainingTexts
from mtbench.synth.utterances import Phone, Speech
from mtbench.synth.voices import Voice, draw_voice
from mtbench.timing import SAMPLE_RATE


class UtteranceSource:
    """Draws utterances in training voices from training texts.

    Parameters
    ----------
    path : Path, optional
        File of training texts, see :class:`~mtbench.synth.texts.TrainingTexts`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._texts = TrainingTexts(path)
        self._engine = Espeak()
        self._pace: dict[str, float] = {}

    def draw(
        self,
        rng: np.random.Generator,
        language: str,
        seconds: float | None = None,
        voice: Voice | None = None,
    ) -> Speech:
        """Draw an utterance.

        Parameters
        ----------
        rng : Generator
            Decides everything.
        language : str
            ISO 639-3.
        seconds : float, optional
            About how long; by default 1 to 5 s.
        voice : Voice, optional
            Who speaks; by default a training voice drawn at random.

        Returns
        -------
        Speech
            With 0.05 to 0.3 s of silence before and after, so that length is not position.
        """
        seconds = float(rng.uniform(1.2, 5.0)) if seconds is None else seconds
        voice = voice or draw_voice(rng, language)
        size = max(1, round((seconds - 0.3) / (self._pace_of(language) * 160 / voice.rate)))
        speech = self._engine.speak(self._texts.draw(language, rng, size), voice)
        return pad_speech(speech, float(rng.uniform(0.05, 0.25)), float(rng.uniform(0.05, 0.3)))

    def _pace_of(self, language: str) -> float:
        """Return the mean seconds per token at 160 words per minute, measured once on fixed texts."""
        if language not in self._pace:
            rng = np.random.Generator(np.random.PCG64(7))
            spoken = [
                self._engine.speak(self._texts.draw(language, rng, 8), Voice(language, "m1"))
                for _ in range(4)
            ]
            self._pace[language] = max(sum(s.duration for s in spoken) / (4 * 8), 0.15)
        return self._pace[language]


def pad_speech(speech: Speech, before: float, after: float) -> Speech:
    """Return *speech* with silence of *before* and *after* seconds (rounded to samples)."""
    lead, tail = round(before * SAMPLE_RATE), round(after * SAMPLE_RATE)
    audio = np.concatenate([np.zeros(lead, np.float32), speech.audio, np.zeros(tail, np.float32)])
    shift, total = lead / SAMPLE_RATE, len(audio) / SAMPLE_RATE
    moved = [
        Phone(p.symbol, p.start + shift, p.end + shift, None if p.release is None else p.release + shift)
        for p in speech.phones
    ]
    offset = 0
    if lead:
        if moved and moved[0].symbol == SILENCE:
            moved[0] = Phone(SILENCE, 0.0, moved[0].end)
        else:
            moved.insert(0, Phone(SILENCE, 0.0, shift))
            offset = 1
    if tail:
        if moved and moved[-1].symbol == SILENCE:
            moved[-1] = Phone(SILENCE, moved[-1].start, total)
        else:
            moved.append(Phone(SILENCE, shift + speech.duration, total))
    words = tuple(
        replace(
            w,
            start=w.start + shift,
            end=w.end + shift,
            phones=slice(w.phones.start + offset, w.phones.stop + offset),
        )
        for w in speech.words
    )
    return Speech(audio, tuple(moved), words)
