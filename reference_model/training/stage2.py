"""Stage 2's training: from speech, language and the motion so far to the next frame's codes.

Conventions
-----------
Loss as published: mean squared errors of the vertices and of the code vectors; beside them, where the settings say so,
the lips' vertices once more. Stage 1 stands still. What the model is told of the past is the true motion, noisier,
left out or the model's own as :class:`~mtbench.reference_model.training.sizes.Stage2Config` says.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mtbench.reference_model.model import MultiTalk
from mtbench.reference_model.training.sizes import Stage2Config
from mtbench.reference_model.training.stage1 import lip_coordinates, lip_error
from mtbench.reference_model.training.training_set import Batch, TrainingSet

#: Frames that are generated of each validation clip at most.
_VALIDATION_FRAMES = 75


class Stage2:
    """See :class:`~mtbench.reference_model.training.optimization.Stage`.

    Parameters
    ----------
    network : MultiTalk
    data : TrainingSet
        With features of speech.
    config : Stage2Config
    lips : (n,) int
        Vertices of the lips.
    """

    name = "stage2"
    parts = ("motion", "lips", "feature")

    def __init__(self, network: MultiTalk, data: TrainingSet, config: Stage2Config, lips: np.ndarray) -> None:
        network.autoencoder.requires_grad_(False)
        self.network: MultiTalk = network
        self.data, self.config = data, config
        self.lips = lip_coordinates(lips)
        basis = network.autoencoder.space.basis
        self._lip_basis = basis[:, self.lips].clone() if len(basis) else None
        #: How far each coordinate moves, for noise in proportion.
        self.spread = data.spread()

    def expand_lips(self, motion: torch.Tensor) -> torch.Tensor:
        """Map motion (..., M) to the lips' coordinates (..., 3 n)."""
        return motion[..., self.lips] if self._lip_basis is None else motion @ self._lip_basis

    def prepare_step(self, step: int, average: nn.Module) -> None:
        """Nothing comes before a step."""

    def finish_step(self, step: int, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Nothing comes after a step."""

    def predict(
        self, batch: Batch, before: torch.Tensor, memory: torch.Tensor, style: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return motion (B, T, M) and code vectors (B, T, W) for the past (B, T, M), all frames at once."""
        network = self.network
        vectors = network.predict_vectors(network.map_motion(before) + style, memory)
        return network.autoencoder.decode(network.autoencoder.quantize(vectors).vectors), vectors

    def blur(self, before: torch.Tensor) -> torch.Tensor:
        """Return the past (B, T, M) with noise, and the resting face throughout in some clips."""
        config = self.config
        if config.past_noise:
            level = config.past_noise * torch.rand(len(before), 1, 1)
            # Own motion goes astray for long stretches, not frame by frame: half of the noise stays for the whole clip.
            steady, quick = torch.randn(len(before), 1, before.shape[-1]), torch.randn(before.shape)
            before = before + level * self.spread * (steady + quick) / 2**0.5
        if config.past_drop:
            before = before * (torch.rand(len(before), 1, 1) >= config.past_drop)
        return before

    def loss(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss and its parts."""
        network, config = self.network, self.config
        network.autoencoder.eval()
        batch = self.data.draw(step, config.batch, config.frames)
        assert batch.speech is not None
        motion = batch.motion
        before = torch.cat([batch.before, motion[:, :-1]], 1)
        if config.past_own and float(torch.rand(())) < config.past_own:
            with torch.no_grad():
                own, _ = self.predict(
                    batch, self.blur(before), network.map_speech(batch.speech), network.style(batch.weights)
                )
                before = torch.cat([batch.before, own[:, :-1]], 1)
        memory, style = network.map_speech(batch.speech), network.style(batch.weights)
        predicted, vectors = self.predict(batch, self.blur(before), memory, style)
        with torch.no_grad():
            wanted = network.autoencoder.quantize(network.autoencoder.encode(motion)).vectors
        difference = predicted - motion
        if self._lip_basis is None:
            error = difference.square().mean()
        else:
            # The rows of the basis are orthonormal: squares need not be summed over vertices.
            error = difference.square().sum() / difference[..., 0].numel() / (3 * network.settings.vertices)
        feature = F.mse_loss(vectors, wanted)
        lips = self.expand_lips(difference).square().mean() if config.lips else error.new_zeros(())
        settings = network.settings
        total = settings.motion_weight * (error + config.lips * lips) + settings.feature_weight * feature
        return total, torch.stack([error, lips, feature]).detach()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> float:
        """Return the lip vertex error of generated validation clips, in mm: nothing of the truth is given."""
        assert isinstance(network, MultiTalk)
        clips = self.data.validation[: self.config.validation_clips]
        frames = int(min(_VALIDATION_FRAMES, self.data.lengths[clips].min()))
        batch = self.data.gather(np.array(clips), np.zeros(len(clips), np.int64), frames)
        assert batch.speech is not None
        motion = network.generate(batch.speech, batch.weights, frames)
        difference = self.expand_lips(motion - batch.motion).flatten(0, 1)
        return lip_error(difference, network.settings.scale)

    def state(self) -> dict[str, torch.Tensor]:
        """Return nothing: everything follows from the step."""
        return {}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Take nothing."""
