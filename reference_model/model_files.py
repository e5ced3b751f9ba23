"""Files of a whole model: both stages, and the speech encoder where it learned with them.

Conventions
-----------
A model is a pair ``NAME.safetensors`` and ``NAME.json``. Names of tensors are those of
:class:`~mtbench.reference_model.model.MultiTalk`; a wav2vec 2.0, which may have been tuned, lies beside them under
``speech.``. The bundled encoder is known by name and digest, and refused where it is another; another of its form is
copied to ``NAME.speech-encoder.safetensors`` (and ``.json``), so that a folder of models can be moved. Numbers are
computed in float32, however they are stored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError
from safetensors.torch import save

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import (
    StrictModel,
    check_sizes,
    check_tensors,
    read_description,
    read_tensors,
    validation_lines,
    write_atomically,
)
from mtbench.reference_model.encoders import (
    OpenheadSpeech,
    SpeechEncoder,
    Wav2Vec2Speech,
    load_speech_encoder,
)
from mtbench.reference_model.model import MultiTalk, Settings
from mtbench.reference_model.reference import ReferenceModel

#: The model that ships with mtbench.
BUNDLED = Path(__file__).parent / "weights" / "multitalk-mini.safetensors"
_SPEECH = "speech."


class EncoderEntry(StrictModel):
    """The speech encoder in a model's JSON.

    Attributes
    ----------
    name : str
        As :func:`~mtbench.reference_model.encoders.registry.load_speech_encoder` knows it, or a file beside the model.
    digest : str
        Digest of a frozen encoder.
    config : dict or None
        Hugging Face's configuration of one whose weights lie in the file.
    """

    name: str
    digest: str
    config: dict[str, Any] | None = None


class ModelFile(StrictModel):
    """The whole of ``NAME.json``; fields as in :class:`~mtbench.reference_model.reference.ReferenceModel`."""

    schema_: Literal[1] = Field(alias="schema")
    name: str | None = None
    settings: dict[str, Any]
    topology: str | None
    encoder: EncoderEntry
    training: dict[str, Any] = Field(default_factory=dict)


def save_model(path: str | Path, model: ReferenceModel, half: bool = False) -> Path:
    """Write a model.

    Parameters
    ----------
    path : path
        Ends in ``.safetensors``.
    model : ReferenceModel
    half : bool
        Store matrices in half precision (biases and norms cost nothing and stay as they are).

    Returns
    -------
    Path
        *path*.

    Raises
    ------
    UsageError
        Where *path* has another ending.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise UsageError(
            f"{path}: a model's file ends in .safetensors; its settings go to the .json beside it"
        )
    state = dict(model.network.state_dict())
    config = None
    if isinstance(model.encoder, Wav2Vec2Speech):
        config = model.encoder.module.config.to_diff_dict()
        state |= {_SPEECH + name: value for name, value in model.encoder.module.state_dict().items()}
    tensors = {name: _pack(value, half) for name, value in state.items()}
    about = {
        "schema": 1,
        "name": model.name,
        "settings": model.network.settings.to_dict(),
        "topology": model.topology,
        "encoder": {
            "name": _keep_encoder(path, model.encoder),
            "digest": model.encoder.digest,
            "config": config,
        },
        "training": dict(model.training),
    }
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, save(tensors))
    write_atomically(path.with_suffix(".json"), text.encode())
    return path


def _keep_encoder(path: Path, encoder: SpeechEncoder) -> str:
    """Copy an encoder that is known by its file to the model that is written to *path*; return its name there."""
    if not isinstance(encoder, OpenheadSpeech) or encoder.weights is None:
        return encoder.name
    beside = path.with_name(f"{path.stem}.speech-encoder.safetensors")
    for suffix in (".safetensors", ".json"):
        write_atomically(beside.with_suffix(suffix), encoder.weights.with_suffix(suffix).read_bytes())
    return beside.name


def _pack(value: torch.Tensor, half: bool) -> torch.Tensor:
    value = value.detach().cpu()
    # A copy, since safetensors refuses tensors that share memory.
    return (value.half() if half and value.ndim > 1 else value.clone()).contiguous()


def load_model(path: str | Path | None = None) -> ReferenceModel:
    """Read a model.

    Parameters
    ----------
    path : path, optional
        The safetensors file; the bundled ``multitalk-mini`` by default.

    Returns
    -------
    ReferenceModel
        Named as its file where the JSON does not say.

    Raises
    ------
    PrerequisiteError
        Where the files are absent, or the speech encoder is.
    UsageError
        Where they are damaged or no model, or the speech encoder is another than the one that the model learned with.
    """
    weights = BUNDLED if path is None else Path(path)
    manifest = weights.parent / f"{weights.stem}.json"
    for file in (weights, manifest):
        if not file.is_file():
            raise PrerequisiteError(
                f"{file}: there is no such file; a model is a pair NAME.safetensors and NAME.json. Make one with "
                "`mtbench reference reproduce --size mini`, or `mtbench reference import` of the released checkpoints."
            )
    about = _read_manifest(manifest)
    try:
        settings = Settings.from_dict(about.settings)
        state = {name: value.float() for name, value in read_tensors(weights).items()}
        speech = {n.removeprefix(_SPEECH): state.pop(n) for n in list(state) if n.startswith(_SPEECH)}
        check_tensors(lambda: MultiTalk(settings), state)
        network = MultiTalk(settings)
        network.load_state_dict(state)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UsageError(
            f"{weights}: not the weights that {manifest.name} describes ({error}). Perhaps the two files come from "
            "different models, or one is cut off."
        ) from error
    encoder = _load_encoder(weights, about, speech)
    return ReferenceModel.of(network, encoder, about.name or weights.stem, about.topology, about.training)


def _read_manifest(path: Path) -> ModelFile:
    try:
        return ModelFile.model_validate(read_description(path))
    except ValidationError as error:
        found = "; ".join(f"{where}: {what}" for where, what in validation_lines(error))
        raise UsageError(f"{path}: not a model's description ({found})") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not a model's description ({error}); expected JSON") from error


def _load_encoder(weights: Path, about: ModelFile, state: dict[str, torch.Tensor]) -> SpeechEncoder:
    entry = about.encoder
    if entry.config is not None:
        config = entry.config
        try:
            check_sizes({k: max(v, 1) for k, v in config.items() if type(v) is int})  # some may be none
            check_tensors(lambda: Wav2Vec2Speech(config, name=entry.name).module, state)
            encoder = Wav2Vec2Speech(config, name=entry.name)
            encoder.module.load_state_dict(state)
        except PrerequisiteError:
            raise
        except Exception as error:  # transformers fails in many ways on settings that contradict each other
            raise UsageError(
                f"{weights}: not the speech encoder that its .json describes ({str(error)[:300]})"
            ) from error
        return encoder
    if entry.name.endswith(".safetensors") and Path(entry.name).name != entry.name:
        raise UsageError(
            f"{weights}: its .json names the speech encoder {entry.name}; expected a file beside it, without folders"
        )
    found = load_speech_encoder(
        weights.with_name(entry.name) if entry.name.endswith(".safetensors") else entry.name
    )
    if found.digest != entry.digest:
        raise UsageError(
            f"{weights}: was trained with another speech encoder {entry.name} (digest {entry.digest}) than is "
            f"installed ({found.digest}); its motion would be noise. Install the version of mtbench that the model was "
            "made with, or train the model again."
        )
    return found
