"""Converting published weights to safetensors: the same numbers by the same names, without a pickle around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from mtbench.avsr.avhubert import read_checkpoint
from mtbench.avsr.published.avhubert_recognizer import load_network
from mtbench.avsr.published.catalog import ROLES, PublishedCheckpoint
from mtbench.errors import MtbenchError
from mtbench.files import load_pickled_checkpoint, write_atomically, writing


def write_converted(
    checkpoint: PublishedCheckpoint, files: Mapping[str, Path], folder: Path
) -> dict[str, Path]:
    """Write the weights among *files* as safetensors into *folder*, with what else the pickle held.

    Parameters
    ----------
    checkpoint : PublishedCheckpoint
    files : mapping of str to path
        By role; weights as ``torch.save`` writes them.
    folder : Path
        Existing.

    Returns
    -------
    dict of str to Path
        What was written, by role: weights; settings and dictionary where they were in the pickle alone.

    Raises
    ------
    MtbenchError
        Where the weights that were written are not those that were read.
    """
    from safetensors.torch import save_file

    found = read_checkpoint(files["weights"], files.get("config"))
    raw = load_pickled_checkpoint(files["weights"], lambda name: True).tensors
    made = {"weights": folder / f"{ROLES['weights']}.safetensors"}
    with writing(made["weights"]):
        # Tensors that share memory, as embeddings do, are no two tensors to safetensors.
        save_file({name: value.clone().contiguous() for name, value in raw.items()}, made["weights"])
    if "config" not in files:
        settings = {
            "encoder_attention_heads": found.encoder.heads,
            "layer_norm_first": found.encoder.pre_norm,
        }
        if found.decoder is not None:
            settings |= {
                "decoder_attention_heads": found.decoder.heads,
                "no_scale_embedding": not found.decoder.scale,
            }
        made["config"] = folder / ROLES["config"]
        write_atomically(made["config"], json.dumps(settings, indent=1).encode())
    if found.pieces and "dictionary" not in files and "vocabulary" not in files:
        lines = "".join(f"{piece} 1\n" for piece in found.pieces[4:])
        made["dictionary"] = folder / ROLES["dictionary"]
        write_atomically(made["dictionary"], lines.encode())
    _compare(checkpoint, files, {**files, **made})
    return made


def _compare(checkpoint: PublishedCheckpoint, old: Mapping[str, Path], new: Mapping[str, Path]) -> None:
    before, after = load_network(checkpoint, old), load_network(checkpoint, new)
    one, two = before.network.state_dict(), after.network.state_dict()
    same = one.keys() == two.keys() and all(torch.equal(value, two[name]) for name, value in one.items())
    encoders = [m.network.eyes_and_ears.sizes for m in (before, after)]
    decoders = [getattr(getattr(m.network, "decoder", None), "sizes", None) for m in (before, after)]
    if not same or encoders[0] != encoders[1] or decoders[0] != decoders[1]:
        raise MtbenchError(f"{new['weights']}: not what was read from {old['weights']}; nothing was changed")
    if before.vocabulary.pieces != after.vocabulary.pieces:
        raise MtbenchError(
            f"{new['weights']}: another dictionary than in {old['weights']}; nothing was changed"
        )
