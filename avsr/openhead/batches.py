"""Batches as tensors: padded, masked, and cut into shards.

Conventions
-----------
B utterances of T video frames, N views; crops are cut to 88 x 88 and normalized, spectrograms are four log-mel
frames to a video frame. What is random here follows from the run's seed and the batch's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from mtbench.avsr.openhead.features import CENTRE, CROP, compute_logmel, normalize_crops
from mtbench.avsr.openhead.training_data import Batch


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


def collate(batch: Batch, seed: int, order: tuple[str, ...], shard: int = 0) -> Tensors:
    """Pad a batch to tensors; random crop window, and spectrogram masking (SpecAugment), from the batch's seed."""
    rng = np.random.Generator(np.random.PCG64([seed, batch.number, 1 + shard]))
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


def cut_batch(batch: Batch, shards: int) -> list[Batch]:
    """Cut *batch* into *shards* parts of as many utterances each, every utterance with its views.

    Raises
    ------
    ValueError
        If the utterances cannot be shared out evenly.
    """
    size = len(batch.utterances) // shards
    if size * shards != len(batch.utterances):
        raise ValueError(
            f"a batch of {len(batch.utterances)} utterances cannot be cut into {shards} equal parts"
        )
    parts = []
    for k in range(shards):
        first = k * size
        views = [v for v in batch.views if first <= v.utterance < first + size]
        parts.append(
            Batch(
                batch.number,
                batch.utterances[first : first + size],
                tuple(replace(v, utterance=v.utterance - first) for v in views),
            )
        )
    return parts


def collate_shards(batch: Batch, seed: int, order: Sequence[str], shards: int) -> list[Tensors]:
    """Return the shards of *batch* as tensors."""
    return [collate(part, seed, tuple(order), k) for k, part in enumerate(cut_batch(batch, shards))]
