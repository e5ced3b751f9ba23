"""What people prefer: pairs with intervals and tests, a scale, agreement, and what to keep in mind.

Conventions
-----------
Everything is computed for each aspect alone. A share counts a tie as half a win. Where raters judged a pair more than
once, its interval knows that (design effect) and its test swaps whole raters; otherwise the test is the exact
binomial one on votes that are no ties. Holm's correction runs over the pairs of an aspect. Beside it, where raters saw
several clips, the same test over whole clips: a preference that hangs on few clips fails it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtbench.errors import UsageError, did_you_mean
from mtbench.people.attention import LEAST_RIGHT, Attention, leave_out_raters
from mtbench.people.judgements import Judgement, Judgements
from mtbench.people.preference_warnings import collect_warnings, warn_of_scale
from mtbench.people.vote_tables import PairVotes, Votes, tabulate_counts, tabulate_rows
from mtbench.statistics import (
    SEED,
    Number,
    adjust_holm,
    binomial_p,
    examine_comparisons,
    measure_alpha,
    measure_share,
    randomize_voters,
    scale_candidates,
)

#: Samples of the scale's bootstrap.
SAMPLES = 10_000
ALPHA = 0.05


@dataclass(frozen=True)
class PairResult:
    """What people prefer of two systems.

    Attributes
    ----------
    a, b : str
        The systems.
    wins, ties, losses, n : int
        Votes for *a*, for neither, for *b*, and all.
    share : float
        Share for *a*, ties as half.
    ci95 : (float, float)
        Wilson's interval.
    worth : float
        Number of independent votes without ties that would tell as much.
    n_raters, n_clips : int or None
        None where only counts are known.
    p, p_holm : float
        Two-sided, and corrected over the pairs of the aspect.
    p_method : str
        ``"exact binomial"``, ``"raters, exact"`` or ``"raters, 10000 draws"``.
    p_clips : float or None
        The same over whole clips, not corrected; None where each clip or each rater has one vote at most.
    better : str or None
        The preferred system, where the corrected p is below 5 %.
    """

    a: str
    b: str
    wins: int
    ties: int
    losses: int
    n: int
    share: float
    ci95: tuple[float, float]
    worth: float
    n_raters: int | None
    n_clips: int | None
    p: float
    p_holm: float
    p_method: str
    p_clips: float | None
    better: str | None


@dataclass(frozen=True)
class Strength:
    """One system's place on the scale.

    Attributes
    ----------
    system : str
    theta : float or None
        Strength relative to the reference; None where it is infinite.
    ci95 : (float or None, float or None), or None
        Interval, None at an open end; both None for the reference; None where it is not known.
    rank_low, rank_high : int or None
        Best and worst rank in 95 % of the samples; None where they are not known.
    top : float or None
        Probability of being the strongest; None where it is not known.
    """

    system: str
    theta: float | None
    ci95: tuple[float | None, float | None] | None
    rank_low: int | None
    rank_high: int | None
    top: float | None


@dataclass(frozen=True)
class AspectResult:
    """What people prefer in one respect.

    Attributes
    ----------
    aspect : str
    n_votes : int
    n_raters, n_clips : int or None
        None where only counts are known.
    pairs : tuple of PairResult
    reference : str or None
        The system with strength 0; None without a scale.
    scale : tuple of Strength
        Empty where systems cannot be put on one scale.
    ties_model : {"half", "davidson"}
    tie_parameter : float or None
        Davidson's ν; None where ties were half wins, or where it has no bound.
    resampled : str
        What the scale's intervals redraw.
    agreement : Number or None
        Krippendorff's alpha over pairs and clips; None where only counts are known.
    first_share, first_p : float or None
        Share of preferences for what was shown first, and its two-sided p over raters.
    warnings : tuple of str
    """

    aspect: str
    n_votes: int
    n_raters: int | None
    n_clips: int | None
    pairs: tuple[PairResult, ...]
    reference: str | None
    scale: tuple[Strength, ...]
    ties_model: str
    tie_parameter: float | None
    resampled: str
    agreement: Number | None
    first_share: float | None
    first_p: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Preference:
    """What people prefer.

    Attributes
    ----------
    aspects : tuple of AspectResult
    attention : Attention or None
        None where only counts are known.
    remarks : tuple of str
        What the files say about themselves.
    notes : tuple of str
        What was left out.
    """

    aspects: tuple[AspectResult, ...]
    attention: Attention | None
    remarks: tuple[str, ...]
    notes: tuple[str, ...]


def measure_preference(
    judgements: Judgements,
    *,
    aspects: Sequence[str] = (),
    languages: Sequence[str] = (),
    reference: str | None = None,
    ties: str = "half",
    least_right: float = LEAST_RIGHT,
    samples: int = SAMPLES,
    seed: int = SEED,
) -> Preference:
    """Return what people prefer.

    Parameters
    ----------
    judgements : Judgements
    aspects, languages : sequence of str
        Only these; none: all.
    reference : str, optional
        System with strength 0; default: the one all others were compared with, else the first.
    ties : {"half", "davidson"}
        How the scale takes ties.
    least_right : float
        Share of attention checks that a rater has to answer right.
    samples, seed : int
        Of the bootstrap.

    Raises
    ------
    UsageError
        For an aspect, language or system that the judgements do not have.
    """
    _require(aspects, judgements.aspects, "aspect")
    _require([reference] if reference else [], judgements.systems, "system")
    attention = None
    if judgements.rows:
        judgements, attention = leave_out_raters(judgements, least_right)
        spoken = tuple(dict.fromkeys(row.language for row in judgements.rows))
        _require(languages, spoken, "language")
        if not judgements.rows:
            raise UsageError("no rater passed the attention checks; see --least-right")
    elif languages:
        raise UsageError("counts have no languages; give the judgements row by row")
    rows = [row for row in judgements.rows if not languages or row.language in languages]
    found = []
    for aspect in judgements.aspects:
        if aspects and aspect not in aspects:
            continue
        mine = [row for row in rows if row.aspect == aspect]
        if judgements.rows and not mine:
            continue
        votes = (
            tabulate_rows(mine)
            if judgements.rows
            else tabulate_counts([c for c in judgements.counts if c.aspect == aspect])
        )
        found.append(_measure_aspect(aspect, votes, mine, reference, ties, samples, seed))
    return Preference(tuple(found), attention, judgements.remarks, judgements.notes)


def _require(wanted: Sequence[str], known: Sequence[str], what: str) -> None:
    for name in wanted:
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise UsageError(f"no {what} {name!r} in the judgements{near}")


def _measure_aspect(
    aspect: str,
    votes: Votes,
    rows: Sequence[Judgement],
    reference: str | None,
    ties: str,
    samples: int,
    seed: int,
) -> AspectResult:
    pairs = [_measure_pair(pair) for pair in votes.pairs]
    adjusted = adjust_holm([pair.p for pair in pairs])
    pairs = [_decide(pair, p) for pair, p in zip(pairs, adjusted, strict=True)]
    graph = examine_comparisons(votes.wins.sum(axis=0), votes.ties.sum(axis=0))
    chosen = reference if reference in votes.systems else votes.systems[0]
    by_voter = len(votes.raters) > 1
    scale: tuple[Strength, ...] = ()
    tie = None
    if graph.is_connected:
        scale, tie = _put_on_scale(votes, chosen, ties, by_voter, samples, seed)
        scale = _bound_by_share(scale, pairs, chosen)
    first_share, first_p = _measure_order(rows)
    return AspectResult(
        aspect=aspect,
        n_votes=sum(pair.n for pair in pairs),
        n_raters=len(votes.raters) or None,
        n_clips=len({(row.language, row.clip) for row in rows}) or None,
        pairs=tuple(pairs),
        reference=chosen if scale else None,
        scale=scale,
        ties_model=ties,
        tie_parameter=tie,
        resampled="raters" if by_voter else "votes within pairs",
        agreement=measure_alpha(votes.units, seed=seed) if votes.raters else None,
        first_share=first_share,
        first_p=first_p,
        warnings=(
            *collect_warnings(votes, graph, first_share, first_p),
            *_warn_of_scale(votes, scale, chosen, ties, tie),
        ),
    )


def _measure_pair(pair: PairVotes) -> PairResult:
    share = measure_share(pair.wins, pair.ties, pair.losses, pair.by_rater)
    name = f"{pair.a}\x1f{pair.b}"
    p, method, p_clips = binomial_p(pair.wins, pair.losses), "exact binomial", None
    if pair.by_rater is not None and pair.by_rater.sum(axis=1).max() > 1:
        p, how = randomize_voters(pair.by_rater[:, 0] - pair.by_rater[:, 2], name=name)
        method = f"raters, {how}"
    if pair.by_clip is not None and len(pair.by_clip) > 1 and pair.by_clip.sum(axis=1).max() > 1:
        p_clips = randomize_voters(pair.by_clip[:, 0] - pair.by_clip[:, 2], name=f"clips\x1f{name}")[0]
    return PairResult(
        a=pair.a,
        b=pair.b,
        wins=pair.wins,
        ties=pair.ties,
        losses=pair.losses,
        n=pair.n,
        share=share.estimate,
        ci95=share.ci95,
        worth=share.worth,
        n_raters=None if pair.by_rater is None else len(pair.by_rater),
        n_clips=None if pair.by_clip is None else len(pair.by_clip),
        p=p,
        p_holm=p,
        p_method=method,
        p_clips=p_clips,
        better=None,
    )


def _decide(pair: PairResult, p_holm: float) -> PairResult:
    better = (pair.a if pair.wins > pair.losses else pair.b) if p_holm < ALPHA else None
    return replace(pair, p_holm=p_holm, better=better)


def _put_on_scale(
    votes: Votes, reference: str, ties: str, by_voter: bool, samples: int, seed: int
) -> tuple[tuple[Strength, ...], float | None]:
    found = scale_candidates(
        votes.wins,
        votes.ties,
        reference=votes.systems.index(reference),
        by_voter=by_voter,
        model=ties,
        replicates=samples,
        seed=seed,
    )
    order = sorted(range(len(votes.systems)), key=lambda i: (-found.theta[i], i))
    strengths = []
    for i in order:
        low, high = found.ranks[i] or (None, None)
        strengths.append(
            Strength(votes.systems[i], found.finite_theta(i), found.ci95[i], low, high, found.top[i])
        )
    return tuple(strengths), found.tie


def _bound_by_share(
    scale: tuple[Strength, ...], pairs: Sequence[PairResult], reference: str
) -> tuple[Strength, ...]:
    """Return the scale of two systems of which one always won, with the end that the pair's share gives."""
    if len(scale) != 2 or pairs[0].ties or pairs[0].wins * pairs[0].losses:
        return scale
    won = pairs[0].a if pairs[0].wins else pairs[0].b
    least = pairs[0].ci95[0] if pairs[0].wins else 1 - pairs[0].ci95[1]
    gap = float(np.log(least / (1 - least))) if 0 < least < 1 else None
    if gap is None:
        return scale
    ends = (None, -gap) if won == reference else (gap, None)
    return tuple(s if s.system == reference else replace(s, ci95=ends) for s in scale)


def _warn_of_scale(
    votes: Votes, scale: Sequence[Strength], reference: str, ties: str, tie: float | None
) -> list[str]:
    others = [s for s in scale if s.system != reference]
    return warn_of_scale(
        only_ties=not votes.wins.any(),
        tie_open=bool(scale) and ties == "davidson" and tie is None,
        by_share=next((s.system for s in others if s.theta is None and s.ci95 and len(scale) == 2), None),
        infinite=[s.system for s in others if s.ci95 is None and s.theta is None],
        alike=[s.system for s in others if s.ci95 is None and s.theta is not None],
        ranks=[s.system for s in scale if s.rank_low is None],
    )


def _measure_order(rows: Sequence[Judgement]) -> tuple[float | None, float | None]:
    """Share of preferences for what was shown first, and its p over raters; None where that is not known."""
    for_first = [(row.rater, row.outcome if row.first == "a" else -row.outcome) for row in rows if row.first]
    decided = [outcome for _, outcome in for_first if outcome]
    if not decided:
        return None, None
    raters = sorted({rater for rater, _ in for_first})
    place = {rater: i for i, rater in enumerate(raters)}
    sums = np.zeros(len(raters))
    for rater, outcome in for_first:
        sums[place[rater]] += outcome
    return decided.count(1) / len(decided), randomize_voters(sums, name="first shown")[0]
