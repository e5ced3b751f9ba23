"""The bundled recognizer's network: Auto-AVSR style, small enough for two cores.

A 3-D convolutional stem and a residual trunk on the mouth crop, a linear map on what a frozen ear hears
(:mod:`mtbench.avsr.whisper`; the first version had a two-layer map on stacked log-mels), fusion by concatenation, two
stacks of :class:`torchaudio.models.Conformer`, and CTC over IPA phones at 50 Hz. One set of weights serves
audio-visual, audio-only and video-only input (modality dropout in training); the clip's language enters as an
embedding, with an entry for "unknown". Synthetic speech comes with exact phone times, and captured speech with
aligned ones, so two small heads, used in training only, learn frame-wise phones from the picture and from the
lower Conformer stack: that shortens the plateau before CTC finds the mouth useful.

Architecture after Ma, Petridis and Pantic, "End-to-end audio-visual speech recognition with Conformers"
(ICASSP 2021) and "Auto-AVSR" (ICASSP 2023).

Conventions
-----------
Shapes in comments: B clips, T video frames (25 Hz), D model width, P phone classes (blank is class 0).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torchaudio.models import Conformer

from mtbench.avsr.openhead.features import FEATURE_SIZE
from mtbench.files import check_sizes


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the network.

    Attributes
    ----------
    classes : int
        Phones plus blank.
    languages : int
        Languages plus one for "unknown" (index 0).
    width, heads, feedforward, layers, kernel : int
        Conformer sizes; half of the layers lie below the frame-wise auxiliary head.
    channels : tuple of int
        Stem and three residual stages.
    dropout : float
        In the Conformer; examples never repeat, so none is needed.
    heard : int
        Features that an ear gives every 20 ms; 0 is a network that listens to log-mels.
    """

    classes: int
    languages: int
    width: int = 160
    heads: int = 4
    feedforward: int = 512
    layers: int = 6
    kernel: int = 15
    channels: tuple[int, int, int, int] = (16, 24, 48, 96)
    dropout: float = 0.0
    heard: int = 0

    def __post_init__(self) -> None:
        names = ("classes", "languages", "width", "heads", "feedforward", "layers", "kernel")
        channels = {f"channels {i}": n for i, n in enumerate(self.channels, 1)}
        check_sizes({**{name: getattr(self, name) for name in names}, **channels})
        if len(self.channels) != 4 or self.width % self.heads:
            raise ValueError(
                f"{len(self.channels)} channels, width {self.width} and {self.heads} heads; expected four, and a "
                "width that heads divide"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Make a configuration of what :meth:`to_dict` returned."""
        return cls(**{**values, "channels": tuple(values["channels"])})

    @property
    def acoustic_size(self) -> int:
        """Acoustic features of a video frame."""
        return 2 * self.heard or FEATURE_SIZE


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut; halves the resolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to (N, C', ceil(H / 2), ceil(W / 2))."""
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.norm3(self.shortcut(x)))


class VisualFrontEnd(nn.Module):
    """3-D convolutional stem and residual trunk on the mouth crop."""

    def __init__(self, channels: tuple[int, int, int, int], width: int) -> None:
        super().__init__()
        c0, c1, c2, c3 = channels
        self.stem = nn.Conv3d(1, c0, (5, 5, 5), stride=(1, 2, 2), padding=(2, 2, 2), bias=False)
        self.norm = nn.BatchNorm3d(c0)
        trunk = nn.Sequential(ResidualBlock(c0, c1), ResidualBlock(c1, c2), ResidualBlock(c2, c3))
        # Channels last is half again as fast on a CPU.
        self.trunk = trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # 88 -> 44 (pool) -> 22 (stem) -> 11 -> 6 -> 3; where the mouth is matters, so positions are kept.
        self.project = nn.Linear(9 * c3, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Map (B, T, 88, 88) normalized crops to (B, T, D)."""
        b, t = crops.shape[:2]
        x = F.avg_pool2d(crops, 2)[:, None]  # (B, 1, T, 44, 44)
        x = F.relu(self.norm(self.stem(x)))  # (B, C, T, 22, 22)
        x = x.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)  # (B T, C, 22, 22)
        x = self.trunk(x).flatten(1)  # (B T, 9 C)
        return self.layer_norm(self.project(x)).view(b, t, -1)


class AcousticFrontEnd(nn.Module):
    """Two-layer map of stacked log-mels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(FEATURE_SIZE, 2 * width)
        self.outer = nn.Linear(2 * width, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, logmel: torch.Tensor) -> torch.Tensor:
        """Map (B, T, 320) to (B, T, D)."""
        return self.layer_norm(self.outer(F.silu(self.inner(logmel))))


class EarFrontEnd(nn.Module):
    """One linear map of what a frozen ear heard: it has less to learn, and less to unlearn about people.

    Parameters
    ----------
    heard : int
        Features every 20 ms.
    width : int
        Of the model.
    """

    def __init__(self, heard: int, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(2 * heard, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, heard: torch.Tensor) -> torch.Tensor:
        """Map (B, T, 2 D') to (B, T, D)."""
        return self.layer_norm(self.project(heard))


class AudioVisualCTC(nn.Module):
    """The whole network.

    Parameters
    ----------
    config : ModelConfig
        Sizes.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        d = config.width
        self.visual = VisualFrontEnd(config.channels, d)
        self.acoustic = EarFrontEnd(config.heard, d) if config.heard else AcousticFrontEnd(d)
        self.fusion = nn.Linear(2 * d, d)
        self.language = nn.Embedding(config.languages, d)
        self.position = nn.Conv1d(d, d, 31, padding=15, groups=d)
        sizes = (d, config.heads, config.feedforward, config.layers // 2, config.kernel)
        self.lower = Conformer(*sizes, dropout=config.dropout)
        self.upper = Conformer(*sizes, dropout=config.dropout)
        self.upsample = nn.Linear(d, 2 * d)
        self.output = nn.Linear(d, config.classes)
        # Used in training only (see the module docstring); not part of the shipped weights.
        self.visual_context = nn.Conv1d(d, d, 5, padding=2)
        self.visual_phones = nn.Linear(d, 2 * config.classes)
        self.frame_phones = nn.Linear(d, 2 * config.classes)

    def encode_video(self, crops: torch.Tensor) -> torch.Tensor:
        """Map (B, T, 88, 88) normalized crops to (B, T, D); shared by all acoustic conditions of a clip."""
        return self.visual(crops)

    def phones_from_video(self, visual: torch.Tensor) -> torch.Tensor:
        """Map (B, T, D) visual features to (B, 2 T, P) frame-wise phone logits (auxiliary loss)."""
        x = F.silu(self.visual_context(visual.transpose(1, 2))).transpose(1, 2)
        b, t, _ = x.shape
        return self.visual_phones(x).view(b, 2 * t, -1)

    def _classify(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, T, D) to (B, 2 T, P) log-probabilities."""
        b, t, d = x.shape
        return self.output(F.silu(self.upsample(x)).view(b, 2 * t, d)).log_softmax(-1)

    def forward(
        self,
        visual: torch.Tensor | None,
        sound: torch.Tensor | None,
        lengths: torch.Tensor,
        language: torch.Tensor,
        keep_visual: torch.Tensor | None = None,
        keep_acoustic: torch.Tensor | None = None,
        frames: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Fuse both modalities and classify.

        Parameters
        ----------
        visual : (B, T, D), optional
            Output of :meth:`encode_video`; None withholds the modality.
        sound : (B, T, F), optional
            What is heard: output of :func:`~mtbench.avsr.openhead.features.compute_logmel`, or two steps of an ear's
            features; None withholds it.
        lengths : (B,) int
            Valid frames.
        language : (B,) int
            Language index, 0 for unknown.
        keep_visual, keep_acoustic : (B,) float, optional
            0 drops the modality of a clip (training).
        frames : bool
            Whether to return the auxiliary head's frame-wise phones too (training).

        Returns
        -------
        log_probs : (B, 2 T, P)
            At 50 Hz.
        frame_logits : (B, 2 T, P) or None
            Of the lower stack, at 50 Hz.
        """
        given = visual if visual is not None else sound
        if given is None:
            raise ValueError("at least one modality is needed")
        b, t = given.shape[:2]
        d = self.config.width
        v = given.new_zeros(b, t, d) if visual is None else visual
        a = given.new_zeros(b, t, d) if sound is None else self.acoustic(sound)
        if keep_visual is not None:
            v = v * keep_visual[:, None, None]
        if keep_acoustic is not None:
            a = a * keep_acoustic[:, None, None]
        x = self.fusion(torch.cat([a, v], -1)) + self.language(language)[:, None]
        mask = (torch.arange(t, device=x.device)[None] < lengths[:, None]).unsqueeze(-1)
        x = x * mask
        x = x + F.silu(self.position(x.transpose(1, 2))).transpose(1, 2)
        x, _ = self.lower(x, lengths)
        frame_logits = self.frame_phones(x).view(b, 2 * t, -1) if frames else None
        x, _ = self.upper(x, lengths)
        return self._classify(x), frame_logits


#: Parameters of the heads that only training uses.
TRAINING_ONLY = ("visual_context.", "visual_phones.", "frame_phones.")
