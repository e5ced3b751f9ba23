"""Votes of one aspect as arrays: by pair, by rater, by clip.

Conventions
-----------
S systems in one order, P pairs of them that were compared, each looked at from its first system. The reference (the
system that all others were compared with, where there is one) comes first in its pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.people.judgements import Count, Judgement
from mtbench.statistics import count_by, examine_comparisons


@dataclass(frozen=True)
class PairVotes:
    """Votes about two systems.

    Attributes
    ----------
    a, b : str
        The systems.
    wins, ties, losses : int
        Votes for *a*, for neither, for *b*.
    by_rater, by_clip : (k, 3) float64 or None
        The same by rater and by clip; None where only counts are known.
    """

    a: str
    b: str
    wins: int
    ties: int
    losses: int
    by_rater: np.ndarray | None = None
    by_clip: np.ndarray | None = None

    @property
    def n(self) -> int:
        """Number of votes."""
        return self.wins + self.ties + self.losses


@dataclass(frozen=True)
class Votes:
    """All votes of one aspect.

    Attributes
    ----------
    systems : tuple of str
    pairs : tuple of PairVotes
    raters : tuple of str
        Empty where only counts are known.
    wins, ties : (R, S, S) float64
        By rater; R is 1 where only counts are known.
    units : (U, 3) float64
        Votes on each pair and clip.
    """

    systems: tuple[str, ...]
    pairs: tuple[PairVotes, ...]
    raters: tuple[str, ...]
    wins: np.ndarray
    ties: np.ndarray
    units: np.ndarray


def tabulate_counts(counts: Sequence[Count]) -> Votes:
    """Return the votes of one aspect that were brought as counts."""
    systems = _order_systems([(c.a, c.b) for c in counts])
    place = {name: i for i, name in enumerate(systems)}
    wins, ties = (np.zeros((1, len(systems), len(systems))) for _ in range(2))
    pairs = []
    for c in sorted(counts, key=lambda c: sorted((place[c.a], place[c.b]))):
        turned = place[c.a] > place[c.b]
        first, second = (c.b, c.a) if turned else (c.a, c.b)
        won, lost = (c.losses, c.wins) if turned else (c.wins, c.losses)
        pairs.append(PairVotes(first, second, won, c.ties, lost))
        i, j = place[first], place[second]
        wins[0, i, j], wins[0, j, i] = won, lost
        ties[0, i, j] = ties[0, j, i] = c.ties
    return Votes(systems, tuple(pairs), (), wins, ties, np.zeros((0, 3)))


def tabulate_rows(rows: Sequence[Judgement]) -> Votes:
    """Return the votes of one aspect that were brought one by one."""
    systems = _order_systems([(row.a, row.b) for row in rows])
    place = {name: i for i, name in enumerate(systems)}
    raters = tuple(sorted({row.rater for row in rows}))
    number = {name: i for i, name in enumerate(raters)}
    wins, ties = (np.zeros((len(raters), len(systems), len(systems))) for _ in range(2))
    members: dict[tuple[int, int], list[tuple[Judgement, float]]] = {}
    for row in rows:
        i, j = place[row.a], place[row.b]
        outcome = float(row.outcome)
        if i > j:
            i, j, outcome = j, i, -outcome
        members.setdefault((i, j), []).append((row, outcome))
        r = number[row.rater]
        if outcome == 0:
            ties[r, i, j] += 1
            ties[r, j, i] += 1
        else:
            wins[(r, i, j) if outcome > 0 else (r, j, i)] += 1
    pairs, units = [], []
    for (i, j), found in sorted(members.items()):
        outcomes = np.array([outcome for _, outcome in found])
        by_rater, _ = count_by([row.rater for row, _ in found], outcomes)
        by_clip, _ = count_by([f"{row.language}\x1f{row.clip}" for row, _ in found], outcomes)
        won, tied, lost = (int(n) for n in by_rater.sum(axis=0))
        pairs.append(PairVotes(systems[i], systems[j], won, tied, lost, by_rater, by_clip))
        units.append(by_clip)
    return Votes(systems, tuple(pairs), raters, wins, ties, np.concatenate(units))


def _order_systems(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Systems in the order of first occurrence, but the one that all others were compared with first."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    compared = np.zeros((len(names), len(names)))
    for a, b in pairs:
        compared[names.index(a), names.index(b)] = 1
    hub = examine_comparisons(compared, 0 * compared).hub
    if hub is not None:
        names.insert(0, names.pop(hub))
    return tuple(names)
