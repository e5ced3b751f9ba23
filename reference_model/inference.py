"""Generation that repeats no work which causality allows to keep: the plain loop's motion, several times as fast.

:meth:`mtbench.reference_model.model.MultiTalk.generate` is the plain loop. What is different here, none of it more
than rounding away:

- the causal decoder maps one new frame a step; keys and values of the frames before lie in a cache;
- a frame sees two features of speech only, so that attention to them is a sigmoid of one number a head. The maps of
  query and output are applied to speech ahead of time, for many frames in one matrix product;
- the motion decoder's attention and instance norm run over the whole prefix and change early frames, so all of
  its layers but the last are computed anew each step. Kept is the convolution, whose output changes in the last
  three frames; of the last layer only the last frame is computed. There the keys' map is applied to the one query, and
  the values' map to the one weighted sum, instead of to every frame;
- vertices stay out of the loop: the way from the motion decoder through them to the next input is one matrix. They
  are computed once, when a clip is complete;
- matrices are packed once for oneDNN where torch has it (:class:`mtbench.reference_model.inference_layers.Linear`).

Clips of a batch share the length of the prefix; the longest come first, and a clip that is complete drops out.

Conventions
-----------
Shapes as in :mod:`mtbench.reference_model.model`; b clips still unfinished, n frames so far, H heads, D = W / H.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import nn

from mtbench.errors import UsageError
from mtbench.reference_model.inference_layers import DecoderStep, Heard, Linear, PrefixDecoder
from mtbench.reference_model.model import DecoderLayer, MultiTalk, periodic_code

#: Frames of a batch, clips times the longest: bounds memory (the published size keeps up to 250 kB a frame).
BATCH_FRAMES = 4096
#: Frames for which speech is prepared at once.
SPEECH_FRAMES = 32


def generate(
    network: MultiTalk,
    speech: Sequence[torch.Tensor],
    weights: torch.Tensor,
    frames: Sequence[int],
    batch_frames: int = BATCH_FRAMES,
    tick: Callable[[], None] | None = None,
) -> list[torch.Tensor]:
    """Generate motion of several clips, as :meth:`MultiTalk.generate` does of each by itself (without dropout).

    Parameters
    ----------
    network : MultiTalk
        Network on any device; the result lies there too.
    speech : sequence of (S, speech_width) float32
        Features of each clip, at least two for each of its frames.
    weights : (B, L) float32
        Weights of the languages for each clip.
    frames : sequence of int
        T of each clip.
    batch_frames : int
        Frames in a batch; a longer clip is a batch by itself.
    tick : callable, optional
        Called after every frame of every clip.

    Returns
    -------
    list of (T, M) float32
        In the order asked for; which clips are together in a batch makes no difference beyond rounding.

    Raises
    ------
    UsageError
        If counts do not match or there is too little speech for a clip.
    """
    return Generator(network).generate(speech, weights, frames, batch_frames, tick)


class Generator:
    """A network made ready to generate; later changes of the network's weights do not reach it.

    Parameters
    ----------
    network : MultiTalk
        Network on any device.
    """

    @torch.no_grad()
    def __init__(self, network: MultiTalk) -> None:
        self.network = network
        stage1 = network.autoencoder
        self.layers = [DecoderStep(cast(DecoderLayer, layer)) for layer in network.layers]
        self.map_codes = Linear(network.map_codes.weight)
        self.book = stage1.codebook.weight.detach()
        self.book_size = self.book.square().sum(-1)
        self.motion_decoder = PrefixDecoder(stage1.decoder)
        # To the next input through the motion, without making it: one matrix.
        back = network.map_motion
        through = Linear(stage1.map_out.weight.T)(back.weight)
        self.feed = Linear(through, back.weight @ stage1.map_out.bias + back.bias)

    @torch.inference_mode()
    def generate(
        self,
        speech: Sequence[torch.Tensor],
        weights: torch.Tensor,
        frames: Sequence[int],
        batch_frames: int = BATCH_FRAMES,
        tick: Callable[[], None] | None = None,
    ) -> list[torch.Tensor]:
        """Generate motion of several clips: see :func:`generate`."""
        if not len(speech) == len(weights) == len(frames):
            raise UsageError(
                f"{len(speech)} clips of speech, {len(weights)} rows of language weights and {len(frames)} frame "
                "counts were given; expected one of each for every clip"
            )
        for i, (heard, t) in enumerate(zip(speech, frames)):
            if t < 0 or len(heard) < 2 * t:
                raise UsageError(
                    f"clip {i}: {t} frames were asked for with {len(heard)} features of speech; expected two features "
                    "for each frame. Resample the features (mtbench.reference_model.encoders.speech.fit_features) "
                    "or ask for fewer frames."
                )
        order = sorted(range(len(frames)), key=lambda i: -frames[i])
        out: dict[int, torch.Tensor] = {}
        while order:
            clips = order[: max(1, batch_frames // max(1, frames[order[0]]))]
            order = order[len(clips) :]
            lengths = [frames[i] for i in clips]
            padded = nn.utils.rnn.pad_sequence([speech[i][: 2 * frames[i]] for i in clips], batch_first=True)
            motion = self._animate(padded, self.network.style(weights[clips]), lengths, tick)
            out.update(zip(clips, motion, strict=True))
        return [out[i] for i in range(len(frames))]

    def _animate(
        self,
        speech: torch.Tensor,
        style: torch.Tensor,
        lengths: Sequence[int],
        tick: Callable[[], None] | None = None,
    ) -> list[torch.Tensor]:
        """Return motion (T, M) of clips sorted by falling length: speech (B, S, speech_width), style (B, 1, W)."""
        network, s, longest = self.network, self.network.settings, lengths[0]
        places = periodic_code(longest, s.width, s.period).to(style.device)
        positions = network.autoencoder.decoder.positions(max(longest, 2), style.device)
        d = s.width // s.decoder_heads
        past = style.new_empty(len(self.layers), 2, len(style), s.decoder_heads, longest, d)
        bias = past_bias_of_last(longest, s.decoder_heads, s.period).to(style.device)
        vectors, convolved = style.new_empty(2, len(style), longest, s.width)
        still = [sum(t >= n for t in lengths) for n in range(longest + 2)]  # clips unfinished before frame n
        x = network.first_input(style)[:, 0]
        out = [style.new_empty(0, network.autoencoder.space.size)] * len(lengths)
        for n in range(1, longest + 1):
            b, go_on, frame = still[n], still[n + 1], (n - 1) % SPEECH_FRAMES
            if frame == 0:
                heard = self._hear(speech[:b, 2 * (n - 1) : 2 * (n - 1 + SPEECH_FRAMES)])
            x = x[:b] + places[n - 1]
            for layer, kept, sound in zip(self.layers, past, heard, strict=True):
                x = layer.step(x, kept[:, :b, :, :n], bias[..., longest - n :], sound, frame)
            vectors[:b, n - 1] = self._quantize(self.map_codes(x))
            self.motion_decoder.extend(convolved[:b, :n], vectors[:b, :n])
            decoded = self.motion_decoder.decode(convolved[:b, :n], positions)
            if go_on < b:
                last = network.autoencoder.decoder.blocks[-1]
                out[go_on:b] = network.autoencoder.map_out(last(decoded[go_on:]))[:, :n]
            if go_on:
                x = self.feed(self.motion_decoder.last(decoded[:go_on], n - 1)) + style[:go_on, 0]
            if tick is not None:
                for _ in range(b):
                    tick()
        return out

    def _hear(self, speech: torch.Tensor) -> list[Heard]:
        """Prepare speech (b, 2 T, speech_width) for every layer."""
        memory = self.network.map_speech(speech).unflatten(1, (-1, 2))
        return [layer.hear(memory) for layer in self.layers]

    def _quantize(self, x: torch.Tensor) -> torch.Tensor:
        """Replace each of the C vectors of (b, W) by its nearest entry."""
        z = x.view(-1, self.network.settings.code_size)
        # Distance less the vector's own size, which all entries share.
        distance = torch.addmm(self.book_size, z, self.book.T, alpha=-2)
        return self.book[distance.argmin(-1)].view_as(x)


def past_bias_of_last(frames: int, heads: int, period: int) -> torch.Tensor:
    """Return the last row of :func:`mtbench.reference_model.model.past_bias`, (1, H, 1, T).

    Its last n columns are the last row of n frames.
    """
    ago = torch.arange(frames - 1, -1, -1)
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
    return -slopes[None, :, None, None] * torch.div(ago, period, rounding_mode="floor")
