"""Blinks and brows: motion of the upper face that speech doesn't determine.

Conventions
-----------
Curves are (T,) float64 unit weights. People blink every two to six seconds for about a sixth of a second,
closing faster than opening; brows and lids drift slowly. Only so much that a metric of upper-face dynamics
has something to measure.
"""

from __future__ import annotations

import numpy as np

BLINK_CLOSING = 0.07
BLINK_OPENING = 0.13


def move_upper_face(n_frames: int, fps: float, seed: int, liveliness: float = 1.0) -> dict[str, np.ndarray]:
    """Draw the upper face's motion.

    Parameters
    ----------
    n_frames : int
    fps : float
    seed : int
        The same seed gives the same motion; a longer clip begins like a shorter one.
    liveliness : float
        Factor of the drift; 0 also leaves out blinks.

    Returns
    -------
    dict of str to (T,) float64
        Weights by unit name.
    """
    # One stream for each curve: how many numbers one needs depends on the length.
    streams = [np.random.Generator(np.random.PCG64([seed, k])) for k in range(4)]
    times = (np.arange(n_frames) + 0.5) / fps
    brow = _drift(times, streams[0], 1.6) * 0.22 * liveliness
    outer = _drift(times, streams[1], 2.1) * 0.10 * liveliness
    squint = _drift(times, streams[2], 2.7) * 0.12 * liveliness
    blink = np.zeros(n_frames)
    if liveliness > 0:
        centre = streams[3].uniform(0.4, 3.0)
        end = n_frames / fps
        while centre < end + 1.0:
            x = times - centre
            shape = np.where(x < 0, 1.0 + x / BLINK_CLOSING, 1.0 - x / BLINK_OPENING)
            blink = np.maximum(blink, np.clip(1.3 * shape, 0.0, 1.0))
            centre += streams[3].uniform(2.0, 6.0)
    curves = {"browInnerUp": brow}
    for side in ("Left", "Right"):
        curves |= {f"browOuterUp{side}": outer, f"eyeSquint{side}": squint, f"eyeBlink{side}": blink}
    return curves


def _drift(times: np.ndarray, rng: np.random.Generator, pace: float) -> np.ndarray:
    """Slow random curve, 0..1: random heights every *pace* seconds, eased from one to the next."""
    # Heights are drawn one by one, so that more of them don't change the first.
    n = int(times[-1] / pace) + 3 if len(times) else 3
    heights = np.array([rng.random() for _ in range(n)])
    x = times / pace
    k = x.astype(int)
    u = x - k
    u = u * u * (3.0 - 2.0 * u)
    return heights[k] + u * (heights[k + 1] - heights[k])
