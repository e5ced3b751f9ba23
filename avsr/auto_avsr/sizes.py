"""Sizes of an Auto-AVSR network: read off its tensors, and held against the settings that come with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtbench.files import check_sizes

if TYPE_CHECKING:
    import torch

#: Settings that change the network and no shape, with what all published models have: other values are refused.
_HABITS: dict[str, Any] = {
    "transformer_encoder_attn_layer_type": "rel_mha",
    "rel_pos_type": "latest",
    "macaron_style": True,
    "use_cnn_module": True,
    "zero_triu": False,
    "a_upsample_ratio": 1,
    "relu_type": "swish",
    "ctc_type": "builtin",
}
_FIRST = {"": "conv3d", "aux_": "conv1d"}
#: Width of a decoder's head where nothing says how many there are; so wide are the published ones.
_HEAD = 64


@dataclass(frozen=True)
class StreamSizes:
    """Sizes of a conformer.

    Attributes
    ----------
    width, inner, heads, layers : int
        Of the Transformer in it.
    kernel : int
        Taps of its convolutions.
    """

    width: int
    inner: int
    heads: int
    layers: int
    kernel: int


@dataclass(frozen=True)
class DecoderSizes:
    """Sizes of a decoder.

    Attributes
    ----------
    width, inner, heads, layers : int
        Of the Transformer.
    """

    width: int
    inner: int
    heads: int
    layers: int


@dataclass(frozen=True)
class NetworkSizes:
    """Sizes of a network.

    Attributes
    ----------
    video : StreamSizes
        Of the conformer that sees.
    audio : StreamSizes or None
        Of the one that hears; None where nothing does.
    fusion : int
        Inner width of the fusion; 0 without sound.
    decoder : DecoderSizes
        Of the decoder.
    vocabulary : int
        Tokens: blank, units, and the one that begins and ends a text.
    """

    video: StreamSizes
    audio: StreamSizes | None
    fusion: int
    decoder: DecoderSizes
    vocabulary: int


def measure_network(tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> NetworkSizes:
    """Return the sizes of the network whose *tensors* these are.

    Parameters
    ----------
    tensors : mapping
        By ESPnet's names.
    config : mapping
        Published backbone arguments, or none: whatever changes the network must be what the tensors say.

    Raises
    ------
    ValueError
        For tensors of something else, and settings that contradict them or that no published model has.
    """
    if "encoder.frontend.frontend3D.0.weight" not in tensors:
        raise ValueError(
            "no tensor encoder.frontend.frontend3D.0.weight; expected Auto-AVSR's audio-visual model of release "
            "v1.0.0, or ViSpeR's (models that only hear are not read)"
        )
    video = _measure_stream(tensors, config, "")
    audio, fusion = None, 0
    if "aux_encoder.embed.0.weight" in tensors:
        audio = _measure_stream(tensors, config, "aux_")
        fusion = _shape(tensors, "fusion.fc1.weight", 2)[0]
        _compare(config, {"fusion_hdim": fusion, "fusion_norm": "batchnorm"})
    vocabulary, width = _shape(tensors, "decoder.embed.0.weight", 2)
    inner = _shape(tensors, "decoder.decoders.0.feed_forward.w_1.weight", 2)[0]
    layers = _count_layers(tensors, "decoder.decoders.")
    heads = config.get("dheads", max(1, width // _HEAD))
    _compare(config, {"ddim": width, "dunits": inner, "dlayers": layers})
    check_sizes({"width": width, "inner": inner, "heads": heads, "layers": layers, "vocabulary": vocabulary})
    if width % heads or width % 2:
        raise ValueError(f"{heads} heads in the decoder's width of {width}")
    return NetworkSizes(video, audio, fusion, DecoderSizes(width, inner, heads, layers), vocabulary)


def _measure_stream(tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], aux: str) -> StreamSizes:
    encoder = f"{aux}encoder."
    block = f"{encoder}encoders.0."
    width = _shape(tensors, f"{encoder}embed.0.weight", 2)[0]
    inner = _shape(tensors, f"{block}feed_forward.w_1.weight", 2)[0]
    heads, by_head = _shape(tensors, f"{block}self_attn.pos_bias_u", 2)
    kernel = _shape(tensors, f"{block}conv_module.depthwise_conv.weight", 3)[2]
    layers = _count_layers(tensors, f"{encoder}encoders.")
    if heads * by_head != width or width % 2 or kernel % 2 == 0:
        raise ValueError(f"{heads} heads of {by_head} and {kernel} taps in a width of {width} of {encoder}*")
    check_sizes({"width": width, "inner": inner, "heads": heads, "layers": layers, "kernel": kernel})
    found = {
        "adim": width,
        "aheads": heads,
        "eunits": inner,
        "elayers": layers,
        "cnn_module_kernel": kernel,
        "transformer_input_layer": _FIRST[aux],
    }
    _compare(config, {f"{aux}{name}": value for name, value in (_HABITS | found).items()})
    return StreamSizes(width, inner, heads, layers, kernel)


def _compare(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if name in config and config[name] != value:
            whose = "all published models have" if name.removeprefix("aux_") in _HABITS else "the tensors say"
            raise ValueError(
                f"the setting {name} is {str(config[name])[:40]!r}, where {whose} {str(value)!r}"
            )


def _shape(tensors: Mapping[str, torch.Tensor], name: str, axes: int) -> tuple[int, ...]:
    if name not in tensors:
        raise ValueError(f"no tensor {name}; expected Auto-AVSR's audio-visual model of v1.0.0, or ViSpeR's")
    shape = tuple(tensors[name].shape)
    if len(shape) != axes or min(shape) < 1:
        raise ValueError(f"{name} has the shape {shape}, expected {axes} axes")
    return shape


def _count_layers(tensors: Mapping[str, torch.Tensor], prefix: str) -> int:
    return len({name[len(prefix) :].partition(".")[0] for name in tensors if name.startswith(prefix)})
