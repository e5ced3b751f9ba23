"""Reading the two files of a network, weights (safetensors) and their description (JSON), that strangers wrote.

Conventions
-----------
A description says how large a network is, and may say anything. So the network is first made without memory (torch's
``meta`` device), and made in earnest only where its tensors are those in the file of weights: what is allocated is
bounded by the size of that file. Everything wrong is a ``ValueError``; whoever reads a network names the file.
"""

from __future__ import annotations

import io
import json
import pickletools
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Most bytes of weights and of their description.
MAX_WEIGHTS, MAX_DESCRIPTION = 16 << 30, 16 << 20
#: Most of whatever a network has many of (widths, classes, entries), and most layers one upon another.
MAX_SIZE, MAX_LAYERS = 1 << 20, 256
#: Pickles at the beginning of a file of before 2020: magic number, version, machine, contents, names of storages.
_PICKLES = 5
#: Longest text within a checkpoint; torch searches its own messages, which repeat such texts, in quadratic time.
MAX_TEXT = 4096
_SHOWN = 3


def load_checkpoint_file(path: Path, device: Any = "cpu", before_2020: bool = False) -> Any:
    """Return what ``torch.save`` wrote to *path*: tensors and plain values only.

    Parameters
    ----------
    path : Path
        A regular file.
    device : str or torch.device
        Where tensors go.
    before_2020 : bool
        Whether torch's older format, which is no zip archive, is read too.

    Raises
    ------
    ValueError
        For what torch does not write.
    Exception
        What torch raises for damaged files, of half a dozen kinds.
    """
    import torch

    if is_archive(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith("/data.pkl"):
                    _check_texts(archive.read(member))
        return torch.load(path, map_location=device, weights_only=True)
    if not before_2020:
        raise ValueError("not a file that torch.save writes")
    # torch's reader of older files believes every length; from memory it gets no more than there is.
    data = path.read_bytes()
    _check_texts(data)
    return torch.load(io.BytesIO(data), map_location=device, weights_only=True)


def _check_texts(data: bytes) -> None:
    """Refuse texts and names that are too long in the pickles that *data* begins with."""
    stream = io.BytesIO(data)
    for _ in range(_PICKLES):
        for _, value, _ in pickletools.genops(stream):
            if isinstance(value, str | bytes) and len(value) > MAX_TEXT:
                raise ValueError(f"a text of {len(value)} characters, expected at most {MAX_TEXT}")
        if stream.tell() == len(data):
            return


def is_archive(path: Path) -> bool:
    """Whether torch will read *path* as the zip archive that it is.

    What does not begin as one torch reads as a file of before 2020, believing every length that it is told.

    Raises
    ------
    ValueError
        For an archive whose members are larger than itself: torch asks for the memory before it reads.
    """
    with path.open("rb") as file:
        begun = file.read(4) == b"PK\x03\x04"
    if not begun or not zipfile.is_zipfile(path):
        return False
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # besides BadZipFile: struct and text errors of damaged directories
        raise ValueError(f"its directory cannot be read ({error})") from None
    if any(max(m.file_size, m.compress_size, m.header_offset) > size for m in members):
        raise ValueError("a member claims more bytes than the file has")
    return True


def read_description(path: Path) -> Any:
    """Return what a description says.

    Raises
    ------
    ValueError
        Where it is no JSON, or too large.
    OSError
        Where the file system refuses.
    """
    if path.stat().st_size > MAX_DESCRIPTION:
        raise ValueError(f"{path.name} is larger than {MAX_DESCRIPTION >> 20} MB")
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file by name.

    Raises
    ------
    ValueError
        Where it is none, or too large.
    OSError
        Where the file system refuses.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if path.stat().st_size > MAX_WEIGHTS:
        raise ValueError(f"{path.name} is larger than {MAX_WEIGHTS >> 30} GB")
    try:
        return load(path.read_bytes())
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path.name} is no safetensors file ({str(error)[:200]})") from None


def check_sizes(sizes: Mapping[str, Any]) -> None:
    """Refuse sizes of a network that are no whole numbers from 1 to :data:`MAX_SIZE`, or too many layers.

    Parameters
    ----------
    sizes : mapping
        Sizes by name; those that end in ``layers`` count layers.
    """
    for name, value in sizes.items():
        most = MAX_LAYERS if name.endswith("layers") else MAX_SIZE
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} is {str(value)[:40]}, expected at least 1")
        if value > most:
            raise ValueError(f"{name} is larger than {most}")


def check_tensors(
    build: Callable[[], nn.Module],
    tensors: Mapping[str, torch.Tensor],
    may_lack: Callable[[str], bool] = lambda name: False,
) -> None:
    """Refuse tensors that are not those of the network that *build* makes, before it is made.

    Parameters
    ----------
    build : callable
        Makes the network.
    tensors : mapping
        Tensors by name.
    may_lack : callable
        Whether the tensor of a name may be absent.

    Raises
    ------
    ValueError
        For tensors that are missing, unknown or of another shape.
    """
    import torch

    with torch.device("meta"):
        wanted = {name: tuple(value.shape) for name, value in build().state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    complaints = [
        f"{len(names)} {what}: {', '.join(names[:_SHOWN])}"
        for what, names in (
            ("missing", [n for n in wanted if n not in found and not may_lack(n)]),
            ("unknown", [n[:100] for n in found if n not in wanted]),
            ("of another shape", [n for n in wanted if n in found and found[n] != wanted[n]]),
        )
        if names
    ]
    if complaints:
        raise ValueError(f"tensors {'; '.join(complaints)}")
