"""The running average of a network's weights, which is what is validated and kept.

Conventions
-----------
After step *n* (counted from 0) the average moves towards the weights: ``average = s * average + (1 - s) * weights``.
The share *s* rises from little to the decay, so that the random weights of the beginning are soon forgotten.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

#: Endings of the names of batch statistics, which move in training without being parameters.
_STATISTICS = ("running_mean", "running_var")


@dataclass(frozen=True)
class Averaging:
    """How fast the average follows the weights.

    Attributes
    ----------
    decay : float
        Share of the average that a step keeps in the long run; 0 keeps the weights themselves.
    ramp : (int, int)
        Share (n + a) / (n + b) that step n keeps at the beginning, as (a, b).

    Examples
    --------
    >>> averaging = Averaging(decay=0.9, ramp=(1, 10))
    >>> [averaging.share(step) for step in (0, 8, 1000)]
    [0.1, 0.5, 0.9]
    """

    decay: float = 0.0
    ramp: tuple[int, int] = (1, 10)

    def share(self, step: int) -> float:
        """Return the share of the average that *step* keeps."""
        above, below = self.ramp
        return min(self.decay, (step + above) / (step + below))


class RunningAverage:
    """A second network, which holds the average of the weights of the first.

    Parameters
    ----------
    network : Module
        The network that learns. Parameters that do not learn (``requires_grad`` is False) stay as they are.
    averaging : Averaging

    Attributes
    ----------
    network : Module
        The average, in evaluation mode.
    """

    def __init__(self, network: nn.Module, averaging: Averaging) -> None:
        self.averaging = averaging
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._pairs: list[tuple[torch.Tensor, torch.Tensor]] = [
            (average, new)
            for average, new in zip(self.network.parameters(), network.parameters())
            if new.requires_grad
        ]
        self._pairs += [
            (average, new)
            for (name, average), new in zip(self.network.named_buffers(), network.buffers())
            if name.endswith(_STATISTICS)
        ]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the weights, after *step*."""
        weight = 1 - self.averaging.share(step)
        for average, new in self._pairs:
            average.lerp_(new, weight)
