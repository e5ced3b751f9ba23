"""AV-HuBERT's encoder: mouth and filterbank into one sequence of 25 steps a second.

A three-dimensional convolution and a ResNet-18 with PReLU see every frame; a linear map hears four stacked filterbank
frames. Both are set side by side (a missing one is zero), normalized and mapped to the width of a Transformer whose
positions are a grouped convolution. After Shi et al., "Learning audio-visual speech representation by masked
multimodal cluster prediction" (ICLR 2022), and He et al., "Deep residual learning for image recognition" (CVPR 2016).

Conventions
-----------
Shapes: B clips, T frames, C width. Video is (B, 1, T, 88, 88), normalized; audio is (B, 104, T), normalized per frame;
masks are (B, T), True in padded frames. Parameters bear the published names, below ``encoder.w2v_model``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from mtbench.avsr.avhubert.attention import EncoderLayer

#: Bands of the log filterbank, four frames of 26.
AUDIO_WIDTH = 104
_STAGES = (64, 128, 256, 512)


@dataclass(frozen=True)
class EncoderSizes:
    """Sizes of an encoder.

    Attributes
    ----------
    width, inner, heads, layers : int
        Of the Transformer.
    kernel, groups : int
        Of the convolution that gives positions.
    pre_norm : bool
        Whether layers normalize first; then the whole output is normalized, else the input of the first layer.
    """

    width: int
    inner: int
    heads: int
    layers: int
    kernel: int
    groups: int
    pre_norm: bool


class _Block(nn.Module):
    """Two 3 × 3 convolutions beside a way past them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.PReLU(outputs)
        if stride > 1:
            shrink = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample: nn.Module = nn.Sequential(shrink, nn.BatchNorm2d(outputs))
        else:
            self.downsample = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(y + self.downsample(x))


class _ResNet(nn.Module):
    """(B, 1, T, 88, 88) to (B, T, 512)."""

    def __init__(self) -> None:
        super().__init__()
        first = _STAGES[0]
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, first, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(first),
            nn.PReLU(first),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = nn.ModuleDict()
        before = first
        for number, width in enumerate(_STAGES, 1):
            blocks = [_Block(before, width, 2 if width > before else 1), _Block(width, width, 1)]
            self.trunk[f"layer{number}"] = nn.Sequential(*blocks)
            before = width

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        x = self.frontend3D(video).transpose(1, 2)
        clips = len(x)
        x = x.flatten(0, 1)
        for stage in self.trunk.values():
            x = stage(x)
        return x.mean((2, 3)).unflatten(0, (clips, -1))


class _Sight(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.resnet = _ResNet()
        self.proj = nn.Linear(_STAGES[-1], width)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return self.proj(self.resnet(video))


class _Hearing(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(AUDIO_WIDTH, width)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.proj(audio.transpose(1, 2))


class _PositionalConvolution(nn.Module):
    """A grouped convolution over time whose weight is a direction and a length for each tap."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.bias = nn.Parameter(torch.zeros(width))
        self.weight_g = nn.Parameter(torch.ones(1, 1, kernel))
        self.weight_v = nn.Parameter(torch.zeros(width, width // groups, kernel))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel = self.weight_v.shape[-1]
        length = self.weight_v.norm(dim=(0, 1), keepdim=True)
        y = F.conv1d(
            x.transpose(1, 2),
            self.weight_v * (self.weight_g / length),
            self.bias,
            padding=kernel // 2,
            groups=self.groups,
        )
        return F.gelu(y[..., : x.shape[1]]).transpose(1, 2)


class _Transformer(nn.Module):
    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.pre_norm = sizes.pre_norm
        self.pos_conv = nn.ModuleList([_PositionalConvolution(sizes.width, sizes.kernel, sizes.groups)])
        self.layers = nn.ModuleList(
            EncoderLayer(sizes.width, sizes.inner, sizes.heads, sizes.pre_norm) for _ in range(sizes.layers)
        )
        self.layer_norm = nn.LayerNorm(sizes.width)

    def forward(self, x: torch.Tensor, padding_mask: torch.Tensor | None) -> torch.Tensor:
        hidden = None
        if padding_mask is not None:
            x = x.masked_fill(padding_mask[..., None], 0.0)
            hidden = padding_mask[:, None, None]
        x = x + self.pos_conv[0](x)
        if not self.pre_norm:
            x = self.layer_norm(x)
        for layer in self.layers:
            x = layer(x, hidden)
        return self.layer_norm(x) if self.pre_norm else x


class AVHubertEncoder(nn.Module):
    """The encoder.

    Parameters
    ----------
    sizes : EncoderSizes
        Its sizes.
    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.feature_extractor_audio = _Hearing(sizes.width)
        self.feature_extractor_video = _Sight(sizes.width)
        self.layer_norm = nn.LayerNorm(2 * sizes.width)
        self.post_extract_proj = nn.Linear(2 * sizes.width, sizes.width)
        self.encoder = _Transformer(sizes)

    def see(self, video: torch.Tensor) -> torch.Tensor:
        """Return (B, T, C) of (B, 1, T, 88, 88): the part that sounds have no say in."""
        return self.feature_extractor_video(video)

    def forward(
        self, seen: torch.Tensor | None, audio: torch.Tensor | None, padding_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Encode clips.

        Parameters
        ----------
        seen : torch.Tensor or None
            (B, T, C) of :meth:`see`; one clip serves all of *audio*.
        audio : torch.Tensor or None
            (B, 104, T).
        padding_mask : torch.Tensor, optional
            (B, T) booleans.

        Returns
        -------
        torch.Tensor
            (B, T, C).
        """
        heard = None if audio is None else self.feature_extractor_audio(audio)
        if heard is None or seen is None:
            known = seen if heard is None else heard
            if known is None:
                raise ValueError("neither video nor audio; expected at least one of them")
            heard, seen = (torch.zeros_like(known) if part is None else part for part in (heard, seen))
        if len(seen) == 1 < len(heard):
            seen = seen.expand(len(heard), -1, -1)
        x = self.post_extract_proj(self.layer_norm(torch.cat([heard, seen], -1)))
        return self.encoder(x, padding_mask)
