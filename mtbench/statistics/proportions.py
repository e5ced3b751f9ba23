"""Shares of votes: Wilson's interval with ties and repeated voters, the exact binomial test, randomization of voters.

Conventions
-----------
A share is (wins + ties / 2) / votes. Wilson's interval is widened or narrowed by the number of votes that the data are
worth: a tie tells more than half a win and half a loss (its variance is smaller), and a voter who votes again tells
less than another voter. The test asks whether wins and losses are equally probable: with one vote a voter exactly
(binomial, on the votes that are no ties), otherwise by swapping all votes of a voter at once.

Sources: E. B. Wilson, JASA 22 (1927); effective sample size from the design effect: E. L. Korn, B. I. Graubard, Survey
Methodology 24 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.statistics.bootstrap import TRIALS
from mtbench.statistics.significance import paired_randomization

#: Voters up to which every way of swapping their votes is tried.
ALL_SWAPS = 16


@dataclass(frozen=True)
class Share:
    """A share of votes with its interval.

    Attributes
    ----------
    estimate : float
        (wins + ties / 2) / votes.
    ci95 : (float, float)
        95 % interval.
    worth : float
        Number of independent votes without ties that would tell as much.
    """

    estimate: float
    ci95: tuple[float, float]
    worth: float


def wilson_interval(share: float, n: float, level: float = 0.95, df: float = math.inf) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    Parameters
    ----------
    share : float
        Observed share, 0 to 1.
    n : float
        Number of votes, or what they are worth; above 0.
    level : float
        Coverage.
    df : float
        Degrees of freedom of the variance, where *n* was estimated from so few voters that Student's t is needed.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(64 / 119, 119)]
    [0.448, 0.625]
    """
    from scipy.special import ndtri, stdtrit

    if n <= 0:
        raise ValueError("a share of no votes has no interval")
    tail = (1 + level) / 2
    z = float(ndtri(tail)) if math.isinf(df) else float(stdtrit(df, tail))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(0.0, share * (1 - share)) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def measure_share(
    wins: int, ties: int, losses: int, by_voter: np.ndarray | None = None, level: float = 0.95
) -> Share:
    """Return the share of votes with its interval.

    Parameters
    ----------
    wins, ties, losses : int
        Votes; at least one.
    by_voter : (R, 3) float64, optional
        The same of each voter; None where every vote is taken for a voter of its own.
    level : float
        Coverage.

    Examples
    --------
    >>> measure_share(64, 0, 55).worth
    119.0
    """
    n = wins + ties + losses
    if n < 1:
        raise ValueError("a share of no votes")
    share = (wins + ties / 2) / n
    # One vote more of either kind: all ties are not certainty.
    near = (wins + 1 + ties / 2) / (n + 2)
    binomial = near * (1 - near)
    per_vote = binomial - ties / (4 * (n + 2))
    worth, df = n * binomial / per_vote, math.inf
    if by_voter is not None and len(by_voter) > 1 and by_voter.sum(axis=1).max() > 1:
        effect, df = _design_effect(by_voter, share, per_vote)
        worth /= effect
    return Share(share, wilson_interval(share, worth, level, df), worth)


def _design_effect(by_voter: np.ndarray, share: float, per_vote: float) -> tuple[float, float]:
    """By how much repeated votes of one voter blow up the variance, at least 1; and its degrees of freedom."""
    voters, votes = len(by_voter), by_voter.sum(axis=1)
    residual = by_voter[:, 0] + by_voter[:, 1] / 2 - share * votes
    variance = float(np.sum(residual**2)) * voters / (voters - 1) / float(votes.sum()) ** 2
    return max(1.0, variance * float(votes.sum()) / per_vote), voters - 1.0


def binomial_p(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of *wins* against *losses* under equal probabilities; 1.0 without votes.

    Examples
    --------
    >>> round(binomial_p(64, 55), 2)
    0.46
    """
    from scipy.special import bdtr

    n, fewer = wins + losses, min(wins, losses)
    return min(1.0, 2 * float(bdtr(fewer, n, 0.5))) if n else 1.0


def randomize_voters(differences: np.ndarray, *, trials: int = TRIALS, name: str = "") -> tuple[float, str]:
    """Return the two-sided p-value of swapping voters' preferences, and how it was found.

    Parameters
    ----------
    differences : (R,) float64
        Wins less losses of each voter.
    trials : int
        Draws where there are too many voters to try every swap.
    name : str
        Name of the comparison, for independent draws.

    Returns
    -------
    p : float
    method : str
        ``"exact"`` or ``"10000 draws"``.

    Examples
    --------
    >>> randomize_voters(np.array([2.0, 1.0, 3.0]))
    (0.25, 'exact')
    """
    moved = np.asarray(differences, dtype=np.float64)
    moved = moved[moved != 0]
    if len(moved) > ALL_SWAPS:
        return paired_randomization(moved, trials=trials, name=name), f"{trials} draws"
    totals = np.zeros(1)
    for difference in moved:
        totals = np.concatenate([totals - difference, totals + difference])
    return float(np.mean(np.abs(totals) >= abs(float(moved.sum())) - 1e-9)), "exact"


def count_by(
    labels: Sequence[str], outcomes: np.ndarray, kinds: Sequence[float] = (1.0, 0.0, -1.0)
) -> tuple[np.ndarray, list[str]]:
    """Return how often each label has each outcome, and the labels, sorted.

    Parameters
    ----------
    labels : sequence of str
        Who or what each of n votes belongs to.
    outcomes : (n,) float64
        1 for a win, 0 for a tie, -1 for a loss.
    kinds : sequence of float
        Outcomes in the order of columns.

    Examples
    --------
    >>> counts, names = count_by(["b", "a", "b"], np.array([1.0, 0.0, 1.0]))
    >>> names, counts.tolist()
    (['a', 'b'], [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    """
    names = sorted(set(labels))
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(kinds)))
    for label, outcome in zip(labels, outcomes, strict=True):
        counts[place[label], list(kinds).index(float(outcome))] += 1
    return counts, names
