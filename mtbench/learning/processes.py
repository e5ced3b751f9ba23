"""What the training loop asks of processes that train one network together.

All of them take the same steps on parts of the same batches and hold the same weights after each; one of them writes
files.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class Processes:
    """The only process. A subclass speaks for one of several.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    count : int
        How many processes there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is process 0, which writes files and says how training goes."""
        return self.rank == 0

    def combine(self, parameters: Sequence[nn.Parameter], parts: torch.Tensor) -> None:
        """Make a step's gradients and (n,) parts of the loss those of all processes, in place."""

    def agree(self, value: float) -> float:
        """Return process 0's value."""
        return value
