"""Files of a training run: checkpoint, weights of the motion autoencoder.

Conventions
-----------
A run folder holds ``checkpoint.pt`` (tensors and plain values, read with ``weights_only``), ``losses.csv``,
``losses.png``, ``validation.csv`` and the result. Everything is written under another name first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import (
    check_tensors,
    load_checkpoint_file,
    read_description,
    read_tensors,
    write_atomically,
)
from mtbench.reference_model.model import MotionAutoencoder, Settings

CHECKPOINT = "checkpoint.pt"
STAGE1 = "stage1.safetensors"


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write a run's checkpoint."""
    part = folder / f".{CHECKPOINT}.part"
    torch.save(dict(state), part)
    part.replace(folder / CHECKPOINT)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return a run's checkpoint, None where there is none yet.

    Raises
    ------
    UsageError
        Where the file cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = load_checkpoint_file(path)
    except Exception as error:  # torch raises half a dozen kinds for damaged files
        raise UsageError(
            f"{path}: the checkpoint cannot be read ({error}); remove it to begin anew, or give another folder"
        ) from error
    return state


def flatten(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested plain values under dotted names.

    Examples
    --------
    >>> flatten({"corpus": "9f", "settings": {"width": 96}})
    {'corpus': '9f', 'settings.width': 96}
    """
    out: dict[str, Any] = {}
    for key, value in values.items():
        out |= flatten(value, f"{before}{key}.") if isinstance(value, Mapping) else {before + key: value}
    return out


def name_changes(before: Any, now: Mapping[str, Any]) -> list[str]:
    """Return what differs from *before*, as a checkpoint tells it, ``"settings.width was 96, is 192"``."""
    if not isinstance(before, Mapping):
        return ["it was written by another version of mtbench"]
    names = dict.fromkeys([*now, *before])
    return [f"{k} was {before.get(k)}, is {now.get(k)}" for k in names if before.get(k) != now.get(k)]


def save_autoencoder(path: Path, network: MotionAutoencoder, facts: Mapping[str, Any]) -> Path:
    """Write stage 1's weights, and its settings and *facts* as JSON beside them."""
    from safetensors.torch import save

    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    about = {"schema": 1, "settings": network.settings.to_dict(), **facts}
    write_atomically(path.with_suffix(".json"), (json.dumps(about, indent=1) + "\n").encode())
    write_atomically(path, save(tensors))
    return path


def load_autoencoder(path: str | Path) -> tuple[MotionAutoencoder, dict[str, Any]]:
    """Read what :func:`save_autoencoder` wrote.

    Parameters
    ----------
    path : path
        The file or its run folder.

    Returns
    -------
    network : MotionAutoencoder
        In evaluation mode.
    facts : dict

    Raises
    ------
    PrerequisiteError
        Where stage 1 has not been trained there.
    UsageError
        For damaged files.
    """
    path = Path(path)
    path = path / STAGE1 if path.is_dir() else path
    if not path.is_file():
        raise PrerequisiteError(
            f"{path}: no motion autoencoder there; stage 2 needs a trained stage 1: run `mtbench reference train "
            "stage1` to its end first, or name its run folder"
        )
    try:
        about = read_description(path.with_suffix(".json"))
        settings = Settings.from_dict(about.pop("settings"))
        state = read_tensors(path)
        check_tensors(lambda: MotionAutoencoder(settings), state)
        network = MotionAutoencoder(settings)
        network.load_state_dict(state)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise UsageError(
            f"{path}: damaged, or not stage 1's weights ({error}); train stage 1 again"
        ) from error
    return network.eval(), about
