"""An ear: what the frozen encoder makes of a sound, freed of what is the same throughout the clip.

Voice, room and channel sit in the mean and the deviation of every feature over a clip. Both are taken off: of all
that was tried, that let a head which had heard synthetic speech only understand people best.

Conventions
-----------
Audio is (640 T,) float32 mono at 16 kHz; features are (2 T, D) float32 at 50 Hz. Clips of more than 30 s are heard in
windows of 30 s that share their ends, and normalized as a whole.

Keeping features
----------------
:meth:`Ear.hear` is a pure function of the samples and of :attr:`Ear.digest`: neither the number of threads, nor what
else is heard, nor the order has an influence on a single bit. So whoever scores may keep features under the key that
a mixture has (clip, noise, ratio, versions) together with the digest, for all entries at once, since no entry changes
what is heard. A second takes 100 KB of float32; rounded to float16 it is half of that, and the rounding (at most 1 in
2,048) has to be in the key too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from mtbench.avsr.whisper.encoder import MAX_STEPS, WhisperEncoder
from mtbench.avsr.whisper.mel import HEARD_FRAMES, compute_whisper_mel
from mtbench.timing import SAMPLES_PER_FRAME
from mtbench.work import multiplies_bfloat16, single_threaded_torch

#: Raised whenever the same weights would give other features.
CODE_VERSION = "1"
#: Steps at each end of a window that are heard for the sake of the others: 2 s.
CONTEXT = 100
#: Added to the variance, so that what never moves stays finite.
_EPSILON = 1e-4


@dataclass(frozen=True)
class Ear:
    """A frozen encoder and which layer of it is listened to.

    Attributes
    ----------
    encoder : WhisperEncoder
        In evaluation mode, float32, without gradients.
    layer : int
        Whose output the features are made of.
    digest : str
        Of weights, layer, code version and, where it is no CPU, the kind of device.
    """

    encoder: WhisperEncoder
    layer: int
    digest: str

    @property
    def width(self) -> int:
        """Features a step."""
        return self.encoder.sizes.width

    def hear(self, samples: np.ndarray) -> np.ndarray:
        """Return what is heard in one clip.

        Parameters
        ----------
        samples : (640 T,) float32
            Mono, 16 kHz.

        Returns
        -------
        (2 T, D) float32
            Each feature has mean zero and variance one over the clip, or less where it hardly moves.

        Raises
        ------
        ValueError
            If the length is not a positive multiple of 640.
        """
        # Shared out among threads, sums of the same numbers end in other bits; in a batch of another size, too.
        with torch.inference_mode(), single_threaded_torch():
            mel = compute_whisper_mel(samples).to(self.encoder.positions.device)
            states = torch.empty(mel.shape[1] // 2, self.width, device=mel.device)
            for start, end, kept in plan_windows(len(states)):
                (heard,) = self.encoder(mel[None, :, 2 * start : 2 * end], [self.layer])
                states[kept:end] = heard[0, kept - start :]
            return normalize_states(states[None])[0].cpu().numpy()

    def hear_batch(
        self, sounds: Sequence[np.ndarray], coarse: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what is heard in several clips, for training: in one pass, on as many threads as there are.

        Parameters
        ----------
        sounds : sequence of (640 T,) float32
            Clips of at most 30 s, longer or shorter.
        coarse : bool
            Whether to multiply in bfloat16 where the processor does so itself, in half the time.

        Returns
        -------
        (B, 2 max T, D) float32 tensor, (B,) int64 tensor
            Features, zero past a clip's end, and how many steps each clip has; on the encoder's device. They are
            those of :meth:`hear` up to the rounding of sums; *coarse* ones have a cosine of 0.999 to them.

        Raises
        ------
        ValueError
            As :meth:`hear`, and for longer clips or none.
        """
        if not sounds:
            raise ValueError("no clip to hear, expected at least one")
        device = self.encoder.positions.device
        lengths = torch.tensor([HEARD_FRAMES * (len(sound) // SAMPLES_PER_FRAME) for sound in sounds])
        with torch.inference_mode():
            mels = [compute_whisper_mel(sound).T for sound in sounds]
            mel = torch.nn.utils.rnn.pad_sequence(mels, batch_first=True).transpose(1, 2)
            with torch.autocast(
                device.type, torch.bfloat16, enabled=coarse and multiplies_bfloat16(device.type)
            ):
                (states,) = self.encoder(mel.to(device), [self.layer], lengths)
            features = normalize_states(states.float(), lengths)
        # A copy that a training may go on with.
        return features.clone(), lengths.to(device)


def plan_windows(steps: int) -> Iterator[tuple[int, int, int]]:
    """Yield the windows that a clip is heard in: first step, end, and the first step that is kept of it.

    What is kept of a window replaces what the one before gave there, so that every step but those near the clip's ends
    has at least :data:`CONTEXT` steps on either side.

    Examples
    --------
    >>> list(plan_windows(1500))
    [(0, 1500, 0)]
    >>> list(plan_windows(3000))
    [(0, 1500, 0), (1300, 2800, 1400), (1500, 3000, 2700)]
    """
    yield 0, min(steps, MAX_STEPS), 0
    end = MAX_STEPS
    while end < steps:
        kept = end - CONTEXT
        end = min(steps, kept - CONTEXT + MAX_STEPS)
        yield end - MAX_STEPS, end, kept


def normalize_states(states: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
    """Normalize each step, then each feature over its clip.

    Parameters
    ----------
    states : (B, S, D) tensor
        Outputs of one layer.
    lengths : (B,) int tensor, optional
        Steps of each clip; by default all are S long.

    Returns
    -------
    (B, S, D) tensor
        ``(x - mean) / sqrt(variance + 1e-4)`` of the step-wise normalized x, mean and variance over the clip's own
        steps; zero past a clip's end.
    """
    x = F.layer_norm(states, states.shape[-1:])
    if lengths is None:
        centered = x - x.mean(1, keepdim=True)
        return centered / (centered.square().mean(1, keepdim=True) + _EPSILON).sqrt()
    lengths = lengths.to(states.device)
    mask = (torch.arange(states.shape[1], device=states.device)[None] < lengths[:, None])[..., None]
    count = lengths[:, None, None]
    centered = (x - (x * mask).sum(1, keepdim=True) / count) * mask
    return centered / (centered.square().sum(1, keepdim=True) / count + _EPSILON).sqrt()
