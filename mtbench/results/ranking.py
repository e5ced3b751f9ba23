"""Ranks of entries by one number, from their per-clip rows: which are told apart, and how far ranks are certain.

Conventions
-----------
The number is that of tables over all languages, over the clips that every entry has. A rank is one plus the number of
entries that are significantly better: the p-values are those of :func:`mtbench.compare` (a bound on them where they are
too small for its number of trials), after Holm's correction over all pairs of entries. The range beside it holds the
ranks that an entry takes in 95 % of the bootstrap's samples, the same samples for all entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mtbench.conditions import Condition
from mtbench.metrics import METRICS
from mtbench.results.averaging import Averaging
from mtbench.results.paired import ALPHA, list_clips
from mtbench.results.rows import Row
from mtbench.results.series import collect_series
from mtbench.statistics import (
    REPLICATES,
    SEED,
    TRIALS,
    adjust_holm,
    bootstrap_sums,
    bound_swaps,
    randomize_all_pairs,
    rank_by_significance,
    rank_intervals,
    sum_by_cluster,
)


@dataclass(frozen=True)
class Rank:
    """Rank of an entry.

    Attributes
    ----------
    rank : int
        One plus the number of entries that are significantly better.
    low, high : int
        Best and worst rank in 95 % of the bootstrap's samples.
    """

    rank: int
    low: int
    high: int

    def __str__(self) -> str:
        """Return the rank as tables show it: ``"1 (1–2)"``."""
        return f"{self.rank} ({self.low}–{self.high})"


def rank_entries(
    entries: Sequence[Sequence[Row]],
    metric: str,
    condition: Condition,
    averaging: Averaging | None = None,
    *,
    replicates: int = REPLICATES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> list[Rank] | None:
    """Return the ranks of entries by *metric* under *condition*.

    Parameters
    ----------
    entries : sequence of sequences of Row
        Rows of each entry; all may be compared, see :func:`mtbench.compare`.
    metric : str
        Name in :data:`mtbench.metrics.registry.METRICS`, of a metric that has a better direction.
    condition : Condition
        Condition of the number, ``Condition()`` for geometry.
    averaging : Averaging, optional
        How error rates are put together; by default they are pooled.
    replicates, trials, seed : int
        As in :func:`mtbench.results.comparison.compare`.

    Returns
    -------
    list of Rank or None
        None where nothing is known about the spread: a language with a single source, or no clip that all have.
    """
    clips = list_clips([row for rows in entries for row in rows])
    found = [
        s
        for rows in entries
        for s in collect_series(rows, clips, averaging)
        if (s.metric, s.condition) == (metric, condition)
    ]
    if len(found) < len(entries) or not found:
        return None
    higher, n = bool(METRICS[metric].higher_is_better), len(found)
    all_have = np.all([s.available for s in found], axis=0)
    sums, samples, by_source = [], [], []
    for language in sorted({clip.language for clip in clips}):
        inside = all_have & np.array([clip.language == language for clip in clips])
        sources = [clip.source for clip, kept in zip(clips, inside, strict=True) if kept]
        values = np.column_stack(
            [*(s.values[inside, 0] for s in found), *(s.values[inside, 1] for s in found)]
        )
        if not values[:, n:].sum() > 0:
            continue
        drawn = bootstrap_sums(values, sources, replicates=replicates, seed=seed, name=language)
        if drawn is None:
            return None
        sums.append(values.sum(axis=0))
        samples.append(drawn)
        by_source.append(sum_by_cluster(values, sources)[0])
    if not sums:
        return None
    macro = (averaging or Averaging()).overall(METRICS[metric]) == "macro-language"
    estimates, replicated = _overall(np.array(sums), n, macro), _overall(np.array(samples), n, macro)
    lengths = np.array(sums)[:, n:]
    weights = 1 / (len(sums) * lengths if macro else np.broadcast_to(lengths.sum(axis=0), lengths.shape))
    shares = np.concatenate([w * part[:, :n] for w, part in zip(weights, by_source, strict=True)])
    p_values = _correct(shares, randomize_all_pairs(shares, trials=trials, seed=seed, name="all"), trials)
    ranks = rank_by_significance(estimates.tolist(), p_values, higher_is_better=higher, alpha=ALPHA)
    ranges = rank_intervals(replicated, higher_is_better=higher)
    # By estimates alone an entry may nearly always be second, though no other is significantly better.
    return [
        Rank(rank, min(rank, low), max(rank, high)) for rank, (low, high) in zip(ranks, ranges, strict=True)
    ]


def _correct(shares: np.ndarray, p_values: np.ndarray, trials: int) -> np.ndarray:
    """Return *p_values* (n, n) after Holm's correction over all pairs.

    Where no trial was as extreme as what was observed, the p-value is below what so many trials can tell; with more
    than 32 entries and 10,000 trials nothing would be significant any more. A bound on the exact value stands there.
    """
    pairs = list(combinations(range(len(p_values)), 2))
    least = 1 / (trials + 1)
    tested = []
    for a, b in pairs:
        p = float(p_values[a, b])
        tested.append(min(p, bound_swaps(shares[:, b] - shares[:, a])) if p <= least else p)
    out = np.ones_like(p_values)
    for (a, b), p in zip(pairs, adjust_holm(tested), strict=True):
        out[a, b] = out[b, a] = p
    return out


def _overall(sums: np.ndarray, n: int, macro: bool) -> np.ndarray:
    """Numbers over all languages, (..., n), from numerators and denominators by language, (L, ..., 2 n)."""
    if macro:
        return np.mean(_divide(sums, n), axis=0)
    return _divide(sums.sum(axis=0), n)


def _divide(sums: np.ndarray, n: int) -> np.ndarray:
    return sums[..., :n] / np.where(sums[..., n:] > 0, sums[..., n:], np.nan)
