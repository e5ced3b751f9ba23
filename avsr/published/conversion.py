"""Converting published weights to safetensors: the same numbers by the same names, without a pickle around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.avsr.published.catalog import ELSEWHERE, ROLES, PublishedCheckpoint
from mtbench.avsr.published.kinds import KINDS
from mtbench.errors import MtbenchError
from mtbench.files import load_pickled_checkpoint, write_atomically, writing

if TYPE_CHECKING:
    import torch


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
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    kind = KINDS[checkpoint.kind]
    raw = load_pickled_checkpoint(files["weights"], lambda name: True).tensors
    made = {"weights": folder / f"{ROLES['weights']}.safetensors"}
    with writing(made["weights"], ELSEWHERE):
        # Tensors that share memory, as embeddings do, are no two tensors to safetensors.
        try:
            save_file({name: value.clone().contiguous() for name, value in raw.items()}, made["weights"])
        except SafetensorError as error:  # also where the disk is full
            raise OSError(str(error)) from None
    raw.clear()
    for role, content in kind.settings(files).items():
        made[role] = folder / (ROLES[role] + (".json" if role == "config" else ""))
        write_atomically(made[role], content, advice=ELSEWHERE)
    before, after = (kind.read(checkpoint, given) for given in (files, {**files, **made}))
    if not _same(before, after):
        raise MtbenchError(
            f"{made['weights']}: not what was read from {files['weights']}; nothing was changed"
        )
    return made


def _same(one: torch.nn.Module, two: torch.nn.Module) -> bool:
    """Whether two networks are built alike and hold the same numbers."""
    import torch

    a, b = one.state_dict(), two.state_dict()
    alike = str(one) == str(two) and [_sizes(m) for m in one.modules()] == [_sizes(m) for m in two.modules()]
    return alike and a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


def _sizes(module: torch.nn.Module) -> object:
    """Return the settings that a module was made with, where it keeps some: they are not all seen in its tensors."""
    return getattr(module, "sizes", None)
