"""Closure recall and false closures: whether the lips are shut where p, b and m are said, and only there.

Conventions
-----------
Lips are shut in a frame whose aperture (:mod:`mtbench.metrics.lip_gap`) is at most :data:`SHUT` millimetres above
that of the speaker's resting face. A p, b or m is closed where the lips are shut in any frame from the beginning of
its closure to its release (to its end where nobody knows the release), half a frame more on either side. An open
vowel (:data:`OPEN_VOWELS`) is closed falsely where they are shut in any frame of its middle half, or in the frame
nearest its middle where none lies there. Over clips, counts are added. Always read the pair: *recall that is raised
by chattering on vowels is no improvement*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mtbench.metrics.base import FacePair, GeometricMetric
from mtbench.metrics.lip_gap import aperture_of
from mtbench.speech import TimedPhone

#: Millimetres above the resting face's aperture up to which lips are shut.
SHUT = 2.0
#: Phones that are made with both lips shut, and vowels that are made with an open mouth.
BILABIALS = frozenset("pbm")
OPEN_VOWELS = frozenset("aɑɒæɐ")


def count_closures(shut: np.ndarray, phones: Iterable[TimedPhone], fps: float) -> tuple[int, int]:
    """Return how many p, b and m are closed, and how many there are.

    Parameters
    ----------
    shut : (T,) bool
        Whether the lips are shut in a frame.
    phones : iterable of TimedPhone
        In the clip.
    fps : float
        Frames per second.

    Examples
    --------
    >>> from types import SimpleNamespace as P
    >>> p = P(symbol="p", start=0.1, end=0.3, release=0.2)
    >>> count_closures(np.array([0, 0, 1, 0], bool), [p], 10.0), count_closures(np.array([0, 0, 0, 1], bool), [p], 10.0)
    ((1, 1), (0, 1))
    """
    closed = [
        bool(
            shut[_frames(phone.start, phone.end if phone.release is None else phone.release, 0.5, fps)].any()
        )
        for phone in phones
        if phone.symbol in BILABIALS
    ]
    return sum(closed), len(closed)


def count_false_closures(shut: np.ndarray, phones: Iterable[TimedPhone], fps: float) -> tuple[int, int]:
    """Return in how many open vowels the lips are shut, and how many there are.

    Parameters are those of :func:`count_closures`.

    Examples
    --------
    >>> from types import SimpleNamespace as P
    >>> a = P(symbol="a", start=0.0, end=0.4, release=None)
    >>> count_false_closures(np.array([1, 0, 0, 0], bool), [a], 10.0), count_false_closures(np.ones(4, bool), [a], 10.0)
    ((0, 1), (1, 1))
    """
    closed = []
    for phone in phones:
        if phone.symbol in OPEN_VOWELS:
            quarter = 0.25 * (phone.end - phone.start)
            frames = _frames(phone.start + quarter, phone.end - quarter, 0.0, fps)
            if not shut[frames].size:
                middle = round(0.5 * (phone.start + phone.end) * fps)
                frames = slice(min(middle, len(shut) - 1), min(middle, len(shut) - 1) + 1)
            closed.append(bool(shut[frames].any()))
    return sum(closed), len(closed)


def _frames(start: float, end: float, margin: float, fps: float) -> slice:
    """Return the frames whose times lie from *start* to *end*, *margin* frames more on either side."""
    first = int(np.ceil(start * fps - margin - 1e-9))
    return slice(max(0, first), max(0, int(np.floor(end * fps + margin + 1e-9)) + 1))


def _look(pair: FacePair) -> tuple[np.ndarray, Sequence[TimedPhone]] | None:
    """Return which frames are shut, and the phones; None where the resting face or the phones are not known."""
    if pair.template is None or pair.phones is None:
        return None
    rest = float(aperture_of(pair, pair.template[None])[0])
    return aperture_of(pair, pair.prediction) <= rest + SHUT, pair.phones()


def _count(pair: FacePair, count: Any, which: int) -> float | None:
    seen = _look(pair)
    return None if seen is None else float(count(*seen, pair.fps)[which])


_SHARED: dict[str, Any] = {
    "unit": "%",
    "scale": 100.0,
    "aggregation": "corpus",
    "overall": "corpus",
    "needs_truth": False,
    "from_template": True,
    "region": "lip-aperture",
    "optional": True,
}

DEFINES = (
    GeometricMetric(
        name="closure_recall",
        title="closed p, b and m",
        higher_is_better=True,
        order=48,
        statistic="closures_made",
        measure=lambda pair: _count(pair, count_closures, 0),
        per="closures",
        measure_per=lambda pair: _count(pair, count_closures, 1),
        absent="no timed phones, no resting face of the speaker, or no p, b and m",
        error="closed@2mm",
        label="Closure recall",
        definition=f"share of the reference's p, b and m during whose closure (half a frame more on either side) the "
        f"aperture falls to {SHUT:g} mm above the resting face's, or lower",
        source="this toolkit, after a rule of a lip driver's test bench for Hindi and English; any language with timed "
        "phones",
        failures="Lips that are always shut reach 100 %: read it with `false_closures`. The true lips miss some, "
        "too; a resting face of another identity shifts the threshold.",
        **_SHARED,
    ),
    GeometricMetric(
        name="false_closures",
        title="lips shut on open vowels",
        order=49,
        statistic="vowels_shut",
        measure=lambda pair: _count(pair, count_false_closures, 0),
        per="open_vowels",
        measure_per=lambda pair: _count(pair, count_false_closures, 1),
        absent="no timed phones, no resting face of the speaker, or no open vowels",
        error="shut@2mm",
        label="False closures",
        definition="share of the reference's open vowels (a ɑ ɒ æ ɐ) in whose middle half the lips are shut in "
        "any frame, by the same threshold",
        source="this toolkit; the other half of the pair",
        failures="Short unstressed vowels between lip sounds are shut in the truth, too; lips that never close "
        "have none: read it with `closure_recall`.",
        **_SHARED,
    ),
)
