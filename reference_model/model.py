"""MultiTalk, readable in one sitting: a vector-quantized motion autoencoder and a speech-driven decoder.

After Sung-Bin et al., "MultiTalk: Enhancing 3D Talking Head Generation Across Languages with Multilingual Video
Dataset" (Interspeech 2024), which builds on CodeTalker (CVPR 2023). Notable:

- stage 1, :class:`MotionAutoencoder`: each frame's displacement from the speaker's face becomes ``codes`` vectors,
  each replaced by the nearest of ``entries`` learned ones, from which the motion is decoded again;
- stage 2, :class:`MultiTalk`: a causal decoder sees the motion so far, two features of speech (50 Hz) for each frame
  (25 Hz) and an embedding of the language, and predicts the next frame's code vectors;
- what is decoded early is decoded again with every frame that follows, because the motion decoder's attention and
  instance norm run over the whole prefix: :meth:`MultiTalk.generate` is that loop as it stands in the paper's code;
  :mod:`mtbench.reference_model.inference` gives the same motion faster;
- *released* quirks (:class:`Settings`): what the published weights need though it looks like slips of the pen.

Conventions
-----------
Shapes in comments: B clips, T frames, S = 2 T features of speech, X = 3 V coordinates, M coordinates of the motion
inside the model, W model width, C codes a frame. Motion inside the model is a *displacement* from the speaker's face,
times ``Settings.scale``; clips of a batch have the same length, so that nothing is ever padded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from mtbench.files import check_sizes

#: The order of the published embedding. Korean is not one of the dataset's twenty languages.
RELEASED_LANGUAGES = (
    "Arabic", "English", "French", "German", "Greek", "Italian", "Portuguese", "Russian", "Spanish", "Korean",
    "Mandarin", "Japanese",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Sizes and manners of both stages; the defaults are the published ones.

    Attributes
    ----------
    vertices : int
        V.
    width : int
        W, of both stages; equal to ``codes * code_size``.
    layers, heads, feedforward : int
        Numbers of layers and heads, and inner width, of each of stage 1's two transformers.
    codes, entries, code_size : int
        C code vectors a frame, entries of the codebook they share, numbers in each.
    slope : float
        Slope of the leaky rectifiers below zero.
    affine : bool
        Whether the instance norms learn a scale and an offset.
    decoder_layers, decoder_heads, decoder_feedforward : int
        The same of stage 2's decoder.
    period : int
        Frames after which the positional code repeats.
    dropout : float
        Share of values that training leaves out.
    speech_width : int
        Numbers in a feature of speech.
    languages : tuple of str
        Names in the order of the embedding; empty leaves language out.
    beta : float
        Weight of the commitment loss.
    motion_weight, feature_weight : float
        Weights of the two losses of stage 2.
    principal : int
        0 maps vertices directly, as published; else motion is held as this many principal movements.
    scale : float
        Factor of displacements (metres) inside the model.
    released : bool
        The published weights' quirks: one positional code for every frame of stage 1, attention scaled by the
        model's width instead of the head's, no motion in the first input of generation.
    """

    vertices: int = 5023
    width: int = 1024
    layers: int = 6
    heads: int = 8
    feedforward: int = 1536
    codes: int = 16
    entries: int = 256
    code_size: int = 64
    slope: float = 0.2
    affine: bool = False
    decoder_layers: int = 6
    decoder_heads: int = 4
    decoder_feedforward: int = 2048
    period: int = 25
    dropout: float = 0.1
    speech_width: int = 1024
    languages: tuple[str, ...] = RELEASED_LANGUAGES
    beta: float = 0.25
    motion_weight: float = 1.0
    feature_weight: float = 1.0
    principal: int = 0
    scale: float = 1.0
    released: bool = True

    def __post_init__(self) -> None:
        counts = (
            "vertices", "width", "layers", "heads", "feedforward", "codes", "entries", "code_size", "decoder_layers",
            "decoder_heads", "decoder_feedforward", "period", "speech_width",
        )  # fmt: skip
        check_sizes({name: getattr(self, name) for name in counts})
        if self.principal < 0 or not self.scale > 0 or not 0 <= self.dropout < 1:
            raise ValueError("expected principal at least 0, scale above 0, and dropout from 0 to below 1")
        if self.codes * self.code_size != self.width:
            raise ValueError(f"{self.codes} codes of {self.code_size} numbers do not fill width {self.width}")
        for heads in (self.heads, self.decoder_heads):
            if self.width % heads:
                raise ValueError(f"width {self.width} is no multiple of {heads} heads")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "languages": list(self.languages)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """Make settings of what :meth:`to_dict` returned."""
        return cls(**{**values, "languages": tuple(values["languages"])})


def periodic_code(frames: int, width: int, period: int) -> torch.Tensor:
    """Return sines and cosines of ``frame mod period``: (frames, width)."""
    place = (torch.arange(frames) % period).float()
    rates = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10000.0) / width))
    angles = place[:, None] * rates  # (T, W / 2)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :width]


class Attention(nn.Module):
    """Multi-head self-attention of stage 1: all frames see each other."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w = settings.width
        self.heads = settings.heads
        self.scale = (w if settings.released else w // settings.heads) ** -0.5
        self.qkv = nn.Linear(w, 3 * w, bias=False)
        self.out = nn.Linear(w, w)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, T, W) to (B, T, W)."""
        b, t, w = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # (B, H, T, W / H) each
        y = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
        return self.out(y.transpose(1, 2).reshape(b, t, w))


class Block(nn.Module):
    """A layer of stage 1: attention and a two-layer network, each behind a layer norm."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w = settings.width
        self.norm1, self.attention = nn.LayerNorm(w), Attention(settings)
        self.norm2 = nn.LayerNorm(w)
        self.inner, self.outer = nn.Linear(w, settings.feedforward), nn.Linear(settings.feedforward, w)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, T, W) to (B, T, W)."""
        x = x + self.attention(self.norm1(x))
        return x + self.outer(F.gelu(self.inner(self.norm2(x)), approximate="tanh"))


class Trunk(nn.Module):
    """What encoder and decoder of stage 1 share: five frames' convolution, instance norm, transformer."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w = settings.width
        self.settings = settings
        self.conv = nn.Conv1d(w, w, 5, padding=2, padding_mode="replicate")
        self.norm = nn.InstanceNorm1d(w, affine=settings.affine)
        self.linear = nn.Linear(w, w)
        self.dropout = nn.Dropout(settings.dropout)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))

    def positions(self, frames: int, device: torch.device) -> torch.Tensor:
        """Return the positional code (T or 1, W); the published weights know only the first."""
        if self.settings.released:
            return periodic_code(1, self.settings.width, 1).to(device)
        return periodic_code(frames, self.settings.width, 5000).to(device)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, T, W), T at least 2, to (B, T, W)."""
        x = F.leaky_relu(self.conv(x.transpose(1, 2)), self.settings.slope)
        x = self.linear(self.norm(x).transpose(1, 2))
        x = self.dropout(x + self.positions(x.shape[1], x.device))
        for block in self.blocks:
            x = block(x)
        return x


class MotionSpace(nn.Module):
    """Displacements of vertices as the model sees them: scaled, in principal movements where there are some."""

    basis: torch.Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.size = settings.principal or 3 * settings.vertices
        # Orthonormal rows; learned from data before training, see `mtbench.reference_model.training.training_set`.
        self.register_buffer("basis", torch.zeros(settings.principal, 3 * settings.vertices))

    def project(self, displacement: torch.Tensor) -> torch.Tensor:
        """Map (..., X) metres to (..., M)."""
        x = displacement * self.scale
        return x @ self.basis.T if len(self.basis) else x

    def expand(self, motion: torch.Tensor) -> torch.Tensor:
        """Map (..., M) to (..., X), still scaled: what losses are computed on."""
        return motion @ self.basis if len(self.basis) else motion

    def restore(self, motion: torch.Tensor) -> torch.Tensor:
        """Map (..., M) to (..., X) metres."""
        return self.expand(motion) / self.scale


class Quantized(NamedTuple):
    """Code vectors and what became of them: (B, T, W), (B, T, C) indices, a scalar loss."""

    vectors: torch.Tensor
    codes: torch.Tensor
    loss: torch.Tensor


class MotionAutoencoder(nn.Module):
    """Stage 1: motion to codes and back."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.space = MotionSpace(settings)
        self.map_in = nn.Linear(self.space.size, settings.width)
        self.encoder, self.decoder = Trunk(settings), Trunk(settings)
        self.map_out = nn.Linear(settings.width, self.space.size)
        self.codebook = nn.Embedding(settings.entries, settings.code_size)
        nn.init.uniform_(self.codebook.weight, -1 / settings.entries, 1 / settings.entries)

    def encode(self, motion: torch.Tensor) -> torch.Tensor:
        """Map (B, T, M) to code vectors before quantization, (B, T, W)."""
        return self.encoder(F.leaky_relu(self.map_in(motion), self.settings.slope))

    def quantize(self, vectors: torch.Tensor) -> Quantized:
        """Replace each of the C vectors of a frame, (B, T, W), by its nearest entry (gradients pass straight on)."""
        z = vectors.unflatten(-1, (self.settings.codes, self.settings.code_size))
        book = self.codebook.weight
        distance = z.square().sum(-1, keepdim=True) - 2 * z @ book.T + book.square().sum(-1)  # (B, T, C, E)
        codes = distance.argmin(-1)
        q = self.codebook(codes).flatten(-2)
        loss = self.settings.beta * F.mse_loss(q.detach(), vectors) + F.mse_loss(q, vectors.detach())
        return Quantized(vectors + (q - vectors).detach(), codes, loss)

    def decode(self, vectors: torch.Tensor) -> torch.Tensor:
        """Map quantized vectors (B, T, W) to motion (B, T, M)."""
        return self.map_out(self.decoder(vectors))

    def forward(self, motion: torch.Tensor) -> tuple[torch.Tensor, Quantized]:
        """Reconstruct (B, T, M)."""
        quantized = self.quantize(self.encode(motion))
        return self.decode(quantized.vectors), quantized


class CrossAttention(nn.Module):
    """Multi-head attention with queries of one sequence and keys and values of another (or the same)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, T, W) to (B, H, T, W / H)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Map (B, T, W) queries and (B, S, W) memory under an additive bias (H or 1, T, S) to (B, T, W)."""
        q, k, v = self.split(self.query(x)), self.split(self.key(memory)), self.split(self.value(memory))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.out(y.transpose(1, 2).flatten(-2))


class DecoderLayer(nn.Module):
    """A layer of stage 2: attention to the past, attention to speech, two-layer network; norms come after."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w = settings.width
        self.past, self.speech = (CrossAttention(w, settings.decoder_heads) for _ in range(2))
        self.inner = nn.Linear(w, settings.decoder_feedforward)
        self.outer = nn.Linear(settings.decoder_feedforward, w)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(w) for _ in range(3))
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self, x: torch.Tensor, memory: torch.Tensor, past: torch.Tensor, aligned: torch.Tensor
    ) -> torch.Tensor:
        """Map (B, T, W) and features of speech (B, S, W) to (B, T, W), under the two biases."""
        x = self.norm1(x + self.dropout(self.past(x, x, past)))
        x = self.norm2(x + self.dropout(self.speech(x, memory, aligned)))
        return self.norm3(x + self.dropout(self.outer(self.dropout(F.relu(self.inner(x))))))


def past_bias(frames: int, heads: int, period: int) -> torch.Tensor:
    """Return the bias of attention to the past, (H, T, T): later is forbidden, each whole period ago costs more."""
    ago = torch.arange(frames)[:, None] - torch.arange(frames)  # how many frames ago j is, seen from i
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)  # ALiBi's; 4 heads: 1/4, 1/16, 1/64, 1/256
    cost = -slopes[:, None, None] * torch.div(ago, period, rounding_mode="floor")
    return cost.masked_fill(ago < 0, float("-inf"))


def aligned_bias(frames: int, features: int) -> torch.Tensor:
    """Return the bias of attention to speech, (1, T, S): frame i sees features 2 i and 2 i + 1 only."""
    own = torch.arange(features) // 2 == torch.arange(frames)[:, None]
    return torch.zeros(frames, features).masked_fill(~own, float("-inf"))[None]


@dataclass(frozen=True)
class Losses:
    """Stage 2's losses, scalars.

    Attributes
    ----------
    total, motion, feature : Tensor
        Weighted sum; mean squared error of vertices; of code vectors before quantization.
    """

    total: torch.Tensor
    motion: torch.Tensor
    feature: torch.Tensor


class MultiTalk(nn.Module):
    """Stage 2: speech, language and the motion so far to the next frame's codes; holds stage 1."""

    def __init__(self, settings: Settings, autoencoder: MotionAutoencoder | None = None) -> None:
        super().__init__()
        w = settings.width
        self.settings = settings
        self.autoencoder = autoencoder or MotionAutoencoder(settings)
        self.map_speech = nn.Linear(settings.speech_width, w)
        self.map_motion = nn.Linear(self.autoencoder.space.size, w)
        self.language = nn.Embedding(len(settings.languages), w) if settings.languages else None
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(DecoderLayer(settings) for _ in range(settings.decoder_layers))
        self.map_codes = nn.Linear(w, w, bias=False)
        nn.init.zeros_(self.map_codes.weight)

    def style(self, weights: torch.Tensor) -> torch.Tensor:
        """Map weights of languages (B, L) to (B, 1, W); zero where the model knows no language."""
        if self.language is None:
            return torch.zeros(len(weights), 1, self.settings.width, device=weights.device)
        return (weights @ self.language.weight)[:, None]

    def predict_vectors(self, inputs: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        """Map inputs (B, T, W), without positions, and memory (B, S, W) to code vectors (B, T, W)."""
        t, s = inputs.shape[1], self.settings
        x = self.dropout(inputs + periodic_code(t, s.width, s.period).to(inputs.device))
        past = past_bias(t, s.decoder_heads, s.period).to(x.device)
        aligned = aligned_bias(t, memory.shape[1]).to(x.device)
        for layer in self.layers:
            x = layer(x, memory, past, aligned)
        return self.map_codes(x)

    def losses(self, speech: torch.Tensor, motion: torch.Tensor, weights: torch.Tensor) -> Losses:
        """Return the losses with the true motion as input (teacher forcing).

        Parameters
        ----------
        speech : (B, S, speech_width)
            S at least 2 T.
        motion : (B, T, M)
        weights : (B, L)
            Weights of the languages.
        """
        before = torch.cat([torch.zeros_like(motion[:, :1]), motion[:, :-1]], 1)
        inputs = self.map_motion(before) + self.style(weights)
        vectors = self.predict_vectors(inputs, self.map_speech(speech))
        predicted = self.autoencoder.decode(self.autoencoder.quantize(vectors).vectors)
        with torch.no_grad():
            wanted = self.autoencoder.quantize(self.autoencoder.encode(motion)).vectors
        space = self.autoencoder.space
        motion_loss = space.expand(predicted - motion).square().mean()
        feature_loss = F.mse_loss(vectors, wanted)
        total = self.settings.motion_weight * motion_loss + self.settings.feature_weight * feature_loss
        return Losses(total, motion_loss, feature_loss)

    def first_input(self, style: torch.Tensor) -> torch.Tensor:
        """Return the input of generation's first step (B, 1, W); the published loop leaves the still face out."""
        return style if self.settings.released else style + self.map_motion.bias

    @torch.inference_mode()
    def generate(self, speech: torch.Tensor, weights: torch.Tensor, frames: int) -> torch.Tensor:
        """Generate motion frame by frame, recomputing everything each time: the plain loop.

        Parameters
        ----------
        speech : (B, S, speech_width)
            S at least 2 *frames*.
        weights : (B, L)
        frames : int

        Returns
        -------
        (B, T, M)
        """
        style = self.style(weights)
        memory = self.map_speech(speech)
        inputs = self.first_input(style)
        motion = inputs.new_zeros(len(inputs), 0, self.autoencoder.space.size)
        for t in range(1, frames + 1):
            vectors = self.autoencoder.quantize(self.predict_vectors(inputs, memory)).vectors
            # Instance norm has no say on one frame: the first is decoded as two and cut.
            motion = self.autoencoder.decode(vectors.repeat(1, 2, 1) if t == 1 else vectors)[:, :t]
            inputs = torch.cat([inputs, self.map_motion(motion[:, -1:]) + style], 1)
        return motion
