"""Strengths on a scale with intervals, rank intervals and the probability of being best, from votes on pairs.

Conventions
-----------
What is redrawn are voters with all their votes; where nobody knows who voted, votes within each pair (a study fixes
how many there are). Strengths are Bradley–Terry's, relative to a reference that has 0; intervals are percentile
intervals, expanded by what few voters lack. A difference that some samples put at infinity has no end on that side.
One that nearly all put there has no known end on the other side either: where it lies is the ridge's doing, for no
sample holds a vote that would bound it. The same holds where all samples are alike. Ranks and the probability of
being best then need :data:`FEW` votes at least between winners and losers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mtbench.statistics.bootstrap import (
    REPLICATES,
    SEED,
    derive_generator,
    draw_cluster_counts,
    expand_tail,
)
from mtbench.statistics.bradley_terry import fit_bradley_terry
from mtbench.statistics.comparison_graph import reach_along
from mtbench.statistics.ranks import rank_intervals

#: A difference of strengths beyond this comes from comparisons that one side always won: more than 3,000 to 1.
INFINITE = 8.0
#: Fewer votes (voters, where they are known) than this, all won by one side, do not settle who is better.
FEW = 20
_ALIKE = 1e-6


@dataclass(frozen=True)
class Scale:
    """Strengths of S candidates.

    Attributes
    ----------
    theta : (S,) float64
        Strengths relative to the reference, which has 0.
    ci95 : tuple of (float or None, float or None), or None
        95 % intervals; None at an end that the data leave open, both for the reference (it is 0 by definition).
        None in place of an interval that samples do not know: nearly all put it at infinity, or all are alike.
    ranks : tuple of (int, int), or None
        Best and worst rank in 95 % of the samples, 1 is best; None where samples do not know.
    top : tuple of float or None
        Share of samples in which each is the strongest, ties shared; None where samples do not know.
    tie : float or None
        Davidson's ν; None where ties were half wins, or where hardly anything but ties leaves it without bound.
    samples : (B, S) float64
        Replicates of *theta*.
    """

    theta: np.ndarray
    ci95: tuple[tuple[float | None, float | None] | None, ...]
    ranks: tuple[tuple[int, int] | None, ...]
    top: tuple[float | None, ...]
    tie: float | None
    samples: np.ndarray = field(repr=False, compare=False)

    def finite_theta(self, place: int) -> float | None:
        """Return the strength of the candidate at *place*, None where the data put it at infinity."""
        value = float(self.theta[place])
        return value if abs(value) <= INFINITE else None


def scale_candidates(
    wins: np.ndarray,
    ties: np.ndarray,
    *,
    reference: int,
    by_voter: bool,
    model: str = "half",
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Scale:
    """Return the strengths of candidates that were compared in pairs.

    Parameters
    ----------
    wins : (R, S, S) float64
        How often the row's candidate was preferred to the column's, by voter; R is 1 where nobody knows who voted.
    ties : (R, S, S) float64
        How often the two tied; symmetric.
    reference : int
        Candidate with strength 0.
    by_voter : bool
        Whether voters are redrawn (R at least 2), or votes within pairs.
    model : {"half", "davidson"}
        Ties as half wins, or Davidson's model.
    replicates, seed : int
        Of the bootstrap.
    """
    all_wins, all_ties = wins.sum(axis=0), ties.sum(axis=0)
    found = fit_bradley_terry(all_wins[None], all_ties[None], model=model)
    if by_voter:
        tail = expand_tail(len(wins))
        counts = draw_cluster_counts(len(wins), replicates, derive_generator(seed, "voters", str(len(wins))))
        size = wins.shape[1:]
        drawn = tuple((counts @ v.reshape(len(v), -1)).reshape(-1, *size) for v in (wins, ties))
    else:
        tail = 0.025
        drawn = redraw_votes(all_wins, all_ties, replicates, seed)
    samples = fit_bradley_terry(*drawn, model=model).theta
    theta = found.theta[0] - found.theta[0, reference]
    samples = samples - samples[:, reference, None]
    best = samples >= samples.max(axis=1, keepdims=True) - _ALIKE
    top = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    unsettled = _find_unsettled(wins, ties, theta, samples, tail)
    known = [not unsettled[i].any() for i in range(len(theta))]
    ranks = rank_intervals(np.round(samples, 6), higher_is_better=True)
    return Scale(
        theta=theta,
        ci95=tuple(
            (None, None) if i == reference else _interval(samples[:, i], theta[i], tail)
            for i in range(len(theta))
        ),
        ranks=tuple(pair if known[i] else None for i, pair in enumerate(ranks)),
        top=tuple(float(share) if known[i] else None for i, share in enumerate(top)),
        tie=None if found.tie is None else _bounded_tie(float(found.tie[0]), theta),
        samples=samples,
    )


def redraw_votes(
    wins: np.ndarray, ties: np.ndarray, replicates: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (B, S, S) wins and ties with the votes of each pair drawn anew from what was voted.

    The draws of a pair are spread evenly over their distribution (Latin hypercube), so that shares of samples
    settle with fewer of them.
    """
    n = len(wins)
    new_wins, new_ties = np.zeros((replicates, n, n)), np.zeros((replicates, n, n))
    for a in range(n):
        for b in range(a + 1, n):
            votes = wins[a, b] + wins[b, a] + ties[a, b]
            if not votes:
                continue
            generator = derive_generator(seed, "votes", str(a), str(b))
            won = _draw_evenly(np.full(replicates, votes), wins[a, b] / votes, generator)
            among_rest = ties[a, b] / max(1.0, votes - wins[a, b])
            tied = _draw_evenly(votes - won, among_rest, generator)
            new_wins[:, a, b], new_wins[:, b, a] = won, votes - won - tied
            new_ties[:, a, b] = new_ties[:, b, a] = tied
    return new_wins, new_ties


def _draw_evenly(n: np.ndarray, p: float, generator: np.random.PCG64) -> np.ndarray:
    """Return binomial draws, one for each of *n* (B,), at quantiles spread evenly in random order."""
    from scipy.special import bdtrik

    if p <= 0 or p >= 1:
        return n * (p >= 1)
    order = np.argsort(generator.random_raw(len(n)), kind="stable")
    quantiles = (order + 0.5) / len(n)
    some = np.maximum(n, 1.0)
    least = bdtrik(quantiles, some, np.full(len(n), p))
    return np.where(n > 0, np.clip(np.ceil(np.nan_to_num(least) - 1e-9), 0, n), 0.0)


def _interval(samples: np.ndarray, theta: float, tail: float) -> tuple[float | None, float | None] | None:
    low, high = (float(end) for end in np.quantile(samples, (tail, 1 - tail)))
    if _is_unknown(low, high, samples):
        return None
    low, high = min(low, float(theta)), max(high, float(theta))
    return (None if low < -INFINITE else low), (None if high > INFINITE else high)


def _is_unknown(low: float, high: float, samples: np.ndarray) -> bool:
    """Return whether samples of a difference say nothing of its spread: at infinity, or all alike."""
    return high < -INFINITE or low > INFINITE or float(np.ptp(samples)) < _ALIKE


def _bounded_tie(tie: float, theta: np.ndarray) -> float | None:
    """Return Davidson's ν, None where it grows without bound: alone, or along with a difference of strengths."""
    limit = INFINITE / 2 if float(np.ptp(theta)) > INFINITE else INFINITE
    return None if tie > math.exp(limit) else tie


def _find_unsettled(
    wins: np.ndarray, ties: np.ndarray, theta: np.ndarray, samples: np.ndarray, tail: float
) -> np.ndarray:
    """Return (S, S) bool: pairs whose order the samples claim to know, though they cannot."""
    n = len(theta)
    out = np.zeros((n, n), dtype=bool)
    # Votes that bound a difference are in most samples: one that nearly all put at infinity is there without drawing.
    few = samples[:20, :, None] - samples[:20, None, :]
    suspects = (np.abs(theta[:, None] - theta) > INFINITE) | (np.ptp(few, axis=0) < _ALIKE)
    for a, b in np.argwhere(np.triu(suspects, 1)):
        gap = samples[:, a] - samples[:, b]
        low, high = (float(end) for end in np.quantile(gap, (tail, 1 - tail)))
        if not _is_unknown(low, high, gap):
            continue
        if float(np.ptp(gap)) < _ALIKE:
            out[a, b] = out[b, a] = True
            continue
        below = _find_below(wins, ties, *((a, b) if low > INFINITE else (b, a)))
        if _count_between(wins, below) < FEW:
            out |= (below[:, None] & ~below) | (~below[:, None] & below)
    return out


def _find_below(wins: np.ndarray, ties: np.ndarray, upper: int, lower: int) -> np.ndarray:
    """Return (S,) which candidates never did as well as one of the others, *lower* among them and *upper* not."""
    beats = (wins.sum(axis=0) > 0) | (ties.sum(axis=0) > 0)
    below = reach_along(beats)[lower]
    if below[upper]:  # held together by ties, which bound no difference in Davidson's model
        below = reach_along(wins.sum(axis=0) > 0)[lower]
    return below


def _count_between(wins: np.ndarray, below: np.ndarray) -> float:
    """Return how many votes, or voters where several are known, put those *below* (S,) under all others."""
    votes = wins[:, ~below][:, :, below].sum(axis=(1, 2))
    return float(votes.sum() if len(votes) == 1 else np.count_nonzero(votes))
