"""Articulation model: timed phones to facial-unit curves of the bundled head.

Conventions
-----------
Phones have a symbol (see :mod:`mtbench.synth.articulation_targets`), a start and an end in seconds, and stops
may have a ``release``, when the closure that begins at their start opens; where that is missing, the burst of
a voiceless stop comes :data:`~mtbench.synth.articulation_targets.CLOSURE` after its start. Curves are (T, U)
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
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from mtbench.synth.articulation_settings import DEFAULT, ArticulationSetting, target_arrays
from mtbench.synth.articulation_targets import CLOSURE, CONTACTS, PARAMETERS, PAUSES, load_targets

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
#: Share of the time between two contacts that each ramp may take.
_RAMP_SHARE = 0.28
#: Share of the whole movement at which the lips meet.
_MEETING = 0.62
#: The largest unit weight; beyond it the units' offsets no longer look like a face.
CEILING = 1.2


class TimedPhone(Protocol):
    """What :func:`animate` reads of a phone: times in seconds, and ``release`` where there is one."""

    @property
    def symbol(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


def count_frames(duration: float, fps: float = 25) -> int:
    """Frames of a clip of *duration* seconds: the last, incomplete one counts."""
    return max(0, math.ceil(duration * fps - 1e-6))


def animate(
    phones: Sequence[TimedPhone],
    duration: float,
    setting: ArticulationSetting = DEFAULT,
    fps: float = 25,
    seed: int = 0,
) -> np.ndarray:
    """Turn timed phones into facial-unit curves.

    Parameters
    ----------
    phones : sequence of phones
        In order of time; stretches that no phone covers are pauses, phones without length are skipped.
    duration : float
        Seconds.
    setting : ArticulationSetting
        The animator's manner.
    fps : float
        Frames per second, at most 100.
    seed : int
        Of blinks and brows, which speech doesn't determine.

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
        lips, press, teeth = _contacts(phones, samples, fps, n_frames, setting)
        curves = _apply_contacts(blend, lips, press, teeth)
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
    half = int(np.ceil(times.max() / 2))
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


def ease(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk step: 0 up to x = 0, 1 from x = 1."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def approach(x: np.ndarray) -> np.ndarray:
    """Movement into contact: 0 up to x = 0, 1 from x = 1, where it still is at full speed.

    Lips don't slow down before they meet: they aim at a point beyond, and contact stops them (Löfqvist &
    Gracco 1997). It is the first :data:`_MEETING` of a minimum-jerk step.
    """
    return ease(np.clip(x, 0.0, 1.0) * _MEETING) / ease(np.array(_MEETING))


def contact_intervals(
    phones: Sequence[TimedPhone], fps: float, n_frames: int
) -> list[tuple[str, float, float]]:
    """Closures and labiodental contacts, each at least one whole frame long.

    Parameters
    ----------
    phones : sequence of phones
    fps : float
    n_frames : int

    Returns
    -------
    list of (symbol, start, end)
        Seconds. A contact is extended to the frame it overlaps most where it contains no whole one.
    """
    out = []
    for phone in phones:
        contact = CONTACTS.get(phone.symbol)
        if contact is None or phone.end - phone.start < 1e-4:
            continue
        start, end = phone.start, phone.end
        release = getattr(phone, "release", None)
        if release is not None:
            end = release
        elif contact.burst:
            end = min(end, start + CLOSURE)
        first = math.ceil(start * fps - 1e-6)
        if (first + 1) / fps > end + 1e-6:
            candidates = range(math.floor(start * fps + 1e-6), math.floor(end * fps - 1e-6) + 1)
            frame = max(candidates, key=lambda f: (min(end, (f + 1) / fps) - max(start, f / fps), -f))
            frame = min(max(frame, 0), max(n_frames - 1, 0))
            start, end = min(start, frame / fps), max(end, (frame + 1) / fps)
        out.append((phone.symbol, start, end))
    return out


def _contacts(
    phones: Sequence[TimedPhone],
    samples: np.ndarray,
    fps: float,
    n_frames: int,
    setting: ArticulationSetting,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contours over the samples, 0..1: lips sealed, lips pressed, lower lip at the teeth."""
    lips, press, teeth = (np.zeros(len(samples)) for _ in range(3))
    intervals = contact_intervals(phones, fps, n_frames)
    for i, (symbol, start, end) in enumerate(intervals):
        contact = CONTACTS[symbol]
        # Between two closures the mouth opens completely, however little time there is.
        room_before = start - intervals[i - 1][2] if i else math.inf
        room_after = intervals[i + 1][1] - end if i + 1 < len(intervals) else math.inf
        closing = max(min(setting.closing, _RAMP_SHARE * room_before), 1e-3)
        opening = max(min(setting.opening, _RAMP_SHARE * room_after), 1e-3)
        first, last = np.searchsorted(samples, (start - closing, end + opening))
        t = samples[first:last]
        contour = np.minimum(approach((t - start) / closing + 1.0), approach((end - t) / opening + 1.0))
        if contact.kind == "lips":
            lips[first:last] = np.maximum(lips[first:last], contour)
            press[first:last] = np.maximum(press[first:last], contour * contact.press * setting.press)
        else:
            teeth[first:last] = np.maximum(teeth[first:last], contour * contact.level)
    return lips, press, teeth * (1.0 - lips)


#: What is left of each parameter, as (offset, share), while the lips are sealed and at the teeth.
_SEALED = {"jaw": (0.05, 0.22), "part": (0, 0), "spread": (0, 0.5), "round": (0, 0.75), "protrude": (0, 0.4)}
_AT_TEETH = {
    "jaw": (0.06, 0.12),
    "part": (0, 0),
    "spread": (0, 0.4),
    "round": (0, 0.3),
    "protrude": (0, 0.15),
}


def _apply_contacts(blend: np.ndarray, lips: np.ndarray, press: np.ndarray, teeth: np.ndarray) -> np.ndarray:
    """Impose the contacts: (N, 11), the parameters and then seal, press, teeth."""
    out = np.concatenate([blend, lips[:, None], press[:, None], teeth[:, None]], axis=1)
    # The articulators follow the contact late: the lips part before the jaw is up or down.
    for contour, pose in ((lips * lips, _SEALED), (teeth, _AT_TEETH)):
        for name, (offset, share) in pose.items():
            k = PARAMETERS.index(name)
            held = np.minimum(blend[:, k], offset + share * blend[:, k])
            out[:, k] += contour * (held - blend[:, k])
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
    from mtbench.head import load_head

    head = load_head()
    rows = [head.weights(UNIT_ROWS[name]) for name in (*PARAMETERS, "seal", "press", "teeth")]
    return np.array(rows, np.float64), head.unit_names


__all__ = ["DEFAULT", "PAUSES", "ArticulationSetting", "animate", "contact_intervals", "count_frames"]
