"""Fetching published files: over HTTPS, whole or not at all, and only after somebody accepted their terms."""

from __future__ import annotations

import http.client
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtbench.avsr.published.catalog import PublishedCheckpoint
from mtbench.errors import PrerequisiteError
from mtbench.files import make_folder

#: Most bytes of a file, and seconds without an answer.
MAX_BYTES, PATIENCE = 8 << 30, 30.0
_CHUNK = 1 << 20


@contextmanager
def fetched_files(checkpoint: PublishedCheckpoint, parent: Path) -> Iterator[list[Path]]:
    """Fetch the files of *checkpoint* into a folder below *parent* that is gone afterwards.

    Raises
    ------
    PrerequisiteError
        Where a file cannot be had from here; it says where they are and what to type then.
    """
    if not checkpoint.fetchable:
        raise PrerequisiteError(explain_by_hand(checkpoint, "they cannot be fetched without a browser"))
    make_folder(parent)
    folder = Path(tempfile.mkdtemp(prefix=f".{checkpoint.variant}.", suffix=".part", dir=parent))
    try:
        for file in checkpoint.files:
            try:
                _fetch(file.address, folder / file.name)
            except (OSError, ValueError, urllib.error.URLError, http.client.HTTPException) as error:
                told = str(error) or type(error).__name__
                raise PrerequisiteError(
                    explain_by_hand(checkpoint, f"{file.address} cannot be fetched from here ({told})")
                ) from None
        yield [folder / file.name for file in checkpoint.files]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def explain_by_hand(checkpoint: PublishedCheckpoint, why: str) -> str:
    """Return what to do where files of *checkpoint* do not come by themselves."""
    places = "".join(f"\n  {file.address or f'{file.name}: {checkpoint.page}'}" for file in checkpoint.files)
    return f"{checkpoint.ref}: {why}. Download these ({checkpoint.license}):{places}\nand type\n  {checkpoint.add_line}"


def _fetch(address: str, target: Path) -> None:
    if not address.startswith("https://"):
        raise ValueError(f"{address} is no https address")
    size = 0
    with urllib.request.urlopen(address, timeout=PATIENCE) as source, target.open("wb") as copy:
        if not source.geturl().startswith("https://"):
            raise ValueError(f"{address} leads to {source.geturl()}, which is no https address")
        expected = source.headers.get("Content-Length")
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES >> 30} GB")
            copy.write(chunk)
    if expected is not None and expected.isdigit() and size != int(expected):
        raise ValueError(f"{size:,} of {expected} bytes came")
