"""Loading a recognizer of the AV-HuBERT family from its files."""

from __future__ import annotations

from pathlib import Path

import torch

from mtbench.avsr.avhubert.checkpoints import Checkpoint, read_checkpoint
from mtbench.avsr.avhubert.recognition import AVHubert, AVHubertNetwork
from mtbench.avsr.avhubert.vocabulary import LETTERS, Vocabulary, read_dictionary
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import check_tensors


def load_avhubert(
    checkpoint: str | Path,
    dictionary: str | Path | None = None,
    tokenizer: str | Path | None = None,
    config: str | Path | None = None,
    device: str = "cpu",
) -> AVHubert:
    """Load a published checkpoint, without fairseq and without running anything in it.

    Parameters
    ----------
    checkpoint : path
        fairseq's ``.pt``, or the ``model.safetensors`` or ``pytorch_model.bin`` of a port.
    dictionary : path, optional
        fairseq's ``dict.LANGUAGE.txt``; the one within a ``.pt`` by default.
    tokenizer : path, optional
        The SentencePiece model; needed to make tokens of text, and to read them where there is no dictionary.
    config : path, optional
        Settings of a port; ``config.json`` beside the checkpoint by default.
    device : str
        Where to compute, as torch names it.

    Raises
    ------
    PrerequisiteError
        If a file is absent.
    UsageError
        If a file is something else, is cut off, holds forbidden names, or does not fit the others.
    """
    path = Path(checkpoint)
    given = {"checkpoint": path, "dictionary": dictionary, "tokenizer": tokenizer, "config": config}
    for what, file in given.items():
        if file is not None and not Path(file).is_file():
            raise PrerequisiteError(
                f"{file}: the {what} is not there; download it from where the weights are published"
            )
    try:
        found = read_checkpoint(path, None if config is None else Path(config))
        check_tensors(
            lambda: _build(found), found.tensors, lambda name: name.endswith(".num_batches_tracked")
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: not an AV-HuBERT checkpoint that can be read: {error}. Expected fairseq's .pt of a fine-tuned "
            "model, or the weights of a port with its config.json; perhaps the download was cut off."
        ) from error
    pieces = _choose_pieces(found, path, None if dictionary is None else Path(dictionary))
    with torch.device("meta"):
        network = _build(found)
    state = {
        name: tensor if not tensor.is_floating_point() else tensor.float()
        for name, tensor in found.tensors.items()
    }
    found.tensors.clear()
    for name, value in network.state_dict().items():
        if name not in state:  # only counters that training alone needs
            state[name] = torch.zeros(value.shape, dtype=value.dtype)
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(False).to(device)
    vocabulary = Vocabulary(
        pieces, None if tokenizer is None else Path(tokenizer), found.silent, found.end, found.unknown
    )
    return AVHubert(network, vocabulary, found.start)


def _build(found: Checkpoint) -> AVHubertNetwork:
    return AVHubertNetwork(found.encoder, found.decoder, found.letters)


def _choose_pieces(found: Checkpoint, path: Path, dictionary: Path | None) -> tuple[str, ...]:
    """Return the pieces of the dictionary, which has to be the checkpoint's."""
    pieces = found.pieces if dictionary is None else tuple(read_dictionary(dictionary))
    size = found.decoder.vocabulary if found.decoder else found.letters
    if pieces and len(pieces) != size:
        raise UsageError(
            f"{dictionary or path}: a dictionary of {len(pieces)} tokens for a checkpoint of {size}; expected the "
            "dict.LANGUAGE.txt that is published beside the checkpoint. Perhaps it is another language's."
        )
    if dictionary is not None and found.pieces and pieces != found.pieces:
        where = next(i for i, (a, b) in enumerate(zip(pieces, found.pieces)) if a != b)
        raise UsageError(
            f"{dictionary}: not this checkpoint's dictionary: token {where} is {pieces[where][:40]!r} there and "
            f"{found.pieces[where][:40]!r} within {path.name}. Perhaps it is another language's."
        )
    return LETTERS if not pieces and found.letters == len(LETTERS) else pieces
