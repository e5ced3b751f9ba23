"""Auto-AVSR's network: one conformer for the mouth, one for the sound, both made one, CTC and a Transformer decoder.

Blocks, decoder and CTC are ESPnet's; front-ends and fusion are here. Without sound there is one conformer and no fusion
(ViSpeR's second model). After Ma et al., "Auto-AVSR: audio-visual speech recognition with automatic labels" (ICASSP
2023), and Gulati et al., "Conformer: convolution-augmented Transformer for speech recognition" (Interspeech 2020).

Conventions
-----------
Shapes: B clips, T frames, L tokens, D width, V vocabulary. Clips of a batch are equally long: published inference masks
nothing. Parameters bear the published names, but for ``pointwise_cov``, which ESPnet spells ``pointwise_conv``.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from mtbench.avsr.auto_avsr.espnet_parts import (
    CTC,
    ConvolutionModule,
    Decoder,
    EncoderLayer,
    LayerNorm,
    MultiHeadedAttention,
    PositionwiseFeedForward,
    RelPositionalEncoding,
    RelPositionMultiHeadedAttention,
    Swish,
    subsequent_mask,
    without_log,
)
from mtbench.avsr.auto_avsr.front_ends import FEATURES, VisualFrontEnd, WaveFrontEnd
from mtbench.avsr.auto_avsr.sizes import NetworkSizes, StreamSizes


class Stream(nn.Module):
    """A front-end and its conformer.

    Parameters
    ----------
    front_end : torch.nn.Module
        Gives (B, T, 512).
    sizes : StreamSizes
        Sizes of the conformer.
    """

    def __init__(self, front_end: nn.Module, sizes: StreamSizes) -> None:
        super().__init__()
        self.frontend = front_end
        self.embed = nn.Sequential(nn.Linear(FEATURES, sizes.width), RelPositionalEncoding(sizes.width, 0.0))
        self.encoders = nn.ModuleList(_make_block(sizes) for _ in range(sizes.layers))
        self.after_norm = LayerNorm(sizes.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, T, D) of what the front-end takes."""
        x = self.embed(self.frontend(x))
        for block in self.encoders:
            x, _ = block(x, None)
        return self.after_norm(x[0])


def _make_block(sizes: StreamSizes) -> nn.Module:
    width = sizes.width
    return EncoderLayer(
        width,
        RelPositionMultiHeadedAttention(sizes.heads, width, 0.0),
        PositionwiseFeedForward(width, sizes.inner, 0.0),
        PositionwiseFeedForward(width, sizes.inner, 0.0),
        ConvolutionModule(width, sizes.kernel, Swish()),
        0.0,
    )


class Fusion(nn.Module):
    """Two perceptron layers over both streams side by side, normalized over the batch between.

    Parameters
    ----------
    inputs, inner, outputs : int
        Widths.
    """

    def __init__(self, inputs: int, inner: int, outputs: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inputs, inner)
        self.bn1 = nn.BatchNorm1d(inner)
        self.fc2 = nn.Linear(inner, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, T, outputs) of (B, T, inputs)."""
        x = self.bn1(self.fc1(x).transpose(1, 2)).transpose(1, 2)
        return self.fc2(F.relu(x))


class SourceAttention(MultiHeadedAttention):
    """ESPnet's attention of the decoder to the clip, whose keys and values can be kept.

    ESPnet computes them anew for every hypothesis and step, which at a beam of 40 is most of a search; they are the
    same for all of them. What comes out is ESPnet's to the last bits of float32.
    """

    def __init__(self, heads: int, width: int) -> None:
        super().__init__(heads, width, 0.0)
        self.kept: tuple[torch.Tensor, torch.Tensor] | None = None

    def look_at(self, source: torch.Tensor | None) -> None:
        """Keep keys and values of (T, D) *source*, or forget them."""
        parts = () if source is None else (self.linear_k(source), self.linear_v(source))
        split = [part.unflatten(-1, (self.h, -1)).transpose(0, 1)[None] for part in parts]
        self.kept = (split[0], split[1]) if split else None

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        expand_kv: bool = False,
    ) -> torch.Tensor:
        """Return (N, L, D): what each of *query* finds, with what is kept in place of *key* and *value*."""
        if self.kept is None or mask is not None:
            return super().forward(query, key, value, mask, expand_kv)
        keys, values = self.kept
        asked = self.linear_q(query.flatten(0, 1)).unflatten(-1, (self.h, -1)).transpose(0, 1)[None]
        scores = torch.matmul(asked, keys.transpose(-2, -1)) / math.sqrt(self.d_k)
        return self.forward_attention(values, scores, None).view_as(query)


class AutoAVSRNetwork(nn.Module):
    """The whole network.

    Parameters
    ----------
    sizes : NetworkSizes
        Its sizes.
    """

    def __init__(self, sizes: NetworkSizes) -> None:
        super().__init__()
        self.sizes = sizes
        with without_log():
            self.encoder = Stream(VisualFrontEnd(), sizes.video)
            if sizes.audio is not None:
                self.aux_encoder = Stream(WaveFrontEnd(), sizes.audio)
                both = sizes.video.width + sizes.audio.width
                self.fusion = Fusion(both, sizes.fusion, sizes.video.width)
            self.ctc = CTC(sizes.vocabulary, sizes.video.width)
            self.decoder = Decoder(
                sizes.vocabulary,
                attention_dim=sizes.decoder.width,
                attention_heads=sizes.decoder.heads,
                linear_units=sizes.decoder.inner,
                num_blocks=sizes.decoder.layers,
                dropout_rate=0.0,
                positional_dropout_rate=0.0,
            )
        for layer in self.decoder.decoders:
            layer.src_attn = SourceAttention(sizes.decoder.heads, sizes.decoder.width)

    def join(self, seen: torch.Tensor, heard: torch.Tensor | None) -> torch.Tensor:
        """Return (B, T, D) of what ``encoder`` saw, (B, T, D), and what ``aux_encoder`` heard, where there is one."""
        return seen if heard is None else self.fusion(torch.cat([seen, heard], -1))

    @contextlib.contextmanager
    def looking_at(self, encoded: torch.Tensor) -> Iterator[None]:
        """Let the decoder score hypotheses of (T, D) *encoded* alone, with keys and values computed once."""
        layers = [layer.src_attn for layer in self.decoder.decoders]
        for layer in layers:
            layer.look_at(encoded)
        try:
            yield
        finally:
            for layer in layers:
                layer.look_at(None)

    def continue_tokens(self, encoded: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return (B, L, V): natural logarithms of what follows each of (B, L) *tokens*, given (B, T, D)."""
        mask = subsequent_mask(tokens.shape[1], device=tokens.device)[None]
        return self.decoder(tokens, mask, encoded, None)[0].log_softmax(-1)

    def forget_positions(self) -> None:
        """Forget positions that were made without memory; they are no parameters, and are made when they are needed."""
        for module in self.modules():
            if getattr(module, "pe", None) is not None:
                module.pe = None  # type: ignore[assignment]
