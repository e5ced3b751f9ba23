"""Running the network over many clips and conditions at once, with the numbers of one at a time.

A clip's mouth crops are encoded once and shared by its conditions. Then every condition of every clip is one view;
views of the same modalities are sorted by length and go through the network in batches that hold at most
``batch_frames`` frames, of which at most 5 % are padding. In a padded batch the convolutions over time see zeros
past a view's end, which is what they see when it runs alone: so a result doesn't depend on what it was batched
with, up to the rounding of sums (1e-5 in log-probability).

Conventions
-----------
Shapes: T video frames (25 Hz), D model width, P phone classes. Everything runs in ``torch.inference_mode``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from mtbench.avsr.openhead.features import CROP, compute_logmel, normalize_crops
from mtbench.timing import SAMPLES_PER_FRAME
from mtbench.work import single_threaded_torch

if TYPE_CHECKING:
    from mtbench.avsr.openhead.model import AudioVisualCTC
    from mtbench.speech import Lexicon

#: From (640 T,) float32 samples to (T, F) acoustic features.
Listen = Callable[[np.ndarray], torch.Tensor]
#: Frames in a batch; more gains nothing on a CPU and costs cache.
BATCH_FRAMES = 1536
#: Largest share of padding in a batch.
MOST_PADDING = 0.05


@dataclass(frozen=True)
class Request:
    """One clip to transcribe under several acoustic conditions.

    Attributes
    ----------
    crops : (T, 96, 96) uint8 or None
        Mouth crops at 25 fps; None withholds them.
    audio : sequence of (640 T,) float32 or None
        One entry per condition; None is video-only.
    language : str
        ISO 639-3 code.
    lexicon : Lexicon or None
        Words that may be said.
    """

    crops: np.ndarray | None
    audio: Sequence[np.ndarray | None]
    language: str
    lexicon: Lexicon | None = field(default=None, repr=False)

    def frames(self) -> int:
        """Return T after checking that crops and sounds agree.

        Raises
        ------
        ValueError
            If lengths do not match or a condition has no modality.
        """
        if self.crops is not None and (self.crops.ndim != 3 or self.crops.shape[1:] != (CROP, CROP)):
            raise ValueError(f"crops must be (T, {CROP}, {CROP}), not {self.crops.shape}")
        t = None if self.crops is None else len(self.crops)
        for samples in self.audio:
            if samples is None and self.crops is None:
                raise ValueError("a condition with neither audio nor crops cannot be transcribed")
            heard = t if samples is None else len(samples) // SAMPLES_PER_FRAME
            if t is not None and heard != t:
                what = "mouth crops" if self.crops is not None else "frames of audio"
                raise ValueError(
                    f"{t} {what} beside {heard} frames of audio ({SAMPLES_PER_FRAME} samples each)"
                )
            t = heard
        return t or 0


@dataclass(frozen=True)
class _View:
    """One condition of one clip, ready for the network."""

    request: int
    condition: int
    frames: int
    language: int
    visual: torch.Tensor | None
    sound: torch.Tensor | None

    @property
    def modality(self) -> tuple[bool, bool]:
        return self.visual is not None, self.sound is not None


def compute_log_probs(
    network: AudioVisualCTC,
    requests: Sequence[Request],
    languages: Sequence[int],
    batch_frames: int = BATCH_FRAMES,
    listen: Listen = compute_logmel,
) -> list[list[np.ndarray]]:
    """Return (2 T, P) float32 log-probabilities for each condition of each request.

    Parameters
    ----------
    network : AudioVisualCTC
        In evaluation mode.
    requests : sequence of Request
        Clips.
    languages : sequence of int
        The network's index of each clip's language.
    batch_frames : int
        Frames in a batch; a longer clip is a batch by itself.
    listen : function of (640 T,) float32
        To the (T, F) acoustic features that the network takes.

    Raises
    ------
    ValueError
        If a clip's lengths do not match or a condition has no modality.
    """
    # Shared out among threads, sums of the same numbers end in other bits.
    with torch.inference_mode(), single_threaded_torch():
        views = [
            view
            for i, (r, language) in enumerate(zip(requests, languages, strict=True))
            for view in _prepare(network, i, r, language, listen)
        ]
        found: dict[tuple[int, int], np.ndarray] = {}
        for batch in plan_batches(views, batch_frames):
            for view, log_probs in zip(batch, _run(network, batch), strict=True):
                found[view.request, view.condition] = log_probs
    return [[found[i, k] for k in range(len(r.audio))] for i, r in enumerate(requests)]


def plan_batches(views: Sequence[_View], batch_frames: int) -> list[list[_View]]:
    """Return *views* in batches of one modality, sorted by length, within frames and padding allowed."""
    batches: list[list[_View]] = []
    valid = 0
    for view in sorted(views, key=lambda v: (v.modality, v.frames)):
        batch = batches[-1] if batches else None
        if batch is not None and batch[0].modality == view.modality:
            padded = (len(batch) + 1) * view.frames
            if padded <= batch_frames and valid + view.frames >= (1 - MOST_PADDING) * padded:
                batch.append(view)
                valid += view.frames
                continue
        batches.append([view])
        valid = view.frames
    return batches


def _prepare(
    network: AudioVisualCTC, index: int, request: Request, language: int, listen: Listen
) -> Iterator[_View]:
    frames = request.frames()
    device = next(network.parameters()).device
    visual = None
    if request.crops is not None:
        # A clip's frames are a batch already, for the convolutions that see one frame at a time.
        visual = network.encode_video(normalize_crops(request.crops)[None].to(device))[0]
    for k, samples in enumerate(request.audio):
        sound = None if samples is None else listen(samples).to(device)
        yield _View(index, k, frames, language, visual, sound)


def _run(network: AudioVisualCTC, batch: Sequence[_View]) -> list[np.ndarray]:
    device = next(network.parameters()).device
    lengths = torch.tensor([v.frames for v in batch], device=device)
    language = torch.tensor([v.language for v in batch], device=device)
    visual = _stack([v.visual for v in batch if v.visual is not None])
    sound = _stack([v.sound for v in batch if v.sound is not None])
    with silent_padding(network, lengths):
        out, _ = network(visual, sound, lengths, language)
    return [out[i, : 2 * v.frames].cpu().numpy() for i, v in enumerate(batch)]


def _stack(parts: Sequence[torch.Tensor]) -> torch.Tensor | None:
    """Return (T, D) tensors padded with zeros to (B, longest T, D); None where there are none."""
    return nn.utils.rnn.pad_sequence(list(parts), batch_first=True) if parts else None


@contextlib.contextmanager
def silent_padding(network: nn.Module, lengths: torch.Tensor) -> Iterator[None]:
    """Make every convolution over time in *network* read zeros past each clip's end, inside the block.

    Parameters
    ----------
    network : Module
        Its one-dimensional convolutions see (B, channels, N) with N a multiple of the longest length.
    lengths : (B,) int
        Valid frames of each clip.
    """
    longest = int(lengths.max())
    if bool((lengths == longest).all()):
        yield
        return
    mask = torch.arange(longest, device=lengths.device)[None, None] < lengths[:, None, None]

    def silence(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        x, *others = inputs
        if x.shape[-1] % longest:
            raise ValueError(f"a convolution over {x.shape[-1]} steps beside {longest} frames")
        return x * mask.repeat_interleave(x.shape[-1] // longest, -1).to(x.device), *others

    hooks = [
        module.register_forward_pre_hook(silence)
        for module in network.modules()
        if isinstance(module, nn.Conv1d) and module.kernel_size[0] > 1
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
