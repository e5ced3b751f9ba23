"""The loop that everything is trained in.

A step draws its batch, computes the loss, moves the weights and then their running average. Now and then the loop logs
what the losses were, validates, and writes a checkpoint. What is learned, and from what, is a
:class:`~mtbench.learning.recipe.Recipe`.

Conventions
-----------
Whatever is drawn is a function of seed and step. The checkpoint (weights, their running average, optimizer, step, the
recipe's own state) is therefore all that a run needs to go on after it was stopped, and it ends in the same bits as one
that was never stopped, given the same number of threads. A run's folder holds ``checkpoint.pt``, ``losses.csv``, its
picture ``losses.png``, ``validation.csv`` where the recipe validates, and what the recipe writes.
"""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mtbench.errors import UsageError
from mtbench.learning.averaging import RunningAverage
from mtbench.learning.checkpoints import flatten, load_checkpoint, require_same_run, save_checkpoint
from mtbench.learning.loss_plot import plot_losses
from mtbench.learning.processes import Processes
from mtbench.learning.recipe import Recipe, RunSettings, make_optimizer
from mtbench.learning.step_table import StepTable

log = logging.getLogger(__name__)


class TrainingRun:
    """A training in its folder.

    Parameters
    ----------
    folder : Path
        A checkpoint in it is resumed.
    recipe : Recipe
        What is learned; its network lies where it is to compute.
    settings : RunSettings
    follows : mapping
        All that the run follows from (data, settings, digests of what it stands on), plain values, which may be nested.
    processes : Processes, optional
        Those that train together, this one alone by default.

    Attributes
    ----------
    step : int
        Steps taken so far.
    average : Module
        The network with the running average of the weights.
    error, best : float
        The last validation, and the best.

    Raises
    ------
    UsageError
        Where the folder's checkpoint follows from something else, or cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe[Any],
        settings: RunSettings,
        follows: Mapping[str, Any],
        processes: Processes | None = None,
    ) -> None:
        self.folder, self.recipe, self.settings = folder, recipe, settings
        self.processes = processes or Processes()
        self.steps = settings.schedule.steps
        self.network = recipe.network
        self.optimizer = make_optimizer(recipe, settings)
        self._learning = [p for p in self.network.parameters() if p.requires_grad]
        self._averaging = RunningAverage(self.network, settings.averaging)
        self.average = self._averaging.network
        self.step = 0
        self.error = self.best = math.inf
        #: Weights of the best validation, where training may end early, and validations since.
        self._best_weights: dict[str, torch.Tensor] = {}
        self._waited = 0
        #: Parts of the losses of the steps since the last logged one, and whether all of them were finite.
        self._unlogged: list[torch.Tensor] = []
        self._finite = torch.tensor(True)
        self._losses = StepTable(folder / "losses.csv", ("seconds", "learning_rate", *recipe.parts))
        self._validation = StepTable(folder / "validation.csv", (recipe.measure,))
        self._follows = flatten(follows)
        if state := load_checkpoint(folder):
            self._resume(state)

    def train(self) -> nn.Module:
        """Train to the end, or until validations get no better, and return the network that is the result."""
        settings = self.settings
        if self.processes.first:
            self._losses.begin(self.step)
            if settings.validate_every:
                self._validation.begin(self.step)
        first, begun = self.step, time.monotonic()
        while self.step < self.steps and not (settings.patience and self._waited >= settings.patience):
            self._unlogged.append(self.advance())
            last = self.step == self.steps
            logs = self.step % settings.log_every == 0 or (last and settings.log_last)
            saves = self.step % settings.checkpoint_every == 0 or last
            validates = bool(settings.validate_every) and (self.step % settings.validate_every == 0 or last)
            if logs or saves or validates:
                self._require_finite()
            if logs:
                self._log(self.step - first, time.monotonic() - begun)
            if validates:
                self._validate()
            if saves and self.processes.first:
                self.save()
        if settings.patience and self._best_weights:
            self.average.load_state_dict(self._best_weights)
        return self.average

    def advance(self) -> torch.Tensor:
        """Take one step; return the (n,) parts of its loss."""
        step, settings, recipe = self.step, self.settings, self.recipe
        _seed(settings.seed, step, self.processes.rank)
        recipe.prepare_step(step, self.average)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.schedule.rate(step)
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        pieces = []
        for batch in recipe.draw(step):
            loss, values = recipe.loss(batch, step)
            loss.backward()  # type: ignore[no-untyped-call]
            pieces.append(values)
        parts = functools.reduce(torch.add, pieces)
        self.processes.combine(self._learning, parts)
        norm = nn.utils.clip_grad_norm_(self._learning, settings.clip)
        self.optimizer.step()
        self._finite = self._finite.to(norm.device) & norm.isfinite() & parts.isfinite().all()
        self._averaging.update(step)
        recipe.finish_step(step, self.average, self.optimizer)
        self.step += 1
        return parts

    def save(self) -> None:
        """Write what belongs beside a checkpoint, the picture of the losses, and the checkpoint."""
        self.recipe.write(self.folder, self.average, self.step)
        plot_losses(self._losses.path)
        # Last: a run that is stopped before this makes the rest again from the older checkpoint.
        save_checkpoint(
            self.folder,
            {
                "about": self._follows,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "unlogged": self._unlogged,
                "best": self.best,
                "best_weights": self._best_weights,
                "waited": self._waited,
                "error": self.error,
                "recipe": self.recipe.state(),
            },
        )

    def _resume(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint; also from one that was written when each training had a loop of its own."""
        about = state.get("about", state.get("facts"))  # "facts" in speech encoders' checkpoints of then
        require_same_run(self.folder, flatten(about) if isinstance(about, dict) else about, self._follows)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])
        self._unlogged = list(state.get("unlogged", []))
        self.best, self._best_weights = float(state.get("best", math.inf)), state.get("best_weights", {})
        self._waited, self.error = int(state.get("waited", 0)), float(state.get("error", math.inf))
        self.recipe.restore(state.get("recipe", state.get("stage", {})))
        log.info("%s: going on at step %d", self.folder, self.step)

    def _rate(self, ahead: bool = False) -> float:
        """Return the learning rate of the step that was taken, or of the next."""
        return self.settings.schedule.rate(self.step if ahead else self.step - 1)

    def _log(self, taken: int, seconds: float) -> None:
        """Write a line of ``losses.csv`` and of the log: the losses' means over the steps since the last."""
        settings, device = self.settings, self._finite.device
        mean = torch.stack([parts.to(device) for parts in self._unlogged]).mean(0).tolist()
        self._unlogged.clear()
        if not self.processes.first:
            return
        rate = f"{self._rate(settings.log_next_rate):.2e}"
        self._losses.append(
            self.step, f"{seconds:.1f}", rate, *(f"{value:.{settings.digits}f}" for value in mean)
        )
        pace = seconds / taken
        log.info(
            "%s step %d/%d  %s  %.2f s/step  %.1f min left",
            self.recipe.name, self.step, self.steps,
            "  ".join(f"{name} {value:.{settings.digits - 1}f}" for name, value in zip(self.recipe.parts, mean)),
            pace, pace * (self.steps - self.step) / 60,
        )  # fmt: skip

    def _validate(self) -> None:
        """Validate the average, and keep its weights where they are the best so far and training may end early."""
        self.error = self.processes.agree(self.recipe.validate(self.average))
        self._waited += 1
        if self.error < self.best:
            self.best, self._waited = self.error, 0
            if self.settings.patience:
                self._best_weights = {k: v.detach().clone() for k, v in self.average.state_dict().items()}
        if self.processes.first:
            self._validation.append(self.step, f"{self.error:.4f}")
            log.info(
                "%s step %d: %s %.3f on validation clips",
                self.recipe.name, self.step, self.recipe.measure, self.error,
            )  # fmt: skip

    def _require_finite(self) -> None:
        """Stop a training that went astray before its weights replace the last good checkpoint."""
        if not self._finite:
            raise UsageError(
                f"{self.folder}: losses or gradients of {self.recipe.name} are NaN or infinite by step {self.step}, "
                f"at a learning rate of {self._rate():.2e}; the last checkpoint is sound. Give another folder and "
                f"{self.recipe.advice}."
            )


def _seed(seed: int, step: int, rank: int) -> None:
    """Make whatever a step draws in a process follow from these three."""
    torch.manual_seed((seed << 32) + step + (rank << 24))
    # The masks that a wav2vec 2.0 learns behind are drawn by numpy.
    own = np.random.SeedSequence([seed, step, rank])
    np.random.seed(own.generate_state(1)[0])  # noqa: NPY002
