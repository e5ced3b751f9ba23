"""Auto-AVSR's front-ends: mouths and a raw wave, each brought to 512 numbers 25 times a second.

A three-dimensional convolution and a ResNet-18 see every frame; a ResNet-18 of one dimension hears 640 samples for
each. All with swish. After Ma et al., "Auto-AVSR: audio-visual speech recognition with automatic labels" (ICASSP 2023),
and He et al., "Deep residual learning for image recognition" (CVPR 2016).

Conventions
-----------
Shapes: B clips, T frames. Video is (B, T, 88, 88), normalized; sound is (B, 640 T), normalized over the clip.
Parameters bear the published names, below ``frontend``.
"""

from __future__ import annotations

import torch
from torch import nn

#: What a front-end gives for each frame.
FEATURES = 512
_STAGES = (64, 128, 256, 512)
_CONVOLUTION = {1: nn.Conv1d, 2: nn.Conv2d}
_NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}


class _Block(nn.Module):
    """Two convolutions of three taps beside a way past them, over one axis or two."""

    def __init__(self, axes: int, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        convolution, norm = _CONVOLUTION[axes], _NORM[axes]
        self.conv1 = convolution(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = norm(outputs)
        self.conv2 = convolution(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = norm(outputs)
        self.swish = nn.SiLU()
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                convolution(inputs, outputs, 1, stride, bias=False), norm(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(self.swish(self.bn1(self.conv1(x)))))
        return self.swish(y + self.downsample(x))


class _Trunk(nn.Module):
    """The four stages of a ResNet-18."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        before = _STAGES[0]
        for number, width in enumerate(_STAGES, 1):
            first = _Block(axes, before, width, 2 if width > before else 1)
            self.add_module(f"layer{number}", nn.Sequential(first, _Block(axes, width, width, 1)))
            before = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x


class _WaveTrunk(_Trunk):
    """A ResNet-18 of one dimension, whose last stage is averaged over twenty steps, which make a frame."""

    def __init__(self) -> None:
        super().__init__(1)
        self.conv1 = nn.Conv1d(1, _STAGES[0], 80, 4, 38, bias=False)
        self.bn1 = nn.BatchNorm1d(_STAGES[0])
        self.swish = nn.SiLU()
        self.average = nn.AvgPool1d(20, 20)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.average(super().forward(self.swish(self.bn1(self.conv1(x)))))


class VisualFrontEnd(nn.Module):
    """(B, T, 88, 88) to (B, T, 512)."""

    def __init__(self) -> None:
        super().__init__()
        first = _STAGES[0]
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, first, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(first),
            nn.SiLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = _Trunk(2)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Return (B, T, 512) of (B, T, 88, 88)."""
        x = self.frontend3D(video[:, None]).transpose(1, 2)
        return self.trunk(x.flatten(0, 1)).mean((2, 3)).unflatten(0, x.shape[:2])


class WaveFrontEnd(nn.Module):
    """(B, 640 T) to (B, T, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = _WaveTrunk()

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """Return (B, T, 512) of (B, 640 T)."""
        return self.trunk(sound[:, None]).transpose(1, 2)
