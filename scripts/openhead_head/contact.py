"""Where the lips touch, and closing them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: How far the upper lip's contact ring reaches below the lower lip's at rest: no slit even seen from 10
#: degrees below.
OVERLAP = 7e-4
#: Position of the viewer-right mouth corner in every ring; the viewer-left one is at 0.
RIGHT_CORNER = 24


@dataclass(frozen=True)
class Contact:
    """Where the lips touch, as linear functions of the vertices.

    Pair p is the upper contact vertex ``upper[p]`` over the point ``(1-t) lower[p, 0] + t lower[p, 1]``.
    ``vertices`` move with pairs: vertex i by ``falloff[i]`` times the displacement of its side interpolated
    between pairs ``pair[i]`` and ``pair[i] + 1`` at ``blend[i]``; ``side`` is 0 for the upper lip, 1 for the
    lower.
    """

    upper: np.ndarray
    lower: np.ndarray
    t: np.ndarray
    vertices: np.ndarray
    pair: np.ndarray
    blend: np.ndarray
    falloff: np.ndarray
    side: np.ndarray

    def gap(self, y: np.ndarray) -> np.ndarray:
        """Signed vertical gap of each pair, negative where the lips overlap."""
        low = (1 - self.t) * y[self.lower[:, 0]] + self.t * y[self.lower[:, 1]]
        return y[self.upper] - low

    def close(self, shape: np.ndarray, wanted: float) -> np.ndarray:
        """Move the lips so that every pair's gap is *wanted*; a copy of *shape* is returned."""
        shape = shape.copy()
        for _ in range(8):
            excess = self.gap(shape[:, 1]) - wanted
            along = (1 - self.blend) * excess[self.pair] + self.blend * excess[self.pair + 1]
            shape[self.vertices, 1] += self.falloff * along * np.where(self.side == 0, -0.5, 0.5)
        return shape


def find_contact(mean: np.ndarray, rings: dict[int, list[int]], reach: float) -> Contact:
    """Pair ring 1's upper vertices with its lower polyline in the mean head (metres)."""
    ring = rings[1]
    right = RIGHT_CORNER
    if int(np.argmax(mean[ring, 0])) != right or int(np.argmin(mean[ring, 0])) != 0:
        raise SystemExit("the mouth corners aren't where RIGHT_CORNER says")
    upper = np.array(ring[1:right])
    chain = np.array([ring[0], *ring[:right:-1], ring[right]])
    xs = mean[chain, 0]
    # The chain turns back by fractions of a millimetre next to the corners; a monotone copy keeps the search
    # simple.
    xs = np.maximum.accumulate(xs)
    k = np.clip(np.searchsorted(xs, mean[upper, 0], side="right") - 1, 0, len(chain) - 2)
    t = np.clip((mean[upper, 0] - xs[k]) / np.maximum(xs[k + 1] - xs[k], 1e-9), 0, 1)
    lower = np.stack([chain[k], chain[k + 1]], 1)

    side_of = dict.fromkeys(upper.tolist(), 0) | dict.fromkeys(chain[1:-1].tolist(), 1)
    for ring_k in rings.values():
        for position, vertex in enumerate(ring_k):
            side_of.setdefault(vertex, 0 if 0 < position < right else 1)
    near = [v for v in side_of if v not in (ring[0], ring[right])]
    candidates = np.array(sorted(near))
    side = np.array([side_of[v] for v in candidates.tolist()])
    distance = np.empty(len(candidates))
    for s, line in ((0, upper), (1, chain[1:-1])):
        mine = side == s
        d = np.linalg.norm(mean[candidates[mine], None] - mean[line][None], axis=2)
        distance[mine] = d.min(1)
    falloff = np.exp(-0.5 * (distance / reach) ** 2)
    keep = falloff > 0.01
    candidates, side, falloff = candidates[keep], side[keep], falloff[keep]
    px = mean[upper, 0]
    pair = np.clip(np.searchsorted(px, mean[candidates, 0], side="right") - 1, 0, len(upper) - 2)
    blend = np.clip((mean[candidates, 0] - px[pair]) / (px[pair + 1] - px[pair]), 0, 1)
    return Contact(upper, lower, t, candidates, pair, blend, falloff, side)
