"""Agreement of raters: Krippendorff's alpha for categories, with the interval of a bootstrap over units.

Conventions
-----------
A unit is what several raters judged; raters may leave units out. Alpha is 1 - observed over expected disagreement: 1
where all agree, 0 where they agree as often as by chance, below 0 where less. Units with one judgement tell nothing.

Source: K. Krippendorff, Content Analysis, chapter 12; for nominal data.
"""

from __future__ import annotations

import numpy as np

from mtbench.statistics.bootstrap import REPLICATES, SEED, derive_generator, draw_cluster_counts
from mtbench.statistics.estimates import Number, summarize


def measure_alpha(counts: np.ndarray, *, replicates: int = REPLICATES, seed: int = SEED) -> Number:
    """Return Krippendorff's alpha of categories.

    Parameters
    ----------
    counts : (U, K) float64
        How many raters put each unit into each category.
    replicates, seed : int
        Of the bootstrap over units.

    Returns
    -------
    Number
        Without estimate where no unit has two judgements, or all judgements are the same category.

    Examples
    --------
    >>> measure_alpha(np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), replicates=10).estimate
    0.4444444444444444
    """
    counts = np.asarray(counts, dtype=np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    units = len(counts)
    once = float(_alpha(np.ones((1, units)), counts)[0]) if units else np.nan
    samples = None
    if units > 1:
        drawn = draw_cluster_counts(units, replicates, derive_generator(seed, "alpha", str(units)))
        samples = _alpha(drawn, counts)
    return summarize(once, samples, "", clusters=units)


def _alpha(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return alpha for each row of unit *weights* (B, U)."""
    raters = counts.sum(axis=1)
    disagreeing = (raters**2 - (counts**2).sum(axis=1)) / (raters - 1)
    category = weights @ counts
    n = category.sum(axis=1)
    expected = (n**2 - (category**2).sum(axis=1)) / np.where(n > 1, n - 1, np.nan)
    return 1 - (weights @ disagreeing) / np.where(expected > 0, expected, np.nan)
