"""What the released checkpoints hold, key by key, and reading them so.

Nothing may be missing, nothing may be there that is not understood, every shape must fit. Tensors are renamed, query,
key and value are parted, and the positional codes, which the files hold though they follow from a formula, are checked
against it and left out.

Conventions
-----------
A checkpoint is ``{"state_dict": {name: tensor}}`` as ``torch.save`` writes it, read with ``weights_only``. *Published*
names are those of the authors' code (``models/stage1_vocaset.py``, ``models/stage2.py``, ``models/lib/*``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from mtbench.errors import UsageError
from mtbench.files import PathError, check_regular_file, is_archive, load_checkpoint_file
from mtbench.reference_model.model import Settings, periodic_code

#: Before the speech encoder's names in stage 2's file.
AUDIO = "audio_encoder."
#: Most bytes of a checkpoint; the published ones have 0.6 and 1.7 GB.
MAX_BYTES = 4 << 30
#: Rows of the positional codes in the files: of stage 1, and the frames that stage 2's must cover.
_POSITIONS, _FRAMES = 5000, 600
#: How far those may be from the formula: sines of large angles, computed in single precision.
_CLOSE = 2e-3
#: wav2vec 2.0's weight-normalized convolution, as older versions of torch name it.
_RENAMED = {
    "encoder.pos_conv_embed.conv.weight_g": "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    "encoder.pos_conv_embed.conv.weight_v": "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
}
#: For training only; not every version of transformers has it in every configuration.
_MASK = AUDIO + "masked_spec_embed"


@dataclass(frozen=True)
class Entry:
    """A tensor of a released file.

    Attributes
    ----------
    key : str
        Published name.
    shape : tuple of int
    names : tuple of str
        This model's names; of several, each gets its share of the rows. Empty for a positional code, which is checked
        and not kept.
    period : int
        Frames after which a positional code repeats.
    """

    key: str
    shape: tuple[int, ...]
    names: tuple[str, ...] = ()
    period: int = 0


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
        yield Entry(f"{side}.{side}_pos_embedding.pe", (_POSITIONS, 1, w), period=_POSITIONS)
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
    yield Entry("PPE.pe", (1, (_FRAMES // p + 1) * p, w), period=p)
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


def read_state(path: Path, stage: str, entries: list[Entry]) -> dict[str, torch.Tensor]:
    """Return the tensors of a released file by this model's names, checked."""
    found = _read_checkpoint(path)
    for old, new in _RENAMED.items():
        if AUDIO + old in found and AUDIO + new not in found:
            found[AUDIO + new] = found.pop(AUDIO + old)
    wanted = {entry.key: entry for entry in entries}
    optional = {_MASK}
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
        raise UsageError(
            f"{path}: not a released checkpoint of {stage}. Keys {'; '.join(complaints)}. Expected are "
            f"exactly the {len(wanted)} keys of the published code at the sizes of the configuration; perhaps the "
            "stages were swapped, or configuration or speech encoder belong to other weights."
        )
    state: dict[str, torch.Tensor] = {}
    for key, entry in wanted.items():
        if key not in found:
            continue
        tensor = found[key].float()
        if not bool(torch.isfinite(tensor).all()):
            raise UsageError(f"{path}: {key} holds NaN or infinities; the file is damaged")
        if not entry.names:
            _check_positions(path, entry, tensor)
        for name, part in zip(entry.names, tensor.chunk(len(entry.names) or 1), strict=False):
            state[name] = part.clone()
    return state


def _check_positions(path: Path, entry: Entry, tensor: torch.Tensor) -> None:
    """Refuse positional codes that do not follow from the formula: the model would compute others."""
    rows = tensor[0] if tensor.shape[0] == 1 else tensor[:, 0]
    if not torch.allclose(rows, periodic_code(len(rows), rows.shape[1], entry.period), rtol=0, atol=_CLOSE):
        raise UsageError(
            f"{path}: {entry.key} is not the published positional code (sines and cosines); the weights come of other "
            "code"
        )


def _read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors in a file, reading no other kind of object."""
    try:
        size = check_regular_file(path.resolve())  # a link will do: the user named it
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file; the checkpoints are got from the MultiTalk authors"
        ) from None
    except PathError as error:
        raise UsageError(f"{path}: {error}") from None
    if size > MAX_BYTES:
        raise UsageError(f"{path}: {size} bytes, expected at most {MAX_BYTES}; not a released checkpoint")
    try:
        if is_archive(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
            if unpacked > MAX_BYTES:
                raise ValueError(f"unpacks to {unpacked} bytes")
        checkpoint = load_checkpoint_file(path, before_2020=True)
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
