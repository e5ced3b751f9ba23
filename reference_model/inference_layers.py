"""The layers of :mod:`mtbench.reference_model.inference`: those of the model, rearranged for one frame at a time.

Conventions
-----------
Shapes as in :mod:`mtbench.reference_model.model`; b clips still unfinished, n frames so far, H heads, D = W / H.
A layer here is made of a module's weights and copies them where it packs or joins them: it knows nothing of changes.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F

from mtbench.reference_model.model import Block, DecoderLayer, Trunk

#: Frames that the convolution over time reaches to either side.
REACH = 2


class Linear:
    """A linear map made ready for many calls: packed for oneDNN where that is possible.

    torch gives products of float32 on processors to MKL, which leaves half of an AMD processor unused and rearranges
    the matrix in every call. The operators used instead are those that torch's own compiler calls.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None, then: str = "none") -> None:
        """Take (out, in), (out,), and what follows: "none", "relu" or "gelu" (by tanh)."""
        self.weight, self.bias, self.then = weight.detach().contiguous(), bias, then
        self.packed = (
            weight.device.type == "cpu"
            and weight.dtype == torch.float32
            and torch.backends.mkldnn.is_available()
            and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
        )
        if self.packed:
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, None)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Map (..., in) to (..., out)."""
        if self.packed:
            how = "tanh" if self.then == "gelu" else ""
            return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, self.then, [], how)
        y = F.linear(x, self.weight, self.bias)
        if self.then == "relu":
            return y.relu_()
        return F.gelu(y, approximate="tanh") if self.then == "gelu" else y


class Heard(NamedTuple):
    """What a layer of the decoder hears in some frames: the query's part and the output's, see `DecoderStep.hear`."""

    ask: torch.Tensor  # (H, B, T, W)
    offset: torch.Tensor  # (H, B, T)
    change: torch.Tensor  # (H, B, T, W)
    base: torch.Tensor  # (B, T, W)

    def answer(self, x: torch.Tensor, frame: int) -> torch.Tensor:
        """Map the decoder's state (b, W) in one of the frames to what attention to speech adds, (b, W)."""
        b = len(x)
        score = (self.ask[:, :b, frame] * x).sum(-1) + self.offset[:, :b, frame]  # (H, b)
        return self.base[:b, frame] + (score.sigmoid()[..., None] * self.change[:, :b, frame]).sum(0)


class DecoderStep:
    """A layer of stage 2's decoder, a frame at a time."""

    def __init__(self, layer: DecoderLayer) -> None:
        past = layer.past
        parts = (past.query, past.key, past.value)
        self.layer, self.heads = layer, past.heads
        self.qkv = Linear(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]))
        self.out = Linear(past.out.weight, past.out.bias)
        self.inner = Linear(layer.inner.weight, layer.inner.bias, "relu")
        self.outer = Linear(layer.outer.weight, layer.outer.bias)

    def hear(self, memory: torch.Tensor) -> Heard:
        """Prepare frames' two features of speech each, (B, T, 2, W).

        With weight p for the second feature and 1 - p for the first, attention returns v0 + p (v1 - v0), and p
        is the sigmoid of q (k1 - k0): so both differences are kept, already mapped by what lies around them.
        """
        a = self.layer.speech
        b, t, _, w = memory.shape
        first, difference = memory[:, :, 0], (memory[:, :, 1] - memory[:, :, 0]).flatten(0, 1)
        key, value = (
            F.linear(difference, m.weight).unflatten(-1, (a.heads, -1)).transpose(0, 1)
            for m in (a.key, a.value)
        )  # (H, B T, D)
        key = key * (w // a.heads) ** -0.5
        ask = key @ a.query.weight.view(a.heads, -1, w)
        offset = (key @ a.query.bias.view(a.heads, -1, 1))[..., 0]
        change = value @ a.out.weight.T.reshape(a.heads, -1, w)
        ask, offset, change = (x.unflatten(1, (b, t)) for x in (ask, offset, change))
        return Heard(ask, offset, change, a.out(a.value(first)))

    def step(
        self, x: torch.Tensor, past: torch.Tensor, bias: torch.Tensor, heard: Heard, frame: int
    ) -> torch.Tensor:
        """Map one frame (b, W); *past* (2, b, H, n, D) receives its key and value, *bias* is (1, H, 1, n)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(1)  # (b, H, D)
        past[0, :, :, -1], past[1, :, :, -1] = k, v
        y = F.scaled_dot_product_attention(q[:, :, None], past[0], past[1], attn_mask=bias)
        x = self.layer.norm1(x + self.out(y.flatten(1)))
        x = self.layer.norm2(x + heard.answer(x, frame))
        return self.layer.norm3(x + self.outer(self.inner(x)))


class PackedBlock:
    """A layer of stage 1's motion decoder over all frames."""

    def __init__(self, block: Block) -> None:
        self.block, self.attention = block, block.attention
        self.qkv = Linear(block.attention.qkv.weight)
        self.out = Linear(block.attention.out.weight, block.attention.out.bias)
        self.inner = Linear(block.inner.weight, block.inner.bias, "gelu")
        self.outer = Linear(block.outer.weight, block.outer.bias)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Map (b, n, W) to (b, n, W)."""
        a = self.attention
        q, k, v = self.qkv(self.block.norm1(x)).unflatten(-1, (3, a.heads, -1)).transpose(1, 3).unbind(2)
        y = F.scaled_dot_product_attention(q, k, v, scale=a.scale)  # (b, H, n, D)
        x = self.out(y.transpose(1, 2).flatten(2)).add_(x)
        return self.outer(self.inner(self.block.norm2(x))).add_(x)


class LastFrameBlock:
    """The last layer of stage 1's motion decoder, of which one frame only goes on.

    So the map of the keys is applied to its query, and the map of the values to its weighted sum of frames.
    """

    def __init__(self, block: Block) -> None:
        self.block, self.attention = block, block.attention
        query, key, value = block.attention.qkv.weight.detach().chunk(3)
        heads = block.attention.heads
        self.query = Linear(query)
        self.key = key.unflatten(0, (heads, -1)).contiguous()  # (H, D, W)
        self.value = value.unflatten(0, (heads, -1)).transpose(1, 2).contiguous()  # (H, W, D)
        self.out = Linear(block.attention.out.weight, block.attention.out.bias)
        self.inner = Linear(block.inner.weight, block.inner.bias, "gelu")
        self.outer = Linear(block.outer.weight, block.outer.bias)

    def __call__(self, x: torch.Tensor, frame: int) -> torch.Tensor:
        """Map (b, n, W) to what becomes of one frame, (b, W)."""
        a, seen = self.attention, self.block.norm1(x)
        q = self.query(seen[:, frame]).unflatten(-1, (a.heads, -1)).transpose(0, 1)  # (H, b, D)
        ask = (q @ self.key).transpose(0, 1) * a.scale  # (b, H, W)
        share = (ask @ seen.transpose(1, 2)).softmax(-1)  # (b, H, n)
        value = (share @ seen).transpose(0, 1) @ self.value  # (H, b, D)
        y = x[:, frame] + self.out(value.transpose(0, 1).flatten(1))
        return y + self.outer(self.inner(self.block.norm2(y)))


class PrefixDecoder:
    """Stage 1's motion decoder over a prefix that grows by a frame a step."""

    def __init__(self, trunk: Trunk) -> None:
        self.trunk = trunk
        self.conv = Linear(trunk.conv.weight.permute(0, 2, 1).flatten(1), trunk.conv.bias)  # (W, 5 W)
        self.linear = Linear(trunk.linear.weight, trunk.linear.bias)
        self.blocks = [PackedBlock(cast(Block, block)) for block in trunk.blocks[:-1]]
        self.last = LastFrameBlock(cast(Block, trunk.blocks[-1]))

    def extend(self, convolved: torch.Tensor, vectors: torch.Tensor) -> None:
        """Bring the convolution's output (b, n, W) up to date with the last of the code vectors (b, n, W)."""
        n, device = vectors.shape[1], vectors.device
        first = max(0, n - 1 - REACH)
        frames = torch.arange(first, n, device=device)[:, None]
        around = frames + torch.arange(-REACH, REACH + 1, device=device)
        around = around.clamp(0, n - 1)  # beyond the ends, the frames there are repeated
        x = self.conv(vectors[:, around].flatten(2))
        convolved[:, first:] = F.leaky_relu(x, self.trunk.settings.slope)

    def normalize(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the instance norm to (b, n, W)."""
        norm = self.trunk.norm
        away = x - x.mean(1, keepdim=True)
        y = away * (away.square().mean(1, keepdim=True) + norm.eps).rsqrt()
        return y * norm.weight + norm.bias if norm.affine else y

    def decode(self, convolved: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Map the convolution's output (b, n, W) to what enters the last layer, (b, n, W); (b, 2, W) where n is 1.

        *positions* is (T or 1, W), T at least n and 2.
        """
        # Instance norm has no say on one frame: the first is decoded as two, as in the plain loop.
        if convolved.shape[1] == 1:
            convolved = convolved.repeat(1, 2, 1)
        x = self.linear(self.normalize(convolved)) + positions[: convolved.shape[1]]
        for block in self.blocks:
            x = block(x)
        return x
