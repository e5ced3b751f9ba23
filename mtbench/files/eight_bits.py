"""Weights of networks in eight bits: whole numbers, and a scale for each output channel.

Conventions
-----------
Every kernel and matrix ``NAME.weight`` is int8 with a float32 ``NAME.scale`` for each output channel: the weight is
their product, rounded to nearest from ``largest magnitude / 127``. Biases and normalizations stay vectors of floating
point numbers. Networks compute in float32 with what :func:`dequantize_weights` returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: Largest whole number that a weight is stored as.
MOST = 127
_SCALE = ".scale"
_WEIGHT = ".weight"


def is_scale(name: str) -> bool:
    """Whether a tensor of a file is the scale of another.

    Examples
    --------
    >>> is_scale("layers.0.attention_in.scale"), is_scale("layers.0.attention_in.weight")
    (True, False)
    """
    return name.endswith(_SCALE)


def _name_scale(name: str) -> str:
    return name.removesuffix(_WEIGHT) + _SCALE


def quantize_weights(
    state: Mapping[str, torch.Tensor], vectors: torch.dtype | None = None
) -> dict[str, torch.Tensor]:
    """Return the tensors of a file for a network's *state*.

    Parameters
    ----------
    state : mapping
        Tensors by name, as the network's ``state_dict`` has them.
    vectors : dtype, optional
        Of what is no kernel and no matrix; float16 by default.

    Returns
    -------
    dict of str to tensor
        See the module's text; in the order of names.

    Raises
    ------
    ValueError
        For weights that are not finite.
    """
    import torch

    found: dict[str, torch.Tensor] = {}
    for name, value in sorted(state.items()):
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} holds values that are not finite")
        if value.ndim < 2:
            found[name] = value.to(vectors or torch.float16).contiguous()
            continue
        channels = value.double().flatten(1)
        # A channel of zeros is zero at any scale.
        scale = (channels.abs().amax(1) / MOST).float().clamp_min(torch.finfo(torch.float32).tiny)
        whole = (channels / scale.double()[:, None]).round().clamp(-MOST, MOST)
        found[name] = whole.to(torch.int8).view(value.shape).contiguous()
        found[_name_scale(name)] = scale
    return found


def dequantize_weights(
    tensors: Mapping[str, torch.Tensor], vectors: torch.dtype | None = None
) -> dict[str, torch.Tensor]:
    """Return the float32 state of a network whose file holds *tensors*.

    Parameters
    ----------
    tensors : mapping
        As :func:`quantize_weights` returned them.
    vectors : dtype, optional
        As it was given there.

    Raises
    ------
    ValueError
        For tensors of another type, scales that are missing, left over, of another length, or not positive
        numbers, and values that are not finite.
    """
    import torch

    vectors = vectors or torch.float16
    scales = {n: v for n, v in tensors.items() if is_scale(n)}
    state: dict[str, torch.Tensor] = {}
    for name, value in tensors.items():
        if is_scale(name):
            continue
        if value.ndim < 2:
            _check(value.dtype == vectors, f"{name[:100]} is {value.dtype}, expected {vectors}")
            state[name] = value.float()
            _check(bool(torch.isfinite(value).all()), f"{name[:100]} holds values that are not finite")
            continue
        _check(value.dtype == torch.int8, f"{name[:100]} is {value.dtype}, expected int8")
        scale = scales.pop(_name_scale(name), None)
        right = scale is not None and scale.dtype == torch.float32 and scale.shape == value.shape[:1]
        _check(right, f"{name[:100]} has no float32 scale for each of its {len(value)} output channels")
        assert scale is not None
        _check(
            bool((torch.isfinite(scale) & (scale > 0)).all()), f"scales of {name[:100]} that are not positive"
        )
        state[name] = value.float() * scale.view(-1, *[1] * (value.ndim - 1))
    _check(not scales, f"scales without weights: {', '.join(n[:100] for n in list(scales)[:3])}")
    return state


def _check(right: bool, complaint: str) -> None:
    if not right:
        raise ValueError(complaint)
