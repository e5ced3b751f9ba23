"""Whether a plan can find anything: the power of the tests that its judgements will go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.people import simulate_power
from mtbench.statistics import SEED
from mtbench.studies.plan import Group

#: Preference that a plan is looked at with, and how far raters and clips differ: those of ``mtbench study plan``.
SHARE, SPREAD, ALPHA = 0.65, 0.5, 0.05
#: Below this power a plan is warned of.
LEAST = 0.5
_MOST_GROUPS = 1000


@dataclass(frozen=True)
class PlanPower:
    """The power of both tests for a preference of :data:`SHARE`, where every schedule is judged once.

    Attributes
    ----------
    raters, clips : float
        Whole raters swapped, whole clips swapped; lower bounds where there are more than 1,000.
    """

    raters: float
    clips: float


def measure_plan(groups: Sequence[Group]) -> PlanPower:
    """Return the power of the tests over all *groups* together, for a pair of an aspect, each at alpha over pairs."""
    plans = [[s.item for s in plan if s.item.kind == "pair"] for group in groups for plan in group.schedules]
    pairs = {(item.a, item.b) for items in plans for item in items}
    clips = {item.clip for items in plans for item in items}
    votes = sum(map(len, plans)) / len(pairs)

    def power(number: int, name: str) -> float:
        each = max(1, round(votes / number))
        number = max(1, min(number, round(votes), _MOST_GROUPS))
        return simulate_power(number, each, SHARE, 0.0, SPREAD, ALPHA / len(pairs), SEED, name)

    return PlanPower(power(len(plans), "raters"), power(len(clips), "clips"))
