"""What a phone in time is, whoever says so: a file of a benchmark, a motion bank, a speech engine."""

from __future__ import annotations

from typing import Protocol


class TimedPhone(Protocol):
    """A phone or a pause with its time, in seconds from the beginning of the sound.

    That is what files of timed phones are written from, and what the articulation model reads.
    """

    @property
    def symbol(self) -> str:
        """Base IPA symbol, or a pause's: ``"sil"``."""
        ...

    @property
    def start(self) -> float:
        """Beginning; that of the closure for stops and nasals."""
        ...

    @property
    def end(self) -> float:
        """End; no later than the next phone's start."""
        ...

    @property
    def release(self) -> float | None:
        """When the closure opens, for stops and nasals; None for other phones, or where nobody knows."""
        ...
