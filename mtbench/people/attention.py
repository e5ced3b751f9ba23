"""Attention checks: whose judgements are left out, by a rule that does not know what they said.

Conventions
-----------
A rater is left out who answers fewer than :data:`LEAST_RIGHT` of the attention checks right. The rule sees answers to
checks only, and is fixed before anybody looks at preferences; raters without checks stay. How many were left out, and
of how many, is always reported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from mtbench.people.judgements import Judgements

#: Share of attention checks that a rater has to answer right.
LEAST_RIGHT = 0.8


@dataclass(frozen=True)
class Attention:
    """What attention checks said.

    Attributes
    ----------
    n_raters : int
        Raters before anybody was left out.
    n_checked : int
        Raters with attention checks.
    n_checks, n_right : int
        Answers to checks, and right ones.
    left_out : tuple of str
        Raters that were left out, sorted.
    rule : str
        The rule in words.
    """

    n_raters: int
    n_checked: int
    n_checks: int
    n_right: int
    left_out: tuple[str, ...]
    rule: str


def leave_out_raters(
    judgements: Judgements, least_right: float = LEAST_RIGHT
) -> tuple[Judgements, Attention]:
    """Return *judgements* without raters who failed their attention checks, and what was left out.

    Parameters
    ----------
    judgements : Judgements
    least_right : float
        Share of right answers that a rater needs; 0 keeps everybody.
    """
    asked = Counter(check.rater for check in judgements.checks)
    right = Counter(check.rater for check in judgements.checks if check.passed)
    left_out = tuple(sorted(r for r in asked if right[r] < least_right * asked[r] - 1e-9))
    gone = set(left_out)
    raters = {row.rater for row in judgements.rows} | set(asked)
    kept = replace(judgements, rows=tuple(row for row in judgements.rows if row.rater not in gone))
    rule = f"left out who answers fewer than {least_right:.0%} of his attention checks right"
    return kept, Attention(len(raters), len(asked), sum(asked.values()), sum(right.values()), left_out, rule)
