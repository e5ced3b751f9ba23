"""What to keep in mind about a study: who was never compared, who always won, what is indirect, how few there were."""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.errors import list_some
from mtbench.people.vote_tables import Votes
from mtbench.statistics import FEW, Graph

#: Fewer raters than this make intervals rough.
FEW_RATERS = 10
ALPHA = 0.05


def collect_warnings(
    votes: Votes, graph: Graph, first_share: float | None, first_p: float | None
) -> tuple[str, ...]:
    """Return what a reader of the numbers has to know, in words.

    Parameters
    ----------
    votes : Votes
    graph : Graph
        Of the comparisons.
    first_share, first_p : float or None
        Share of preferences for what was shown first, and its p-value.
    """
    out = [*_warn_of_gaps(votes, graph), *_warn_of_raters(votes)]
    if first_p is not None and first_share is not None and first_p < ALPHA:
        out.append(
            f"what was shown first was preferred in {first_share:.0%} of decided judgements (p = {first_p:.3f}): the "
            "order mattered; where it was not balanced, it is in the shares"
        )
    return tuple(out)


def warn_of_scale(
    *,
    only_ties: bool,
    tie_open: bool,
    by_share: str | None,
    infinite: Sequence[str],
    alike: Sequence[str],
    ranks: Sequence[str],
) -> list[str]:
    """Return why parts of a scale are not known, or where they come from.

    Parameters
    ----------
    only_ties : bool
        Whether nobody preferred anything.
    tie_open : bool
        Whether Davidson's ν has no bound.
    by_share : str or None
        System whose interval ends where the pair's share does.
    infinite, alike : sequence of str
        Systems without an interval: nearly all draws put them at infinity, or all draws are alike.
    ranks : sequence of str
        Systems without ranks and P(best).
    """
    out = []
    if tie_open:
        why = "every vote is a tie" if only_ties else "hardly any vote speaks against a tie between equals"
        out.append(f"Davidson's ν is not bounded: {why}")
    if by_share is not None:
        out.append(
            f"the end of the interval of {by_share} is that of the pair's share (Wilson): no draw holds a vote for the "
            "other side, and draws cannot tell it"
        )
    if infinite:
        out.append(
            f"the interval of {list_some(infinite, 8)} is n/a: in nearly all draws the difference from the reference "
            "has no bound, for no vote, or hardly any, was on the other side"
        )
    if alike:
        why = "every vote is a tie" if only_ties else "all draws of these votes give the same"
        out.append(
            f"the interval of {list_some(alike, 8)} is n/a: {why}, and how sure that is cannot be told"
        )
    if ranks:
        out.append(
            f"ranks and P(best) of {list_some(ranks, 8)} are n/a: they hang on differences that draws cannot tell "
            f"(all alike, or won by one side with fewer than {FEW} votes, or raters where they are known)"
        )
    return out


def _warn_of_gaps(votes: Votes, graph: Graph) -> list[str]:
    def name(group: tuple[int, ...]) -> str:
        return list_some([votes.systems[i] for i in group], 8)

    if not graph.is_connected:
        parts = "; ".join(name(part) for part in graph.parts)
        return [
            f"no common scale: these groups were never compared with each other, directly or through others: {parts}. "
            "Collect judgements between them, or look at the pairs alone"
        ]
    out = []
    if graph.is_separated:
        groups = " > ".join(name(group) for group in graph.groups)
        out.append(
            f"some comparisons were won by one side every time ({groups}): those differences have no upper bound, and "
            "their intervals are open. More votes on these pairs would close them"
        )
    if graph.hub is not None:
        hub = votes.systems[graph.hub]
        others = [name for name in votes.systems if name != hub]
        out.append(
            f"every comparison is with {hub}: differences among {list_some(others, 8)} are indirect, nobody compared "
            "them with each other"
        )
    return out


def _warn_of_raters(votes: Votes) -> list[str]:
    if not votes.raters:
        return [
            "only counts are known: every vote is taken for a rater of its own; where raters voted more than once, "
            "intervals are too narrow and p-values too small"
        ]
    if len(votes.raters) == 1:
        return ["one rater: what others would say is not known, intervals are those of this rater's votes"]
    if len(votes.raters) < FEW_RATERS:
        return [
            f"{len(votes.raters)} raters are few: intervals and p-values are rough, and speak of these raters"
        ]
    return []
