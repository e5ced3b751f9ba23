"""Whisper's encoder on clips as short as they are, with any layer's output.

Two convolutions over the log-mel spectrum, the second of which halves the rate, sinusoids for positions, pre-norm
Transformer layers, and a last normalization. Positions are the first of the 1,500 that 30 s have: what a short clip
gives differs from what the same clip gives inside 30 s of silence (cosine 0.96 at the sixth layer of Whisper-base),
so whatever reads these outputs has to be trained on them.

After Radford et al., "Robust speech recognition via large-scale weak supervision" (ICML 2023).

Conventions
-----------
Shapes: B clips, 4 T frames of 10 ms in, S = 2 T steps of 20 ms out, D width. Layer 0 is what the convolutions and
positions give, 1 to L are the layers' outputs, and L + 1 is layer L after the last normalization, which is what
Whisper's decoder is shown. Everything is float32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from mtbench.files import check_sizes

#: Width of one head of attention, in every size of Whisper.
HEAD_WIDTH = 64
#: Steps of 20 ms that have a position: 30 s.
MAX_STEPS = 1500
_LAYERS = "layers."


@dataclass(frozen=True)
class EncoderSizes:
    """Sizes of an encoder; heads follow from the width.

    Attributes
    ----------
    mels : int
        Bands of the spectrum.
    width : int
        Numbers a step.
    inner : int
        Width inside the feed-forward parts.
    layers : int
        Transformer layers.
    """

    mels: int
    width: int
    inner: int
    layers: int

    def __post_init__(self) -> None:
        check_sizes({"mels": self.mels, "width": self.width, "inner": self.inner, "layers": self.layers})
        if self.width % HEAD_WIDTH:
            raise ValueError(f"width is {self.width}, expected a multiple of {HEAD_WIDTH} (one head)")

    @classmethod
    def of(cls, tensors: Mapping[str, torch.Tensor]) -> EncoderSizes:
        """Return the sizes of the encoder that *tensors* belong to, named as by :class:`WhisperEncoder`.

        Raises
        ------
        ValueError
            If the tensors that tell them are missing, of another rank, or tell sizes that none has.
        """
        try:
            width, mels, _ = tensors["conv1.weight"].shape
            inner, _ = tensors[f"{_LAYERS}0.feedforward_in.weight"].shape
        except KeyError as error:
            raise ValueError(f"the tensor {error} is missing") from None
        except ValueError:
            raise ValueError("a kernel or matrix of another rank than an encoder's") from None
        layers = {name.split(".")[1] for name in tensors if name.startswith(_LAYERS)}
        return cls(int(mels), int(width), int(inner), len(layers))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward part, each after a normalization and added to what came in.

    Parameters
    ----------
    width, inner : int
        Numbers a step, outside and inside the feed-forward part.
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.attention_norm = nn.LayerNorm(width)
        # Queries, keys and values, in this order.
        self.attention_in = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feedforward_norm = nn.LayerNorm(width)
        self.feedforward_in = nn.Linear(width, inner)
        self.feedforward_out = nn.Linear(inner, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Map (B, S, D) to (B, S, D); *mask* (B, 1, 1, S) is True where there is something to attend to."""
        b, s, d = x.shape
        split = self.attention_in(self.attention_norm(x)).view(b, s, 3, self.heads, HEAD_WIDTH)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.attention_out(y.transpose(1, 2).reshape(b, s, d))
        return x + self.feedforward_out(F.gelu(self.feedforward_in(self.feedforward_norm(x))))


class WhisperEncoder(nn.Module):
    """The encoder; see the module's text.

    Parameters
    ----------
    sizes : EncoderSizes
        Of the weights that are loaded into it.
    """

    positions: torch.Tensor

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.conv1 = nn.Conv1d(sizes.mels, sizes.width, 3, padding=1)
        self.conv2 = nn.Conv1d(sizes.width, sizes.width, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(EncoderLayer(sizes.width, sizes.inner) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(sizes.width)
        # Not in the file: computed, so that they take no room there.
        self.register_buffer("positions", compute_positions(MAX_STEPS, sizes.width), persistent=False)

    def forward(
        self, mel: torch.Tensor, layers: Sequence[int], lengths: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Return the outputs of some layers; no layer above the highest of them runs.

        Parameters
        ----------
        mel : (B, mels, 2 S) tensor
            Log-mel spectra; what they hold past a clip's end has no influence.
        layers : sequence of int
            Which outputs, 0 to L + 1 (see the module's text).
        lengths : (B,) int tensor, optional
            Steps of each clip; by default all are S long.

        Returns
        -------
        list of (B, S, D) tensor
            One for each of *layers*; past a clip's end they are meaningless.

        Raises
        ------
        ValueError
            For a layer that there is not, an odd number of frames, or more than 30 s.
        """
        steps = self._check(mel, layers)
        mask = None
        if lengths is not None and bool((lengths < steps).any()):
            valid = torch.arange(steps, device=mel.device)[None] < lengths.to(mel.device)[:, None]
            # A clip alone ends in the convolutions' zeros.
            mel = mel * valid.repeat_interleave(2, 1)[:, None]
            mask = valid[:, None, None]
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2) + self.positions[:steps]
        found = {0: x}
        for number, layer in enumerate(self.layers[: max(layers)], 1):
            x = found[number] = layer(x, mask)
        if self.sizes.layers + 1 in layers:
            found[self.sizes.layers + 1] = self.norm(x)
        return [found[number] for number in layers]

    def _check(self, mel: torch.Tensor, layers: Sequence[int]) -> int:
        """Return S after checking what was given."""
        if mel.ndim != 3 or mel.shape[1] != self.sizes.mels or mel.shape[2] == 0 or mel.shape[2] % 2:
            raise ValueError(f"spectra must be (B, {self.sizes.mels}, 2 S), not {tuple(mel.shape)}")
        steps = mel.shape[2] // 2
        if steps > MAX_STEPS:
            raise ValueError(f"{steps} steps of 20 ms, expected at most {MAX_STEPS}: cut longer clips")
        top = self.sizes.layers + 1
        if not layers or not all(0 <= number <= top for number in layers):
            raise ValueError(f"layers {list(layers)}, expected numbers from 0 to {top}")
        return steps


def compute_positions(steps: int, width: int) -> torch.Tensor:
    """Return (steps, width) sinusoids: sines, then cosines, of wavelengths from 2 pi to 20,000 pi steps.

    They are rounded to half precision, as those in the released files are: at a few steps the sixth layer of
    Whisper-base turns what the rounding leaves out into 0.2.

    Examples
    --------
    >>> compute_positions(2, 4).tolist()[0]
    [0.0, 0.0, 1.0, 1.0]
    """
    half = width // 2
    rates = torch.exp(-math.log(10_000.0) / (half - 1) * torch.arange(half, dtype=torch.float64))
    angles = torch.arange(steps, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1).half().float()
