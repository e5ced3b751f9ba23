"""What both stages' trainings have in common: clips in batches, lips, and where it is computed."""

from __future__ import annotations

import abc

import numpy as np
import torch

from mtbench.learning import Recipe
from mtbench.reference_model.training.configuration import TrainingConfig
from mtbench.reference_model.training.devices import Devices
from mtbench.reference_model.training.training_set import Batch, TrainingSet


def lip_coordinates(vertices: np.ndarray) -> torch.Tensor:
    """Map the lips' vertex indices (n,) to those of their coordinates, (3 n,)."""
    return torch.from_numpy((3 * np.asarray(vertices, np.int64)[:, None] + np.arange(3)).ravel())


def lip_error(difference: torch.Tensor, scale: float) -> float:
    """Return the lip vertex error in mm: mean over frames of the largest distance of a lip vertex.

    Parameters
    ----------
    difference : (T, 3 n)
        Of the lips' coordinates, times *scale*.
    scale : float
        Of the model's motion, ``Settings.scale``.
    """
    return float(difference.unflatten(-1, (-1, 3)).norm(dim=-1).amax(-1).mean()) / scale * 1000


class Stage(Recipe[Batch]):
    """Training of a stage on clips; validated by the lip vertex error in mm.

    Parameters
    ----------
    data : TrainingSet
    config : TrainingConfig
    lips : (n,) int
        Vertices of the lips.
    devices : Devices, optional
    """

    #: Embeddings, of which the codebook is one, are not pulled towards zero.
    undecayed = ("codebook", "language")
    measure = "lve_mm"

    def __init__(
        self, data: TrainingSet, config: TrainingConfig, lips: np.ndarray, devices: Devices | None = None
    ) -> None:
        self.devices = devices or Devices(config.precision)
        self.devices.check_batch(config.batch)
        self.data = data
        self._excerpts = (config.batch, config.frames)
        self.lips = lip_coordinates(lips).to(self.devices.device)
        self.advice = (
            f"a smaller {self.name}.learning_rate or {self.name}.clip, or {self.name}.precision=float32"
        )

    def draw(self, step: int) -> list[Batch]:
        """Return this process's clips of a batch."""
        batch = self.data.draw(step, *self._excerpts).shard(self.devices.rank, self.devices.count)
        return [batch.to(self.devices.device)]

    def loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss and its parts, computed in the precision that is configured."""
        with self.devices.autocast():
            return self.compute_loss(batch, step)

    @abc.abstractmethod
    def compute_loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss and its parts."""
