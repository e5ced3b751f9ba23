"""The released MultiTalk checkpoints, brought into this model.

What the two files must hold follows from the published settings, key by key: nothing may be missing, nothing may be
there that is not understood, every shape must fit. Tensors are renamed, query, key and value are parted, and the
positional codes, which the files hold though they follow from a formula, are checked against it and left out.

Conventions
-----------
A checkpoint is ``{"state_dict": {name: tensor}}`` as ``torch.save`` writes it, read with ``weights_only``. *Published*
names are those of the authors' code (``models/stage1_vocaset.py``, ``models/stage2.py``, ``models/lib/*``).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mtbench.errors import UsageError
from mtbench.manifests import did_you_mean
from mtbench.paths import PathError, check_regular_file
from mtbench.reference_model.model import RELEASED_LANGUAGES, MultiTalk, Settings, periodic_code
from mtbench.reference_model.model_files import save_model
from mtbench.reference_model.reference import ReferenceModel
from mtbench.reference_model.speech import SpeechEncoder, Wav2Vec2Speech

NAME = "multitalk"
#: Most bytes of a checkpoint; the published ones have 0.6 and 1.7 GB.
MAX_BYTES = 4 << 30
#: Vertices of FLAME, the one topology of released weights.
_FLAME = 5023
#: Rows of the positional codes in the files: of stage 1, and the frames that stage 2's must cover.
_POSITIONS, _FRAMES = 5000, 600
#: How far those may be from the formula: sines of large angles, computed in single precision.
_CLOSE = 2e-3
#: Numbers of the published YAML beside this model's.
_NUMBERS = {
    "hidden_size": "width", "num_hidden_layers": "layers", "num_attention_heads": "heads",
    "intermediate_size": "feedforward", "face_quan_num": "codes", "n_embed": "entries", "zquant_dim": "code_size",
    "num_layers": "decoder_layers", "period": "period",
}  # fmt: skip
#: wav2vec 2.0's weight-normalized convolution, as older versions of torch name it.
_RENAMED = {
    "encoder.pos_conv_embed.conv.weight_g": "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    "encoder.pos_conv_embed.conv.weight_v": "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
}
#: For training only; some configurations of transformers leave it out.
_MASK = "masked_spec_embed"
_AUDIO = "audio_encoder."


@dataclass(frozen=True)
class Entry:
    """A tensor of a released file.

    Attributes
    ----------
    key : str
        Published name.
    shape : tuple of int
    names : tuple of str
        This model's names; of several, each gets its share of the rows. Empty for what is checked only.
    """

    key: str
    shape: tuple[int, ...]
    names: tuple[str, ...] = ()


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
        :class:`~mtbench.reference_model.speech.Wav2Vec2Speech` is filled with them.
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
    state = _read_state(Path(stage1), "stage 1", list(stage1_entries(settings)))
    wanted = encoder.module.state_dict()
    second = list(stage2_entries(settings))
    second += [Entry(_AUDIO + name, tuple(value.shape), (_AUDIO + name,)) for name, value in wanted.items()]
    state |= _read_state(Path(stage2), "stage 2", second)
    speech = {n.removeprefix(_AUDIO): state.pop(n) for n in list(state) if n.startswith(_AUDIO)}
    encoder.module.load_state_dict(wanted | speech)
    network = MultiTalk(settings)
    own = network.state_dict()
    network.load_state_dict({"autoencoder.space.basis": own["autoencoder.space.basis"], **state})
    topology = "flame-5023" if settings.vertices == _FLAME else None
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


def stage1_entries(settings: Settings) -> Iterator[Entry]:
    """Yield what stage 1's file must hold."""
    w, x, m = settings.width, 3 * settings.vertices, settings.feedforward
    yield from _layer("encoder.vertice_mapping.0", "autoencoder.map_in", (w, x))
    yield from _layer("decoder.vertice_map_reverse", "autoencoder.map_out", (x, w))
    yield Entry(
        "quantize.embedding.weight", (settings.entries, settings.code_size), ("autoencoder.codebook.weight",)
    )
    for side, front in (("encoder", "squasher"), ("decoder", "expander")):
        own = f"autoencoder.{side}"
        yield from _layer(f"{side}.{front}.0.0", f"{own}.conv", (w, w, 5))
        if settings.affine:
            yield from _layer(f"{side}.{front}.0.2", f"{own}.norm", (w,))
        yield from _layer(f"{side}.{side}_linear_embedding.net", f"{own}.linear", (w, w))
        yield Entry(f"{side}.{side}_pos_embedding.pe", (_POSITIONS, 1, w))
        for i in range(settings.layers):
            first, second = (f"{side}.{side}_transformer.net.{2 * i + k}.fn" for k in (0, 1))
            block = f"{own}.blocks.{i}"
            yield from _layer(f"{first}.norm", f"{block}.norm1", (w,))
            yield Entry(f"{first}.fn.to_qkv.weight", (3 * w, w), (f"{block}.attention.qkv.weight",))
            yield from _layer(f"{first}.fn.to_out", f"{block}.attention.out", (w, w))
            yield from _layer(f"{second}.norm", f"{block}.norm2", (w,))
            yield from _layer(f"{second}.fn.l1", f"{block}.inner", (m, w))
            yield from _layer(f"{second}.fn.l2", f"{block}.outer", (w, m))


def stage2_entries(settings: Settings) -> Iterator[Entry]:
    """Yield what stage 2's file must hold beside the speech encoder."""
    w, m, p = settings.width, settings.decoder_feedforward, settings.period
    yield from _layer("audio_feature_map", "map_speech", (w, settings.speech_width))
    yield from _layer("vertice_map", "map_motion", (w, 3 * settings.vertices))
    yield Entry("PPE.pe", (1, (_FRAMES // p + 1) * p, w))
    yield Entry("feat_map.weight", (w, w), ("map_codes.weight",))
    yield Entry("learnable_style_emb.weight", (len(settings.languages), w), ("language.weight",))
    for i in range(settings.decoder_layers):
        theirs, own = f"transformer_decoder.layers.{i}", f"layers.{i}"
        for attention, name in (("self_attn", "past"), ("multihead_attn", "speech")):
            parts = [f"{own}.{name}.{part}" for part in ("query", "key", "value")]
            for kind, shape in (("weight", (3 * w, w)), ("bias", (3 * w,))):
                yield Entry(
                    f"{theirs}.{attention}.in_proj_{kind}", shape, tuple(f"{n}.{kind}" for n in parts)
                )
            yield from _layer(f"{theirs}.{attention}.out_proj", f"{own}.{name}.out", (w, w))
        yield from _layer(f"{theirs}.linear1", f"{own}.inner", (m, w))
        yield from _layer(f"{theirs}.linear2", f"{own}.outer", (w, m))
        for norm in ("norm1", "norm2", "norm3"):
            yield from _layer(f"{theirs}.{norm}", f"{own}.{norm}", (w,))


def _layer(key: str, name: str, shape: tuple[int, ...]) -> Iterator[Entry]:
    """Yield weight and bias."""
    yield Entry(f"{key}.weight", shape, (f"{name}.weight",))
    yield Entry(f"{key}.bias", shape[:1], (f"{name}.bias",))


def _read_state(path: Path, stage: str, entries: list[Entry]) -> dict[str, torch.Tensor]:
    """Return the tensors of a released file by this model's names, checked."""
    found = _read_checkpoint(path)
    for old, new in _RENAMED.items():
        if _AUDIO + old in found and _AUDIO + new not in found:
            found[_AUDIO + new] = found.pop(_AUDIO + old)
    wanted = {entry.key: entry for entry in entries}
    optional = {_AUDIO + _MASK}
    missing = [key for key in wanted if key not in found and key not in optional]
    unknown = [key for key in found if key not in wanted and (key not in optional or stage == "stage 1")]
    wrong = [
        f"{key} is {tuple(found[key].shape)}, expected {entry.shape}"
        for key, entry in wanted.items()
        if key in found and tuple(found[key].shape) != entry.shape
    ]
    complaints = [
        f"{len(keys)} {what}: {', '.join(keys)}"
        for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", wrong))
        if keys
    ]
    if complaints:
        near = did_you_mean(missing[0], unknown) if missing and unknown else ""
        raise UsageError(
            f"{path}: not a released checkpoint of {stage}. Keys {'; '.join(complaints)}{near}. Expected are exactly the "
            f"{len(wanted)} keys of the published code at the sizes of the configuration; perhaps the stages were "
            "swapped, or the configuration or the speech encoder belongs to other weights."
        )
    state: dict[str, torch.Tensor] = {}
    for key, entry in wanted.items():
        if key not in found:
            continue
        tensor = found[key].float()
        if not bool(torch.isfinite(tensor).all()):
            raise UsageError(f"{path}: {key} holds NaN or infinities; the file is damaged")
        if not entry.names:
            _check_positions(path, key, tensor)
        for name, part in zip(entry.names, tensor.chunk(len(entry.names) or 1), strict=False):
            state[name] = part.clone()
    return state


def _check_positions(path: Path, key: str, tensor: torch.Tensor) -> None:
    """Refuse positional codes that do not follow from the formula: the model would compute others."""
    rows = tensor.squeeze()
    width = rows.shape[-1]
    # Stage 2's repeats; how often is found in its shape, which was checked.
    period = (
        len(rows)
        if tensor.shape[0] != 1
        else next((p for p in range(1, len(rows)) if torch.equal(rows[p], rows[0])), len(rows))
    )
    if not torch.allclose(rows, periodic_code(len(rows), width, period), rtol=0, atol=_CLOSE):
        raise UsageError(
            f"{path}: {key} is not the published positional code (sines and cosines); the weights come of other code"
        )


def _read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors in a file, reading no other kind of object."""
    try:
        size = check_regular_file(path)
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file; the checkpoints are got from the MultiTalk authors"
        ) from None
    except PathError as error:
        raise UsageError(f"{path}: {error}") from None
    if size > MAX_BYTES:
        raise UsageError(f"{path}: {size} bytes, expected at most {MAX_BYTES}; not a released checkpoint")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
            if unpacked > MAX_BYTES:
                raise ValueError(f"unpacks to {unpacked} bytes")
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for what is no checkpoint
        first = str(error).strip().partition("\n")[0]
        raise UsageError(f"{path}: not a checkpoint of tensors ({first}); perhaps it is damaged") from error
    if not isinstance(checkpoint, dict) or set(checkpoint) != {"state_dict"}:
        held = sorted(map(str, checkpoint)) if isinstance(checkpoint, dict) else type(checkpoint).__name__
        raise UsageError(f"{path}: holds {held}; expected 'state_dict' and nothing else")
    state = checkpoint["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise UsageError(f"{path}: its 'state_dict' is no table of tensors")
    return {str(key): value for key, value in state.items()}
