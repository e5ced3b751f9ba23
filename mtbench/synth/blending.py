"""Blending: what neighbouring phones ask of the articulators becomes one smooth movement.

Conventions
-----------
Every phone pulls the articulators towards its target, with a weight that is full from its start to its end and decays
before and after (dominance blending, after Cohen & Massaro 1993); the blend is solved at :data:`RATE` and smoothed with
the bell-shaped velocity profile of a minimum-jerk movement. Only additions, multiplications and divisions in a fixed
order take part: the same bytes everywhere. Columns are those of
:data:`~mtbench.synth.articulation_targets.PARAMETERS`, times are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mtbench.speech import TimedPhone
from mtbench.synth.articulation_targets import PARAMETERS, load_targets

#: Internal samples per second.
RATE = 100
#: A phone's pull is computed this many phones to either side; further away it is below 1 %.
REACH = 5
#: Seconds that a step of the blend takes, by parameter: the jaw is slow, the tongue tip fast.
MOVEMENT = {
    "jaw": 0.11,
    "part": 0.09,
    "spread": 0.11,
    "round": 0.11,
    "protrude": 0.11,
    "tip": 0.07,
    "between": 0.07,
    "low": 0.11,
}


@dataclass(frozen=True, eq=False)
class Pulls:
    """What every phone asks for, one row each.

    Attributes
    ----------
    value, strength, lead, lag : (n, 8) float64
        Targets, their weights, and how long before and after the phone they are felt.
    start, end : (n, 1) or (n, 8) float64
        When the weight is full; per parameter where the articulators do not keep time with each other.
    """

    value: np.ndarray
    strength: np.ndarray
    lead: np.ndarray
    lag: np.ndarray
    start: np.ndarray
    end: np.ndarray


def sample_times(n_frames: int, fps: float) -> np.ndarray:
    """Return the times of the samples that cover *n_frames* frames."""
    return (np.arange(math.ceil(n_frames / fps * RATE - 1e-6)) + 0.5) / RATE


def fill_pauses(phones: Sequence[TimedPhone], duration: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return target rows, starts and ends without holes from 0 to *duration*.

    Raises
    ------
    UsageError
        For a symbol without a target.
    ValueError
        If phones are out of order.
    """
    targets = load_targets()
    rows, start, end = [], [], []
    now = 0.0
    for phone in phones:
        if phone.end < phone.start or phone.start < now - 1e-6:
            raise ValueError(
                f"phone {phone.symbol!r} runs from {phone.start:g} s to {phone.end:g} s, the one before it "
                f"ends at {now:g} s; phones must follow one another in time"
            )
        row = targets.row(phone.symbol)
        if phone.start - now > 1e-3:
            rows.append(targets.row("sil"))
            start.append(now)
            end.append(phone.start)
        if phone.end - phone.start > 1e-4:
            rows.append(row)
            start.append(phone.start)
            end.append(phone.end)
            now = phone.end
    if duration - now > 1e-3 or not rows:
        rows.append(targets.row("sil"))
        start.append(now)
        end.append(max(duration, now))
    return np.array(rows), np.array(start), np.array(end)


def weaken_pauses(strength: np.ndarray, pause: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the (n, 8) *strength* of phones whose pauses pull less where they are short.

    The mouth doesn't come to rest in a short pause: one of less than 0.2 s pulls in proportion to its *length*.
    """
    return np.where(pause[:, None], strength * np.minimum(length / 0.2, 1.0)[:, None], strength)


def blend_targets(pulls: Pulls, start: np.ndarray, samples: np.ndarray, smoothing: float) -> np.ndarray:
    """Blend the targets by dominance and smooth.

    Parameters
    ----------
    pulls : Pulls
    start : (n,) float64
        When each phone begins, which decides whose neighbours are looked at.
    samples : (N,) float64
        Times.
    smoothing : float
        Factor of the durations of movements.

    Returns
    -------
    (N, 8) float64
    """
    n = len(start)
    current = np.clip(np.searchsorted(start, samples, side="right") - 1, 0, n - 1)
    total = np.zeros((len(samples), len(PARAMETERS)))
    norm = np.full_like(total, 1e-9)
    for shift in range(-REACH, REACH + 1):
        which = current + shift
        inside = (which >= 0) & (which < n)
        which = np.clip(which, 0, n - 1)
        before = np.maximum(pulls.start[which] - samples[:, None], 0.0)
        after = np.maximum(samples[:, None] - pulls.end[which], 0.0)
        u = before / pulls.lead[which] + after / pulls.lag[which]
        fall = 1.0 + u * u
        pull = pulls.strength[which] * inside[:, None] / (fall * fall)
        total += pull * pulls.value[which]
        norm += pull
    return _smooth(total / norm, smoothing)


@lru_cache(maxsize=64)
def _kernels(smoothing: float) -> np.ndarray:
    """Minimum-jerk velocity profiles, (2 H + 1, 8), each column summing to 1."""
    times = np.array([MOVEMENT[p] for p in PARAMETERS]) * smoothing * RATE
    half = int(np.ceil(np.max(times) / 2))
    x = np.arange(-half, half + 1)[:, None] / times[None, :] + 0.5
    bell = np.where((x > 0) & (x < 1), (x * (1 - x)) ** 2, 0.0)
    return bell / bell.sum(0)


def _smooth(curves: np.ndarray, smoothing: float) -> np.ndarray:
    kernels = _kernels(smoothing)
    half = len(kernels) // 2
    padded = np.concatenate([np.repeat(curves[:1], half, 0), curves, np.repeat(curves[-1:], half, 0)])
    out = np.zeros_like(curves)
    for k, row in enumerate(kernels):
        out += row * padded[k : k + len(curves)]
    return out


def average_frames(curves: np.ndarray, n_frames: int, fps: float) -> np.ndarray:
    """Mean over each frame's interval of piecewise constant samples: (T, K)."""
    step = RATE / fps
    if step == int(step) and len(curves) == n_frames * int(step):
        parts = curves.reshape(n_frames, int(step), -1)
        out = parts[:, 0].copy()
        for k in range(1, int(step)):
            out += parts[:, k]
        return out / step
    area = np.concatenate([np.zeros((1, curves.shape[1])), np.cumsum(curves, axis=0)])
    edges = np.minimum(np.arange(n_frames + 1) * step, len(curves))
    low = np.minimum(edges.astype(int), len(curves) - 1)
    at_edges = area[low] + (edges - low)[:, None] * curves[low]
    return np.diff(at_edges, axis=0) / np.maximum(np.diff(edges), 1e-9)[:, None]
