"""Batches as tensors: padded, masked, and cut into shards.

Conventions
-----------
B utterances of T video frames, N views; crops are cut to 88 x 88 and normalized. What is heard of a
video frame are four log-mel frames, or two steps of an ear. What is random here follows from the run's seed and the
batch's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from mtbench.avsr.openhead.features import CENTRE, CROP, FEATURE_SIZE, MELS, compute_logmel, normalize_crops
from mtbench.avsr.openhead.training_data import Batch
from mtbench.avsr.openhead.training_views import show_face

if TYPE_CHECKING:
    from mtbench.avsr.whisper import Ear

#: Share of an ear's features that is masked.
UNHEARD = 0.15


@dataclass(frozen=True)
class Tensors:
    """A batch as tensors; B utterances of T frames, S faces that do not move, N views, F acoustic features."""

    crops: torch.Tensor  # (B + S, T, 88, 88)
    frames: torch.Tensor  # (B + S, 2 T), -1 where padded, and for faces that do not move
    utterance: torch.Tensor  # (N,)
    face: torch.Tensor  # (N,): which crops are shown
    times: torch.Tensor  # (N, T): which of their frames
    sound: torch.Tensor  # (N, T, F)
    keep_visual: torch.Tensor  # (N,)
    keep_acoustic: torch.Tensor  # (N,)
    lengths: torch.Tensor  # (N,)
    language: torch.Tensor  # (N,)
    labels: torch.Tensor  # (sum of label lengths,)
    label_lengths: torch.Tensor  # (N,)


def collate(
    batch: Batch, seed: int, order: tuple[str, ...], shard: int = 0, ear: Ear | None = None
) -> Tensors:
    """Pad a batch to tensors; what is random in them follows from the batch's seed.

    Parameters
    ----------
    batch : Batch
    seed : int
        Of the training.
    order : tuple of str
        Languages; the index of the first is 1.
    shard : int
        Which part of a batch this is.
    ear : Ear, optional
        What listens; log-mels without one.
    """
    rng = np.random.Generator(np.random.PCG64([seed, batch.number, 1 + shard]))
    lengths = [len(u.crops) for u in batch.utterances]
    b, t, n = len(lengths), max(lengths), len(batch.views)
    crops = torch.zeros(b + len(batch.stills), t, CENTRE, CENTRE)
    frames = torch.full((len(crops), 2 * t), -1)
    for i, pictures in enumerate([*(u.crops for u in batch.utterances), *batch.stills]):
        offset = (int(rng.integers(CROP - CENTRE + 1)), int(rng.integers(CROP - CENTRE + 1)))
        window = normalize_crops(pictures[:t], offset)
        crops[i, : len(window)] = window.flip(-1) if rng.random() < 0.5 else window
    for i, u in enumerate(batch.utterances):
        frames[i, : 2 * lengths[i]] = torch.from_numpy(u.frames)
    sound = _listen(batch, t, rng) if ear is None else _hear(batch, t, rng, ear)
    shown = [show_face(view, lengths, len(batch.stills), t) for view in batch.views]
    which = torch.tensor([v.utterance for v in batch.views])
    language = [order.index(batch.utterances[v.utterance].language) + 1 for v in batch.views]
    known = rng.random(n) < 0.85
    labels = [torch.from_numpy(batch.utterances[v.utterance].labels) for v in batch.views]
    return Tensors(
        crops,
        frames,
        which,
        torch.tensor([face for face, _ in shown]),
        torch.from_numpy(np.stack([times for _, times in shown])),
        sound,
        torch.tensor([float(v.keep_visual) for v in batch.views]),
        torch.tensor([float(v.keep_acoustic) for v in batch.views]),
        torch.tensor(lengths)[which],
        torch.tensor([code if k else 0 for code, k in zip(language, known)]),
        torch.cat(labels),
        torch.tensor([len(x) for x in labels]),
    )


def _listen(batch: Batch, t: int, rng: np.random.Generator) -> torch.Tensor:
    """Return (N, t, 320) log-mels with bands and moments masked (SpecAugment)."""
    logmel = torch.zeros(len(batch.views), t, FEATURE_SIZE)
    for i, view in enumerate(batch.views):
        x = compute_logmel(view.audio)
        bands = x.view(-1, MELS)
        for _ in range(2):
            low, width = int(rng.integers(72)), int(rng.integers(9))
            bands[:, low : low + width] = 0
        _mask_moment(x, rng)
        logmel[i, : len(x)] = x
    return logmel


def _hear(batch: Batch, t: int, rng: np.random.Generator, ear: Ear) -> torch.Tensor:
    """Return (N, t, 2 D) float16 of what *ear* hears, with features and moments masked.

    A head on such features comes to know the voices that it is taught by; that any of them may be missing holds it
    back.
    """
    heard = torch.zeros(len(batch.views), t, 2 * ear.width, dtype=torch.float16)
    listening = [i for i, view in enumerate(batch.views) if view.keep_acoustic]
    if not listening:
        return heard
    states, lengths = ear.hear_batch([batch.views[i].audio for i in listening], coarse=True)
    for i, x, steps in zip(listening, states, lengths.tolist()):
        x = x[:steps].half().view(steps // 2, -1)
        x *= torch.from_numpy(rng.random(x.shape, np.float32) >= UNHEARD)
        _mask_moment(x, rng)
        heard[i, : len(x)] = x
    return heard


def _mask_moment(x: torch.Tensor, rng: np.random.Generator) -> None:
    start, span = int(rng.integers(len(x))), int(rng.integers(6))
    x[start : start + span] = 0


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
                batch.stills[k::shards] or batch.stills[:1],
            )
        )
    return parts


def collate_shards(
    batch: Batch, seed: int, order: Sequence[str], shards: int, ear: Ear | None = None
) -> list[Tensors]:
    """Return the shards of *batch* as tensors."""
    return [collate(part, seed, tuple(order), k, ear) for k, part in enumerate(cut_batch(batch, shards))]
