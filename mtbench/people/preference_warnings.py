"""What to keep in mind about a study: who was never compared, who always won, what is indirect, how few there were."""

from __future__ import annotations

from mtbench.errors import list_some
from mtbench.people.vote_tables import Votes
from mtbench.statistics import Graph

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
