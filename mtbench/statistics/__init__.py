"""Statistics of numbers and arrays: uncertainty, significance, power, ranks, correlation.

Nothing here knows what a system, a benchmark or a metric is. Comparisons of entries, the leaderboard, the
meta-evaluation and judgements of people take their intervals, p-values and ranks from the same functions.

Contents
--------
================ ======================================================================================================
``bootstrap``    Uncertainty: the cluster bootstrap, its random streams, percentile intervals
``correlation``  Rank correlation of two vectors: Spearman and Kendall as inner products, with a permutation test
``effects``      Effect sizes: a paired difference over its spread from item to item (Cohen's d of paired observations,
                 d_z)
``estimates``    Estimates: a number with its interval
``known_orders`` Rank correlation with an order that is known: Spearman and Kendall, their intervals and p-values
``many_pairs``   Significance of all pairs of many entries at once: the same tests as one by one, as matrix algebra
``pairwise``     Pairwise accuracy with ties: how often scores are right about which of two candidates is worse
``permutation``  Exact permutation tests of rank correlations within strata
``power``        Power: how many items a paired comparison needs to tell two candidates apart
``ranks``        Ranks: of values, of entries by significance, and the ranges that ranks take in bootstrap replicates
``ratios``       Ratios of sums for several candidates on the same items, and their replicates under the cluster
                 bootstrap
``significance`` Significance: paired randomization and Holm's correction for many tests
================ ======================================================================================================

Examples
--------
>>> from mtbench.statistics import adjust_holm
>>> [round(p, 2) for p in adjust_holm([0.01, 0.04, 0.03])]
[0.03, 0.06, 0.06]
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
