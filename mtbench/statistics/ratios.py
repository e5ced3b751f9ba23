"""Ratios of sums for several candidates on the same items, and their replicates under the cluster bootstrap.

Conventions
-----------
S candidates (systems, entries), N items (clips), B replicates. A candidate's score is the ratio of sums within a
stratum (a language) and the mean over strata, so that no stratum counts more for having larger denominators.
Replicates draw clusters of items (all clips of one source) with replacement within each stratum, the same draws for
every candidate: differences are paired. Sums run in a fixed order, without BLAS: the same bits everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mtbench.statistics.bootstrap import REPLICATES, SEED, derive_generator, draw_cluster_counts


@dataclass(frozen=True)
class Ratios:
    """A numerator for each candidate and item over a denominator for each item.

    Attributes
    ----------
    values : (S, N) float64
        Numerators; 0 on items that are not *usable*, NaN for candidates that are not *scored*.
    lengths : (N,) float64
        Denominators, 0 where not *usable*.
    usable : (N,) bool
        Items that enter.
    scored : (S,) bool
        Candidates that have a value on every usable item.
    """

    values: np.ndarray
    lengths: np.ndarray
    usable: np.ndarray
    scored: np.ndarray

    @property
    def per_item(self) -> np.ndarray:
        """(S, N) score of each item alone, NaN where there is none; a denominator below one counts as one."""
        ratio = self.values / np.maximum(self.lengths, 1.0)
        return np.where(self.usable, ratio, np.nan)


def collect_ratios(values: np.ndarray, lengths: np.ndarray) -> Ratios:
    """Return the ratios of *values* over *lengths*, NaN meaning that there is no value.

    An item that no candidate has a value for leaves for all of them; a candidate that lacks a value which others
    have is not scored at all.

    Parameters
    ----------
    values : (S, N) float64
    lengths : (N,) float64
    """
    finite = np.isfinite(values)
    usable = finite.any(axis=0) & np.isfinite(lengths)
    scored = (finite | ~usable).all(axis=1) & usable.any()
    kept = np.where(usable, values, 0.0)
    kept = np.where(scored[:, None], kept, np.nan)
    return Ratios(kept, np.where(usable, lengths, 0.0), usable, scored)


@dataclass(frozen=True)
class ClusterBootstrap:
    """How items lie in strata and clusters, and the draws of clusters that give every interval.

    Attributes
    ----------
    strata : tuple of str
        Stratum of each of the N items.
    clusters : tuple of str
        Cluster of each item: what is drawn as a whole.
    replicates : int
        Number of replicates B.
    seed : int
        Seed of the draws.
    """

    strata: tuple[str, ...]
    clusters: tuple[str, ...]
    replicates: int = REPLICATES
    seed: int = SEED
    _resampled: dict[int, tuple[Ratios, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all strata, sorted."""
        return tuple(sorted(set(self.strata)))

    def members(self, stratum: str) -> np.ndarray:
        """Return the positions of the items in *stratum*."""
        return np.flatnonzero([name == stratum for name in self.strata])

    @property
    def once(self) -> np.ndarray:
        """(1, N) weights of the items as they are, each once."""
        return np.ones((1, len(self.strata)))

    @cached_property
    def weights(self) -> np.ndarray | None:
        """(B, N) how often each item is drawn in each replicate; None with a single cluster in a stratum."""
        out = np.zeros((self.replicates, len(self.strata)))
        for stratum in self.names:
            members = self.members(stratum)
            names = sorted({self.clusters[i] for i in members})
            if len(names) < 2:
                return None
            generator = derive_generator(self.seed, "bootstrap", stratum, *names)
            counts = draw_cluster_counts(len(names), self.replicates, generator)
            for i in members:
                out[:, i] = counts[:, names.index(self.clusters[i])]
        return out

    def estimate(self, ratios: Ratios, stratum: str | None = None) -> np.ndarray:
        """Return the candidates' scores: (S,), NaN for candidates that are not scored.

        Parameters
        ----------
        ratios : Ratios
        stratum : str, optional
            The only stratum that enters; None is the mean over strata.
        """
        return self.aggregate(ratios, self.once, stratum)[0]

    def resample(self, ratios: Ratios, stratum: str | None = None) -> np.ndarray | None:
        """Return the candidates' scores in every replicate, (B, S), or None without draws."""
        if self.weights is None:
            return None
        if stratum is not None:
            return self.aggregate(ratios, self.weights, stratum)
        # Every statistic starts from these; the ratios are kept, so that their id stays their own.
        if id(ratios) not in self._resampled:
            self._resampled[id(ratios)] = ratios, self.aggregate(ratios, self.weights)
        return self._resampled[id(ratios)][1]

    def aggregate(self, ratios: Ratios, weights: np.ndarray, stratum: str | None = None) -> np.ndarray:
        """Return the candidates' scores for item *weights* (B, N): (B, S).

        A stratum of which a replicate drew nothing is not in that replicate's mean over strata.
        """
        rows = np.flatnonzero(ratios.scored)
        values = ratios.values[rows]
        total, n_strata = np.zeros((len(weights), len(rows))), np.zeros(len(weights))
        for name in self.names if stratum is None else (stratum,):
            members = [i for i in self.members(name) if ratios.usable[i]]
            sums, lengths = np.zeros_like(total), np.zeros(len(weights))
            for i in members:
                sums += weights[:, i, None] * values[None, :, i]
                lengths += weights[:, i] * ratios.lengths[i]
            drawn = lengths > 0
            total += np.where(drawn[:, None], sums / np.where(drawn, lengths, 1.0)[:, None], 0.0)
            n_strata += drawn
        out = np.full((len(weights), len(ratios.values)), np.nan)
        out[:, rows] = total / np.where(n_strata > 0, n_strata, np.nan)[:, None]
        return out

    def contributions(self, ratios: Ratios, worse: int, better: int) -> np.ndarray:
        """Return each cluster's share of score(worse) - score(better), macro over strata; (C,)."""
        shares: dict[tuple[str, str], float] = {}
        used = [(c, m) for c in self.names if (m := self.members(c)[ratios.usable[self.members(c)]]).size]
        for stratum, members in used:
            length = float(np.sum(ratios.lengths[members]))
            if length <= 0:
                continue
            for i in members:
                key = (stratum, self.clusters[i])
                gap = ratios.values[worse, i] - ratios.values[better, i]
                shares[key] = shares.get(key, 0.0) + float(gap) / (length * len(used))
        return np.array([shares[key] for key in sorted(shares)])
