"""Rank correlation with an order that is known: Spearman and Kendall, their intervals and p-values.

Conventions
-----------
The order is known within chains only (things that differ in one respect, by ever more of it), so chains are the
strata of the test: the headline is the mean over chains of the correlation within the chain, every chain weighing
the same. Levels are always named:

``"system"``
    candidates are ranked by their scores over all items;
``"clip"``
    candidates are ranked by their scores on one item, and the correlations averaged: over items within a stratum
    (a language), over strata, over chains.

A vector without any order (all scores equal) correlates 0 and is counted, never left out. Intervals come from
:class:`mtbench.statistics.ratios.ClusterBootstrap`, p-values from permuting the known order within chains: exact
for Spearman on systems, otherwise from seeded draws, one-sided. Replicates add noise to every score, so that an
interval near the upper end lies a little low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from mtbench.statistics.bootstrap import TRIALS
from mtbench.statistics.correlation import FEATURES, inner, share_reached
from mtbench.statistics.estimates import Number, summarize
from mtbench.statistics.permutation import draw_orders, exact_p
from mtbench.statistics.ratios import ClusterBootstrap, Ratios


@dataclass(frozen=True)
class Chain:
    """Candidates whose order is known, best first.

    Attributes
    ----------
    name : str
        Name of the chain; draws of the permutation test follow from it.
    rows : (n,) int
        Places of the candidates among the rows of scores.
    severity : (n,) float64
        What they are ordered by, rising.
    """

    name: str
    rows: np.ndarray
    severity: np.ndarray


@dataclass(frozen=True)
class ChainCorrelation:
    """One chain's share of a correlation.

    Attributes
    ----------
    value : Number
        Correlation within the chain.
    p : float
        One-sided p-value of the chain alone.
    n_constant : int
        Number of vectors without order, which count as 0.
    """

    value: Number
    p: float
    n_constant: int


@dataclass(frozen=True)
class RankCorrelation:
    """How well scores follow the known order of several chains.

    Attributes
    ----------
    value : Number
        Mean over chains, with the cluster bootstrap's interval.
    p : float or None
        One-sided p-value; None without any chain.
    exact : bool
        Whether *p* counts all orders, not draws of them.
    n_constant : int
        Number of vectors without order, which count as 0.
    chains : mapping of str to ChainCorrelation
        Share of each chain, by its name.
    samples : (B,) float64 or None
        Replicates of the value.
    """

    value: Number
    p: float | None
    exact: bool
    n_constant: int
    chains: Mapping[str, ChainCorrelation]
    samples: np.ndarray | None = field(repr=False, compare=False, default=None)


def correlate_chains(
    bootstrap: ClusterBootstrap,
    ratios: Ratios,
    chains: Sequence[Chain],
    *,
    level: str = "system",
    statistic: str = "spearman",
    anchored: bool = False,
    trials: int = TRIALS,
) -> RankCorrelation:
    """Return how well scores follow the known order of *chains*.

    Parameters
    ----------
    bootstrap : ClusterBootstrap
    ratios : Ratios
        Scores that should rise with severity.
    chains : sequence of Chain
    level : {"system", "clip"}
    statistic : {"spearman", "kendall"}
    anchored : bool
        All chains begin with the same candidate, which keeps its place in the p-value over all of them.
    trials : int
        Draws of the permutation test where it is not exact.
    """
    parts = [_correlate_chain(bootstrap, ratios, c, level, statistic, trials, anchored) for c in chains]
    exact = level == "system" and statistic == "spearman"
    p = None
    if parts and exact:
        p = exact_p(
            [(c.severity, part.scores) for c, part in zip(chains, parts, strict=True)], anchored=anchored
        )
    exact = exact and p is not None
    if parts and p is None:
        p = share_reached(np.sum([part.null for part in parts], axis=0), sum(x.estimate for x in parts))
    drawn = [part.samples for part in parts if part.samples is not None]
    samples = np.mean(drawn, axis=0) if parts and len(drawn) == len(parts) else None
    mean = float(np.mean([part.estimate for part in parts])) if parts else np.nan
    return RankCorrelation(
        value=summarize(mean, samples, "", agreement=True),
        p=p,
        exact=exact,
        n_constant=sum(part.n_constant for part in parts),
        chains={c.name: part.to_result(c, exact) for c, part in zip(chains, parts, strict=True)},
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

    def to_result(self, chain: Chain, exact: bool) -> ChainCorrelation:
        p = exact_p([(chain.severity, self.scores)]) if exact else None
        p = share_reached(self.own_null, self.estimate) if p is None else p
        value = summarize(self.estimate, self.samples, "", agreement=True)
        return ChainCorrelation(value, p, self.n_constant)


def _correlate_chain(
    bootstrap: ClusterBootstrap,
    ratios: Ratios,
    chain: Chain,
    level: str,
    statistic: str,
    trials: int,
    anchored: bool,
) -> _Part:
    make = FEATURES[statistic]
    known = make(chain.severity)
    samples = None
    if level == "system":
        scores = bootstrap.estimate(ratios)[chain.rows]
        mean = make(scores)
        drawn = bootstrap.resample(ratios)
        if drawn is not None:
            drawn = drawn[:, chain.rows]
            samples = np.where(np.isfinite(drawn).all(axis=1), inner(make(drawn), known), np.nan)
        n_constant = int(not mean.any())
    elif level == "clip":
        members = np.flatnonzero(ratios.usable)
        scores = ratios.per_item[np.ix_(chain.rows, members)].T
        items = make(scores)
        mean = _mean_over_items(bootstrap, members, items, bootstrap.once)[0]
        values = inner(items, known)
        if bootstrap.weights is not None:
            samples = _mean_over_items(bootstrap, members, values[:, None], bootstrap.weights)[:, 0]
        n_constant = int((~items.any(axis=1)).sum())
    else:
        raise ValueError(f"level must be 'system' or 'clip', not {level!r}")
    severity = tuple(chain.severity.tolist())
    alone = inner(_permute(severity, chain.name, statistic, False, trials), mean)
    joint = inner(_permute(severity, chain.name, statistic, anchored, trials), mean)
    return _Part(float(np.sum(mean * known)), samples, alone, joint, n_constant, scores)


@lru_cache(maxsize=64)
def _permute(
    severity: tuple[float, ...], name: str, statistic: str, anchored: bool, trials: int
) -> np.ndarray:
    """Features of the permuted known order, (trials, k): the same for every set of scores."""
    orders = draw_orders(len(severity), anchored=anchored, trials=trials, name=name)
    return FEATURES[statistic](np.array(severity)[orders])


def _mean_over_items(
    bootstrap: ClusterBootstrap, members: np.ndarray, values: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Mean over items within strata, then over strata: (n, k) values to (B, k)."""
    total, n_strata = np.zeros((len(weights), values.shape[1])), 0
    for stratum in bootstrap.names:
        places = np.flatnonzero(np.isin(members, bootstrap.members(stratum)))
        if not len(places):
            continue
        sums, count = np.zeros_like(total), np.zeros(len(weights))
        for place in places:
            sums += weights[:, members[place], None] * values[None, place]
            count += weights[:, members[place]]
        total += sums / np.where(count > 0, count, np.nan)[:, None]
        n_strata += 1
    return total / n_strata
