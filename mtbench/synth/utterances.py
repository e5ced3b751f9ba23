"""What an engine said: sound with its phones and words in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtbench.synth.phones import SILENCE
from mtbench.timing import SAMPLE_RATE


@dataclass(frozen=True)
class Phone:
    """A phone or a pause with its time.

    Attributes
    ----------
    symbol : str
        Member of :data:`~mtbench.synth.phones.PHONES`, or ``"sil"``.
    start, end : float
        Seconds.
    release : float or None
        For stops and nasals the moment when the closure of the mouth, which begins at ``start``, opens; None
        for all other phones.
    """

    symbol: str
    start: float
    end: float
    release: float | None = None


@dataclass(frozen=True)
class Word:
    """A blank-separated token of the spoken text with its time.

    Attributes
    ----------
    index : int
        Number of the token in the text. The engine says some pairs as one ("of the"): then the second has no Word.
    text : str
        The token.
    start, end : float
        Seconds.
    phones : slice
        Its part of :attr:`Speech.phones`; pauses within are possible, at the ends they are not.
    fused : bool
        Whether the engine said the token as one with a neighbour, so that its phones may not be its own.
    """

    index: int
    text: str
    start: float
    end: float
    phones: slice
    fused: bool = False


@dataclass(frozen=True)
class Speech:
    """An utterance.

    Attributes
    ----------
    audio : (N,) float32
        Mono, 16 kHz.
    phones : tuple of Phone
        Phones without gaps from 0 to ``len(audio) / 16000``.
    words : tuple of Word
        Words in the order of the text.
    """

    audio: np.ndarray
    phones: tuple[Phone, ...]
    words: tuple[Word, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.audio) / SAMPLE_RATE

    @property
    def symbols(self) -> tuple[str, ...]:
        """Phones without times and pauses."""
        return tuple(p.symbol for p in self.phones if p.symbol != SILENCE)
