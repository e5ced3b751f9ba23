"""Articulation model: timed phones to facial-unit curves of the bundled head.

Conventions
-----------
Phones have a symbol (see :mod:`mtbench.synth.articulation_targets`), a start and an end in seconds, and stops
may have a ``release``, when the closure that begins at their start opens; where that is missing, the burst of
a voiceless stop comes :data:`~mtbench.synth.contacts.CLOSURE` after its start. Curves are (T, U)
float32 unit weights, columns as in ``load_head().unit_names``; frame *t* is the mean over
``[t / fps, (t + 1) / fps)`` and ``T = ceil(duration * fps - 1e-6)``.

How it works: the phones' targets are blended by dominance and smoothed, so that a step of the blend becomes a
minimum-jerk movement (:mod:`mtbench.synth.blending`). Lip closures (p b m) and labiodental contact (f v) are put on
top of that as constraints with a minimum-jerk approach that contact cuts short, and a release alike: the contact is
complete from the first to the last moment of the closure, and at least during one whole frame, so that the mean over
a frame doesn't lose it. The curves are rounded to :data:`STEP`: the same bytes everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from mtbench.speech import TimedPhone
from mtbench.synth.articulation_settings import DEFAULT, ArticulationSetting, target_arrays
from mtbench.synth.articulation_targets import PARAMETERS, PAUSES
from mtbench.synth.blending import (
    Pulls,
    average_frames,
    blend_targets,
    fill_pauses,
    sample_times,
    weaken_pauses,
)
from mtbench.synth.contacts import contact_contours, contact_intervals, impose_contacts

#: Curves are whole multiples of this.
STEP = 2.0**-12
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
    >>> animate([Phone(symbol="a", start=0.1, end=0.3, release=None)], 0.42).shape
    (11, 55)
    """
    n_frames = count_frames(duration, fps)
    rows, start, end = fill_pauses(phones, n_frames / fps)
    samples = sample_times(n_frames, fps)
    table, names = _unit_table()
    out = np.zeros((n_frames, table.shape[1]))
    if n_frames:
        value, strength, lead, lag = target_arrays(setting)
        weights = weaken_pauses(strength[rows], rows == len(value) - 1, end - start)
        pulls = Pulls(value[rows], weights, lead[rows], lag[rows], start[:, None], end[:, None])
        blend = blend_targets(pulls, start, samples, setting.smoothing)
        touching = [phone for i, phone in enumerate(phones) if i not in missed]
        contours = contact_contours(touching, samples, fps, n_frames, setting)
        curves = impose_contacts(blend, contours.lips, contours.press, contours.teeth)
        out = weigh_units(average_frames(curves, n_frames, fps), table)
        lay_upper_face(out, names, fps, seed, setting.liveliness)
    return round_curves(out)


def weigh_units(frames: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return (T, U) curves of units, (T, K) *frames* of parameters times their (K, U) weights."""
    out = np.zeros((len(frames), table.shape[1]))
    # Not a matrix product: its order of additions differs between machines.
    for k in range(table.shape[0]):
        out += frames[:, k, None] * table[k]
    return out


def lay_upper_face(
    curves: np.ndarray, names: Sequence[str], fps: float, seed: int, liveliness: float
) -> None:
    """Write blinks, brows and cheeks into (T, U) *curves* of the units *names*, in place."""
    from mtbench.synth.upper_face import move_upper_face

    for name, curve in move_upper_face(len(curves), fps, seed, liveliness).items():
        curves[:, names.index(name)] = curve


def round_curves(curves: np.ndarray) -> np.ndarray:
    """Return (T, U) float32 *curves* within 0 to :data:`CEILING`, in steps of :data:`STEP`."""
    return (np.round(np.clip(curves, 0.0, CEILING) / STEP) * STEP).astype(np.float32)


@lru_cache(maxsize=1)
def _unit_table() -> tuple[np.ndarray, tuple[str, ...]]:
    """:data:`UNIT_ROWS` as an (11, U) array, and the head's unit names."""
    from mtbench.faces import load_head

    head = load_head()
    rows = [head.weights(UNIT_ROWS[name]) for name in (*PARAMETERS, "seal", "press", "teeth")]
    return np.array(rows, np.float64), head.unit_names


__all__ = ["DEFAULT", "PAUSES", "ArticulationSetting", "animate", "contact_intervals", "count_frames"]
