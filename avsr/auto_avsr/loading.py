"""Loading Auto-AVSR's audio-visual model, or one of ViSpeR's, from their files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.avsr.auto_avsr.checkpoints import read_network_tensors, read_settings
from mtbench.avsr.auto_avsr.recognition import AutoAVSR
from mtbench.avsr.auto_avsr.sizes import measure_network
from mtbench.avsr.auto_avsr.units import Units, read_units
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.extras import has_module, require_extra
from mtbench.files import check_tensors

if TYPE_CHECKING:
    import torch

    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork
    from mtbench.avsr.auto_avsr.sizes import NetworkSizes

#: First release of Python that ESPnet takes.
FIRST_PYTHON = (3, 12)


def load_auto_avsr(
    state_dict: str | Path,
    config: Mapping[str, Any] | str | Path | None = None,
    tokens: Sequence[str] | str | Path | None = None,
    tokenizer: str | Path | None = None,
    device: str = "cpu",
) -> AutoAVSR:
    """Load a published model on ESPnet, without running anything in its file.

    Parameters
    ----------
    state_dict : path
        Auto-AVSR's audio-visual ``.pth`` of release v1.0.0, or a file of ViSpeR, with sound or without.
    config : mapping or path, optional
        Published backbone arguments, or their file (YAML or JSON). Sizes are read off the tensors, and what is said
        here has to agree; only of the decoder's heads the tensors do not tell (by default one for 64 columns, as
        published).
    tokens : sequence of str or path, optional
        All tokens from ``<blank>`` to ``<eos>``, or the published file of units, which has neither. Needed to read
        tokens, and by ViSpeR for its languages.
    tokenizer : path, optional
        The SentencePiece model; needed to make tokens of text.
    device : str
        Where to compute, as torch names it.

    Raises
    ------
    PrerequisiteError
        Without ESPnet, naming what it wants; if a file is absent.
    UsageError
        If a file is something else, is cut off, holds forbidden names, or does not fit the others.
    """
    _require_espnet()
    path = Path(state_dict)
    named = {"model is": path, "settings are": config, "units are": tokens, "tokenizer is": tokenizer}
    for what, file in named.items():
        if isinstance(file, str | Path) and not Path(file).is_file():
            raise PrerequisiteError(
                f"{file}: the {what} not there; download it from where the weights are published"
            )
    try:
        settings = read_settings(Path(config)) if isinstance(config, str | Path) else config or {}
        tensors = read_network_tensors(path)
        sizes = measure_network(tensors, settings)
        check_tensors(lambda: _build(sizes), tensors, _may_lack)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: not a model of Auto-AVSR or ViSpeR that can be read: {error}. Expected the audio-visual file of "
            "Auto-AVSR's release v1.0.0, or a file of ViSpeR; perhaps the download was cut off."
        ) from error
    pieces = read_units(Path(tokens)) if isinstance(tokens, str | Path) else tokens or ()
    try:
        units = Units(sizes.vocabulary, tuple(pieces), None if tokenizer is None else Path(tokenizer))
    except UsageError as error:
        raise UsageError(f"{tokens if isinstance(tokens, str | Path) else path}: {error}") from None
    return AutoAVSR(_fill(sizes, tensors, device), units)


def _require_espnet() -> None:
    if sys.version_info < FIRST_PYTHON and not has_module("espnet2"):
        here, first = (".".join(map(str, version[:2])) for version in (sys.version_info, FIRST_PYTHON))
        raise PrerequisiteError(
            f"Auto-AVSR and ViSpeR run on ESPnet, which wants Python {first} or newer, and this is {here}: install "
            "'multitalk-bench[espnet]' under a newer one (in a clone, make install-espnet does)"
        )
    require_extra("espnet", "Auto-AVSR (or ViSpeR)")


def _build(sizes: NetworkSizes) -> AutoAVSRNetwork:
    from mtbench.avsr.auto_avsr.network import AutoAVSRNetwork

    return AutoAVSRNetwork(sizes)


def _may_lack(name: str) -> bool:
    return name.endswith(".num_batches_tracked")


def _fill(sizes: NetworkSizes, tensors: dict[str, torch.Tensor], device: str) -> AutoAVSRNetwork:
    """Return the network with its tensors, which are moved into it one by one."""
    import torch

    with torch.device("meta"):
        network = _build(sizes)
    state = {}
    for name, value in network.state_dict().items():
        found = tensors.pop(name, None)
        if found is None:  # only counters that training alone needs
            found = torch.zeros(value.shape, dtype=value.dtype)
        state[name] = found.float() if found.is_floating_point() else found
    network.load_state_dict(state, assign=True)
    network.forget_positions()
    return network.eval().requires_grad_(False).to(device)
