"""The released MultiTalk checkpoints, brought into this model.

Conventions
-----------
What the files must hold follows from the published settings: :mod:`mtbench.reference_model.released.format`. The
settings are named as in the published YAML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.faces import FLAME
from mtbench.reference_model.encoders import SpeechEncoder, Wav2Vec2Speech
from mtbench.reference_model.model import RELEASED_LANGUAGES, MultiTalk, Settings
from mtbench.reference_model.model_files import save_model
from mtbench.reference_model.reference import ReferenceModel
from mtbench.reference_model.released.format import AUDIO, Entry, read_state, stage1_entries, stage2_entries

NAME = "multitalk"
#: Numbers of the published YAML beside this model's.
_NUMBERS = {
    "hidden_size": "width", "num_hidden_layers": "layers", "num_attention_heads": "heads",
    "intermediate_size": "feedforward", "face_quan_num": "codes", "n_embed": "entries", "zquant_dim": "code_size",
    "num_layers": "decoder_layers", "period": "period",
}  # fmt: skip


def load_released(
    stage1: str | Path,
    stage2: str | Path,
    speech_encoder: str | Path | SpeechEncoder,
    config: str | Path | Mapping[str, Any] | None = None,
) -> ReferenceModel:
    """Read the released checkpoints.

    Parameters
    ----------
    stage1, stage2 : path
        ``stage1.pth.tar`` and ``stage2.pth.tar``.
    speech_encoder : str, path or SpeechEncoder
        Folder or hub name of the wav2vec 2.0 model whose form stage 2's encoder has (published:
        ``facebook/wav2vec2-large-xlsr-53``); only its configuration is read, the weights are stage 2's. A
        :class:`~mtbench.reference_model.encoders.wav2vec2.Wav2Vec2Speech` is filled with them.
    config : path or mapping, optional
        JSON with the published YAML's keys (flat or in its sections); the published values by default. Keys that do not
        concern the model's form are left unread.

    Returns
    -------
    ReferenceModel
        With the quirks that the weights need, ``network.settings.released``.

    Raises
    ------
    UsageError
        For files that are no such checkpoints: every key that is missing, unknown or of another shape is named.
    PrerequisiteError
        Without ``transformers``, or where there is no such speech encoder.
    """
    encoder = _take_encoder(speech_encoder)
    settings = read_settings(config, encoder.width)
    state = read_state(Path(stage1), "stage 1", list(stage1_entries(settings)))
    wanted = encoder.module.state_dict()
    second = list(stage2_entries(settings))
    second += [Entry(AUDIO + name, tuple(value.shape), (AUDIO + name,)) for name, value in wanted.items()]
    state |= read_state(Path(stage2), "stage 2", second)
    speech = {n.removeprefix(AUDIO): state.pop(n) for n in list(state) if n.startswith(AUDIO)}
    encoder.module.load_state_dict(wanted | speech)
    network = MultiTalk(settings)
    own = network.state_dict()
    network.load_state_dict({"autoencoder.space.basis": own["autoencoder.space.basis"], **state})
    # FLAME is the one topology of released weights.
    topology = FLAME.name if settings.vertices == FLAME.n_vertices else None
    return ReferenceModel.of(network, encoder, NAME, topology)


def import_released(
    stage1: str | Path,
    stage2: str | Path,
    speech_encoder: str | Path | SpeechEncoder,
    out: str | Path,
    config: str | Path | Mapping[str, Any] | None = None,
) -> Path:
    """Write the released checkpoints as one model that needs neither them nor the speech encoder's files.

    Parameters
    ----------
    stage1, stage2, speech_encoder, config
        As for :func:`load_released`, which also says what is raised.
    out : path
        Ends in ``.safetensors``; for :func:`~mtbench.reference_model.model_files.load_model`.

    Returns
    -------
    Path
        *out*.
    """
    return save_model(out, load_released(stage1, stage2, speech_encoder, config))


def _take_encoder(given: str | Path | SpeechEncoder) -> Wav2Vec2Speech:
    if isinstance(given, str | Path):
        return Wav2Vec2Speech.shaped_as(given)
    if not isinstance(given, Wav2Vec2Speech):
        raise UsageError(
            f"speech encoder {given.name}: the released model hears with a wav2vec 2.0 of its own; name the one whose "
            "form it has, e.g. facebook/wav2vec2-large-xlsr-53"
        )
    given.__dict__.pop("digest", None)  # of other weights
    return given


def read_settings(config: str | Path | Mapping[str, Any] | None, speech_width: int) -> Settings:
    """Return the settings that the published YAML's keys describe.

    Parameters
    ----------
    config
        As for :func:`load_released`.
    speech_width : int
        Numbers in a feature of speech.

    Raises
    ------
    UsageError
        For values that are no such numbers, contradict each other, or ask for what the model does not have.
    """
    values = _flatten(config)

    def number(key: str, default: int) -> int:
        value = values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(f"config: {key} is {value!r}; expected a positive whole number")
        return value

    published = Settings()
    size = number("in_dim", 3 * published.vertices)
    numbers = {own: number(key, getattr(published, own)) for key, own in _NUMBERS.items()}
    for key, expected, why in (
        ("quant_factor", 0, "motion is not coarsened in time"),
        ("n_head", 4, "the published mask fits four heads only"),
        ("vertice_dim", size, "both stages have the same vertices (in_dim)"),
        ("feature_dim", numbers["width"], "both stages have the same width (hidden_size)"),
    ):
        if values.get(key, expected) != expected:
            raise UsageError(f"config: {key} is {values[key]!r}; expected {expected}: {why}")
    if size % 3:
        raise UsageError(f"config: in_dim is {size}; expected three coordinates for each vertex")
    named = values.get("train_subjects", " ".join(RELEASED_LANGUAGES))
    try:
        return Settings(
            vertices=size // 3,
            slope=float(values.get("neg", published.slope)),
            affine=bool(values.get("INaffine", published.affine)),
            decoder_feedforward=2 * numbers["width"],
            speech_width=speech_width,
            languages=tuple(named.split() if isinstance(named, str) else named),
            motion_weight=float(values.get("motion_weight", 1.0)),
            feature_weight=float(values.get("reg_weight", 1.0)),
            released=True,
            **numbers,
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"config: {error}") from error


def _flatten(config: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return keys and values, out of their sections where there are any."""
    if config is None:
        return {}
    if isinstance(config, str | Path):
        try:
            config = json.loads(Path(config).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{config}: not readable as JSON ({error})") from error
    if not isinstance(config, Mapping):
        raise UsageError(
            f"config: expected an object with the published YAML's keys, not {type(config).__name__}"
        )
    flat: dict[str, Any] = {}
    for key, value in config.items():
        flat |= value if isinstance(value, Mapping) else {key: value}
    return flat
