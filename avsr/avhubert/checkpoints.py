"""Published checkpoints: fairseq's own, and ports to transformers, brought to one set of names.

Read are fairseq's ``.pt`` (AV-HuBERT, MuAViC, Zero-AVSR), safetensors of MuAViC's port to transformers, and AVista's
files (safetensors or ``.bin``).

Conventions
-----------
Names are fairseq's: ``encoder.w2v_model.*``, ``decoder.*``, and ``ctc_proj.*`` for a head of letters. Sizes follow
from the tensors' shapes. What shapes do not tell (heads, the order of normalization, special tokens) is read from the
settings in the file or in ``config.json`` beside it; where they are silent, published sizes decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from mtbench.avsr.avhubert.decoder import DecoderSizes
from mtbench.avsr.avhubert.encoder import EncoderSizes
from mtbench.files import check_sizes, load_pickled_checkpoint, read_description, read_tensors

#: Of a setting: a number or a flag.
Value = TypeVar("Value", int, bool)
_UNUSED = re.compile(
    r"(.*\.)?(mask_emb|masked_spec_embed|label_embs_concat|final_proj\..*|version|_float_tensor)$"
    r"|decoder\.pos_embed\.position_embeddings|(model\.)?decoder\.embed_positions\.weights"
)
#: What others call it, and fairseq's name; tried in this order, all of them.
_RENAMED = [
    (r"^model\.(?=encoder\.|decoder\.)", ""),
    (r"^(avhubert|av_romanizer\.w2v_model)\.", "encoder.w2v_model."),
    (r"^encoder\.(?!w2v_model\.)", "encoder.w2v_model."),
    (r"^embed_tokens\.", "decoder.embed_tokens."),
    (r"^lm_head\.weight$", "decoder.embed_out"),
    (r"^decoder\.output_projection\.weight$", "decoder.embed_out"),
    (r"^decoder\.pos_embed\.weight$", "decoder.embed_positions.weight"),
    (r"\.pos_conv_embed\.conv\.", ".pos_conv.0."),
    (r"\.parametrizations\.weight\.original0$", ".weight_g"),
    (r"\.parametrizations\.weight\.original1$", ".weight_v"),
    (r"(\.layers\.\d+)\.attention\.", r"\1.self_attn."),
    (r"(\.layers\.\d+)\.layer_norm\.", r"\1.self_attn_layer_norm."),
    (r"(\.layers\.\d+)\.encoder_layer_norm\.", r"\1.encoder_attn_layer_norm."),
    (r"\.feed_forward\.intermediate_dense\.", ".fc1."),
    (r"\.feed_forward\.output_dense\.", ".fc2."),
]
_ENCODER = "encoder.w2v_model."


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint by fairseq's names.

    Attributes
    ----------
    tensors : dict of str to torch.Tensor
        As stored.
    encoder : EncoderSizes
        Sizes of the encoder.
    decoder : DecoderSizes or None
        Sizes of the decoder, if there is one.
    letters : int
        Classes of a CTC head; 0 where there is none.
    start, end, unknown : int
        Tokens that hypotheses begin and end with, and that of what is in no piece.
    pieces : tuple of str
        The dictionary in the file; may be empty.
    silent : frozenset of int
        Tokens that are not written: beginning, end, padding.
    """

    tensors: dict[str, torch.Tensor]
    encoder: EncoderSizes
    decoder: DecoderSizes | None
    letters: int
    start: int
    end: int
    unknown: int
    pieces: tuple[str, ...]
    silent: frozenset[int]


class _Settings:
    """Settings by name, wherever fairseq or transformers keep them."""

    def __init__(self, look_up: Any) -> None:
        self._look_up = look_up

    def find(self, names: Sequence[tuple[str, ...]], default: Value) -> Value:
        """Return the first of *names* that has a value of the default's very type; a flag is no number."""
        found = [value for name in names if type(value := self._look_up(*name)) is type(default)]
        return found[0] if found else default


def rename(name: str) -> str:
    """Return fairseq's name of a tensor.

    Examples
    --------
    >>> rename("avhubert.encoder.layers.0.feed_forward.output_dense.bias")
    'encoder.w2v_model.encoder.layers.0.fc2.bias'
    """
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def read_checkpoint(path: Path, config: Path | None = None) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or a file of ``torch.save`` whatever its name.
    config : Path, optional
        Settings of a port to transformers; ``config.json`` beside *path* by default.

    Raises
    ------
    ValueError
        For a file that is no such checkpoint, naming what is missing or forbidden.
    """
    pieces: tuple[str, ...] = ()
    if path.suffix == ".safetensors":
        found: Mapping[str, torch.Tensor] = read_tensors(path)
        inside: Any = lambda *keys: None  # noqa: E731
    else:
        checkpoint = load_pickled_checkpoint(path, lambda name: not _UNUSED.fullmatch(name))
        found, inside = checkpoint.tensors, checkpoint.look_up
        for key in ("target_dictionary", "dictionary"):
            symbols = inside("task_state", key, "symbols")
            if isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols):
                pieces = tuple(symbols)
                break
    beside = config or path.with_name("config.json")
    wanted = config is not None or inside("cfg", "model") is None  # else what lies there may be anything's
    described = read_description(beside) if wanted and beside.is_file() else None
    if isinstance(described, dict) and inside("cfg", "model") is None:
        inside = lambda *keys: described.get(keys[-1])  # noqa: E731
    ported = any(name.startswith("avhubert.") for name in found)
    tensors = {rename(name): tensor for name, tensor in found.items() if not _UNUSED.fullmatch(name)}
    _drop_shared(tensors)
    settings = _Settings(inside)
    encoder = _measure_encoder(tensors, settings)
    decoder = None
    start, end, unknown, silent = 2, 2, 3, {0, 1, 2}
    if "decoder.embed_tokens.weight" in tensors:
        decoder = _measure_decoder(tensors, settings, encoder.width, ported)
        if ported:
            start = settings.find([("bos_token_id",)], decoder.vocabulary - 3)
            end, unknown = settings.find([("eos_token_id",)], decoder.vocabulary - 2), 0
            silent = {start, end, decoder.pad}
    letters = tensors["ctc_proj.weight"].shape[0] if "ctc_proj.weight" in tensors else 0
    if letters:
        silent = {0, 2}
    if decoder is None and not letters:
        raise ValueError("neither decoder.embed_tokens nor ctc_proj: an encoder that was not taught to write")
    return Checkpoint(tensors, encoder, decoder, letters, start, end, unknown, pieces, frozenset(silent))


def _drop_shared(tensors: dict[str, torch.Tensor]) -> None:
    """Forget an output layer that is the embedding."""
    out, embedded = tensors.get("decoder.embed_out"), tensors.get("decoder.embed_tokens.weight")
    if (
        out is not None
        and embedded is not None
        and out.shape == embedded.shape
        and torch.equal(out, embedded)
    ):
        del tensors["decoder.embed_out"]


def _shape(tensors: Mapping[str, torch.Tensor], name: str, axes: int) -> tuple[int, ...]:
    if name not in tensors:
        raise ValueError(f"no tensor {name}; expected AV-HuBERT as fairseq or its ports name it")
    shape = tuple(tensors[name].shape)
    if len(shape) != axes or min(shape) < 1:
        raise ValueError(f"{name} has the shape {shape}, expected {axes} axes")
    return shape


def _count_layers(tensors: Mapping[str, torch.Tensor], prefix: str) -> int:
    numbers = {name[len(prefix) :].partition(".")[0] for name in tensors if name.startswith(prefix)}
    return len(numbers)


def _check_heads(width: int, heads: int, whose: str) -> int:
    if heads < 1 or width % heads:
        raise ValueError(f"{heads} heads in the {whose}'s width of {width}")
    return heads


def _measure_encoder(tensors: Mapping[str, torch.Tensor], settings: _Settings) -> EncoderSizes:
    width, by_group, kernel = _shape(tensors, f"{_ENCODER}encoder.pos_conv.0.weight_v", 3)
    inner, _ = _shape(tensors, f"{_ENCODER}encoder.layers.0.fc1.weight", 2)
    if width % by_group:
        raise ValueError(f"positions in groups of {by_group} in a width of {width}")
    inside = [
        ("cfg", "model", "w2v_args", "model"),
        ("cfg", "model", "w2v_args"),
        ("args", "w2v_args"),
        ("cfg", "model"),
    ]
    names = [(*place, "encoder_attention_heads") for place in inside]
    heads = settings.find(names, {768: 12, 1024: 16}.get(width, max(1, width // 64)))
    pre_norm = settings.find(
        [*((*place, "layer_norm_first") for place in inside), ("do_stable_layer_norm",)], True
    )
    layers = _count_layers(tensors, f"{_ENCODER}encoder.layers.")
    groups = width // by_group
    check_sizes({"width": width, "inner": inner, "layers": layers, "kernel": kernel, "groups": groups})
    return EncoderSizes(width, inner, _check_heads(width, heads, "encoder"), layers, kernel, groups, pre_norm)


def _measure_decoder(
    tensors: Mapping[str, torch.Tensor], settings: _Settings, source: int, ported: bool
) -> DecoderSizes:
    vocabulary, width = _shape(tensors, "decoder.embed_tokens.weight", 2)
    inner, _ = _shape(tensors, "decoder.layers.0.fc1.weight", 2)
    layers = _count_layers(tensors, "decoder.layers.")
    heads = settings.find(
        [("cfg", "model", "decoder_attention_heads"), ("args", "decoder_attention_heads")],
        {768: 12 if ported else 4, 1024: 16 if ported else 8}.get(width, max(1, width // 64)),
    )
    check_sizes({"width": width, "inner": inner, "layers": layers, "vocabulary": vocabulary})
    last_norm = "decoder.layer_norm.weight" in tensors
    learned = "decoder.embed_positions.weight" in tensors
    positions = "learned" if learned else "alternating" if ported else "halves"
    if learned and not ported:
        raise ValueError("learned positions in a fairseq decoder, which no published checkpoint has")
    return DecoderSizes(
        width=width,
        inner=inner,
        heads=_check_heads(width, heads, "decoder"),
        layers=layers,
        vocabulary=vocabulary,
        source=source,
        pre_norm=settings.find([("do_stable_layer_norm",)], True) if ported else last_norm,
        last_norm=last_norm,
        shared="decoder.embed_out" not in tensors,
        positions=positions,  # type: ignore[arg-type]
        learned_positions=_shape(tensors, "decoder.embed_positions.weight", 2)[0] if learned else 0,
        pad=settings.find([("pad_token_id",)], vocabulary - 1) if ported else 1,
        activation="gelu" if ported else "relu",
        scale=not settings.find([("cfg", "model", "no_scale_embedding")], True),
    )
