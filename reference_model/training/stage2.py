"""Stage 2's training: from speech, language and the motion so far to the next frame's codes.

Conventions
-----------
Loss as published: mean squared errors of the vertices and of the code vectors; beside them, where the settings say so,
the lips' vertices once more. Stage 1 stands still. What the model is told of the past is the true motion, noisier,
left out or the model's own as :class:`~mtbench.reference_model.training.configuration.Stage2Config` says. Shapes as in
:mod:`mtbench.reference_model.model`.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mtbench.reference_model.inference import generate
from mtbench.reference_model.model import MultiTalk
from mtbench.reference_model.training.configuration import Stage2Config
from mtbench.reference_model.training.devices import Devices, full_precision
from mtbench.reference_model.training.stage import Stage, lip_error
from mtbench.reference_model.training.training_set import Batch, TrainingSet

#: Frames that are generated of a validation clip at most.
_VALIDATION_FRAMES = 125


class Learner(nn.Module):
    """What learns in stage 2: the model and, where it is tuned, what hears for it.

    Parameters
    ----------
    model : MultiTalk
    ears : Module, optional
        Of a speech encoder.
    """

    def __init__(self, model: MultiTalk, ears: nn.Module | None = None) -> None:
        super().__init__()
        self.model, self.ears = model, ears


class Stage2(Stage):
    """How the speech-driven decoder is trained.

    Parameters
    ----------
    model : MultiTalk
    data : TrainingSet
        With features of speech, or with sound where the encoder learns too.
    config : Stage2Config
    lips : (n,) int
        Vertices of the lips.
    encoder : SpeechEncoder, optional
        One that learns; it must have a ``module``.
    devices : Devices, optional
    """

    name = "stage2"
    parts = ("motion", "lips", "feature")

    def __init__(
        self,
        model: MultiTalk,
        data: TrainingSet,
        config: Stage2Config,
        lips: np.ndarray,
        encoder: Any = None,
        devices: Devices | None = None,
    ) -> None:
        super().__init__(data, config, lips, devices)
        device = self.devices.device
        model.autoencoder.requires_grad_(False)
        self.network: nn.Module = Learner(model, encoder.module if encoder else None).to(device)
        self.model, self.encoder = model, encoder
        self.config = config
        basis = model.autoencoder.space.basis
        self._lip_basis = basis[:, self.lips].clone() if len(basis) else None
        #: How far each coordinate moves, for noise in proportion.
        self.spread = data.spread().to(device)

    def expand_lips(self, motion: torch.Tensor) -> torch.Tensor:
        """Map motion (..., M) to the lips' coordinates (..., 3 n)."""
        return motion[..., self.lips] if self._lip_basis is None else motion @ self._lip_basis

    def hear(self, batch: Batch, learner: Learner) -> torch.Tensor:
        """Return features of speech, (B, 2 T, speech_width)."""
        if batch.speech is not None:
            return batch.speech
        assert batch.audio is not None
        encoder = copy.copy(self.encoder)
        encoder.module = learner.ears
        frames = batch.motion.shape[1]
        features: torch.Tensor = encoder.forward(batch.audio, frames)
        return features[:, : 2 * frames].float()

    def predict(
        self, before: torch.Tensor, memory: torch.Tensor, style: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return motion (B, T, M) and code vectors (B, T, W) for the past (B, T, M), all frames at once."""
        model = self.model
        vectors = model.predict_vectors(model.map_motion(before) + style, memory).float()
        with full_precision(vectors.device):
            quantized = model.autoencoder.quantize(vectors).vectors
        return model.autoencoder.decode(quantized).float(), vectors

    def blur(self, before: torch.Tensor) -> torch.Tensor:
        """Return the past (B, T, M) with noise, and the resting face throughout in some clips."""
        config, each = self.config, (len(before), 1, 1)
        if config.past_noise:
            level = config.past_noise * torch.rand(each, device=before.device)
            # Own motion goes astray for long stretches, not frame by frame: half of the noise stays for the whole clip.
            noise = torch.randn_like(before[:, :1]) + torch.randn_like(before)
            before = before + level * self.spread * noise / 2**0.5
        if config.past_drop:
            before = before * (torch.rand(each, device=before.device) >= config.past_drop)
        return before

    def compute_loss(self, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss and its parts."""
        model, config = self.model, self.config
        assert isinstance(self.network, Learner)
        model.autoencoder.eval()
        motion = batch.motion
        before = torch.cat([batch.before, motion[:, :-1]], 1)
        memory, style = model.map_speech(self.hear(batch, self.network)), model.style(batch.weights)
        if config.past_own and float(torch.rand(())) < config.past_own:
            with torch.no_grad():
                own, _ = self.predict(self.blur(before), memory, style)
            before = torch.cat([batch.before, own[:, :-1]], 1)
        predicted, vectors = self.predict(self.blur(before), memory, style)
        with torch.no_grad(), full_precision(motion.device):
            wanted = model.autoencoder.quantize(model.autoencoder.encode(motion)).vectors
        difference = predicted - motion
        if self._lip_basis is None:
            error = difference.square().mean()
        else:
            # The rows of the basis are orthonormal: squares need not be summed over vertices.
            error = difference.square().sum() / difference[..., 0].numel() / (3 * model.settings.vertices)
        feature = F.mse_loss(vectors, wanted)
        with full_precision(motion.device):
            lips = self.expand_lips(difference).square().mean() if config.lips else error.new_zeros(())
        settings = model.settings
        total = settings.motion_weight * (error + config.lips * lips) + settings.feature_weight * feature
        return total, torch.stack([error, lips, feature]).detach()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> float:
        """Return the lip vertex error of generated validation clips, in mm: nothing of the truth is given."""
        assert isinstance(network, Learner)
        speech, weights, motions = [], [], []
        for clip in self.data.validation[: self.config.validation_clips]:
            frames = min(_VALIDATION_FRAMES, int(self.data.lengths[clip]))
            batch = self.data.gather(np.array([clip]), np.zeros(1, np.int64), frames).to(self.devices.device)
            speech.append(self.hear(batch, network)[0])
            weights.append(batch.weights)
            motions.append(batch.motion[0])
        made = generate(network.model, speech, torch.cat(weights), [len(motion) for motion in motions])
        difference = torch.cat([own - true for own, true in zip(made, motions)])
        return lip_error(self.expand_lips(difference), network.model.settings.scale)
