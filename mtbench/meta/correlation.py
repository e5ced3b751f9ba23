"""Rank correlation of a metric's scores with the order of systems that is known beforehand.

Conventions
-----------
The order is known within a family of degradations only (its chain: the ground truth, then ever more of one
damage), so families are strata: the headline is the mean over families of the correlation within the family,
every family weighing the same. Levels are always named:

``system``
    systems are ranked by their scores over all clips;
``clip``
    systems are ranked by their scores on one clip, and the correlations averaged: over clips within a
    language, over languages, over families.

A vector without any order (all scores equal) correlates 0 and is counted, never left out. Intervals come from
the cluster bootstrap of :class:`mtbench.meta.estimates.Study`, p-values from permuting the known order within
families: exact for Spearman on systems, otherwise from seeded draws, one-sided. The ground truth, which all families
share, keeps its place in the p-value over all of them. Replicates add noise to every
score, so that an interval near the upper end lies a little low.

Both statistics are inner products of two vectors: Spearman of centred ranks, Kendall's tau-b of the signs of
all differences, each divided by its length. That makes means over clips, replicates and permutations linear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from mtbench.meta.estimates import Measure, Study
from mtbench.meta.systems import FAMILIES, GROUND_TRUTH, System
from mtbench.statistics import FEATURES, TRIALS, Number, draw_orders, exact_p, inner, share_reached, summarize

#: Shortest chain that has a correlation: two systems are ±1 whatever happens.
SHORTEST = 3
#: The family whose steps are worse in every respect at once.
LADDER = "ladder"


@dataclass(frozen=True)
class Chain:
    """Systems whose order is known, best first.

    Attributes
    ----------
    family : str
    rows : (n,) int
        Their places among the systems.
    severity : (n,) float64
    """

    family: str
    rows: np.ndarray
    severity: np.ndarray


@dataclass(frozen=True)
class FamilyCorrelation:
    """One family's share of a correlation."""

    value: Number
    p: float | None
    n_systems: int
    n_constant: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return self.value.to_json() | {
            "p": self.p,
            "n_systems": self.n_systems,
            "n_constant": self.n_constant,
        }


@dataclass(frozen=True)
class Correlation:
    """How well a metric's scores follow the known order.

    Attributes
    ----------
    statistic : {"spearman", "kendall"}
        Kendall is tau-b.
    level : {"system", "clip"}
    measure : str
        Name of the metric.
    value : Number
        Mean over families, with the cluster bootstrap's interval.
    p : float or None
        One-sided; None without any family.
    p_method : str
        ``"exact"`` or ``"10000 draws"``.
    n_systems, n_clips, n_constant : int
        Systems in all chains (the ground truth once), clips, and vectors without order that count as 0.
    families : dict of str to FamilyCorrelation
    missing : tuple of str
        Systems of the known order that the metric has no score for.
    samples : (B,) float64 or None
        Replicates.
    """

    statistic: str
    level: str
    measure: str
    value: Number
    p: float | None
    p_method: str
    n_systems: int
    n_clips: int
    n_constant: int
    families: dict[str, FamilyCorrelation]
    missing: tuple[str, ...]
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON, with the ladder apart."""
        families = {name: value.to_json() for name, value in self.families.items()}
        return self.value.to_json() | {
            "statistic": self.statistic,
            "level": self.level,
            "measure": self.measure,
            "p": self.p,
            "p_method": self.p_method,
            "n_systems": self.n_systems,
            "n_clips": self.n_clips,
            "n_families": len(families),
            "n_constant": self.n_constant,
            "families": families,
            "ladder": families.get(LADDER),
            "missing": list(self.missing),
        }


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
    study: Study,
    measure: Measure,
    *,
    level: str = "system",
    statistic: str = "spearman",
    trials: int = TRIALS,
) -> Correlation:
    """Return how well *measure* follows the known order.

    Parameters
    ----------
    study : Study
    measure : Measure
        Larger is worse, as severity is.
    level : {"system", "clip"}
    statistic : {"spearman", "kendall"}
    trials : int
        Draws of the permutation test where it is not exact.
    """
    systems = study.scores.systems
    chains = order_chains(systems, measure.scored)
    shared = bool(chains) and systems[chains[0].rows[0]].name == GROUND_TRUTH
    parts = [_correlate_chain(study, measure, chain, level, statistic, trials, shared) for chain in chains]
    exact = level == "system" and statistic == "spearman"
    p = None
    if parts and exact:
        strata = [(chain.severity, part.scores) for chain, part in zip(chains, parts, strict=True)]
        p = exact_p(strata, anchored=shared)
    exact = exact and p is not None
    if parts and p is None:
        p = share_reached(np.sum([part.null for part in parts], axis=0), sum(x.estimate for x in parts))
    drawn = [part.samples for part in parts if part.samples is not None]
    samples = np.mean(drawn, axis=0) if parts and len(drawn) == len(parts) else None
    rows = {int(row) for chain in chains for row in chain.rows}
    return Correlation(
        statistic=statistic,
        level=level,
        measure=measure.name,
        value=summarize(
            float(np.mean([p.estimate for p in parts])) if parts else np.nan, samples, "", agreement=True
        ),
        p=p,
        p_method="exact" if exact else f"{trials} draws",
        n_systems=len(rows),
        n_clips=int(measure.usable.sum()),
        n_constant=sum(part.n_constant for part in parts),
        families={c.family: part.to_result(c, exact) for c, part in zip(chains, parts, strict=True)},
        missing=tuple(
            s.name for s, scored in zip(systems, measure.scored) if has_known_order(s) and not scored
        ),
        samples=samples,
    )


@dataclass(frozen=True)
class _Part:
    """One chain: its correlation, replicates, permutation distributions (alone, with others); its scores."""

    estimate: float
    samples: np.ndarray | None
    own_null: np.ndarray
    null: np.ndarray
    n_constant: int
    scores: np.ndarray

    def to_result(self, chain: Chain, exact: bool) -> FamilyCorrelation:
        p = exact_p([(chain.severity, self.scores)]) if exact else share_reached(self.own_null, self.estimate)
        value = summarize(self.estimate, self.samples, "", agreement=True)
        return FamilyCorrelation(value, p, len(chain.rows), self.n_constant)


def _correlate_chain(
    study: Study, measure: Measure, chain: Chain, level: str, statistic: str, trials: int, shared: bool
) -> _Part:
    make = FEATURES[statistic]
    known = make(chain.severity)
    if level == "system":
        scores = study.estimate(measure)[chain.rows]
        mean = make(scores)
        drawn = study.resample(measure)
        samples = None
        if drawn is not None:
            drawn = drawn[:, chain.rows]
            samples = np.where(np.isfinite(drawn).all(axis=1), inner(make(drawn), known), np.nan)
        n_constant = int(not mean.any())
    elif level == "clip":
        members = np.flatnonzero(measure.usable)
        scores = measure.per_clip[np.ix_(chain.rows, members)].T
        clips = make(scores)
        mean = _mean_over_clips(study, members, clips, np.ones((1, len(study.scores.clips))))[0]
        values = inner(clips, known)
        samples = None
        if study.weights is not None:
            samples = _mean_over_clips(study, members, values[:, None], study.weights)[:, 0]
        n_constant = int((~clips.any(axis=1)).sum())
    else:
        raise ValueError(f"level must be 'system' or 'clip', not {level!r}")
    severity = tuple(chain.severity.tolist())
    alone = inner(_permute(severity, chain.family, statistic, False, trials), mean)
    joint = inner(_permute(severity, chain.family, statistic, shared, trials), mean)
    return _Part(float(np.sum(mean * known)), samples, alone, joint, n_constant, scores)


@lru_cache(maxsize=64)
def _permute(
    severity: tuple[float, ...], family: str, statistic: str, anchored: bool, trials: int
) -> np.ndarray:
    """Features of the permuted known order, (trials, k): the same for every measure."""
    orders = draw_orders(len(severity), anchored=anchored, trials=trials, name=family)
    return FEATURES[statistic](np.array(severity)[orders])


def _mean_over_clips(
    study: Study, members: np.ndarray, values: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Mean over clips within languages, then over languages: (n, k) values to (B, k)."""
    total, n_languages = np.zeros((len(weights), values.shape[1])), 0
    for language in study.languages:
        places = np.flatnonzero(np.isin(members, study.members(language)))
        if not len(places):
            continue
        sums, count = np.zeros_like(total), np.zeros(len(weights))
        for place in places:
            sums += weights[:, members[place], None] * values[None, place]
            count += weights[:, members[place]]
        total += sums / np.where(count > 0, count, np.nan)[:, None]
        n_languages += 1
    return total / n_languages
