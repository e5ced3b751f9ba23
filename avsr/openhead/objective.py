"""What the recognizer learns: its loss, and the settings of a run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from mtbench.avsr.openhead.batches import Tensors
from mtbench.avsr.openhead.model import AudioVisualCTC
from mtbench.learning import Averaging, RunSettings, Schedule

#: What is reported of every step.
PARTS = ("ctc", "frame", "picture")


@dataclass(frozen=True)
class TrainingConfig:
    """What determines a training run.

    Attributes
    ----------
    seed : int
        Of weights, batches and dropout.
    steps : int
        Optimizer steps; the learning rate falls to zero over them.
    batch : int
        Utterances per step; each gives two views.
    learning_rate : float
        Peak.
    warmup : int
        Steps up to the peak.
    averaging : float
        Decay of the running average of the weights.
    checkpoint_every : int
        Steps between checkpoints.
    shards : int
        Parts of a batch; batch statistics are taken within a shard.
    flame : float
        Share of the faces that is rendered on the FLAME template, as clay; the template is the registered
        asset (``mtbench assets add flame``), and none of its geometry ends up in the weights' file.
    """

    seed: int = 1
    steps: int = 4000
    batch: int = 16
    learning_rate: float = 2e-3
    warmup: int = 200
    averaging: float = 0.998
    checkpoint_every: int = 100
    shards: int = 2
    flame: float = 0.0

    def run_settings(self) -> RunSettings:
        """Return the numbers of the training loop."""
        return RunSettings(
            seed=self.seed,
            schedule=Schedule(self.learning_rate, self.steps, self.warmup),
            averaging=Averaging(self.averaging, ramp=(2, 21)),
            clip=2.0,
            weight_decay=1e-2,
            betas=(0.9, 0.98),
            checkpoint_every=self.checkpoint_every,
            log_next_rate=True,
        )


def compute_loss(network: AudioVisualCTC, x: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training loss and its :data:`PARTS`: CTC, frame-wise phones of the lower stack and of the picture."""
    visual = network.encode_video(x.crops)
    shown = visual[x.face[:, None], x.times]
    log_probs, frame_logits = network(
        shown, x.sound.float(), x.lengths, x.language, x.keep_visual, x.keep_acoustic, frames=True
    )
    assert frame_logits is not None
    per_view = F.ctc_loss(
        log_probs.transpose(0, 1),
        x.labels,
        2 * x.lengths,
        x.label_lengths,
        reduction="none",
        zero_infinity=True,
    )
    ctc = (per_view / x.label_lengths.clamp(min=1)).mean()
    frame = F.cross_entropy(frame_logits.flatten(0, 1), x.frames[x.utterance].flatten(), ignore_index=-1)
    picture = F.cross_entropy(
        network.phones_from_video(visual).flatten(0, 1), x.frames.flatten(), ignore_index=-1
    )
    loss = ctc + 0.4 * frame + 0.6 * picture
    return loss, torch.stack([ctc, frame, picture]).detach()
