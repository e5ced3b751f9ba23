"""Estimates: a number with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtbench.statistics.bootstrap import percentile_interval


@dataclass(frozen=True)
class Number:
    """An estimate with its 95 % interval.

    Attributes
    ----------
    estimate : float or None
        Value; None where it does not exist.
    ci95 : (float, float) or None
        Ends of the interval; None where nothing is known about the spread (a single cluster in a stratum).
    unit : str
        Unit of both, ``""`` for none.
    """

    estimate: float | None
    ci95: tuple[float, float] | None
    unit: str


def summarize(
    estimate: float,
    samples: np.ndarray | None,
    unit: str,
    *,
    agreement: bool = False,
    clusters: int | None = None,
) -> Number:
    """Return *estimate* with the percentile interval of its replicates *samples*.

    Parameters
    ----------
    estimate : float
        Value; NaN means that it does not exist.
    samples : (B,) float64 or None
        Replicates of the value.
    unit : str
        Unit of value and replicates.
    agreement : bool
        Whether this is a correlation or an accuracy: replicates add noise to scores and so pull it down, sometimes
        below the estimate altogether; the interval is then widened up to the estimate.
    clusters : int, optional
        How many clusters the replicates were drawn from, see
        :func:`mtbench.statistics.bootstrap.percentile_interval`.
    """
    value = float(estimate) if np.isfinite(estimate) else None
    interval = None if samples is None or value is None else percentile_interval(samples, clusters=clusters)
    if agreement and interval is not None and value is not None:
        interval = min(interval[0], value), max(interval[1], value)
    return Number(value, interval, unit)
