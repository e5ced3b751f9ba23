"""Weights of the motion autoencoder in a file, stage 1's result.

Conventions
-----------
The file lies in the run's folder, beside what the loop writes there (:mod:`mtbench.learning.run`), and its settings as
JSON beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import (
    check_tensors,
    read_description,
    read_tensors,
    write_atomically,
)
from mtbench.reference_model.model import MotionAutoencoder, Settings

STAGE1 = "stage1.safetensors"


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
