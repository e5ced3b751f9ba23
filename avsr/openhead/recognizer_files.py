"""A recognizer's two files: weights, and what belongs to them.

Conventions
-----------
``NAME.safetensors`` holds the weights in eight bits (:mod:`mtbench.files.eight_bits`; in half precision in files of the
first schema), without the heads that only training uses; ``NAME.json`` the sizes of the network, phones, languages, the
word search, the ear that it was trained with, and facts of the training.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from mtbench.avsr.openhead.decoding import DecodingConfig
from mtbench.avsr.openhead.model import TRAINING_ONLY, AudioVisualCTC, ModelConfig
from mtbench.errors import UsageError
from mtbench.files import (
    check_tensors,
    dequantize_weights,
    make_folder,
    quantize_weights,
    read_description,
    read_tensors,
    replacing,
)

if TYPE_CHECKING:
    from mtbench.avsr.whisper import Ear


@dataclass(frozen=True)
class Checkpoint:
    """What the two files hold.

    Attributes
    ----------
    network : AudioVisualCTC
        float32.
    phones : tuple of str
        Class *i* of the network is ``phones[i - 1]``.
    languages : tuple of str
        Language index *i* is ``languages[i - 1]``; 0 is unknown.
    decoding : DecodingConfig
    ear : Ear or None
        What listens for the network, None where it listens to log-mels.
    """

    network: AudioVisualCTC
    phones: tuple[str, ...]
    languages: tuple[str, ...]
    decoding: DecodingConfig
    ear: Ear | None


def read_recognizer(weights: Path) -> Checkpoint:
    """Read ``NAME.safetensors`` and the ``NAME.json`` beside it.

    Raises
    ------
    UsageError
        If they are not a checkpoint of this recognizer.
    """
    try:
        meta: dict[str, Any] = read_description(weights.with_suffix(".json"))
        tensors = read_tensors(weights)
        if meta["schema"] == 1:
            state = {k: v.float() for k, v in tensors.items()}
        else:
            state = dequantize_weights(tensors, torch.float32)
        config = ModelConfig.from_dict(meta["model"])
        check_tensors(
            lambda: AudioVisualCTC(config),
            state,
            may_lack=lambda k: k.startswith(TRAINING_ONLY) or k.endswith("num_batches_tracked"),
        )
        network = AudioVisualCTC(config)
        network.load_state_dict(state, strict=False)
        phones, languages = tuple(meta["phones"]), tuple(meta["languages"])
        decoding = DecodingConfig(**meta["decoding"])
        ear = _load_ear(config, meta.get("ear"))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise UsageError(
            f"{weights}: not a checkpoint of openhead-av ({error}); expected the pair that `mtbench avsr train` "
            "writes. Perhaps the two files come from different runs."
        ) from error
    return Checkpoint(network, phones, languages, decoding, ear)


def _load_ear(config: ModelConfig, digest: str | None) -> Ear | None:
    """Return the ear that a network was trained with, None for one that listens to log-mels.

    Raises
    ------
    ValueError
        Where the ear that is here is another one.
    """
    if not config.heard:
        return None
    from mtbench.avsr.whisper import load_ear

    ear = load_ear()
    if ear.width != config.heard or digest not in (None, ear.digest):
        raise ValueError(f"it was trained with the ear {digest}, the one that is installed is {ear.digest}")
    return ear


def save_recognizer(
    path: Path,
    network: AudioVisualCTC,
    phones: Sequence[str],
    languages: Sequence[str],
    decoding: DecodingConfig,
    training: dict[str, Any],
    ear: str | None = None,
) -> None:
    """Write ``path`` (safetensors, without training heads) and its ``.json``.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    network : AudioVisualCTC
        The trained network.
    phones, languages : sequence of str
        Class and language order.
    decoding : DecodingConfig
        Weights of the word search.
    training : dict
        Facts for the model card: seed, steps, clips, minutes.
    ear : str, optional
        Digest of the ear that it was trained with.
    """
    state = quantize_weights(
        {
            k: v.detach()
            for k, v in network.state_dict().items()
            if not k.startswith(TRAINING_ONLY) and not k.endswith("num_batches_tracked")
        },
        torch.float32,
    )
    make_folder(path.parent)
    meta = {
        "schema": 2,
        "model": network.config.to_dict(),
        "phones": list(phones),
        "languages": list(languages),
        "decoding": asdict(decoding),
        "training": training,
    } | ({} if ear is None else {"ear": ear})
    with replacing(path) as part, replacing(path.with_suffix(".json")) as meta_part:
        save_file(state, part)
        meta_part.write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", "utf-8")
