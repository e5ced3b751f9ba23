"""Stage 1's training: the motion autoencoder and its codebook.

Conventions
-----------
Loss as published: mean absolute error of the vertices plus the quantization loss; beside it, where the settings say
so, the lips' vertices once more. Vertices are displacements times ``Settings.scale``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from mtbench.reference_model.model import MotionAutoencoder
from mtbench.reference_model.training.codebook import CodebookUsage, cluster_means, perplexity, revive
from mtbench.reference_model.training.configuration import Stage1Config
from mtbench.reference_model.training.devices import Devices, full_precision
from mtbench.reference_model.training.stage import Stage, lip_error
from mtbench.reference_model.training.training_set import Batch, TrainingSet

#: Batches whose vectors the codebook begins with.
_FIRST = 4
#: Share of the steps after which no entry is revived any more: what is used then settles.
_REVIVAL = 0.7


class Stage1(Stage):
    """How the motion autoencoder is trained.

    Parameters
    ----------
    network : MotionAutoencoder
    data : TrainingSet
    config : Stage1Config
    lips : (n,) int
        Vertices of the lips.
    steps : int
        Of the training.
    devices : Devices, optional
    """

    name = "stage1"
    parts = ("motion", "lips", "quantization", "usage")

    def __init__(
        self,
        network: MotionAutoencoder,
        data: TrainingSet,
        config: Stage1Config,
        lips: np.ndarray,
        steps: int,
        devices: Devices | None = None,
    ) -> None:
        super().__init__(data, config, lips, devices)
        self.network: MotionAutoencoder = network.to(self.devices.device)
        self.config, self.steps = config, steps
        self.usage = CodebookUsage(network.settings.entries)
        self._vectors = torch.zeros(0)

    def expand_some(self, motion: torch.Tensor, step: int) -> torch.Tensor:
        """Map motion (..., M) to coordinates of the vertices that a step looks at, (..., 3 n)."""
        every = self.config.every_vertex
        if every == 1:
            return self.network.space.expand(motion)
        basis, first = self.network.space.basis, step % every
        if len(basis):
            return motion @ basis.unflatten(-1, (-1, 3))[:, first::every].flatten(-2)
        return motion.unflatten(-1, (-1, 3))[..., first::every, :].flatten(-2)

    def expand_lips(self, motion: torch.Tensor) -> torch.Tensor:
        """Map motion (..., M) to the lips' coordinates (..., 3 n)."""
        basis = self.network.space.basis
        return motion @ basis[:, self.lips] if len(basis) else motion[..., self.lips]

    def prepare_step(self, step: int, average: nn.Module) -> None:
        """Begin the codebook where vectors are, once the encoder has learned what to say with them."""
        if not self.config.quantize_from or step != self.config.quantize_from:
            return
        network = self.network.eval()
        with torch.no_grad():
            batches = [self.data.draw(step + k, self.config.batch, self.config.frames) for k in range(_FIRST)]
            motions = [batch.motion.to(self.devices.device) for batch in batches]
            vectors = torch.cat([network.encode(motion).flatten(0, 1) for motion in motions])
            vectors = vectors.unflatten(-1, (network.settings.codes, -1)).flatten(0, 1)
            generator = torch.Generator().manual_seed((self.config.seed << 32) + step)
            means = cluster_means(vectors, network.settings.entries, generator)
            self.devices.share(means)
            network.codebook.weight.copy_(means)
            average.codebook.weight.copy_(means)  # type: ignore[union-attr, operator]
        self.usage.reset()

    def compute_loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss and its parts; usage is that of the codebook, 1 where all entries are used evenly."""
        network, config, motion = self.network, self.config, batch.motion
        vectors = network.encode(motion).float()
        if step < config.quantize_from:
            decoded, quantization, used = network.decode(vectors), vectors.new_zeros(()), 0.0
        else:
            with full_precision(motion.device):
                quantized = network.quantize(vectors)
            decoded, quantization = network.decode(quantized.vectors), quantized.loss
            self.usage.update(quantized.codes, self.devices)
            used = perplexity(self.usage.share) / network.settings.entries
            self._vectors = (
                vectors.detach().flatten(0, 1).unflatten(-1, (network.settings.codes, -1)).flatten(0, 1)
            )
        difference = decoded.float() - motion
        with full_precision(motion.device):
            error = self.expand_some(difference, step).abs().mean()
            lips = self.expand_lips(difference).abs().mean() if config.lips else error.new_zeros(())
        total = error + config.lips * lips + quantization
        return total, torch.stack([error, lips, quantization, error.new_tensor(used)]).detach()

    def finish_step(self, step: int, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Revive entries now and then."""
        config = self.config
        if not config.revive_every or step <= config.quantize_from or step > _REVIVAL * self.steps:
            return
        if (step + 1) % config.revive_every == 0:
            assert isinstance(average, MotionAutoencoder)
            weight = self.network.codebook.weight
            assert isinstance(weight, nn.Parameter)
            generator = torch.Generator().manual_seed((config.seed << 32) + step + 1)
            dead = revive(weight, self.usage, self._vectors, optimizer, generator)
            with torch.no_grad():
                self.devices.share(weight)
                average.codebook.weight[dead] = weight[dead]

    @torch.no_grad()
    def validate(self, network: nn.Module) -> float:
        """Return the lip vertex error of reconstructed validation clips, in mm."""
        assert isinstance(network, MotionAutoencoder)
        errors = []
        for index in self.data.validation[: self.config.validation_clips]:
            motion = torch.from_numpy(np.array(self.data.motion(index)))[None].to(self.devices.device)
            difference = self.expand_lips(network(motion)[0] - motion)[0]
            errors.append(lip_error(difference, network.settings.scale))
        return float(np.mean(errors))

    def state(self) -> dict[str, torch.Tensor]:
        """Return the codebook's usage."""
        return {"usage": self.usage.share}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the codebook's usage."""
        self.usage.share = state["usage"].clone()
