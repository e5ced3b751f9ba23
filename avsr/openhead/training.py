"""Training of the bundled recognizer.

Some processes optimize, others make batches (:mod:`mtbench.avsr.openhead.training_data`). Everything is counted in
steps: batch *n* is the same whoever makes it, the learning rate depends on the step alone, and a checkpoint holds
weights, their running average, optimizer and step, so that a run killed at any moment goes on where it was.

A batch is cut into shards, whose gradients are averaged. On a CPU each shard has its own process on its own core:
two single threads are a third faster than two threads that wait for each other at every operation. One process
that takes the shards in turn computes the same, up to rounding.

Conventions
-----------
A run folder holds ``checkpoint.pt`` (tensors only, read with ``weights_only``), ``losses.csv`` and its plot
``losses.png``, and ``openhead-av.safetensors`` + ``.json`` (the running average, what
:class:`~mtbench.avsr.openhead.recognizer.OpenheadAV` loads). Needs the ``[synth]`` extra.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from mtbench.avsr.openhead.batches import Tensors, collate_shards
from mtbench.avsr.openhead.decoding import DecodingConfig
from mtbench.avsr.openhead.model import TRAINING_ONLY, AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead.objective import PARTS, TrainingConfig, compute_loss, learning_rate
from mtbench.avsr.openhead.recognizer import save_recognizer
from mtbench.avsr.openhead.training_data import BatchGenerator
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import digest_bytes, load_checkpoint_file, make_folder
from mtbench.learning import flatten, load_checkpoint, plot_losses, require_same_run, save_checkpoint
from mtbench.speech import LANGUAGES

log = logging.getLogger(__name__)


def _work(
    config: TrainingConfig,
    phones: tuple[str, ...],
    first: int,
    stride: int,
    start: int,
    queues: list[Any],
) -> None:
    """Make batches ``start + first, start + first + stride, …`` for ever, a shard to each queue (worker process).

    With several workers a set's two uses may fall to different ones, which then both make it: same bytes, more time.
    """
    torch.set_num_threads(1)
    order = tuple(LANGUAGES)
    generator = BatchGenerator(config.seed, config.batch, order, phones, config.flame)
    number = start + first
    parent = multiprocessing.parent_process()
    while True:
        shards = collate_shards(generator.make(number), config.seed, order, config.shards)
        for shard, queue in zip(shards, queues):
            # A killed optimizer takes no more batches: do not wait for it for ever.
            while True:
                if parent is not None and not parent.is_alive():
                    return
                try:
                    queue.put(shard, timeout=5)
                    break
                except Full:
                    continue
        number += stride


class _Optimization:
    """The network and its optimizer in one of the optimizing processes; all of them hold the same."""

    def __init__(
        self, folder: Path, config: TrainingConfig, sizes: Mapping[str, Any], initial: str | Path | None
    ) -> None:
        from mtbench.synth import PHONES

        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(config.seed)
        network = AudioVisualCTC(ModelConfig(len(PHONES) + 1, len(LANGUAGES) + 1, **sizes))
        self.network = network.to(self.device)
        self.average = AudioVisualCTC(network.config).to(self.device).eval()
        self.average.load_state_dict(network.state_dict())
        decay = [p for p in network.parameters() if p.ndim > 1]
        rest = [p for p in network.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decay, "weight_decay": 1e-2}, {"params": rest, "weight_decay": 0.0}],
            betas=(0.9, 0.98),
        )
        self.step = 0
        begun_with = _digest_initial(Path(initial)) if initial else "drawn"
        #: What the run follows from; a checkpoint that follows from something else is refused.
        self.about = flatten({**asdict(config), "sizes": dict(sizes), "initial": begun_with})
        if state := load_checkpoint(folder, self.device):
            require_same_run(folder, state.get("about"), self.about)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = int(state["step"])
            log.info("resuming %s at step %d", folder, self.step)
        elif initial:
            state = _read_initial(Path(initial), self.device)
            for target in (self.network, self.average):
                missing, unknown = target.load_state_dict(state, strict=False)
                if unknown or any(not name.startswith(TRAINING_ONLY) for name in missing):
                    raise UsageError(
                        f"{initial}: these are weights of another network (missing {missing[:3]}, unknown "
                        f"{unknown[:3]}); use the configuration that they were trained with"
                    )

    def advance(self, shards: list[Tensors]) -> np.ndarray:
        """Take one step on this process's *shards*; return the mean parts of the loss over all shards."""
        config, network = self.config, self.network
        # Whatever is drawn in the network is a function of the step, so that a resumed run draws the same.
        torch.manual_seed((config.seed << 32) + self.step)
        network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        parts = torch.zeros(len(PARTS), device=self.device)
        cuda = self.device.type == "cuda"
        for shard in shards:
            x = Tensors(*(v.to(self.device, non_blocking=cuda) for v in vars(shard).values()))
            with torch.autocast("cuda", torch.bfloat16) if cuda else nullcontext():
                loss, values = compute_loss(network, x)
            (loss / config.shards).backward()
            parts += values.float() / config.shards
        if dist.is_initialized():
            parts = self._share(parts)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        return parts.cpu().numpy()

    def _share(self, parts: torch.Tensor) -> torch.Tensor:
        """Add up gradients and *parts* over the processes."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        flat = torch.cat([parts, *(g.flatten() for g in gradients)])
        dist.all_reduce(flat)
        start = len(parts)
        for g in gradients:
            g.copy_(flat[start : start + g.numel()].view_as(g))
            start += g.numel()
        return flat[: len(parts)]

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the running average towards the weights."""
        share = min(self.config.averaging, (self.step + 1) / (self.step + 20))
        for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values()):
            if kept.dtype.is_floating_point:
                kept.lerp_(new, 1 - share)

    def save(self, folder: Path, phones: tuple[str, ...]) -> None:
        """Write the checkpoint and the recognizer, each atomically."""
        state = {
            "about": self.about,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        save_checkpoint(folder, state)
        facts = {**asdict(self.config), "step": self.step, "utterances": self.step * self.config.batch}
        save_recognizer(
            folder / "openhead-av.safetensors",
            self.average.cpu(),
            phones,
            tuple(LANGUAGES),
            DecodingConfig(),
            facts,
        )
        self.average.to(self.device)


def _digest_initial(path: Path) -> str:
    """Return what tells weights to begin with from others."""
    if not path.is_file():
        raise UsageError(
            f"{path}: no such file; weights to begin with are a checkpoint.pt or a .safetensors file"
        )
    return digest_bytes(path.read_bytes())


def _read_initial(path: Path, device: torch.device) -> dict[str, torch.Tensor]:
    """Read weights to begin with: a run's checkpoint or a recognizer's safetensors."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            weights = load_file(path)
            return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
        state: dict[str, torch.Tensor] = load_checkpoint_file(path, device)["average"]
        return state
    except Exception as error:  # whatever other people's files make torch raise
        reason = str(error).split("\n", 1)[0]
        raise UsageError(
            f"{path}: neither a checkpoint.pt of 'mtbench avsr train' nor a .safetensors file ({reason})"
        ) from error


def _join(meeting: Path, rank: int, processes: int) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo",
        init_method=f"file://{meeting}",
        rank=rank,
        world_size=processes,
        timeout=timedelta(minutes=20),
    )


def _assist(
    folder: Path,
    config: TrainingConfig,
    sizes: Mapping[str, Any],
    initial: str | None,
    rank: int,
    processes: int,
    queues: list[list[Any]],
) -> None:
    """Optimize beside the main process (helper process): ``queues[worker][shard]`` are this process's shards."""
    torch.set_num_threads(1)
    _join(folder / "meeting", rank, processes)
    run = _Optimization(folder, config, sizes, initial)
    first = run.step
    try:
        while run.step < config.steps:
            run.advance([queue.get(timeout=600) for queue in queues[(run.step - first) % len(queues)]])
    except RuntimeError as error:
        # The main process has gone: so does this one, quietly.
        log.debug("process %d of %d stops: %s", rank, processes, error)


def _require_flame() -> None:
    from mtbench.faces import flame_record

    if flame_record() is None:
        raise PrerequisiteError(
            "a share of the training faces is rendered on a FLAME template, and none is registered; "
            "register yours with 'mtbench assets add flame FILE', or train without it: --flame 0"
        )


def train(
    out: str | Path,
    config: TrainingConfig | None = None,
    workers: int = 1,
    threads: int | None = None,
    initial: str | Path | None = None,
    sizes: Mapping[str, Any] | None = None,
) -> Path:
    """Train the recognizer, or go on with the run in *out*.

    Parameters
    ----------
    out : path
        Run folder; a checkpoint in it is resumed.
    config : TrainingConfig, optional
        Defaults to :class:`TrainingConfig`'s.
    workers : int
        Processes that make batches.
    threads : int, optional
        Cores of a CPU to optimize on, all by default: as many processes as there are shards for, with a thread each.
        On a machine with an accelerator one process optimizes there.
    initial : path, optional
        A ``checkpoint.pt`` or ``.safetensors`` to take weights (not the step) from.
    sizes : mapping, optional
        Sizes of the network other than :class:`~mtbench.avsr.openhead.model.ModelConfig`'s, see
        :mod:`mtbench.avsr.openhead.configs`.

    Returns
    -------
    Path
        The written ``openhead-av.safetensors``.

    Raises
    ------
    PrerequisiteError
        If faces are to be rendered on a FLAME template and none is registered.
    """
    from mtbench.synth import PHONES

    config = config or TrainingConfig()
    if config.flame:
        _require_flame()
    folder = Path(out)
    make_folder(folder)
    cores = threads or os.cpu_count() or 1
    processes = 1 if torch.cuda.is_available() else min(config.shards, cores)
    torch.set_num_threads(max(1, cores // processes))
    phones = tuple(PHONES)
    run = _Optimization(folder, config, sizes or {}, initial)
    first = run.step

    context = multiprocessing.get_context("spawn")
    queues: list[list[Any]] = [[context.Queue(3) for _ in range(config.shards)] for _ in range(workers)]
    meeting = folder / "meeting"
    meeting.unlink(missing_ok=True)
    helpers = [
        context.Process(target=_work, args=(config, phones, i, workers, first, queues[i]), daemon=True)
        for i in range(workers)
    ]
    helpers += [
        context.Process(
            target=_assist,
            args=(
                folder,
                config,
                dict(sizes or {}),
                None if initial is None else str(initial),
                rank,
                processes,
                [shards[rank::processes] for shards in queues],
            ),
            daemon=True,
        )
        for rank in range(1, processes)
    ]
    for process in helpers:
        process.start()
    losses = folder / "losses.csv"
    if not losses.is_file():
        losses.write_text(f"step,seconds,learning_rate,{','.join(PARTS)}\n", "utf-8")
    parts: list[np.ndarray] = []
    try:
        if processes > 1:
            _join(meeting, 0, processes)
        begun = time.monotonic()
        while run.step < config.steps:
            own = queues[(run.step - first) % workers][::processes]
            parts.append(run.advance([queue.get(timeout=600) for queue in own]))
            run.update_average()
            step = run.step
            if step % 20 == 0:
                mean = dict(zip(PARTS, np.mean(parts, axis=0)))
                parts.clear()
                took = time.monotonic() - begun
                left = took / (step - first) * (config.steps - step)
                values = ",".join(f"{v:.4f}" for v in mean.values())
                with losses.open("a", encoding="utf-8") as file:
                    file.write(f"{step},{took:.1f},{learning_rate(config, step):.2e},{values}\n")
                log.info(
                    "step %d/%d  %s  %.2f s/step  %.0f min left",
                    step, config.steps, "  ".join(f"{k} {v:.3f}" for k, v in mean.items()),
                    took / (step - first), left / 60,
                )  # fmt: skip
            if step % config.checkpoint_every == 0 or step == config.steps:
                run.save(folder, phones)
                plot_losses(losses)
    finally:
        for process in helpers:
            process.kill()
        if dist.is_initialized():
            dist.destroy_process_group()
        meeting.unlink(missing_ok=True)
    return folder / "openhead-av.safetensors"
