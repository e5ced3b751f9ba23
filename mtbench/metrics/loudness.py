"""How loud speech is in each frame, and in which frames somebody speaks.

Conventions
-----------
Loudness is the root mean square of the samples in windows of :data:`WINDOW` seconds, one after another, each centred
on its time, the sound zero before its beginning and after its end; between windows it is interpolated linearly.
Speech are the stretches between the reference phones' pauses where the phones' times are known, from the frame in
which a stretch begins to that in which it ends, both counted; else the frames that are at most :data:`QUIET` decibels
less loud than the clip's 95th percentile. Silence are the stretches of other frames that last :data:`SILENCE` seconds
or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mtbench.metrics.base import FacePair
from mtbench.speech import TimedPhone
from mtbench.timing import SAMPLE_RATE

#: Seconds of a window.
WINDOW = 0.05
#: Decibels below the loud parts of a clip from which on nobody speaks.
QUIET = 30.0
#: Seconds that a silence lasts at least.
SILENCE = 0.3
#: What pauses are called.
_PAUSE = "sil"


def measure_loudness(samples: np.ndarray, frames: int, fps: float, rate: float = SAMPLE_RATE) -> np.ndarray:
    """Return the loudness at the time of each frame.

    Parameters
    ----------
    samples : (n,) floating point
        Mono.
    frames : int
        T.
    fps, rate : float
        Frames and samples per second.

    Returns
    -------
    (T,) float64
        In the unit of the samples.

    Raises
    ------
    ValueError
        Where there are no samples, or some that are not finite.

    Examples
    --------
    >>> measure_loudness(np.full(8000, 0.5), 3, fps=10.0).round(3).tolist()
    [0.354, 0.5, 0.5]
    """
    samples = np.asarray(samples, np.float64)
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
        raise ValueError(f"loudness needs finite mono samples (n,), not {samples.shape}")
    window = max(1, int(WINDOW * rate))
    padded = np.pad(samples**2, window // 2)
    count = max(1, 1 + (len(padded) - window) // window)
    padded = np.pad(padded, (0, max(0, count * window - len(padded))))
    each = np.sqrt(padded[: count * window].reshape(count, window).mean(axis=1))
    return np.interp(np.arange(frames) / fps, np.arange(count) * (window / rate), each)


def mark_stretches(stretches: Iterable[tuple[float, float]], frames: int, fps: float) -> np.ndarray:
    """Return which frames lie in *stretches* of time, the frames of their beginnings and ends included.

    Examples
    --------
    >>> mark_stretches([(0.1, 0.2)], 5, fps=10.0).tolist()
    [False, True, True, False, False]
    """
    marked = np.zeros(frames, bool)
    for start, end in stretches:
        marked[max(0, int(start * fps)) : int(end * fps) + 1] = True
    return marked


def join_phones(phones: Sequence[TimedPhone]) -> list[tuple[float, float]]:
    """Return beginning and end of each stretch of *phones* without a pause, seconds.

    Examples
    --------
    >>> from types import SimpleNamespace as P
    >>> said = [P(symbol=s, start=t, end=t + 1) for t, s in enumerate(["sil", "m", "a", "sil", "n"])]
    >>> join_phones(said)
    [(1, 3), (4, 5)]
    """
    stretches: list[tuple[float, float]] = []
    fresh = True
    for phone in phones:
        if phone.symbol == _PAUSE:
            fresh = True
            continue
        start = phone.start if fresh else stretches.pop()[0]
        stretches.append((start, phone.end))
        fresh = False
    return stretches


def find_speech(pair: FacePair) -> np.ndarray | None:
    """Return (T,) bool, the frames in which somebody speaks; None where neither phones nor sound are known.

    Examples
    --------
    >>> still = np.zeros((3, 1, 3))
    >>> loud = np.r_[np.zeros(3200), np.full(6400, 0.5)]
    >>> find_speech(FacePair(still, still, {}.get, fps=5.0, sound=lambda: loud)).tolist()
    [False, True, True]
    """
    frames = len(pair.prediction)
    if pair.phones is not None:
        return mark_stretches(join_phones(pair.phones()), frames, pair.fps)
    if pair.sound is None:
        return None
    loudness = measure_loudness(pair.sound(), frames, pair.fps)
    return loudness > np.percentile(loudness, 95) * 10 ** (-QUIET / 20)


def find_silence(speech: np.ndarray, fps: float, seconds: float = SILENCE) -> np.ndarray:
    """Return (T,) bool, the frames in stretches without *speech* that last *seconds* or more.

    Examples
    --------
    >>> find_silence(np.array([False, True, False, False, False, True]), fps=10.0).tolist()
    [False, False, True, True, True, False]
    """
    edges = np.flatnonzero(np.diff(np.r_[True, speech, True].astype(np.int8)))
    silent = np.zeros(len(speech), bool)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= seconds * fps:
            silent[start:end] = True
    return silent
