"""How many raters and clips a study needs, by simulating studies and the tests that would be made of them.

Conventions
-----------
The wanted difference is the share of votes that the better system would get of many raters on many clips, ties as half.
Raters differ, and so do clips: each has a preference of its own, normal on the logit scale around the wanted one with
a spread that is assumed. Votes are simulated and tested as :mod:`mtbench.people.preference` does: raters are swapped
whole, and clips are. Where each rater votes once, the exact binomial test is counted, not simulated. With several
pairs each is tested at alpha over their number, Holm's first step: what follows is never too few.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtbench.errors import UsageError
from mtbench.statistics import SEED, derive_generator

_STUDIES, _MOST = 1000, 4096


@dataclass(frozen=True)
class StudyPlan:
    """What a study of one pair needs, for each aspect.

    Attributes
    ----------
    share : float
        Wanted share for the better system, ties as half.
    power, alpha : float
        Probability of finding it, and level of each pair's test after correction.
    pairs : int
    ties : float
        Share of ties.
    votes : int
        Votes of one rater on one pair.
    rater_spread, clip_spread : float
        Standard deviations of preferences on the logit scale.
    independent_votes : int
        Votes on a pair, if each came from another rater.
    raters : int or None
        Raters who judge each pair *votes* times; None where more than 4,096 would be needed.
    clips : int or None
        Clips that these votes have to be spread over, for the test over clips; None likewise.
    rater_power, clip_power : float
        Power of the two tests with so many, simulated.
    """

    share: float
    power: float
    alpha: float
    pairs: int
    ties: float
    votes: int
    rater_spread: float
    clip_spread: float
    independent_votes: int
    raters: int | None
    clips: int | None
    rater_power: float
    clip_power: float


def plan_study(
    share: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    pairs: int = 1,
    ties: float = 0.0,
    votes: int = 5,
    rater_spread: float = 0.5,
    clip_spread: float = 0.5,
    seed: int = SEED,
) -> StudyPlan:
    """Return how many raters and clips find a preference.

    Parameters
    ----------
    share : float
        Wanted share of the better system, above 0.5.
    power, alpha : float
    pairs : int
        Pairs of an aspect that are tested.
    ties : float
        Share of ties.
    votes : int
        Votes of one rater on one pair, each on another clip.
    rater_spread, clip_spread : float
        Standard deviations on the logit scale; with 0.5, two raters of three lie from 53 to 75 % around 65 %.
    seed : int
        Seed of the simulation.

    Raises
    ------
    UsageError
        For values that no study can have.
    """
    _check(share, power, alpha, pairs, ties, votes, rater_spread, clip_spread)
    level = alpha / pairs
    # Of the votes that are no ties, this share has to be won.
    decided = 0.5 + (share - 0.5) / (1 - ties)
    independent = math.ceil(count_votes(decided, power, level) / (1 - ties))

    def raters_power(raters: int) -> float:
        return simulate_power(raters, votes, decided, ties, rater_spread, level, seed, "raters")

    raters, rater_power = _search(raters_power, power, 2)
    clips, clip_power = None, 0.0
    if raters is not None:
        all_votes = raters * votes

        def clips_power(clips: int) -> float:
            return simulate_power(
                clips, max(1, round(all_votes / clips)), decided, ties, clip_spread, level, seed, "clips"
            )

        clips, clip_power = _search(clips_power, power, max(2, votes))
        if clips is not None and clips > all_votes:
            clips = None
    return StudyPlan(
        share=share,
        power=power,
        alpha=level,
        pairs=pairs,
        ties=ties,
        votes=votes,
        rater_spread=rater_spread,
        clip_spread=clip_spread,
        independent_votes=independent,
        raters=raters,
        clips=clips,
        rater_power=rater_power,
        clip_power=clip_power,
    )


def count_votes(share: float, power: float, alpha: float) -> int:
    """Return the least number of votes from which on the exact binomial test finds *share* with *power*.

    Examples
    --------
    >>> count_votes(0.65, 0.8, 0.05)
    97
    """
    from scipy.special import bdtr

    most = 200
    while True:
        n = np.arange(1, most + 1)
        # Largest number of losses that is significant: two-sided, twice the lower tail.
        fewest = np.full(most, -1)
        for losses in range(most // 2 + 1):
            fits = 2 * bdtr(losses, n, 0.5) <= alpha
            fewest[fits] = losses
            if not fits.any():
                break
        found = np.where(fewest >= 0, bdtr(np.maximum(fewest, 0), n, 1 - share), 0.0)
        short = np.flatnonzero(found < power)
        last = int(short[-1]) + 1 if len(short) else 0
        # The power saws: it has to stay above for a good while.
        if last < most * 0.9:
            return last + 1
        most *= 2


def simulate_power(
    groups: int, votes: int, share: float, ties: float, spread: float, alpha: float, seed: int, name: str
) -> float:
    """Return how often the test over groups (raters, or clips) finds a preference, of 1,000 simulated studies.

    Parameters
    ----------
    groups, votes : int
        Groups, and votes of each.
    share : float
        Share of votes that are no ties that is won, on average over groups.
    ties : float
        Share of ties.
    spread : float
        Standard deviation of groups' preferences on the logit scale.
    alpha : float
        Level of the test.
    seed : int
    name : str
        Name of the draws.
    """
    rng = np.random.Generator(derive_generator(seed, "plan", name))
    middle = center_logit(share, spread)
    chance = 1 / (1 + np.exp(-(middle + spread * rng.standard_normal((_STUDIES, groups)))))
    decided = rng.binomial(votes, 1 - ties, (_STUDIES, groups))
    won = rng.binomial(decided, chance)
    differences = 2.0 * won - decided
    swaps = max(999, math.ceil(20 / alpha))
    signs = 1.0 - 2.0 * rng.integers(0, 2, (groups, swaps))
    observed = np.abs(differences.sum(axis=1))
    reached = (np.abs(differences @ signs) >= observed[:, None] - 1e-9).sum(axis=1)
    return float(np.mean((reached + 1) / (swaps + 1) <= alpha))


def center_logit(share: float, spread: float) -> float:
    """Return the mean of normal logits whose logistic has the mean *share*, by Gauss and Hermite's quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float(weights @ (1 / (1 + np.exp(-(middle + spread * nodes)))))
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2


def _search(power_of: Callable[[int], float], wanted: float, least: int) -> tuple[int | None, float]:
    """Return the smallest number that reaches the wanted power, and its power; None beyond 4,096."""
    high, found = least, power_of(least)
    low = least - 1
    while found < wanted:
        low, high = high, high * 2
        if high > _MOST:
            return None, found
        found = power_of(high)
    while high - low > 1:
        middle = (low + high) // 2
        power = power_of(middle)
        if power >= wanted:
            high, found = middle, power
        else:
            low = middle
    return high, found


def _check(
    share: float,
    power: float,
    alpha: float,
    pairs: int,
    ties: float,
    votes: int,
    rater_spread: float,
    clip_spread: float,
) -> None:
    if not 0 <= ties <= 0.9:
        raise UsageError(f"ties are {ties:g}; expected a share from 0 to 0.9")
    if not 0.5 < share < 1 - ties / 2 + 1e-12:
        raise UsageError(
            f"the share is {share:.12g}; expected more than 0.5 and, with {ties:.0%} ties counted as half, at most "
            f"{1 - ties / 2:g}"
        )
    if share < 0.505:
        raise UsageError(
            f"a share of {share:.12g} needs tens of thousands of votes; the smallest planned for is 0.505"
        )
    if not 0.05 <= power < 0.9999 or not 1e-6 <= alpha <= 0.5:
        raise UsageError("power has to lie from 0.05 to 0.9999 and alpha from 0.000001 to 0.5")
    if not 1 <= pairs <= 1000 or not 1 <= votes <= 1000:
        raise UsageError("pairs and votes have to lie from 1 to 1000")
    if not 0 <= rater_spread <= 5 or not 0 <= clip_spread <= 5:
        raise UsageError("spreads are standard deviations of logits, from 0 to 5")


def describe_plan(plan: StudyPlan) -> str:
    """Return a plan as text, with what it assumes."""
    raters = "more than 4,096" if plan.raters is None else f"{plan.raters}"
    if plan.raters is None:
        clips = "n/a"
    else:
        clips = f"{plan.clips}" if plan.clips is not None else "more than there are votes; take more raters"
    exact = plan.alpha * plan.pairs
    lines = [
        f"To find that one of two systems is preferred in {plan.share:.1%} of judgements (ties as half) with a power "
        f"of {plan.power:.0%}:",
        "",
        f"  raters   {raters:<8} each judging the pair {plan.votes} times, on different clips",
        f"  clips    {clips:<8} over which these judgements are spread evenly",
        f"  votes    {'n/a' if plan.raters is None else plan.raters * plan.votes:<8} on each pair and aspect "
        f"({plan.independent_votes} would do if each came from another rater and clip)",
        "",
        f"Tests: two-sided, at {exact:g} over {plan.pairs} pair(s) (each at {plan.alpha:.2g}, Holm's first step). "
        f"Raters: whole raters swapped, power {plan.rater_power:.0%}; clips: "
        f"whole clips swapped, power {plan.clip_power:.0%}.",
        f"Assumed: {plan.ties:.0%} ties; preferences of raters differ by {plan.rater_spread:g} and of clips by "
        f"{plan.clip_spread:g} (standard deviations on the logit scale; a pilot tells better). Powers are of 1,000 "
        "simulated studies, ±2.5 points. Raters who fail attention checks come on top.",
    ]
    return "\n".join(lines)
