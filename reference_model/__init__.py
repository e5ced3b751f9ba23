"""Home of MultiTalk, the reference model: a vector-quantized motion autoencoder and a speech-driven decoder.

The public names are loaded on first use, so that importing the package loads no torch. Start at
:mod:`mtbench.reference_model.model`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "PredictedMotion": "reference",
    "ReferenceModel": "reference",
    "import_released": "released.released",
    "load_model": "model_files",
    "load_released": "released.released",
    "load_speech_encoder": "encoders.speech",
    "save_model": "model_files",
}

__all__ = [
    "PredictedMotion",
    "ReferenceModel",
    "import_released",
    "load_model",
    "load_released",
    "load_speech_encoder",
    "save_model",
]

if TYPE_CHECKING:
    from mtbench.reference_model.encoders.registry import load_speech_encoder as load_speech_encoder
    from mtbench.reference_model.model_files import load_model as load_model
    from mtbench.reference_model.model_files import save_model as save_model
    from mtbench.reference_model.reference import PredictedMotion as PredictedMotion
    from mtbench.reference_model.reference import ReferenceModel as ReferenceModel
    from mtbench.reference_model.released.released import import_released as import_released
    from mtbench.reference_model.released.released import load_released as load_released


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
