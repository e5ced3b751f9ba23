"""Speech encoders: sound to features of speech, two a frame.

:class:`OpenheadSpeech` is the audio branch of the recognizer that ships with mtbench: small, frozen, the same bits
on every run, so that features can be computed once and kept. What the paper fine-tunes is in
:mod:`mtbench.reference_model.encoders.wav2vec2`.

Conventions
-----------
Audio is (N,) float32, mono, 16 kHz, one clip at a time. Features are (S, width) at 50 Hz, S even: frame *i* of the
motion (25 Hz) hears features 2 i and 2 i + 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mtbench.errors import UsageError
from mtbench.speech import fit_length
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME
from mtbench.work import single_threaded_torch

#: The name of the bundled encoder.
BUNDLED = "openhead-av"
#: Which of its versions: the bundled weights of the reference model were trained on what that one hears.
BUNDLED_VERSION = "1"
#: Raised whenever the same weights would give other features.
CODE_VERSION = "1"


@runtime_checkable
class SpeechEncoder(Protocol):
    """What the reference model hears with.

    Attributes
    ----------
    name : str
        What :func:`mtbench.reference_model.encoders.registry.load_speech_encoder` loads it by.
    width : int
        Numbers in a feature.
    digest : str
        Hex digest of what decides the features: weights and code.
    module : Module or None
        What training may tune; None where the encoder is frozen, so that features may be kept.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def module(self) -> nn.Module | None: ...  # noqa: D102

    def prepare(self, audio: np.ndarray) -> np.ndarray:
        """Return (N,) float32 as :meth:`encode` wants it, from sound as it lies in a file (-1..1)."""
        ...

    def encode(self, audio: np.ndarray, frames: int | None = None) -> torch.Tensor:
        """Map prepared (N,) audio to features (S, width), without gradients.

        With *frames* given, S is at least 2 *frames*: too few features are resized, see :func:`fit_features`.
        """
        ...


def check_audio(audio: np.ndarray) -> np.ndarray:
    """Return *audio* as (N,) float32.

    Raises
    ------
    UsageError
        Where it has no samples, more than one channel, or samples that are no finite numbers.
    """
    audio = np.asarray(audio)
    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise UsageError(
            f"audio must be one channel of floating-point samples, (N,) at {SAMPLE_RATE} Hz, not {audio.dtype} of "
            f"shape {audio.shape}; mtbench.speech.sound_files.load_audio reads a file so"
        )
    if not len(audio):
        raise UsageError("audio without samples; expected speech, perhaps the recording was cut to nothing")
    bad = np.flatnonzero(~np.isfinite(audio))
    if len(bad):
        raise UsageError(
            f"audio has {len(bad)} samples that are NaN or infinite, the first at {bad[0] / SAMPLE_RATE:.3f} s; "
            "expected finite numbers in -1..1. Write the file again as 16-bit PCM."
        )
    return audio.astype(np.float32, copy=False)


def fit_features(features: torch.Tensor, frames: int) -> torch.Tensor:
    """Resize features to two a frame where they are too few for *frames*, as the released code does.

    Parameters
    ----------
    features : (S, w)
        Features at 50 Hz.
    frames : int
        Wanted frames at 25 fps.

    Returns
    -------
    (S', w)
        Linearly interpolated to 2 *frames* (ends on ends) where ``S // 2 < frames``; else as they were.
    """
    if len(features) // 2 >= frames:
        return features
    x = F.interpolate(features.T[None], size=2 * frames, mode="linear", align_corners=True)
    return x[0].T


class OpenheadSpeech:
    """The bundled recognizer's audio branch, in no particular language; satisfies :class:`SpeechEncoder`.

    Features are what its last layer, which tells phones apart, sees.

    Parameters
    ----------
    weights : path, optional
        Safetensors file of a recognizer that ``mtbench avsr train`` made; the bundled one by default.

    Raises
    ------
    PrerequisiteError, UsageError
        As :meth:`mtbench.avsr.openhead.recognizer.OpenheadAV.load`.
    """

    #: File of the weights, None for the bundled ones.
    weights: Path | None
    #: Frozen: a recognizer that is tuned on motion is a judge of it no longer, and features can be kept.
    module: nn.Module | None = None

    def __init__(self, weights: str | Path | None = None) -> None:
        from mtbench.avsr.openhead import OpenheadAV, find_bundled

        self.name = BUNDLED if weights is None else str(weights)
        self.weights = None if weights is None else Path(weights)
        self._recognizer = OpenheadAV.load(weights or find_bundled(BUNDLED_VERSION))
        self._network = self._recognizer.network.requires_grad_(False)
        self.width = self._network.config.width

    @cached_property
    def digest(self) -> str:
        """Of the weights that hear: a recognizer with other eyes or another word search has the same ears."""
        deaf = ("visual.", "output.", "visual_context.", "visual_phones.", "frame_phones.")
        state = self._network.state_dict().items()
        return digest_tensors((k, v) for k, v in state if not k.startswith(deaf))

    def prepare(self, audio: np.ndarray) -> np.ndarray:
        """Return *audio* as it is: the features' own normalization does not heed loudness."""
        return check_audio(audio)

    def encode(self, audio: np.ndarray, frames: int | None = None) -> torch.Tensor:
        """Map (N,) audio to features (2 T, width), T whole frames (the last is filled up with silence).

        The same bits in every call, whatever else was encoded and on however many threads.
        """
        audio = check_audio(audio)
        t = -(-len(audio) // SAMPLES_PER_FRAME)
        with torch.no_grad(), single_threaded_torch():
            features = self._hear(self._recognizer.listen(fit_length(audio, t * SAMPLES_PER_FRAME)))
            return features if frames is None else fit_features(features, frames)

    def _hear(self, sound: torch.Tensor) -> torch.Tensor:
        """Map (T, F) acoustic features to (2 T, width)."""
        heard: list[torch.Tensor] = []
        hook = self._network.output.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0]))
        try:
            self._network(None, sound[None], torch.tensor([len(sound)]), torch.tensor([0]))
        finally:
            hook.remove()
        return heard[0][0].clone()


def digest_tensors(state: Iterable[tuple[str, torch.Tensor]]) -> str:
    """blake2b-128 hex digest of named tensors (any order) and :data:`CODE_VERSION`."""
    h = hashlib.blake2b(CODE_VERSION.encode(), digest_size=16)
    for name, tensor in sorted(state, key=lambda item: item[0]):
        array = np.ascontiguousarray(tensor.detach().cpu().numpy())
        h.update(f"{name}{array.dtype.str}{array.shape}".encode())
        h.update(array.tobytes())
    return h.hexdigest()
