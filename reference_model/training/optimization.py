"""The loop that both stages are trained in.

Conventions
-----------
Whatever is drawn is a function of seed and step, so that the checkpoint (weights, their running average, optimizer,
step, the stage's own state) is all that a run needs to go on after a kill, and ends in the same bits as one that was
never killed, given the same number of threads.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from mtbench.errors import UsageError
from mtbench.learning import flatten, load_checkpoint, plot_losses, require_same_run, save_checkpoint
from mtbench.reference_model.training.configuration import TrainingConfig
from mtbench.reference_model.training.devices import Devices

log = logging.getLogger(__name__)

#: Steps between lines of the log and of ``losses.csv``.
LOG_EVERY = 20


class Stage(Protocol):
    """What differs between the stages."""

    @property
    def name(self) -> str:
        """For the log."""
        ...

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of what :meth:`loss` returns beside the total."""
        ...

    @property
    def network(self) -> nn.Module:
        """All that learns, and what it stands on."""
        ...

    def loss(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of a step's batch, and its parts for the log."""
        ...

    def prepare_step(self, step: int, average: nn.Module) -> None:
        """Do what comes before a step."""
        ...

    def finish_step(self, step: int, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Do what comes after a step."""
        ...

    def validate(self, network: nn.Module) -> float:
        """Return the lip vertex error on validation clips, in mm."""
        ...

    def state(self) -> dict[str, torch.Tensor]:
        """Return what belongs into a checkpoint beside weights and optimizer."""
        ...

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Take what :meth:`state` returned."""
        ...


def count_steps(config: TrainingConfig, clips: int) -> int:
    """Return the steps of a training on *clips* clips."""
    return config.epochs * max(1, clips // config.batch) if config.epochs else config.steps


def learning_rate(config: TrainingConfig, step: int, steps: int) -> float:
    """Return the learning rate of *step* of *steps*."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    if config.schedule == "cosine":
        share = (step - config.warmup) / max(1, steps - config.warmup)
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    if config.schedule == "halving":
        epoch = step * config.epochs // steps if config.epochs else 0
        return config.learning_rate * 0.5 ** (epoch // max(1, config.halve_every))
    return config.learning_rate


class Run:
    """A training run in its folder.

    Parameters
    ----------
    folder : Path
        A checkpoint in it is resumed.
    stage : Stage
    config : TrainingConfig
    steps : int
        In all.
    devices : Devices, optional
        Where the stage's network lies already.
    follows : mapping, optional
        All else that the run follows from (data, settings, digests of what it stands on), plain values by name.

    Raises
    ------
    UsageError
        Where the folder's checkpoint belongs to another configuration, or follows from something else.
    """

    def __init__(
        self,
        folder: Path,
        stage: Stage,
        config: TrainingConfig,
        steps: int,
        devices: Devices | None = None,
        follows: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.stage, self.config, self.steps = folder, stage, config, steps
        self.devices = devices or Devices(config.precision)
        self.devices.check_batch(config.batch)
        self.network = stage.network
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        learning = [(n, p) for n, p in self.network.named_parameters() if p.requires_grad]
        # Neither offsets nor embeddings (of which the codebook is one) are pulled towards zero.
        matrices = [p for n, p in learning if p.ndim > 1 and "codebook" not in n and "language" not in n]
        kept = {id(p) for p in matrices}
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": [p for _, p in learning if id(p) not in kept], "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )
        self._pairs = [
            (kept, new)
            for kept, new in zip(self.average.parameters(), self.network.parameters())
            if new.requires_grad
        ]
        self.step = 0
        #: Best validation so far, its weights, and validations since.
        self.best = math.inf
        self.best_weights: dict[str, torch.Tensor] = {}
        self.waited = 0
        #: The last validation.
        self.error = math.inf
        self._about = {"stage": stage.name, **flatten(follows or {}), **flatten({stage.name: asdict(config)})}
        if state := load_checkpoint(folder):
            self._resume(state)

    def _resume(self, state: dict[str, Any]) -> None:
        require_same_run(self.folder, state["about"], self._about)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.best, self.waited = int(state["step"]), float(state["best"]), int(state["waited"])
        self.error, self.best_weights = float(state["error"]), state["best_weights"]
        self.stage.restore(state["stage"])
        log.info("%s: going on at step %d", self.folder, self.step)

    def save(self) -> None:
        """Write the checkpoint and the picture of the losses."""
        if not self.devices.first:
            return
        save_checkpoint(
            self.folder,
            {
                "about": self._about,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "best": self.best,
                "waited": self.waited,
                "error": self.error,
                "best_weights": self.best_weights,
                "stage": self.stage.state(),
            },
        )
        plot_losses(self.folder / "losses.csv")

    def advance(self) -> torch.Tensor:
        """Take one step; return the parts of the loss."""
        config, step = self.config, self.step
        seed = (config.seed << 32) + step
        torch.manual_seed(seed + (self.devices.rank << 24))
        # The masks that a wav2vec 2.0 learns behind are drawn by numpy.
        own = np.random.SeedSequence([config.seed, step, self.devices.rank])
        np.random.seed(own.generate_state(1)[0])  # noqa: NPY002
        self.stage.prepare_step(step, self.average)
        rate = learning_rate(config, step, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self.devices.autocast():
            loss, parts = self.stage.loss(step)
        loss.backward()
        self.devices.average_gradients([new for _, new in self._pairs])
        self.devices.average([parts])
        nn.utils.clip_grad_norm_([new for _, new in self._pairs], config.clip)
        self.optimizer.step()
        self.step += 1
        # The running average begins as the mean of few: its first weights are random ones.
        share = min(config.averaging, (step + 1) / (step + 10)) if config.averaging else 0.0
        with torch.no_grad():
            for average, new in self._pairs:
                average.lerp_(new, 1 - share)
        self.stage.finish_step(step, self.average, self.optimizer)
        return parts

    def train(self) -> nn.Module:
        """Train to the end and return the network that is the result."""
        config, stage = self.config, self.stage
        losses, validation = self.folder / "losses.csv", self.folder / "validation.csv"
        if self.devices.first and not losses.is_file():
            losses.write_text(f"step,seconds,learning_rate,{','.join(stage.parts)}\n", "utf-8")
        if self.devices.first and not validation.is_file():
            validation.write_text("step,lve_mm\n", "utf-8")
        first, begun = self.step, time.monotonic()
        logged: list[torch.Tensor] = []
        while self.step < self.steps and not (config.patience and self.waited >= config.patience):
            logged.append(self.advance())
            step, took = self.step, time.monotonic() - begun
            last = step == self.steps
            validates, saves = (
                step % config.validate_every == 0 or last,
                step % config.checkpoint_every == 0 or last,
            )
            if step % LOG_EVERY == 0 or validates or saves:
                self._require_finite(logged)
            if step % LOG_EVERY == 0:
                mean = torch.stack(logged).mean(0).tolist()
                logged.clear()
                rate = learning_rate(config, step - 1, self.steps)
                self._append(losses, f"{step},{took:.1f},{rate:.2e},{','.join(f'{v:.5f}' for v in mean)}")
                log.info(
                    "%s step %d/%d  %s  %.2f s/step  %.1f min left",
                    stage.name, step, self.steps, "  ".join(f"{k} {v:.4f}" for k, v in zip(stage.parts, mean)),
                    took / (step - first), took / (step - first) * (self.steps - step) / 60,
                )  # fmt: skip
            if validates:
                error = self.devices.agree(stage.validate(self.average))
                self._append(validation, f"{step},{error:.4f}")
                log.info("%s step %d: lip vertex error %.3f mm on validation clips", stage.name, step, error)
                self._judge(error)
            if saves:
                self.save()
        if config.patience and self.best_weights:
            self.average.load_state_dict(self.best_weights)
        return self.average

    def _require_finite(self, losses: list[torch.Tensor]) -> None:
        """Stop a training that went astray before its weights replace the last good checkpoint."""
        if not losses or bool(torch.isfinite(torch.stack(losses)).all()):
            return
        name, rate = self.stage.name, learning_rate(self.config, self.step - 1, self.steps)
        raise UsageError(
            f"{self.folder}: the losses of {name} are NaN or infinite by step {self.step}, at a learning rate of "
            f"{rate:.2e}; the last checkpoint is sound. Give another folder and a smaller {name}.learning_rate or "
            f"{name}.clip, or {name}.precision=float32."
        )

    def _append(self, path: Path, line: str) -> None:
        if self.devices.first:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def _judge(self, error: float) -> None:
        """Keep the best weights where training may end early."""
        self.error = error
        self.waited += 1
        if error < self.best:
            self.best, self.waited = error, 0
            if self.config.patience:
                self.best_weights = {k: v.detach().clone() for k, v in self.average.state_dict().items()}
