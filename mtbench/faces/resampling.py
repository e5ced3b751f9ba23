"""Bringing motion of another frame rate to the benchmark's 25 frames per second.

Conventions
-----------
Frame *t* shows the interval ``[t / fps, (t + 1) / fps)`` and stands for its center, ``(t + 1/2) / fps``. The path
of every coordinate is taken for a cubic spline in time, which is read at the centers of the new frames. Up to
:data:`FIT_FROM` frames per second the spline goes through every frame given. Above, it has one knot per new
frame and comes closest to the frames given in the sense of least squares: what is faster than 12.5 Hz cannot be
held by 25 frames per second, and would come back as slow motion that nobody made. Constant and linear motion
stays exact; a sinusoid of up to 6 Hz is off by less than 3 % of its amplitude from any rate in :data:`RATES`, but for
the three frames at either end, where it may be 5 %.

Sums run in a fixed order and without a linear algebra library, so that every machine gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mtbench.timing import FPS

#: Name of the method in signatures; another version gives other numbers.
METHOD = "spline-1"
#: Rates in use, for telling a wrong one.
RATES = (24.0, 25.0, 29.97, 30.0, 48.0, 50.0, 59.94, 60.0, 100.0, 120.0)
#: Lowest and highest rate that is taken: below, too few frames show a closed mouth.
MIN_FPS, MAX_FPS = 20.0, 120.0
#: Rate from which on frames are more than the spline's knots.
FIT_FROM = 1.5 * FPS
#: Weight of the knots' third (of few frames: second) differences: settles what frames leave open at the ends.
_STIFFNESS = 1e-6
#: Columns that are worked on at once, for the processor's cache.
_COLUMNS = 4096


@dataclass(frozen=True)
class _Plan:
    """How the knots follow from the frames, and the new frames from the knots.

    Attributes
    ----------
    first, weights : list of int, list of 4-tuple
        For each frame given: its first knot, and what the four knots from there on have in it.
    factor : list of list of float
        Row *i* of the Cholesky factor of the normal equations, columns *i* - 3 to *i*.
    read_first, read_weights : list of int, list of 4-tuple
        The same as *first* and *weights*, for each new frame.
    """

    first: list[int]
    weights: list[tuple[float, ...]]
    factor: list[list[float]]
    read_first: list[int]
    read_weights: list[tuple[float, ...]]


def count_frames(frames: int, fps: float) -> int:
    """Return how many frames at 25 fps *frames* at *fps* cover the centers of, at least 1.

    Examples
    --------
    >>> count_frames(60, 60), count_frames(233, 60)
    (25, 97)
    """
    return max(1, math.floor(frames * FPS / fps + 0.5 + 1e-9))


def describe_resampling(fps: float) -> str | None:
    """Return how motion of *fps* is brought to 25, as signatures have it; None for 25.

    Examples
    --------
    >>> describe_resampling(29.97)
    '29.97>25/spline-1'
    """
    return None if fps == FPS else f"{fps:g}>{FPS}/{METHOD}"


def resample_motion(motion: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """Return *motion* at 25 frames per second.

    Parameters
    ----------
    motion : (S, ...) float32
        Positions at *fps*; rotations are to be posed first.
    fps : float
        Frames per second, from :data:`MIN_FPS` to :data:`MAX_FPS`; at 25 frames are cut or the last one
        repeated, no more.
    frames : int
        T, wanted frames at 25 fps.

    Returns
    -------
    (T, ...) float32
        What lies beyond the end of the motion holds its last moment.

    Raises
    ------
    ValueError
        For no frames, or a rate out of range.

    Examples
    --------
    >>> ramp = ((np.arange(60) + 0.5) / 60)[:, None].astype(np.float32)
    >>> resample_motion(ramp, 60, 25)[:3, 0].round(6).tolist()
    [0.019999999552965164, 0.05999999865889549, 0.10000000149011612]
    """
    if not len(motion) or frames < 1:
        raise ValueError(f"{len(motion)} frames cannot be brought to {frames}")
    if not MIN_FPS <= fps <= MAX_FPS:
        raise ValueError(f"{fps:g} fps, expected {MIN_FPS:g} to {MAX_FPS:g}")
    if fps == FPS or len(motion) == 1:
        return np.ascontiguousarray(motion[np.minimum(np.arange(frames), len(motion) - 1)], np.float32)
    plan = _plan(len(motion), float(fps), frames)
    flat = motion.reshape(len(motion), -1)
    out = np.empty((frames, flat.shape[1]), np.float32)
    for start in range(0, flat.shape[1], _COLUMNS):
        part = slice(start, start + _COLUMNS)
        knots = _solve(plan, flat[:, part])
        for t, (first, weights) in enumerate(zip(plan.read_first, plan.read_weights, strict=True)):
            out[t, part] = _blend(knots, first, weights)
    return out.reshape(frames, *motion.shape[1:])


def _blend(knots: np.ndarray, first: int, weights: tuple[float, ...]) -> np.ndarray:
    total = weights[0] * knots[first]
    for k in (1, 2, 3):
        total = total + weights[k] * knots[first + k]
    return total


def _solve(plan: _Plan, frames: np.ndarray) -> np.ndarray:
    """Return the knots (M, N) float64 of *frames* (S, N): forward and back substitution, row by row."""
    count = len(plan.factor)
    knots = np.zeros((count, frames.shape[1]))
    for frame, first, weights in zip(frames, plan.first, plan.weights, strict=True):
        values = frame.astype(np.float64)
        for k in range(4):
            knots[first + k] += weights[k] * values
    for i in range(count):
        for back in range(1, min(i, 3) + 1):
            knots[i] -= plan.factor[i][3 - back] * knots[i - back]
        knots[i] /= plan.factor[i][3]
    for i in reversed(range(count)):
        for ahead in range(1, min(count - 1 - i, 3) + 1):
            knots[i] -= plan.factor[i + ahead][3 - ahead] * knots[i + ahead]
        knots[i] /= plan.factor[i][3]
    return knots


@lru_cache(maxsize=64)
def _plan(given: int, fps: float, frames: int) -> _Plan:
    rate = fps if fps < FIT_FROM else float(FPS)
    pieces = max(1, math.ceil(given * rate / fps - 1e-9) - 1)
    first, weights = _place([(i + 0.5) / fps for i in range(given)], rate, pieces)
    end = given / fps
    read_first, read_weights = _place([min((t + 0.5) / FPS, end) for t in range(frames)], rate, pieces)
    return _Plan(first, weights, _factorize(first, weights, pieces + 3), read_first, read_weights)


def _place(times: list[float], rate: float, pieces: int) -> tuple[list[int], list[tuple[float, ...]]]:
    """Return first knot and weights of the cubic B-splines at *times*; knots lie at the frames' centers."""
    first: list[int] = []
    weights: list[tuple[float, ...]] = []
    for time in times:
        place = time * rate - 0.5
        piece = min(max(math.floor(place), 0), pieces - 1)
        x = place - piece
        first.append(piece)
        weights.append(
            (
                (1 - x) ** 3 / 6,
                (3 * x**3 - 6 * x**2 + 4) / 6,
                (-3 * x**3 + 3 * x**2 + 3 * x + 1) / 6,
                x**3 / 6,
            )
        )
    return first, weights


def _factorize(first: list[int], weights: list[tuple[float, ...]], count: int) -> list[list[float]]:
    """Return the banded Cholesky factor of the normal equations."""
    rows = [[0.0] * 4 for _ in range(count)]

    def add(start: int, values: tuple[float, ...], weight: float) -> None:
        for i, a in enumerate(values):
            for j in range(i + 1):
                rows[start + i][3 - i + j] += weight * a * values[j]

    for start, values in zip(first, weights, strict=True):
        add(start, values, 1.0)
    stiff = (-1.0, 3.0, -3.0, 1.0) if len(first) > 3 else (1.0, -2.0, 1.0)
    for start in range(count + 1 - len(stiff)):
        add(start, stiff, _STIFFNESS)
    for i in range(count):
        for j in range(max(0, i - 3), i + 1):
            total = rows[i][3 - i + j]
            for k in range(max(0, i - 3, j - 3), j):
                total -= rows[i][3 - i + k] * rows[j][3 - j + k]
            rows[i][3 - i + j] = math.sqrt(total) if i == j else total / rows[j][3]
    return rows
