"""How the learning rate goes over the steps of a training.

Conventions
-----------
Steps are counted from 0. The rate is a function of the step alone, so that a run which goes on after a stop needs no
state of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

#: Half a cosine down to zero; halved every ``halve_every`` epochs; as it is.
Shape = Literal["cosine", "halving", "constant"]


@dataclass(frozen=True)
class Schedule:
    """Learning rates: a linear warm-up to the peak, then a :data:`Shape`.

    Attributes
    ----------
    peak : float
        Largest learning rate.
    steps : int
        Steps of the whole training.
    warmup : int
        Steps up to the peak.
    shape : {"cosine", "halving", "constant"}
        What comes after the warm-up.
    epochs : int
        Times that every example is seen in all steps, for ``"halving"``; 0 where epochs are not counted.
    halve_every : int
        Epochs between halvings, for ``"halving"``.

    Examples
    --------
    >>> schedule = Schedule(peak=1.0, steps=110, warmup=10)
    >>> [round(schedule.rate(step), 3) for step in (0, 9, 10, 60, 110)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """

    peak: float
    steps: int
    warmup: int = 0
    shape: Shape = "cosine"
    epochs: int = 0
    halve_every: int = 0

    def rate(self, step: int) -> float:
        """Return the learning rate of *step*."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        if self.shape == "cosine":
            share = (step - self.warmup) / max(1, self.steps - self.warmup)
            return self.peak * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
        if self.shape == "halving":
            epoch = step * self.epochs // self.steps if self.epochs else 0
            return self.peak * 0.5 ** (epoch // max(1, self.halve_every))
        return self.peak
