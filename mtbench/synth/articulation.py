"""Articulation model: timed phones to facial-unit curves of the bundled head.

Conventions
-----------
Phones have a symbol (see :mod:`mtbench.synth.articulation_targets`), a start and an end in seconds, and stops
may have a ``release``, when the closure that begins at their start opens; where that is missing, the burst of
a voiceless stop comes :data:`~mtbench.synth.contacts.CLOSURE` after its start. Curves are (T, U)
float32 unit weights, columns as in ``load_head().unit_names``; frame *t* is the mean over
``[t / fps, (t + 1) / fps)`` and ``T = ceil(duration * fps - 1e-6)``.

How it works: every phone pulls the articulators towards its target, with a weight that is full from its start
to its end and decays before and after (dominance blending, after Cohen & Massaro 1993); the blend is solved
at 100 Hz and smoothed with the bell-shaped velocity profile of a minimum-jerk movement, so that a step of the
blend becomes such a movement. Lip closures (p b m) and labiodental contact (f v) are put on top of that as
constraints with a minimum-jerk approach that contact cuts short, and a release alike: the contact is complete
from the first to the last moment of the closure, and at least during one whole frame, so that the mean over a
frame doesn't lose it. Only additions, multiplications and divisions in a fixed order take part, and the
curves are rounded to :data:`STEP`: the same bytes everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from mtbench.synth.articulation_settings import DEFAULT, ArticulationSetting, target_arrays
from mtbench.synth.articulation_targets import PARAMETERS, PAUSES, load_targets
from mtbench.synth.contacts import TimedPhone, contact_contours, contact_intervals, impose_contacts

#: Internal samples per second.
RATE = 100
#: Curves are whole multiples of this.
STEP = 2.0**-12
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

#: Unit weights of each parameter at 1, and of the two contacts; a name without a side moves both.
UNIT_ROWS: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 0.62},
    "part": {"mouthLowerDown": 0.5, "mouthUpperUp": 0.36},
    "spread": {"mouthStretch": 0.72, "mouthSmile": 0.34},
    "round": {"mouthPucker": 1.1},
    "protrude": {"mouthFunnel": 0.85},
    "tip": {"tongueUp": 1.0},
    "between": {"tongueOut": 0.85},
    "low": {"tongueLow": 0.95},
    "seal": {"lipSeal": 1.0, "mouthPress": 0.12, "mouthRollLower": 0.1, "mouthRollUpper": 0.1},
    "press": {"mouthPress": 0.4, "mouthRollLower": 0.26, "mouthRollUpper": 0.26},
    "teeth": {"mouthRollLower": 0.75, "mouthUpperUp": 0.45, "mouthShrugLower": 0.35},
}
#: The largest unit weight; beyond it the units' offsets no longer look like a face.
CEILING = 1.2


def count_frames(duration: float, fps: float = 25) -> int:
    """Frames of a clip of *duration* seconds: the last, incomplete one counts."""
    return max(0, math.ceil(duration * fps - 1e-6))


def animate(
    phones: Sequence[TimedPhone],
    duration: float,
    setting: ArticulationSetting = DEFAULT,
    fps: float = 25,
    seed: int = 0,
    missed: Collection[int] = (),
) -> np.ndarray:
    """Turn timed phones into facial-unit curves.

    Parameters
    ----------
    phones : sequence of phones
        Phones in order of time; stretches that no phone covers are pauses, phones without length are skipped.
    duration : float
        Seconds.
    setting : ArticulationSetting
        The animator's manner.
    fps : float
        Frames per second, at most 100.
    seed : int
        Seed of blinks and brows, which speech doesn't determine.
    missed : collection of int
        Positions in *phones* of sounds whose contact (closed lips, lip at the teeth) doesn't come about: what
        is left of them is what jaw and tongue do. For degraded animations only.

    Returns
    -------
    (T, U) float32
        Unit weights, 0 to 1.2.

    Raises
    ------
    UsageError
        For a symbol without a target.
    ValueError
        If phones are out of order.

    Examples
    --------
    >>> from types import SimpleNamespace as Phone
    >>> animate([Phone(symbol="a", start=0.1, end=0.3)], 0.42).shape
    (11, 55)
    """
    from mtbench.synth.upper_face import move_upper_face

    n_frames = count_frames(duration, fps)
    rows, start, end = _fill_pauses(phones, n_frames / fps)
    samples = (np.arange(math.ceil(n_frames / fps * RATE - 1e-6)) + 0.5) / RATE
    table, names = _unit_table()
    out = np.zeros((n_frames, table.shape[1]))
    if n_frames:
        blend = _blend(rows, start, end, samples, setting)
        touching = [phone for i, phone in enumerate(phones) if i not in missed]
        lips, press, teeth = contact_contours(touching, samples, fps, n_frames, setting)
        curves = impose_contacts(blend, lips, press, teeth)
        frames = _average(curves, n_frames, fps)
        # Not a matrix product: its order of additions differs between machines.
        for k in range(table.shape[0]):
            out += frames[:, k, None] * table[k]
        for name, curve in move_upper_face(n_frames, fps, seed, setting.liveliness).items():
            out[:, names.index(name)] = curve
    np.clip(out, 0.0, CEILING, out=out)
    return (np.round(out / STEP) * STEP).astype(np.float32)


def _fill_pauses(phones: Sequence[TimedPhone], duration: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Target rows, starts and ends without holes from 0 to *duration*."""
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


def _blend(
    rows: np.ndarray, start: np.ndarray, end: np.ndarray, samples: np.ndarray, setting: ArticulationSetting
) -> np.ndarray:
    """Blend the targets by dominance and smooth: (N, 8)."""
    value, strength, lead, lag = target_arrays(setting)
    pause = rows == len(value) - 1
    weight = strength[rows]
    # The mouth doesn't come to rest in a short pause.
    weight = np.where(pause[:, None], weight * np.minimum((end - start) / 0.2, 1.0)[:, None], weight)

    n = len(rows)
    current = np.clip(np.searchsorted(start, samples, side="right") - 1, 0, n - 1)
    total = np.zeros((len(samples), len(PARAMETERS)))
    norm = np.full_like(total, 1e-9)
    for shift in range(-REACH, REACH + 1):
        which = current + shift
        inside = (which >= 0) & (which < n)
        which = np.clip(which, 0, n - 1)
        row = rows[which]
        before = np.maximum(start[which] - samples, 0.0)
        after = np.maximum(samples - end[which], 0.0)
        u = before[:, None] / lead[row] if shift > 0 else after[:, None] / lag[row]
        fall = 1.0 + u * u
        pull = weight[which] * inside[:, None] / (fall * fall)
        total += pull * value[row]
        norm += pull
    return _smooth(total / norm, setting.smoothing)


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


def _average(curves: np.ndarray, n_frames: int, fps: float) -> np.ndarray:
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


@lru_cache(maxsize=1)
def _unit_table() -> tuple[np.ndarray, tuple[str, ...]]:
    """:data:`UNIT_ROWS` as an (11, U) array, and the head's unit names."""
    from mtbench.faces import load_head

    head = load_head()
    rows = [head.weights(UNIT_ROWS[name]) for name in (*PARAMETERS, "seal", "press", "teeth")]
    return np.array(rows, np.float64), head.unit_names


__all__ = ["DEFAULT", "PAUSES", "ArticulationSetting", "animate", "contact_intervals", "count_frames"]
