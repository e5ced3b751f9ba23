"""Kinds of published checkpoints: which code loads one, converts it, and makes a recognizer of it.

A kind is an entry of :data:`KINDS`; what it needs is imported when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.avsr.base import Recognizer
from mtbench.avsr.published.catalog import PublishedCheckpoint
from mtbench.errors import UsageError

if TYPE_CHECKING:
    import torch

#: Files by role.
Files = Mapping[str, Path]


@dataclass(frozen=True)
class Brought:
    """A checkpoint that a user has.

    Attributes
    ----------
    checkpoint : PublishedCheckpoint
        Which.
    files : mapping of str to path
        By role.
    contents : str
        Digest of what was added.
    memory : int
        Bytes of its weights in memory.
    """

    checkpoint: PublishedCheckpoint
    files: Files
    contents: str
    memory: int


@dataclass(frozen=True)
class Kind:
    """What is done with checkpoints of one kind.

    Attributes
    ----------
    read : function of (PublishedCheckpoint, Files) to torch.nn.Module
        Loads the files and refuses what is wrong with them; returns the network.
    recognize : function of (Brought, str or None, str) to Recognizer
        Makes a recognizer of what a user has, with a search by name, on a device.
    settings : function of Files to dict of str to (bytes)
        What else the weights' pickle holds, by role, which has to be kept beside converted weights.
    """

    read: Callable[[PublishedCheckpoint, Files], torch.nn.Module]
    recognize: Callable[[Brought, str | None, str], Recognizer]
    settings: Callable[[Files], dict[str, bytes]] = lambda files: {}


def measure_memory(network: torch.nn.Module) -> tuple[int, int]:
    """Return how many numbers the weights of *network* are, and how many bytes they take."""
    values = network.state_dict().values()
    return sum(v.numel() for v in values), sum(v.numel() * v.element_size() for v in values)


def _read_avhubert(checkpoint: PublishedCheckpoint, files: Files) -> torch.nn.Module:
    from mtbench.avsr.published.avhubert_recognizer import load_network

    return load_network(checkpoint, files).network


def _recognize_avhubert(brought: Brought, decoding: str | None, device: str) -> Recognizer:
    from mtbench.avsr.published.avhubert_recognizer import PublishedAVHubert, choose_search

    return PublishedAVHubert(
        brought.checkpoint, brought.files, brought.contents, brought.memory, choose_search(decoding), device
    )


def _settings_of_avhubert(files: Files) -> dict[str, bytes]:
    from mtbench.avsr.published.avhubert_recognizer import describe_settings

    return describe_settings(files)


def _read_auto_avsr(checkpoint: PublishedCheckpoint, files: Files) -> torch.nn.Module:
    from mtbench.avsr.auto_avsr import load_auto_avsr

    return load_auto_avsr(files["weights"], **_name_auto_avsr(checkpoint, files)).network


def _recognize_auto_avsr(brought: Brought, decoding: str | None, device: str) -> Recognizer:
    from mtbench.avsr.auto_avsr import AutoAVSRRecognizer

    return AutoAVSRRecognizer(
        brought.files["weights"],
        **_name_auto_avsr(brought.checkpoint, brought.files),
        name=brought.checkpoint.recognizer,
        decoding=decoding,
        device=device,
        contents=brought.contents,
        memory=brought.memory,
    )


def _name_auto_avsr(checkpoint: PublishedCheckpoint, files: Files) -> dict[str, Any]:
    if "units" not in files:
        (units,) = (file.name for file in checkpoint.files if file.role == "units")
        raise UsageError(
            f"{files['weights']}: nothing tells what the tokens of {checkpoint.ref} mean; give {units} as well, which "
            f"is published with the code at {checkpoint.page}"
        )
    return {"tokens": files["units"], "tokenizer": files.get("tokenizer"), "config": files.get("config")}


def _read_romanizer(checkpoint: PublishedCheckpoint, files: Files) -> torch.nn.Module:
    from mtbench.avsr.published.romanizer import load_romanizer

    return load_romanizer(checkpoint, files).network


def _recognize_romanizer(brought: Brought, decoding: str | None, device: str) -> Recognizer:
    from mtbench.avsr.published.romanizer import Romanizer

    return Romanizer(brought.checkpoint, brought.files, brought.contents, brought.memory, decoding, device)


#: By :attr:`~mtbench.avsr.published.catalog.PublishedCheckpoint.kind`.
KINDS = {
    "avhubert": Kind(_read_avhubert, _recognize_avhubert, _settings_of_avhubert),
    "avista": Kind(_read_avhubert, _recognize_avhubert),
    "romanizer": Kind(_read_romanizer, _recognize_romanizer, _settings_of_avhubert),
    "auto-avsr": Kind(_read_auto_avsr, _recognize_auto_avsr),
}
