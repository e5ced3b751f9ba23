"""Statistics of numbers and arrays: uncertainty, significance, power, ranks, correlation.

Nothing here knows what a system, a benchmark or a metric is. Comparisons of entries, the leaderboard, the
meta-evaluation and judgements of people take their intervals, p-values and ranks from the same functions.

Contents
--------
====================== ================================================================================================
``associations``       Correlation of two scores of the same candidates, at a named level, with interval and
                       permutation test
``bootstrap``          Uncertainty: the cluster bootstrap, its random streams, percentile intervals
``bradley_terry``      Bradley–Terry: strengths of candidates from comparisons in pairs, with ties as half wins or by
                       Davidson's model
``comparison_graph``   Who was compared with whom: whether strengths exist at all, and which differences are indirect
``correlation``        Correlation of two vectors: Spearman, Kendall and Pearson as inner products, with a permutation
                       test
``effects``            Effect sizes: a paired difference over its spread from item to item (Cohen's d of paired
                       observations, d_z)
``estimates``          Estimates: a number with its interval
``judged_pairs``       Pairs of candidates as people judged them: accuracy with ties on each item, and soft accuracy
                       over all items
``known_orders``       Rank correlation with an order that is known: Spearman and Kendall, their intervals and p-values
``latent_correlation`` Draws of what the correlation of candidates' true scores may be, where scores are uncertain on
                       both sides
``many_pairs``         Significance of all pairs of many entries at once: the same tests as one by one, as matrix
                       algebra
``metric_tests``       Whether one metric follows people better than another: PERM-BOTH, and clusters of metrics
``pairwise``           Pairwise accuracy with ties: how often scores are right about which of two candidates is worse
``permutation``        Exact permutation tests of rank correlations within strata
``pooled_correlation`` Correlation of all scores of all candidates at once, with replicates that redraw items
``power``              Power: how many items a paired comparison needs to tell two candidates apart
``proportions``        Shares of votes: Wilson's interval with ties and repeated voters, the exact binomial test,
                       randomization of voters
``ranks``              Ranks: of values, of entries by significance, and the ranges that ranks take in bootstrap
                       replicates
``rater_agreement``    Agreement of raters: Krippendorff's alpha for categories, with the interval of a bootstrap over
                       units
``ratios``             Ratios of sums for several candidates on the same items, and their replicates under the cluster
                       bootstrap
``significance``       Significance: paired randomization and Holm's correction for many tests
``strengths``          Strengths on a scale with intervals, rank intervals and the probability of being best, from
                       votes on pairs
====================== ================================================================================================

Examples
--------
>>> from mtbench.statistics import adjust_holm
>>> [round(p, 2) for p in adjust_holm([0.01, 0.04, 0.03])]
[0.03, 0.06, 0.06]
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
