"""Draws faces: which local shapes a random identity gets.

Conventions
-----------
The names are MakeHuman's: a prefix ``l-`` or ``r-`` for one side, a suffix for the direction. A draw gives
both sides the same weight and uses at most one of two opposite directions.
"""

from __future__ import annotations

import numpy as np

#: Suffixes of opposite directions of the same property.
OPPOSITES = (
    ("-decr", "-incr"),
    ("-down", "-up"),
    ("-in", "-out"),
    ("-backward", "-forward"),
    ("-concave", "-convex"),
    ("-compress", "-uncompress"),
)
#: Moving the whole head isn't an identity, and these make the face crooked.
LEFT_OUT = ("head-trans-", "nose-trans-in", "nose-trans-out", "mouth-trans-in", "mouth-trans-out")
#: Standard deviation and limit of a property's weight: ordinary faces, judged by eye.
SPREAD, LIMIT = 0.2, 0.6


def draw_local_weights(names: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw a weight for each local shape.

    Parameters
    ----------
    names : tuple of str
        Names of the K local shapes.
    rng : numpy.random.Generator

    Returns
    -------
    (K,) float64
        0..0.6.
    """
    properties: dict[str, list[tuple[int, float]]] = {}
    for k, name in enumerate(names):
        stem = name.removeprefix("l-").removeprefix("r-")
        if not stem.startswith(LEFT_OUT):
            stem, sign = split_direction(stem)
            properties.setdefault(stem, []).append((k, sign))
    weights = np.zeros(len(names))
    for members in properties.values():
        amount = float(np.clip(rng.normal(0.0, SPREAD), -LIMIT, LIMIT))
        for k, sign in members:
            weights[k] = max(0.0, sign * amount)
    return weights


def split_direction(stem: str) -> tuple[str, float]:
    """Split ``"nose-base-down"`` into ``("nose-base", -1.0)``; a name without opposite counts as positive."""
    for low, high in OPPOSITES:
        if stem.endswith(low):
            return stem.removesuffix(low), -1.0
        if stem.endswith(high):
            return stem.removesuffix(high), 1.0
    return stem, 1.0
