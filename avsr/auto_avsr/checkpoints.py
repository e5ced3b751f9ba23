"""Published files of Auto-AVSR and ViSpeR, brought to ESPnet's names.

Read are plain dictionaries of tensors, what Lightning writes (``state_dict``, names below ``model.``), and safetensors
of either; and the settings of the network, published as ``resnet_conformer.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.files import load_pickled_checkpoint, read_description, read_tensors

if TYPE_CHECKING:
    import torch

#: Most bytes of settings in YAML.
MAX_SETTINGS = 1 << 16
_LIGHTNING = "model."
_UNUSED = "beam_search"


def rename(name: str) -> str:
    """Return ESPnet's name of a published tensor.

    Examples
    --------
    >>> rename("model.encoder.encoders.0.conv_module.pointwise_cov1.weight")
    'encoder.encoders.0.conv_module.pointwise_conv1.weight'
    """
    return re.sub(r"\.pointwise_cov(?=\d)", ".pointwise_conv", name.removeprefix(_LIGHTNING))


def read_network_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a network.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or a file of ``torch.save`` whatever its name.

    Raises
    ------
    ValueError
        For a file that is none, naming what is missing or forbidden.
    """
    if path.suffix == ".safetensors":
        found: Mapping[str, torch.Tensor] = read_tensors(path)
    else:
        found = load_pickled_checkpoint(path, _is_used, "Auto-AVSR checkpoint").tensors
    tensors = {rename(name): tensor for name, tensor in found.items() if _is_used(name)}
    if not tensors:
        raise ValueError("no tensors in it")
    return tensors


def _is_used(name: str) -> bool:
    return _UNUSED not in name


def read_settings(path: Path) -> Mapping[str, Any]:
    """Return the settings in a file, JSON or YAML.

    Raises
    ------
    ValueError
        Where it is neither, or no table.
    """
    if path.suffix == ".json":
        settings = read_description(path)
    else:
        import yaml

        if path.stat().st_size > MAX_SETTINGS:
            raise ValueError(f"{path.name} is larger than {MAX_SETTINGS >> 10} kB")
        try:
            settings = yaml.safe_load(path.read_text("utf-8-sig"))
        except (yaml.YAMLError, RecursionError) as error:
            raise ValueError(f"{path.name} is no YAML ({str(error)[:200]})") from None
    if not isinstance(settings, dict):
        raise ValueError(f"{path.name} holds no table of settings")
    return settings
