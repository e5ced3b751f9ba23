"""Training of the bundled recognizer.

One process optimises, the others make batches (:mod:`mtbench.avsr.training_data`). Everything is counted in
steps: batch *n* is the same whoever makes it, the learning rate depends on the step alone, and a checkpoint holds
weights, their running average, optimiser and step, so that a run killed at any moment goes on where it was.

Conventions
-----------
A run folder holds ``checkpoint.pt`` (tensors only, read with ``weights_only``), ``losses.csv``, and
``openhead-av.safetensors`` + ``.json`` (the running average, what :class:`~mtbench.avsr.openhead_av.OpenheadAV`
loads). Needs the ``[synth]`` extra.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from mtbench.avsr.decoding import DecodingConfig
from mtbench.avsr.features import CENTRE, CROP, compute_logmel, normalize_crops
from mtbench.avsr.model import AudioVisualCTC, ModelConfig
from mtbench.avsr.openhead_av import save_recognizer
from mtbench.avsr.training_data import Batch, BatchGenerator
from mtbench.languages import LANGUAGES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingConfig:
    """What determines a training run.

    Attributes
    ----------
    seed : int
        Of weights, batches and dropout.
    steps : int
        Optimiser steps; the learning rate falls to zero over them.
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
    """

    seed: int = 1
    steps: int = 4000
    batch: int = 16
    learning_rate: float = 2e-3
    warmup: int = 200
    averaging: float = 0.998
    checkpoint_every: int = 100


@dataclass(frozen=True)
class Tensors:
    """A batch as tensors; B utterances of T frames, N views."""

    crops: torch.Tensor  # (B, T, 88, 88)
    frames: torch.Tensor  # (B, 2 T), -1 where padded
    utterance: torch.Tensor  # (N,)
    logmel: torch.Tensor  # (N, T, 320)
    keep_visual: torch.Tensor  # (N,)
    keep_acoustic: torch.Tensor  # (N,)
    lengths: torch.Tensor  # (N,)
    language: torch.Tensor  # (N,)
    labels: torch.Tensor  # (sum of label lengths,)
    label_lengths: torch.Tensor  # (N,)


def collate(batch: Batch, seed: int, order: tuple[str, ...]) -> Tensors:
    """Pad a batch to tensors; random crop window, and spectrogram masking (SpecAugment), from the batch's seed."""
    rng = np.random.Generator(np.random.PCG64([seed, batch.number, 1]))
    lengths = [len(u.crops) for u in batch.utterances]
    b, t, n = len(lengths), max(lengths), len(batch.views)
    crops = torch.zeros(b, t, CENTRE, CENTRE)
    frames = torch.full((b, 2 * t), -1)
    for i, u in enumerate(batch.utterances):
        offset = (int(rng.integers(CROP - CENTRE + 1)), int(rng.integers(CROP - CENTRE + 1)))
        window = normalize_crops(u.crops, offset)
        crops[i, : lengths[i]] = window.flip(-1) if rng.random() < 0.5 else window
        frames[i, : 2 * lengths[i]] = torch.from_numpy(u.frames)
    logmel = torch.zeros(n, t, 320)
    for i, view in enumerate(batch.views):
        x = compute_logmel(view.audio)
        bands = x.view(-1, 80)
        for _ in range(2):
            low, width = int(rng.integers(72)), int(rng.integers(9))
            bands[:, low : low + width] = 0
        start, span = int(rng.integers(len(x))), int(rng.integers(6))
        x[start : start + span] = 0
        logmel[i, : len(x)] = x
    which = torch.tensor([v.utterance for v in batch.views])
    language = [order.index(batch.utterances[v.utterance].language) + 1 for v in batch.views]
    known = rng.random(n) < 0.85
    labels = [torch.from_numpy(batch.utterances[v.utterance].labels) for v in batch.views]
    return Tensors(
        crops,
        frames,
        which,
        logmel,
        torch.tensor([float(v.keep_visual) for v in batch.views]),
        torch.tensor([float(v.keep_acoustic) for v in batch.views]),
        torch.tensor(lengths)[which],
        torch.tensor([code if k else 0 for code, k in zip(language, known)]),
        torch.cat(labels),
        torch.tensor([len(x) for x in labels]),
    )


def compute_loss(network: AudioVisualCTC, x: Tensors) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the training loss and its parts: CTC, frame-wise phones of the lower stack and of the picture."""
    visual = network.encode_video(x.crops)
    log_probs, frame_logits = network(
        visual[x.utterance], x.logmel, x.lengths, x.language, x.keep_visual, x.keep_acoustic, frames=True
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
    return loss, {"ctc": ctc.item(), "frame": frame.item(), "picture": picture.item()}


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Return the learning rate of *step*: linear warm-up, then half a cosine down to zero."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def _work(
    config: TrainingConfig, phones: tuple[str, ...], first: int, stride: int, start: int, queue: Any
) -> None:
    """Make batches ``start + first, start + first + stride, …`` for ever (worker process).

    With several workers a set's two uses may fall to different ones, which then both make it: same bytes, more time.
    """
    torch.set_num_threads(1)
    os.nice(5)
    order = tuple(LANGUAGES)
    generator = BatchGenerator(config.seed, config.batch, order, phones)
    number = start + first
    parent = multiprocessing.parent_process()
    while True:
        batch = collate(generator.make(number), config.seed, order)
        # A killed optimizer takes no more batches: do not wait for it for ever.
        while True:
            if parent is not None and not parent.is_alive():
                return
            try:
                queue.put(batch, timeout=5)
                break
            except Full:
                continue
        number += stride


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
        Threads of the optimising process; all cores by default. On a machine with an accelerator the
        optimiser runs there.
    initial : path, optional
        A ``checkpoint.pt`` to take weights (not the step) from.
    sizes : mapping, optional
        Sizes of the network other than :class:`~mtbench.avsr.model.ModelConfig`'s, see
        :mod:`mtbench.avsr.configs`.

    Returns
    -------
    Path
        The written ``openhead-av.safetensors``.
    """
    from mtbench.synth.phones import PHONES

    config = config or TrainingConfig()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    network = AudioVisualCTC(ModelConfig(len(PHONES) + 1, len(LANGUAGES) + 1, **(sizes or {}))).to(device)
    average = AudioVisualCTC(network.config).to(device).eval()
    average.load_state_dict(network.state_dict())
    decay = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 1e-2}, {"params": rest, "weight_decay": 0.0}], betas=(0.9, 0.98)
    )
    step = 0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step = int(state["step"])
        log.info("resuming %s at step %d", folder, step)
    elif initial:
        state = torch.load(Path(initial), map_location=device, weights_only=True)
        network.load_state_dict(state["average"])
        average.load_state_dict(state["average"])

    context = multiprocessing.get_context("spawn")
    queues = [context.Queue(3) for _ in range(workers)]
    processes = [
        context.Process(target=_work, args=(config, tuple(PHONES), i, workers, step, queues[i]), daemon=True)
        for i in range(workers)
    ]
    for process in processes:
        process.start()
    losses = folder / "losses.csv"
    if not losses.is_file():
        losses.write_text("step,seconds,learning_rate,ctc,frame,picture\n", "utf-8")
    begun, first = time.monotonic(), step
    parts: list[dict[str, float]] = []
    try:
        while step < config.steps:
            x = queues[(step - first) % workers].get(timeout=600)
            x = Tensors(*(v.to(device) for v in vars(x).values()))
            # Dropout too is a function of the step, so that a resumed run draws what an unbroken one would.
            torch.manual_seed((config.seed << 32) + step)
            network.train()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config, step)
            loss, values = compute_loss(network, x)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            step += 1
            parts.append(values)
            share = min(config.averaging, (step + 1) / (step + 20))
            with torch.no_grad():
                for kept, new in zip(average.state_dict().values(), network.state_dict().values()):
                    if kept.dtype.is_floating_point:
                        kept.lerp_(new, 1 - share)
            if step % 20 == 0:
                mean = {k: float(np.mean([p[k] for p in parts])) for k in parts[0]}
                parts.clear()
                took = time.monotonic() - begun
                left = took / (step - first) * (config.steps - step)
                with losses.open("a", encoding="utf-8") as file:
                    file.write(
                        f"{step},{took:.1f},{learning_rate(config, step):.2e},"
                        f"{mean['ctc']:.4f},{mean['frame']:.4f},{mean['picture']:.4f}\n"
                    )
                log.info(
                    "step %d/%d  ctc %.3f  frame %.3f  picture %.3f  %.2f s/step  %.0f min left",
                    step, config.steps, mean["ctc"], mean["frame"], mean["picture"],
                    took / (step - first), left / 60,
                )  # fmt: skip
            if step % config.checkpoint_every == 0 or step == config.steps:
                _save(folder, config, network, average, optimizer, step, tuple(PHONES))
    finally:
        for process in processes:
            process.kill()
    return folder / "openhead-av.safetensors"


def _save(
    folder: Path,
    config: TrainingConfig,
    network: AudioVisualCTC,
    average: AudioVisualCTC,
    optimizer: torch.optim.Optimizer,
    step: int,
    phones: tuple[str, ...],
) -> None:
    """Write the checkpoint and the recognizer, each atomically."""
    part = folder / "checkpoint.part"
    torch.save(
        {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
        },
        part,
    )
    part.replace(folder / "checkpoint.pt")
    facts = {**asdict(config), "step": step, "utterances": step * config.batch}
    save_recognizer(
        folder / "openhead-av.safetensors", average.cpu(), phones, tuple(LANGUAGES), DecodingConfig(), facts
    )
    average.to(next(network.parameters()).device)
