"""What a training brings to the loop: the network, its batches, its loss, and its numbers.

The loop (:class:`~mtbench.learning.run.TrainingRun`) owns everything that all trainings share; a :class:`Recipe` is
what makes one training differ from another, :class:`RunSettings` are its numbers.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from mtbench.learning.averaging import Averaging
from mtbench.learning.schedule import Schedule

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class RunSettings:
    """Numbers of a training.

    Attributes
    ----------
    seed : int
        Seed of whatever the network draws in training.
    schedule : Schedule
        Learning rates, and how many steps there are.
    averaging : Averaging
        How fast the running average follows the weights.
    clip : float
        Largest norm of the gradient.
    weight_decay : float
        Decay of the matrices, decoupled (AdamW); 0 is Adam.
    betas : (float, float)
        Decays of AdamW's means of the gradient and of its square.
    checkpoint_every : int
        Steps between checkpoints.
    validate_every : int
        Steps between validations; 0 never validates.
    patience : int
        Validations without progress after which training ends, and the best weights are the result; 0 trains to the
        end, and the last weights are.
    log_every : int
        Steps between lines of the log and of ``losses.csv``.
    log_last : bool
        Whether the last step is logged too where ``log_every`` does not divide it.
    log_next_rate : bool
        Whether ``losses.csv`` says the learning rate of the step to come, instead of that of the step it speaks of.
    digits : int
        Decimal places of the losses in ``losses.csv``; the log shows one less.
    """

    seed: int
    schedule: Schedule
    averaging: Averaging
    clip: float
    weight_decay: float
    checkpoint_every: int
    betas: tuple[float, float] = (0.9, 0.999)
    validate_every: int = 0
    patience: int = 0
    log_every: int = 20
    log_last: bool = False
    log_next_rate: bool = False
    digits: int = 4


class Recipe(abc.ABC, Generic[Batch]):
    """What is learned, and from what.

    Attributes
    ----------
    name : str
        Name of the training, for the log and for messages.
    parts : tuple of str
        Names of the parts of the loss, which are the columns of ``losses.csv``.
    network : Module
        All that learns, and what it stands on. Parameters whose ``requires_grad`` is False stay as they are.
    advice : str
        What to change where the losses become infinite, e.g. ``"a smaller learning_rate"``.
    undecayed : tuple of str
        Parts of the names of matrices that weight decay leaves alone.
    measure : str
        What :meth:`validate` returns, with its unit: the column of ``validation.csv``.
    """

    name: str
    parts: tuple[str, ...]
    network: nn.Module
    advice: str
    undecayed: tuple[str, ...] = ()
    measure: str = ""

    @abc.abstractmethod
    def draw(self, step: int) -> Sequence[Batch]:
        """Return the batch of a step, in pieces whose gradients and parts of the loss are added up.

        A batch is the same whoever draws it, and whenever.
        """

    @abc.abstractmethod
    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of a piece of a batch, and its (n,) parts for the log."""

    def prepare_step(self, step: int, average: nn.Module) -> None:
        """Do what comes before a step."""

    def finish_step(self, step: int, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Do what comes after a step."""

    def validate(self, network: nn.Module) -> float:
        """Return how far *network* is from the truth on validation clips; less is better."""
        raise NotImplementedError(f"{self.name} is not validated")

    def state(self) -> dict[str, torch.Tensor]:
        """Return what belongs into a checkpoint beside weights and optimizer."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what :meth:`state` returned."""

    def write(self, folder: Path, average: nn.Module, step: int) -> None:
        """Write into a run's folder what belongs beside a checkpoint."""


def make_optimizer(recipe: Recipe[Any], settings: RunSettings) -> torch.optim.AdamW:
    """Return the optimizer of what learns in a recipe's network; only matrices are pulled towards zero."""
    learning = [(name, p) for name, p in recipe.network.named_parameters() if p.requires_grad]
    decays = [p.ndim > 1 and not any(part in name for part in recipe.undecayed) for name, p in learning]
    return torch.optim.AdamW(
        [
            {
                "params": [p for (_, p), yes in zip(learning, decays) if yes],
                "weight_decay": settings.weight_decay,
            },
            {"params": [p for (_, p), yes in zip(learning, decays) if not yes], "weight_decay": 0.0},
        ],
        lr=settings.schedule.peak,
        betas=settings.betas,
    )
