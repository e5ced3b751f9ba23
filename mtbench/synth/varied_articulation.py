"""Varied articulation: timed phones to facial-unit curves with the lip statistics of people.

Conventions
-----------
As in :mod:`mtbench.synth.articulation`, whose targets and blending it shares. There a phone has nearly one shape; here
every occurrence is drawn anew (:mod:`mtbench.synth.occurrences`) around a speaking style
(:mod:`mtbench.synth.speaking_styles`), contacts may stay incomplete, and lips hardly change the width of the mouth. A
function of phones, times, style and seed: the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from mtbench.speech import TimedPhone
from mtbench.synth.articulation import UNIT_ROWS, count_frames, lay_upper_face, round_curves, weigh_units
from mtbench.synth.articulation_targets import PARAMETERS
from mtbench.synth.blending import average_frames, blend_targets, fill_pauses, sample_times
from mtbench.synth.contacts import draw_contours, impose_contacts
from mtbench.synth.occurrences import draw_pulls, draw_sides, draw_spans
from mtbench.synth.speaking_styles import EVERYDAY, SpeakingStyle

#: The lip at the teeth in two, which vary apart: the lower lip tucked in, the upper one raised.
TEETH_ROWS: dict[str, dict[str, float]] = {
    "tuck": {"mouthRollLower": 0.75, "mouthShrugLower": 0.35},
    "lift": {"mouthUpperUp": 0.45},
}


def animate_varied(
    phones: Sequence[TimedPhone],
    duration: float,
    style: SpeakingStyle = EVERYDAY,
    fps: float = 25,
    seed: int = 0,
    missed: Collection[int] = (),
) -> np.ndarray:
    """Turn timed phones into facial-unit curves of somebody who never says a sound the same way twice.

    Parameters
    ----------
    phones : sequence of phones
        Phones in order of time; stretches that no phone covers are pauses, phones without length are skipped.
    duration : float
        Seconds.
    style : SpeakingStyle
        How that person speaks.
    fps : float
        Frames per second, at most 100.
    seed : int
        Seed of all that is drawn; another seed is another rendition of the same words.
    missed : collection of int
        Positions in *phones* of sounds whose contact doesn't come about; for degraded animations only.

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
    >>> phones = [Phone(symbol="a", start=0.1, end=0.3)]
    >>> once, again = (animate_varied(phones, 0.42, seed=seed) for seed in (1, 2))
    >>> once.shape, bool((once == again).all())
    ((11, 55), False)
    """
    n_frames = count_frames(duration, fps)
    rows, start, end = fill_pauses(phones, n_frames / fps)
    table, names = _unit_table()
    out = np.zeros((n_frames, table.shape[1]))
    if n_frames:
        samples = sample_times(n_frames, fps)
        pulls = draw_pulls(rows, start, end, style, seed)
        blend = blend_targets(pulls, start, samples, style.setting.smoothing)
        spans = draw_spans(phones, fps, n_frames, style, seed, missed)
        contours = draw_contours(spans, samples, style.setting)
        curves = impose_contacts(blend, contours.lips, contours.press, contours.teeth)
        frames = average_frames(np.concatenate([curves, contours.lift[:, None]], axis=1), n_frames, fps)
        out = weigh_units(frames, table)
        _lean(out, names, draw_sides(style, seed))
        lay_upper_face(out, names, fps, seed, style.setting.liveliness)
    return round_curves(out)


def _lean(curves: np.ndarray, names: tuple[str, ...], side: float) -> None:
    """Let the left side of the mouth move *side* times as far as the right one, in place; the mean stays."""
    for k, name in enumerate(names):
        if name.startswith("mouth") and name.endswith(("Left", "Right")):
            curves[:, k] *= 2.0 * (side if name.endswith("Left") else 1.0) / (1.0 + side)


@lru_cache(maxsize=1)
def _unit_table() -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a (12, U) array, the parameters' unit weights, then seal, press, tuck and lift; and the unit names."""
    from mtbench.faces import load_head

    head = load_head()
    rows = [UNIT_ROWS[name] for name in (*PARAMETERS, "seal", "press")] + list(TEETH_ROWS.values())
    return np.array([head.weights(row) for row in rows], np.float64), head.unit_names
