"""Multi-head attention and feed-forward layers, by the names that published checkpoints give their tensors.

Conventions
-----------
Shapes: B rows, T steps, C width. Masks are True where something is *not* to be looked at. A layer is pre-norm
(normalize, compute, add) or post-norm (compute, add, normalize); both carry the same tensors, so the sizes of a file
do not tell which it is.

After Vaswani et al., "Attention is all you need" (NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Attention of several heads, with biases everywhere.

    Parameters
    ----------
    width : int
        Of queries and output; divisible by *heads*.
    heads : int
        How many.
    source : int, optional
        Width of what is looked at; *width* by default.
    """

    def __init__(self, width: int, heads: int, source: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(source or width, width)
        self.v_proj = nn.Linear(source or width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def look_at(self, source: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values, both (B, heads, T, C / heads), of *source* (B, T, C')."""
        return self._split(self.k_proj(source)), self._split(self.v_proj(source))

    def forward(
        self, x: torch.Tensor, seen: tuple[torch.Tensor, torch.Tensor], hidden: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Attend.

        Parameters
        ----------
        x : torch.Tensor
            (B, T, C), what asks.
        seen : tuple of torch.Tensor
            Keys and values of :meth:`look_at`.
        hidden : torch.Tensor, optional
            Booleans that broadcast to (B, heads, T, S), True where a key is not to be seen.

        Returns
        -------
        torch.Tensor
            (B, T, C).
        """
        visible = None if hidden is None else ~hidden
        answer = F.scaled_dot_product_attention(self._split(self.q_proj(x)), *seen, attn_mask=visible)
        return self.out_proj(answer.transpose(1, 2).flatten(2))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """Self-attention and two linear maps, as encoder and decoder have them; the decoder's looks at the encoder between.

    Parameters
    ----------
    width, inner, heads : int
        Of the layer, inside the feed-forward part, of attention.
    pre_norm : bool
        Whether normalization comes before what it normalizes for.
    """

    def __init__(self, width: int, inner: int, heads: int, pre_norm: bool) -> None:
        super().__init__()
        self.pre_norm = pre_norm
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def before(self, norm: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
        """Return what a part of the layer is given."""
        return norm(x) if self.pre_norm else x

    def after(self, norm: nn.LayerNorm, x: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
        """Return the sum of a part's input and output."""
        return x + change if self.pre_norm else norm(x + change)


class EncoderLayer(Layer):
    """A layer of the encoder: GELU, every step sees every valid one."""

    def forward(self, x: torch.Tensor, hidden: torch.Tensor | None) -> torch.Tensor:
        """Return (B, T, C) of (B, T, C); *hidden* broadcasts to (B, heads, T, T)."""
        y = self.before(self.self_attn_layer_norm, x)
        x = self.after(self.self_attn_layer_norm, x, self.self_attn(y, self.self_attn.look_at(y), hidden))
        y = self.before(self.final_layer_norm, x)
        return self.after(self.final_layer_norm, x, self.fc2(F.gelu(self.fc1(y))))


#: Keys and values of a decoder layer: of the tokens so far, and of the encoded clip.
LayerMemory = tuple[tuple[torch.Tensor, torch.Tensor] | None, tuple[torch.Tensor, torch.Tensor]]


class DecoderLayer(Layer):
    """A layer of the decoder: ReLU, looks at the encoded clip after it looked at the tokens.

    Parameters
    ----------
    width, inner, heads, pre_norm
        See :class:`Layer`.
    source : int
        Width of the encoder.
    activation : str
        ``"relu"`` or ``"gelu"``.
    """

    def __init__(
        self, width: int, inner: int, heads: int, pre_norm: bool, source: int, activation: str
    ) -> None:
        super().__init__(width, inner, heads, pre_norm)
        self.encoder_attn = Attention(width, heads, source)
        self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.activation: Callable[[torch.Tensor], torch.Tensor] = F.relu if activation == "relu" else F.gelu

    def forward(
        self,
        x: torch.Tensor,
        memory: LayerMemory,
        hidden: torch.Tensor | None,
        hidden_source: torch.Tensor | None,
    ) -> tuple[torch.Tensor, LayerMemory]:
        """Return (B, L, C) of the new tokens' (B, L, C), and the memory with them added."""
        past, source = memory
        y = self.before(self.self_attn_layer_norm, x)
        keys, values = self.self_attn.look_at(y)
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        x = self.after(self.self_attn_layer_norm, x, self.self_attn(y, (keys, values), hidden))
        y = self.before(self.encoder_attn_layer_norm, x)
        x = self.after(self.encoder_attn_layer_norm, x, self.encoder_attn(y, source, hidden_source))
        y = self.before(self.final_layer_norm, x)
        x = self.after(self.final_layer_norm, x, self.fc2(self.activation(self.fc1(y))))
        return x, ((keys, values), source)
