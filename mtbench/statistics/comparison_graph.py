"""Who was compared with whom: whether strengths exist at all, and which differences are indirect.

Conventions
-----------
Candidates are vertices, and an edge leads from a winner to who lost at least once (a tie leads both ways). Strengths
can be compared within a connected part only, and are finite only where every candidate can be reached from every
other one along the edges (Ford's condition); otherwise one group won every comparison with another.

Source: L. R. Ford, American Mathematical Monthly 64 (1957).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Graph:
    """What the comparisons of S candidates allow.

    Attributes
    ----------
    parts : tuple of tuple of int
        Connected parts, each of places of candidates; one part where all can be compared.
    groups : tuple of tuple of int
        Groups within which strengths are finite, best first within a part; as many as *parts* where all are.
    hub : int or None
        The only candidate that all others were compared with, and they with it alone (three or more candidates).
    """

    parts: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    hub: int | None

    @property
    def is_connected(self) -> bool:
        """Whether all candidates can be compared."""
        return len(self.parts) == 1

    @property
    def is_separated(self) -> bool:
        """Whether some group won every comparison with another, so that a difference of strengths is infinite."""
        return len(self.groups) > len(self.parts)


def examine_comparisons(wins: np.ndarray, ties: np.ndarray) -> Graph:
    """Return what comparisons allow.

    Parameters
    ----------
    wins, ties : (S, S) float64
        As for :func:`mtbench.statistics.bradley_terry.fit_bradley_terry`.

    Examples
    --------
    >>> wins = np.array([[0, 3, 2], [0, 0, 0], [1, 0, 0]])
    >>> examine_comparisons(wins, np.zeros((3, 3)))
    Graph(parts=((0, 1, 2),), groups=((0, 2), (1,)), hub=0)
    """
    beats = (wins > 0) | (ties > 0)
    compared = beats | beats.T
    n = len(wins)
    parts = _components(reach_along(compared))
    reach = reach_along(beats)
    groups = _components(reach & reach.T)
    # A group that reaches more of the others stands above them.
    groups.sort(key=lambda group: (_part_of(parts, group[0]), -int(reach[group[0]].sum()), group))
    degrees = (compared & ~np.eye(n, dtype=bool)).sum(axis=1)
    hubs = [i for i in range(n) if n > 2 and degrees[i] == n - 1 and degrees.sum() == 2 * (n - 1)]
    return Graph(tuple(parts), tuple(groups), hubs[0] if hubs else None)


def reach_along(edges: np.ndarray) -> np.ndarray:
    """Return (S, S) which places can be reached from which along *edges* (S, S), each from itself too."""
    reach = edges | np.eye(len(edges), dtype=bool)
    for middle in range(len(edges)):
        reach |= reach[:, middle, None] & reach[middle]
    return reach


def _components(mutual: np.ndarray) -> list[tuple[int, ...]]:
    rows = {tuple(int(i) for i in np.flatnonzero(row)) for row in mutual}
    return sorted(rows)


def _part_of(parts: list[tuple[int, ...]], place: int) -> int:
    return next(i for i, part in enumerate(parts) if place in part)
