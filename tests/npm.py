"""Packages of the npm registry, for tests: fetched once into ``build/``, their integrity checked."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parents[1] / "build" / "npm"


def fetch(address: str, integrity: str) -> dict[str, bytes]:
    """Return the files of a published package by path; skips the test, with a message, where it cannot be had.

    *integrity* is what the registry says of the tarball: ``sha512-`` and base64.
    """
    kept = _FOLDER / address.rpartition("/")[2]
    if not kept.is_file():
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                data = answer.read(64 << 20)
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            pytest.skip(f"the npm registry cannot be reached from here ({error}); {address} is not compared")
        _check(data, integrity)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
    data = kept.read_bytes()
    _check(data, integrity)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers() if m.isfile()}


def _check(data: bytes, integrity: str) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    assert found == integrity, "the registry's tarball is another one than was pinned"
