"""Estimates: a number with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mtbench.statistics.bootstrap import percentile_interval


@dataclass(frozen=True)
class Number:
    """An estimate with its 95 % interval.

    Attributes
    ----------
    estimate : float or None
        None where it does not exist.
    ci95 : (float, float) or None
        None where nothing is known about the spread (one source in a language).
    unit : str
    """

    estimate: float | None
    ci95: tuple[float, float] | None
    unit: str

    def to_json(self) -> dict[str, Any]:
        """Return the number as plain JSON."""
        return {"estimate": self.estimate, "ci95": self.ci95, "unit": self.unit}


def summarize(estimate: float, samples: np.ndarray | None, unit: str, *, agreement: bool = False) -> Number:
    """Return *estimate* with the percentile interval of its replicates *samples*.

    Parameters
    ----------
    estimate : float
        NaN gives None.
    samples : (B,) float64 or None
    unit : str
    agreement : bool
        A correlation or an accuracy: replicates add noise to scores and so pull it down, sometimes below the
        estimate altogether; the interval is then widened up to the estimate.
    """
    value = float(estimate) if np.isfinite(estimate) else None
    interval = None if samples is None or value is None else percentile_interval(samples)
    if agreement and interval is not None and value is not None:
        interval = min(interval[0], value), max(interval[1], value)
    return Number(value, interval, unit)
