"""Motion as a few shapes with weights over time: the smallest number of shapes that stays within a bound.

Conventions
-----------
Positions of frame *t* are ``rest + sum_k weights[t, k] * shapes[k]``, metres. Shapes are principal directions of the
motion (of the vertices that move; those that do not are in ``rest`` alone), the most important first; the largest
weight of each has the absolute value 1, so that a shape is as large as what it does. The error is the largest
distance of any vertex in any frame from where it belongs, not a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Largest distance that a vertex may be off, metres: what the viewer promises.
BOUND = 0.05e-3
#: Displacements below this share of the bound are no motion.
_STILL = 0.05
#: Shapes that are computed at once.
_BLOCK = 24


@dataclass(frozen=True)
class LowRank:
    """A motion as shapes and weights; see the module's text.

    Attributes
    ----------
    rest : (V, 3) float64
    moving : (V,) bool
        Vertices that the shapes move.
    shapes : (K, M, 3) float64
        Metres, of the M moving vertices.
    weights : (T, K) float64
        -1 to 1.
    error : float
        Largest distance of a vertex in a frame from where it belongs, metres.
    """

    rest: np.ndarray
    moving: np.ndarray
    shapes: np.ndarray
    weights: np.ndarray
    error: float

    def positions(self) -> np.ndarray:
        """Return the motion, (T, V, 3) float64 in metres."""
        out = np.repeat(self.rest[None], len(self.weights), axis=0)
        out[:, self.moving] += np.tensordot(self.weights, self.shapes, 1)
        return out


def largest_distance(residual: np.ndarray) -> float:
    """Return the length of the longest of vectors (..., 3), 0.0 where there is none."""
    return float(np.sqrt((residual**2).sum(axis=-1).max())) if residual.size else 0.0


class Directions:
    """Principal directions of a motion, to be taken one after another.

    Parameters
    ----------
    vertices : (T, V, 3) floating point
        Metres, finite.
    rest : (V, 3) floating point, optional
        Face that displacements are measured from; the mean over the frames by default.
    bound : float
        Metres; vertices that stay within a small part of it around *rest* do not count as moving.

    Attributes
    ----------
    rest : (V, 3) float64
    moving : (V,) bool
    displacement : (T, 3 M) float64
        Of the moving vertices from *rest*.
    still_error : float
        Largest distance of the others from *rest*.
    """

    def __init__(self, vertices: np.ndarray, rest: np.ndarray | None = None, bound: float = BOUND) -> None:
        frames = len(vertices)
        exact = np.asarray(vertices, np.float64)
        self.rest = exact.mean(axis=0) if rest is None else np.asarray(rest, np.float64)
        away = exact - self.rest
        farthest = np.sqrt((away**2).sum(axis=2).max(axis=0))
        self.moving = farthest > _STILL * bound
        self.still_error = float(farthest[~self.moving].max(initial=0.0))
        self.displacement = np.ascontiguousarray(away[:, self.moving].reshape(frames, -1))
        size, found = np.linalg.eigh(self.displacement @ self.displacement.T)
        order = np.argsort(-size, kind="stable")
        self._courses = found[:, order]
        self._shapes: list[np.ndarray] = []
        left = np.append(np.cumsum(np.maximum(size[order], 0)[::-1])[::-1], 0.0)
        self._left = np.sqrt(left / max(1, frames * int(self.moving.sum())))

    def __len__(self) -> int:
        """Return how many directions there are: as many as frames."""
        return len(self._courses)

    def mean_error(self, number: int) -> float:
        """Return the root mean square distance, metres, that the first *number* directions leave.

        The largest distance is not below it.
        """
        return float(self._left[number])

    def take(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return weights (T,) from -1 to 1 and shape (3 M,) in metres of a direction, the strongest being 0."""
        course = self._courses[:, number]
        peak = course[np.argmax(np.abs(course))]  # its sign too, so that it does not hang on the library
        while number >= len(self._shapes):  # many at once take as long as a few
            some = self._courses[:, len(self._shapes) : len(self._shapes) + _BLOCK]
            self._shapes += list(some.T @ self.displacement)
        return course / peak, peak * self._shapes[number]


def reduce_rank(vertices: np.ndarray, bound: float = BOUND, rest: np.ndarray | None = None) -> LowRank:
    """Return the motion with as few shapes as keep every vertex within *bound*.

    Parameters
    ----------
    vertices : (T, V, 3) floating point
        Metres.
    bound : float
        Metres.
    rest : (V, 3) floating point, optional
        Face that the shapes are added to; the mean over the frames by default.

    Examples
    --------
    >>> swing = np.sin(np.arange(50) / 5)[:, None, None] * np.ones((1, 4, 3)) * 0.01
    >>> found = reduce_rank(swing)
    >>> len(found.shapes), found.error < 0.05e-3
    (1, True)
    """
    if bound <= 0:
        raise ValueError(f"bound must be positive, not {bound}")
    directions = Directions(vertices, rest, bound)
    residual = directions.displacement.copy()
    weights, shapes = [], []
    for number in range(len(directions)):
        if directions.mean_error(number) <= bound and largest_distance(_split(residual)) <= bound:
            break
        weight, shape = directions.take(number)
        residual -= np.outer(weight, shape)
        weights.append(weight)
        shapes.append(shape)
    error = max(largest_distance(_split(residual)), directions.still_error)
    moved = int(directions.moving.sum())
    return LowRank(
        rest=directions.rest,
        moving=directions.moving,
        shapes=np.asarray(shapes).reshape(len(shapes), moved, 3),
        weights=np.asarray(weights).reshape(len(weights), len(vertices)).T,
        error=error,
    )


def _split(residual: np.ndarray) -> np.ndarray:
    return residual.reshape(len(residual), -1, 3)
