"""wav2vec 2.0 as speech encoder, by Hugging Face's ``transformers`` (extra ``[reference]``): XLSR-53 is the paper's.

Conventions
-----------
As in :mod:`mtbench.reference_model.encoders.speech`. ``transformers`` is used as it is: the one thing that the
released code changes in it, resizing features before the transformer, is done between its parts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.reference_model.encoders.speech import BUNDLED, check_audio, digest_tensors, fit_features
from mtbench.timing import SAMPLE_RATE

#: Samples in which its convolutions hear two features.
_SHORTEST = 720


class Wav2Vec2Speech:
    """A wav2vec 2.0 model of Hugging Face's ``transformers``.

    Satisfies :class:`mtbench.reference_model.encoders.speech.SpeechEncoder`.

    Parameters
    ----------
    source : str or path or dict
        Folder or hub name. Of a configuration in Hugging Face's form, a model is made whose weights are to be filled.
    name : str, optional
        Its name where *source* is a configuration.

    Attributes
    ----------
    module : transformers.Wav2Vec2Model
        Network in evaluation mode. Its convolutions are frozen, as published; the rest may be tuned.

    Raises
    ------
    PrerequisiteError
        Without ``transformers``, or where there is no such model.
    """

    module: Any

    def __init__(self, source: str | Path | dict[str, Any], name: str = "wav2vec2") -> None:
        transformers = _require_transformers(source if isinstance(source, str | Path) else name)
        if isinstance(source, dict):
            self.name = name
            self.module = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config.from_dict(source))
        else:
            self.name = str(source)
            with _explain_absence(self.name):
                load = transformers.Wav2Vec2Model.from_pretrained
                self.module = _from_cache_or_hub(load, self.name, dtype=torch.float32)
        self.module.eval()
        self.module.freeze_feature_encoder()
        self.width = int(self.module.config.hidden_size)

    @classmethod
    def shaped_as(cls, source: str | Path) -> Wav2Vec2Speech:
        """Return the encoder of a folder's or hub name's configuration, without its weights (to be filled)."""
        transformers = _require_transformers(source)
        with _explain_absence(str(source)):
            config = _from_cache_or_hub(transformers.Wav2Vec2Config.from_pretrained, str(source))
        return cls(config.to_dict(), str(source))

    @cached_property
    def digest(self) -> str:
        """Of the weights as they were when it was first asked for."""
        return digest_tensors(self.module.state_dict().items())

    def prepare(self, audio: np.ndarray) -> np.ndarray:
        """Return *audio* with zero mean and unit variance, as ``Wav2Vec2FeatureExtractor`` makes it."""
        audio = check_audio(audio)
        return (audio - audio.mean()) / np.sqrt(audio.var() + np.float32(1e-7))

    def encode(self, audio: np.ndarray, frames: int | None = None) -> torch.Tensor:
        """Map prepared (N,) audio to features (S, width), on the module's device."""
        x = torch.from_numpy(np.ascontiguousarray(check_audio(audio)))
        training = self.module.training
        self.module.eval()
        try:
            with torch.no_grad():
                return self.forward(x[None].to(self.module.device), frames)[0]
        finally:
            self.module.train(training)

    def forward(self, audio: torch.Tensor, frames: int | None = None) -> torch.Tensor:
        """Map prepared audio of clips of one length, (B, N), to features (B, S, width), with gradients.

        As in the released code, an odd feature is cut off and too few features are resized *before* the transformer.

        Raises
        ------
        UsageError
            For audio too short for two features.
        """
        if audio.shape[-1] < _SHORTEST:
            raise UsageError(
                f"audio of {audio.shape[-1]} samples is too short for a frame of motion; wav2vec 2.0 hears its first "
                f"two features in {_SHORTEST} samples ({_SHORTEST / SAMPLE_RATE:.3f} s)"
            )
        x = self.module.feature_extractor(audio).transpose(1, 2)
        x = x[:, : x.shape[1] // 2 * 2]
        if frames is not None:
            x = torch.stack([fit_features(clip, frames) for clip in x])
        x = self.module.feature_projection(x)[0]
        # SpecAugment, in training and where the model's configuration wants it.
        x = self.module._mask_hidden_states(x)
        return self.module.encoder(x).last_hidden_state


def _require_transformers(source: str | Path) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise PrerequisiteError(
            f"speech encoder {source}: wav2vec 2.0 needs the package `transformers`, which is not installed "
            f"({error}); install the extra: pip install 'multitalk-bench[reference]'"
        ) from error
    return transformers


def _from_cache_or_hub(load: Callable[..., Any], source: str, **options: Any) -> Any:
    """Load what this machine has without asking the hub: nodes of a cluster often have no network, and wait for it."""
    try:
        return load(source, local_files_only=True, **options)
    except OSError:
        return load(source, **options)


@contextlib.contextmanager
def _explain_absence(source: str) -> Iterator[None]:
    """Keep transformers' progress bars away inside the block, and say what to do where it finds nothing."""
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        raise PrerequisiteError(
            f"speech encoder {source!r} could not be loaded ({first}); expected {BUNDLED!r}, a folder with a wav2vec "
            "2.0 model (config.json and model.safetensors), or the name of one on the Hugging Face hub, e.g. "
            "facebook/wav2vec2-large-xlsr-53. Without a network: download the model elsewhere with `hf download NAME "
            "--local-dir FOLDER` and give the folder."
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()
