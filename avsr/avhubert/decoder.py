"""AV-HuBERT's decoder: one token after another, with keys and values of earlier ones kept.

Two ways of counting positions are published. fairseq's begin at 2, skip padding, and hold sines in the first half of
the columns and cosines in the second; AVista's begin at 0 and alternate. Either may be learned instead.

Conventions
-----------
Shapes: B rows, L tokens, V vocabulary, C width. Parameters bear the published names, below ``decoder``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import nn

from mtbench.avsr.avhubert.attention import DecoderLayer, LayerMemory


@dataclass(frozen=True)
class DecoderSizes:
    """Sizes and habits of a decoder.

    Attributes
    ----------
    width, inner, heads, layers, vocabulary : int
        Of the Transformer and of the tokens.
    source : int
        Width of the encoder.
    pre_norm, last_norm : bool
        Whether layers normalize first, and whether the output is normalized.
    shared : bool
        Whether the output's weights are the embedding's.
    positions : {"halves", "alternating", "learned"}
        What positions are made of.
    learned_positions : int
        Rows of the table of learned ones; 0 for the others.
    pad : int
        The token that is none.
    activation : {"relu", "gelu"}
        Of the feed-forward parts.
    scale : bool
        Whether embeddings are multiplied by the root of the width.
    """

    width: int
    inner: int
    heads: int
    layers: int
    vocabulary: int
    source: int
    pre_norm: bool = True
    last_norm: bool = True
    shared: bool = True
    positions: Literal["halves", "alternating", "learned"] = "halves"
    learned_positions: int = 0
    pad: int = 1
    activation: Literal["relu", "gelu"] = "relu"
    scale: bool = False


@dataclass
class Memory:
    """What the decoder keeps of a clip between two tokens.

    Attributes
    ----------
    layers : list
        Keys and values of every layer.
    length : int
        Tokens so far.
    hidden_source : torch.Tensor or None
        (B, 1, 1, T), True in padded frames.
    """

    layers: list[LayerMemory]
    length: int
    hidden_source: torch.Tensor | None

    def choose(self, rows: torch.Tensor, same_clips: bool = False) -> Memory:
        """Return the memory of *rows* (indices); where rows stay with their clips, the clips' part is not copied."""
        layers: list[LayerMemory] = []
        for past, source in self.layers:
            kept = None if past is None else (past[0][rows], past[1][rows])
            layers.append((kept, source if same_clips else (source[0][rows], source[1][rows])))
        hidden = self.hidden_source
        return Memory(layers, self.length, hidden if same_clips or hidden is None else hidden[rows])


class AVHubertDecoder(nn.Module):
    """The decoder.

    Parameters
    ----------
    sizes : DecoderSizes
        Its sizes.
    """

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed_tokens = nn.Embedding(sizes.vocabulary, sizes.width)
        self.layers = nn.ModuleList(
            DecoderLayer(
                sizes.width, sizes.inner, sizes.heads, sizes.pre_norm, sizes.source, sizes.activation
            )
            for _ in range(sizes.layers)
        )
        if sizes.last_norm:
            self.layer_norm = nn.LayerNorm(sizes.width)
        if not sizes.shared:
            self.embed_out = nn.Parameter(torch.zeros(sizes.vocabulary, sizes.width))
        if sizes.positions == "learned":
            self.embed_positions = nn.Embedding(sizes.learned_positions, sizes.width)

    def begin(self, encoded: torch.Tensor, padding_mask: torch.Tensor | None) -> Memory:
        """Return the memory of clips (B, T, C) of which nothing was said yet."""
        looks = [cast(DecoderLayer, layer).encoder_attn.look_at for layer in self.layers]
        layers: list[LayerMemory] = [(None, look_at(encoded)) for look_at in looks]
        return Memory(layers, 0, None if padding_mask is None else padding_mask[:, None, None])

    def forward(self, tokens: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """Say what follows each of *tokens*.

        Parameters
        ----------
        tokens : torch.Tensor
            (B, L) whole numbers: all so far where the memory is new, else one more.
        memory : Memory
            Of :meth:`begin` or of the tokens before.

        Returns
        -------
        logits : torch.Tensor
            (B, L, V).
        memory : Memory
            With *tokens* added.
        """
        count = tokens.shape[1]
        x = self.embed_tokens(tokens)
        if self.sizes.scale:
            x = x * math.sqrt(self.sizes.width)
        x = x + self._positions(tokens, memory.length)
        hidden = None
        if memory.length == 0 and count > 1:
            places = torch.arange(count, device=x.device)
            hidden = (places[None, :] > places[:, None])[None, None]
            if self.sizes.positions != "halves":  # fairseq's decoder looks at padding, AVista's does not
                hidden = hidden | (tokens == self.sizes.pad)[:, None, None]
        layers = []
        for layer, part in zip(self.layers, memory.layers, strict=True):
            x, part = layer(x, part, hidden, memory.hidden_source)
            layers.append(part)
        if self.sizes.last_norm:
            x = self.layer_norm(x)
        logits = F.linear(x, self.embed_tokens.weight if self.sizes.shared else self.embed_out)
        return logits, Memory(layers, memory.length + count, memory.hidden_source)

    def _positions(self, tokens: torch.Tensor, length: int) -> torch.Tensor:
        """Return (B, L, C) or (1, L, C); *length* tokens, none of them padding, come before."""
        kind, pad, width = self.sizes.positions, self.sizes.pad, self.sizes.width
        places = torch.arange(length, length + tokens.shape[1], device=tokens.device)[None]
        if kind == "learned":
            if length + tokens.shape[1] > self.sizes.learned_positions:
                raise ValueError(f"more tokens than the {self.sizes.learned_positions} learned positions")
            return self.embed_positions(places)
        if kind == "alternating":
            rates = torch.exp(torch.arange(0, width, 2, device=tokens.device) * (-math.log(1e4) / width))
            angles = places[..., None] * rates
            return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)
        there = tokens != pad
        places = (there.cumsum(1) + length) * there + pad
        half = width // 2
        rates = torch.exp(torch.arange(half, device=tokens.device) * (-math.log(1e4) / (half - 1)))
        angles = places[..., None] * rates
        waves = torch.cat([angles.sin(), angles.cos()], -1)
        waves = F.pad(waves, (0, width - 2 * half))
        return waves * there[..., None]
