"""Utterances drawn from a bank: whole passages, and new ones joined from parts of one speaker.

Conventions
-----------
What is drawn is a function of the bank and the generator that it is drawn with. Only recordings of one split are ever
read, by default those that may be trained on. Parts of different speakers or languages are never joined.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mtbench.banks.excerpts import Excerpt, can_join, cut_at_pauses, fill_pauses, join_excerpts
from mtbench.benchmarks import PAUSE
from mtbench.errors import BankError, list_some
from mtbench.timing import FPS

if TYPE_CHECKING:
    from mtbench.banks.bank import MotionBank
    from mtbench.banks.recording import Recording

#: How often an utterance is joined from parts that did not follow one another.
RECOMBINED = 0.5
#: Parts of an utterance, at most.
MOST_PARTS = 12


def read_whole(recording: Recording) -> Excerpt:
    """Return a recording from its first frame to its last.

    Raises
    ------
    BankError
        Where one of its files is damaged or does not fit the others.
    """
    sound = recording.read_sound()
    seconds = len(sound) / 16_000
    phones = [p for p in recording.read_phones(seconds) if p.symbol != PAUSE]
    curves = recording.read_curves(round(seconds * FPS))
    return Excerpt(
        recording.speaker, recording.language, recording.id, curves, sound, fill_pauses(phones, seconds)
    )


def _read_known(recording: Recording, phones: Collection[str]) -> Excerpt:
    """Return a recording whose phones are all among *phones*."""
    whole = read_whole(recording)
    if unknown := sorted({*whole.symbols} - {*phones}):
        raise BankError(
            f"{recording.phones_path}: phones that the recognizer does not know: {list_some(unknown)}; it "
            f"knows {' '.join(phones)}. Perhaps stress, length or tones were kept"
        )
    return whole


class ExcerptSource:
    """Draws utterances from banks.

    Parameters
    ----------
    banks : sequence of MotionBank
        Speakers of different banks are different people, whatever their names.
    phones : collection of str
        The phones that may occur.
    longest : float
        Most seconds of an utterance.
    split : str
        Which recordings: ``"train"`` or ``"development"``.

    Raises
    ------
    BankError
        Where the split has no recording, a file is damaged, or a phone is none of *phones*.
    """

    def __init__(
        self, banks: Sequence[MotionBank], phones: Collection[str], longest: float, split: str = "train"
    ) -> None:
        self.longest = longest
        #: Parts of each recording, in order.
        self.parts: list[list[Excerpt]] = []
        for bank in banks:
            recordings = bank.split(split)
            if not recordings:
                raise BankError(
                    f"{bank.folder}: no recording has split = {split!r}; give it to some in bank.toml"
                )
            for recording in recordings:
                whole = _read_known(recording, phones)
                whole = replace(whole, speaker=f"{bank.name}/{whole.speaker}")
                # A part longer than can be drawn is one that had no place to cut it.
                parts = [p for p in cut_at_pauses(whole, longest) if p.seconds <= longest]
                if parts:
                    self.parts.append(parts)
        if not self.parts:
            raise BankError(
                f"{banks[0].folder}: nothing that is said in at most {longest:g} s is in its recordings"
            )
        self._counts = np.array([len(parts) for parts in self.parts])

    @property
    def seconds(self) -> float:
        """How much there is to draw from."""
        return sum(part.seconds for parts in self.parts for part in parts)

    def draw(self, rng: np.random.Generator, seconds: float) -> Excerpt:
        """Draw an utterance of about *seconds*, at most ``longest``; shorter where its speaker said no more.

        Half of them are passages as they were spoken, pauses shortened, as far as the recording goes; the others, and
        what lacks at its end, are joined from parts of all of the speaker's recordings in one language.
        """
        row = int(rng.choice(len(self.parts), p=self._counts / self._counts.sum()))
        at = int(rng.integers(len(self.parts[row])))
        chosen = self.parts[row][at]
        spoken = (chosen.speaker, chosen.language)
        own = [
            part for parts in self.parts if (parts[0].speaker, parts[0].language) == spoken for part in parts
        ]
        recombined = rng.random() < RECOMBINED
        for _ in range(MOST_PARTS):
            if chosen.seconds >= seconds:
                break
            at += 1
            last = at >= len(self.parts[row])
            following = own[int(rng.integers(len(own)))] if recombined or last else self.parts[row][at]
            if not can_join(chosen, following):
                continue
            longer = join_excerpts([chosen, following])
            if longer.seconds > self.longest:
                break
            chosen = longer
        return chosen
