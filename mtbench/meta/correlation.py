"""Rank correlation of a metric's scores with the order of systems that is known beforehand.

Conventions
-----------
The order is known within a family of degradations only (its chain: the ground truth, then ever more of one
damage). How correlations within families become one number, with interval and p-value, is said in
:mod:`mtbench.statistics.correlation`; clips are the items, languages the strata. The ground truth, which all families
share, keeps its place in the p-value over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mtbench.meta.estimates import BootstrappedScores, Measure
from mtbench.meta.json_values import LEFT_OUT
from mtbench.meta.systems import FAMILIES, GROUND_TRUTH, System
from mtbench.statistics import TRIALS, Chain, Number, correlate_chains

#: Shortest chain that has a correlation: two systems are ±1 whatever happens.
SHORTEST = 3
#: The family whose steps are worse in every respect at once.
LADDER = "ladder"


@dataclass(frozen=True, kw_only=True)
class FamilyCorrelation(Number):
    """One family's share of a correlation, with its interval.

    Attributes
    ----------
    p : float
        One-sided p-value of the family alone.
    n_systems : int
        Number of systems in the family's chain, the ground truth included.
    n_constant : int
        Number of vectors without order, which count as 0.
    """

    p: float
    n_systems: int
    n_constant: int


@dataclass(frozen=True, kw_only=True)
class Correlation(Number):
    """How well a metric's scores follow the known order: mean over families, with its interval.

    Attributes
    ----------
    statistic : {"spearman", "kendall"}
        Kendall is tau-b.
    level : {"system", "clip"}
        What is ranked: systems over all clips, or systems on each clip.
    measure : str
        Name of the metric.
    p : float or None
        One-sided p-value; None without any family.
    p_method : str
        ``"exact"`` or ``"10000 draws"``.
    n_systems, n_clips, n_constant : int
        Systems in all chains (the ground truth once), clips, and vectors without order that count as 0.
    families : mapping of str to FamilyCorrelation
        Share of each family, by its name.
    missing : tuple of str
        Systems of the known order that the metric has no score for.
    lead_of_avlr : Number or None
        By how much AVLR's correlation is larger, paired; None for AVLR itself and where one does not exist.
    samples : (B,) float64 or None
        Replicates; not part of the report.
    """

    JSON_KEYS: ClassVar[tuple[str, ...]] = (
        *(
            "estimate",
            "ci95",
            "unit",
            "statistic",
            "level",
            "measure",
            "p",
            "p_method",
            "n_systems",
            "n_clips",
        ),
        *("n_families", "n_constant", "families", "ladder", "missing", "lead_of_avlr"),
    )

    statistic: str
    level: str
    measure: str
    p: float | None
    p_method: str
    n_systems: int
    n_clips: int
    n_constant: int
    families: Mapping[str, FamilyCorrelation]
    missing: tuple[str, ...]
    lead_of_avlr: Number | None = field(default=None, metadata=LEFT_OUT)
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)

    @property
    def n_families(self) -> int:
        """Number of families."""
        return len(self.families)

    @property
    def ladder(self) -> FamilyCorrelation | None:
        """Share of the family that gets worse in every respect at once; None where it was not run."""
        return self.families.get(LADDER)


@dataclass(frozen=True, kw_only=True)
class CorrelationTable(Correlation):
    """AVLR's correlation, and those of all metrics.

    Attributes
    ----------
    measures : mapping of str to Correlation
        By the metric's name, AVLR first.
    """

    JSON_KEYS: ClassVar[tuple[str, ...]] = (*Correlation.JSON_KEYS, "measures")

    measures: Mapping[str, Correlation]


def has_known_order(system: System) -> bool:
    """Return whether *system* is a link of a chain whose order is an order of lip readability."""
    family = FAMILIES.get(system.family)
    known = family.ordered if family is not None else True
    return known and not system.nuisance and system.name != GROUND_TRUTH and system.severity > 0


def order_chains(
    systems: Sequence[System],
    scored: np.ndarray,
    *,
    shortest: int = SHORTEST,
    belongs: Callable[[System], bool] = has_known_order,
) -> list[Chain]:
    """Return the chains among *systems*, in the order of their first system.

    Parameters
    ----------
    systems : sequence of System
    scored : (S,) bool
        Systems that may enter.
    shortest : int
        Chains of fewer systems, the ground truth included, are left out.
    belongs : callable
        Which systems are links.
    """
    start = [row for row, s in enumerate(systems) if s.name == GROUND_TRUTH and scored[row]]
    families: dict[str, list[int]] = {}
    for row, system in enumerate(systems):
        if scored[row] and belongs(system):
            families.setdefault(system.family, list(start)).append(row)
    chains = []
    for name, rows in families.items():
        rows.sort(key=lambda row: systems[row].severity)
        if len(rows) >= shortest:
            severity = np.array([systems[row].severity for row in rows], dtype=np.float64)
            chains.append(Chain(name, np.array(rows), severity))
    return chains


def correlate(
    bootstrap: BootstrappedScores,
    measure: Measure,
    *,
    level: str = "system",
    statistic: str = "spearman",
    trials: int = TRIALS,
) -> Correlation:
    """Return how well *measure* follows the known order.

    Parameters
    ----------
    bootstrap : BootstrappedScores
    measure : Measure
        Larger is worse, as severity is.
    level : {"system", "clip"}
    statistic : {"spearman", "kendall"}
    trials : int
        Draws of the permutation test where it is not exact.
    """
    systems = bootstrap.scores.systems
    chains = order_chains(systems, measure.scored)
    anchored = bool(chains) and systems[chains[0].rows[0]].name == GROUND_TRUTH
    found = correlate_chains(
        bootstrap, measure, chains, level=level, statistic=statistic, anchored=anchored, trials=trials
    )
    return Correlation(
        **vars(found.value),
        statistic=statistic,
        level=level,
        measure=measure.name,
        p=found.p,
        p_method="exact" if found.exact else f"{trials} draws",
        n_systems=len({int(row) for chain in chains for row in chain.rows}),
        n_clips=int(measure.usable.sum()),
        n_constant=found.n_constant,
        families={
            chain.name: FamilyCorrelation(
                **vars(part.value), p=part.p, n_systems=len(chain.rows), n_constant=part.n_constant
            )
            for chain, part in zip(chains, found.chains.values(), strict=True)
        },
        missing=tuple(
            s.name for s, scored in zip(systems, measure.scored) if has_known_order(s) and not scored
        ),
        samples=found.samples,
    )
