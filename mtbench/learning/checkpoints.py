"""Checkpoints of a training, and whether a run may go on from one.

Conventions
-----------
A checkpoint holds tensors and plain values, among them everything that the run follows from. A run goes on only from a
checkpoint that follows from the same; anything else would mix two runs in one file of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mtbench.errors import UsageError
from mtbench.files import (
    load_checkpoint_file,
    replacing,
)

#: File in a run's folder.
CHECKPOINT = "checkpoint.pt"


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write a run's checkpoint."""
    with replacing(folder / CHECKPOINT) as part:
        torch.save(dict(state), part)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return a run's checkpoint, its tensors on the processor; None where there is none yet.

    Parameters
    ----------
    folder : Path
        Of the run.

    Raises
    ------
    UsageError
        Where the file cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = load_checkpoint_file(path, "cpu")
    except Exception as error:  # torch raises half a dozen kinds for damaged files
        raise UsageError(
            f"{path}: the checkpoint cannot be read ({error}); remove it to begin anew, or give another folder"
        ) from error
    return state


def require_same_run(folder: Path, before: Any, now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run under other settings than it was begun with.

    Parameters
    ----------
    folder : Path
        Of the run, for the message.
    before : mapping
        What the checkpoint says that its run follows from; anything else was written by another version.
    now : mapping
        What is asked for, plain values by dotted name (:func:`flatten`).

    Raises
    ------
    UsageError
        Naming every difference.
    """
    if changed := name_changes(before, now):
        raise UsageError(
            f"{folder}: its checkpoint belongs to another run ({'; '.join(changed)}); give another folder, or "
            "what it was begun with"
        )


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
