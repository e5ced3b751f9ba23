"""Speech encoders by name."""

from __future__ import annotations

from pathlib import Path

from mtbench.reference_model.encoders.speech import BUNDLED, OpenheadSpeech, SpeechEncoder


def load_speech_encoder(name: str | Path) -> SpeechEncoder:
    """Load a speech encoder.

    Parameters
    ----------
    name : str or path
        ``"openhead-av"``, the bundled one; a ``.safetensors`` file of such a recognizer; a folder with a wav2vec 2.0
        model in Hugging Face's format; or the name of one on its hub, e.g. ``facebook/wav2vec2-large-xlsr-53``.

    Raises
    ------
    PrerequisiteError
        Where it is not there, or ``transformers`` is not.
    UsageError
        Where it is there but no such encoder.
    """
    if str(name) == BUNDLED:
        return OpenheadSpeech()
    if str(name).endswith(".safetensors"):
        return OpenheadSpeech(name)
    from mtbench.reference_model.encoders.wav2vec2 import Wav2Vec2Speech

    return Wav2Vec2Speech(name)
