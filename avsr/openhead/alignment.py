"""When each phone of a known utterance is said: the recognizer's ear, held to the pace of a speech engine.

The recognizer was trained to tell which phones follow one another, not when: most frames of its answer are blank, and
of people it misses many. A speech engine knows how long phones last beside one another, though not in this mouth. An
alignment gives every frame of the utterance to one phone, in order, so that phones lie where they were heard and not
far from where the engine has them once its utterance is stretched to the length of this one.

Conventions
-----------
Times are seconds; frames of the recognizer last 20 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mtbench.benchmarks import PhoneTime

_FRAMES = 50
#: Fewest frames of a phone, where there is time for it; one where there is not.
_SHORTEST = 2
#: What hearing nothing in particular counts beside hearing the phone.
_BLANK = 0.02


def align_phones(
    log_probs: np.ndarray,
    classes: Sequence[int],
    engine: Sequence[PhoneTime],
    start: float,
    end: float,
    loose: float = 0.06,
) -> tuple[PhoneTime, ...]:
    """Return the phones of *engine* with the times at which they are said between *start* and *end*.

    Parameters
    ----------
    log_probs : (F, P) float
        What the recognizer heard in each frame of the recording; class 0 is the blank.
    classes : sequence of int
        Class of each phone.
    engine : sequence of PhoneTime
        The same phones as a speech engine says them, without pauses, at any time and pace.
    start, end : float
        When the utterance begins and ends.
    loose : float
        Seconds that a phone may well be from where the engine's pace puts it.

    Returns
    -------
    tuple of PhoneTime
        Without gaps from *start* to *end*; releases keep their place within the phone.

    Raises
    ------
    ValueError
        Where there is no phone, or the time is too short for so many.
    """
    first, last = round(start * _FRAMES), min(round(end * _FRAMES), len(log_probs))
    count, n = last - first, len(classes)
    if not n or n != len(engine) or count < n:
        raise ValueError(f"{n} phones in {count} frames of 20 ms")
    begun, ended = engine[0].start, engine[-1].end
    stretch = (end - start) / (ended - begun)
    middles = np.array([((p.start + p.end) / 2 - begun) * stretch for p in engine])
    halves = np.array([(p.end - p.start) / 2 * stretch for p in engine])
    heard = np.exp(log_probs[first:last, list(classes)]) + _BLANK * np.exp(log_probs[first:last, :1])
    moments = (np.arange(count) + 0.5) / _FRAMES
    # Free where the engine has the phone, and dearer with the distance from there.
    away = np.maximum(np.abs(moments[:, None] - middles) - halves, 0) / loose
    shortest = _SHORTEST if count >= n * _SHORTEST else 1
    owner = _assign(np.log(np.maximum(heard, 1e-8)) - 0.5 * np.square(away), shortest)
    edges = [start, *(start + float(np.argmax(owner == k)) / _FRAMES for k in range(1, n)), end]
    phones = []
    for phone, a, b in zip(engine, edges, edges[1:]):
        share = None if phone.release is None else (phone.release - phone.start) / (phone.end - phone.start)
        phones.append(replace(phone, start=a, end=b, release=None if share is None else a + share * (b - a)))
    return tuple(phones)


def _assign(scores: np.ndarray, shortest: int) -> np.ndarray:
    """Return for each of F frames which of N phones it is of, (F,) int: in order, best in sum.

    A phone is *shortest* states in a row, of which only the last may last.
    """
    frames, n = scores.shape
    scores = scores.repeat(shortest, axis=1)
    states = n * shortest
    lasting = np.where(np.arange(states) % shortest == shortest - 1, 0.0, -np.inf)
    best = np.full(states, -np.inf)
    best[0] = scores[0, 0]
    moved = np.zeros((frames, states), bool)
    for t in range(1, frames):
        before, stayed = np.append(-np.inf, best[:-1]), best + lasting
        moved[t] = before > stayed
        best = np.maximum(before, stayed) + scores[t]
    owner = np.full(frames, states - 1)
    for t in range(frames - 1, 0, -1):
        owner[t - 1] = owner[t] - moved[t, owner[t]]
    return owner // shortest
