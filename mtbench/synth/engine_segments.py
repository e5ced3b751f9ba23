"""What a held-out engine says that it spoke: its own phones with their times, before they are mapped to ours.

Conventions
-----------
Audio is (N,) float32 mono at 16 kHz, -1..1; times are seconds from its first sample. Segments follow each other
without gaps from 0; a segment of a stop holds closure and burst.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Segment:
    """One phone of an engine, under the engine's own name.

    Attributes
    ----------
    name : str
        Name in the engine's phone set.
    start, end : float
        Seconds.
    stressed : bool
        Whether the engine stresses the syllable.
    token : int
        Index of the blank-separated token of the text that it belongs to; -1 for pauses.
    """

    name: str
    start: float
    end: float
    stressed: bool
    token: int


@dataclass(frozen=True)
class Recording:
    """What an engine gave back for one text.

    Attributes
    ----------
    audio : (N,) float32
        Mono, 16 kHz.
    segments : tuple of Segment
        Segments in order of time.
    """

    audio: np.ndarray
    segments: tuple[Segment, ...]


def join_ends(rows: list[tuple[str, float, bool, int]]) -> tuple[Segment, ...]:
    """Return segments of (name, end, stressed, token) rows; those without duration are left out."""
    segments = []
    start = 0.0
    for name, end, stressed, token in rows:
        if end > start:
            segments.append(Segment(name, start, end, stressed, token))
            start = end
    return tuple(segments)
