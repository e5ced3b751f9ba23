"""Parts of recordings between pauses, and new utterances joined from them.

Conventions
-----------
An excerpt begins and ends on a frame at 25 fps; its times are seconds from its own start. Its phones follow one another
from 0 to its end, pauses between them and at both ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtbench.benchmarks import PAUSE, PhoneTime
from mtbench.timing import FPS, SAMPLES_PER_FRAME

#: Seconds: a shorter pause is none to cut at, for a closure is as long.
LEAST_PAUSE = 0.16
#: Most seconds of pause that stay before and after a part.
MARGIN = 0.24
#: Frames of pause over which two parts are faded, at least and at most.
LEAST_FADE, MOST_FADE = 2, 6


@dataclass(frozen=True)
class Excerpt:
    """Somebody who speaks, for a few seconds.

    Attributes
    ----------
    speaker : str
    language : str
        ISO 639-3.
    source : str
        Recordings that it was taken from.
    curves : (T, U) float32
        Units of the bundled head.
    sound : (640 T,) float32
        Mono at 16 kHz.
    phones : tuple of PhoneTime
        Without gaps, pauses included.
    """

    speaker: str
    language: str
    source: str
    curves: np.ndarray
    sound: np.ndarray
    phones: tuple[PhoneTime, ...]

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.curves) / FPS

    @property
    def symbols(self) -> tuple[str, ...]:
        """Phones without times and pauses."""
        return tuple(p.symbol for p in self.phones if p.symbol != PAUSE)

    @property
    def pauses(self) -> tuple[float, float]:
        """Seconds of pause at the start and at the end."""
        if not self.symbols:
            return self.seconds, self.seconds
        said = [p for p in self.phones if p.symbol != PAUSE]
        return said[0].start, self.seconds - said[-1].end


def trim_excerpt(excerpt: Excerpt, first: int, last: int) -> Excerpt:
    """Return frames *first* to *last* (not included) of *excerpt*; phones that lie less than half in them are left out.

    Raises
    ------
    ValueError
        For no frames, or more than there are.
    """
    if not 0 <= first < last <= len(excerpt.curves):
        raise ValueError(f"frames {first} to {last} of {len(excerpt.curves)}")
    start, end = first / FPS, last / FPS
    kept = [
        replace(
            p,
            start=max(p.start, start) - start,
            end=min(p.end, end) - start,
            release=None if p.release is None else min(max(p.release, start), end) - start,
        )
        for p in excerpt.phones
        if p.symbol != PAUSE and start <= (p.start + p.end) / 2 < end
    ]
    return replace(
        excerpt,
        curves=excerpt.curves[first:last],
        sound=excerpt.sound[first * SAMPLES_PER_FRAME : last * SAMPLES_PER_FRAME],
        phones=fill_pauses(kept, end - start),
    )


def fill_pauses(phones: Sequence[PhoneTime], seconds: float) -> tuple[PhoneTime, ...]:
    """Return *phones*, none of them pauses, with pauses wherever nothing is said from 0 to *seconds*.

    Examples
    --------
    >>> [p.symbol for p in fill_pauses([PhoneTime("a", 0.1, 0.2), PhoneTime("m", 0.2, 0.3)], 0.5)]
    ['sil', 'a', 'm', 'sil']
    """
    filled: list[PhoneTime] = []
    now = 0.0
    for phone in [*phones, PhoneTime(PAUSE, seconds, seconds)]:
        if phone.start > now + 1e-6:
            filled.append(PhoneTime(PAUSE, now, phone.start))
        if phone.symbol != PAUSE:
            filled.append(phone)
        now = max(now, phone.end)
    return tuple(filled)


def cut_at_pauses(whole: Excerpt, longest: float) -> list[Excerpt]:
    """Return the parts of *whole* that pauses separate, in order, each with some of the pause around it.

    Parameters
    ----------
    whole : Excerpt
        A recording.
    longest : float
        Seconds; what is said for longer without a pause is cut between two phones, where the sound is faintest.
    """
    said = [p for p in whole.phones if p.symbol != PAUSE]
    runs: list[list[PhoneTime]] = []
    for phone in said:
        if runs and phone.start - runs[-1][-1].end < LEAST_PAUSE:
            runs[-1].append(phone)
        else:
            runs.append([phone])
    parts = []
    for i, run in enumerate(runs):
        before = runs[i - 1][-1].end if i else 0.0
        after = runs[i + 1][0].start if i + 1 < len(runs) else whole.seconds
        start = max(run[0].start - MARGIN, (before + run[0].start) / 2)
        end = min(run[-1].end + MARGIN, (run[-1].end + after) / 2)
        first, last = round(start * FPS), min(round(end * FPS), len(whole.curves))
        if last > first:
            parts += _halve(trim_excerpt(whole, first, last), longest)
    return [part for part in parts if part.symbols]


def _halve(part: Excerpt, longest: float) -> list[Excerpt]:
    """Cut *part* where the sound is faintest in its middle half, until all are short enough."""
    said = [p for p in part.phones if p.symbol != PAUSE]
    quarter = part.seconds / 4
    places = sorted({round(p.start * FPS) for p in said[1:] if quarter <= p.start <= 3 * quarter})
    if part.seconds <= longest or not places:
        return [part]
    level = np.square(part.sound).reshape(-1, SAMPLES_PER_FRAME).mean(1)
    place = min(places, key=lambda t: level[max(t - 1, 0) : t + 1].mean())
    return _halve(trim_excerpt(part, 0, place), longest) + _halve(
        trim_excerpt(part, place, len(part.curves)), longest
    )


def can_join(before: Excerpt, after: Excerpt) -> bool:
    """Whether the two are of one speaker and language, and the pauses between them leave room for a fade."""
    same = (before.speaker, before.language) == (after.speaker, after.language)
    return same and _count_fade(before, after) >= LEAST_FADE


def _count_fade(before: Excerpt, after: Excerpt) -> int:
    return min(int(before.pauses[1] * FPS + 1e-6), int(after.pauses[0] * FPS + 1e-6), MOST_FADE)


def join_excerpts(parts: Sequence[Excerpt]) -> Excerpt:
    """Return one utterance of *parts*: curves and sound are faded into one another where both pause.

    Raises
    ------
    ValueError
        For parts of different speakers or languages, or without a pause to fade in.
    """
    joined = parts[0]
    for part in parts[1:]:
        if not can_join(joined, part):
            raise ValueError(f"{joined.source} and {part.source} have no common speaker, or no pause between")
        joined = _join(joined, part, _count_fade(joined, part))
    return joined


def _join(before: Excerpt, after: Excerpt, fade: int) -> Excerpt:
    rising = ((np.arange(fade) + 0.5) / fade).astype(np.float32)[:, None]
    n = fade * SAMPLES_PER_FRAME
    # Two pauses are two noises: their powers add up, not their amplitudes.
    angle = ((np.arange(n) + 0.5) / n * (np.pi / 2)).astype(np.float32)
    shift = before.seconds - fade / FPS
    moved = [
        replace(
            p,
            start=p.start + shift,
            end=p.end + shift,
            release=None if p.release is None else p.release + shift,
        )
        for p in after.phones
        if p.symbol != PAUSE
    ]
    curves = np.concatenate(
        [
            before.curves[:-fade],
            (1 - rising) * before.curves[-fade:] + rising * after.curves[:fade],
            after.curves[fade:],
        ]
    )
    sound = np.concatenate(
        [
            before.sound[:-n],
            np.cos(angle) * before.sound[-n:] + np.sin(angle) * after.sound[:n],
            after.sound[n:],
        ]
    )
    said = [p for p in before.phones if p.symbol != PAUSE]
    names = dict.fromkeys([*before.source.split("+"), *after.source.split("+")])
    return replace(
        before,
        source="+".join(names),
        curves=curves,
        sound=sound,
        phones=fill_pauses([*said, *moved], len(curves) / FPS),
    )


def cut_segments(whole: Excerpt, shortest: float = 2.0, longest: float = 4.0) -> list[Excerpt]:
    """Return what is said in *whole*, in order, in pieces long enough to be told from one another.

    Parameters
    ----------
    whole : Excerpt
        A recording.
    shortest : float
        Seconds up to which a part between two pauses is joined with the next, the pause shortened. What is said before
        a pause that leaves no room to join, or at the end, may be shorter: nothing is left out.
    longest : float
        Seconds that no piece exceeds, as far as there is a place to cut.
    """
    pieces: list[Excerpt] = []
    for part in cut_at_pauses(whole, longest):
        if pieces and pieces[-1].seconds < shortest and can_join(pieces[-1], part):
            joined = join_excerpts([pieces[-1], part])
            if joined.seconds <= longest:
                pieces[-1] = joined
                continue
        pieces.append(part)
    return pieces
