"""Content-addressed store of intermediate results: crops, mixtures, what was heard, hypotheses, geometry.

Conventions
-----------
An entry's key is the blake2b digest of stage name, stage version, settings (canonical JSON) and the digests
of its inputs; so a key never needs invalidation, and a changed setting simply is another entry. Entries are
written to a temporary file and renamed: a reader sees a whole entry or none, whenever a writer is killed.
Header and payload carry digests; an entry that fails them is dropped and made again.

A file is one header line (``mtbench-cache 1 <digest of the JSON> <JSON>``) followed by the payload.
"""

from __future__ import annotations

import json
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.files import choose_folder, digest_bytes, expand_home, write_atomically

#: What scoring computes and keeps, one stage after another.
STAGES = ("mixtures", "crops", "geometry", "hypotheses")
#: What a recognizer makes of a sound alone, whatever face is shown with it.
HEARD = "heard"
#: Folders of the cache; whatever else lies beside them is left alone.
FOLDERS = (*STAGES, HEARD)

_MAGIC = "mtbench-cache 1"
_MAX_HEADER = 4096
_MAX_BYTES = 2 << 30
_STALE_SECONDS = 24 * 3600.0


def default_cache_dir() -> Path:
    """Return the cache folder: ``$MTBENCH_CACHE``, or ``mtbench`` in the platform's folder for caches.

    Raises
    ------
    PrerequisiteError
        Where nothing is set and the user has no home folder.
    """
    return choose_folder(
        "MTBENCH_CACHE",
        mac="Library/Caches/mtbench",
        windows="mtbench/Cache",
        xdg="XDG_CACHE_HOME",
        otherwise=".cache",
    )


def stage_key(stage: str, version: str, settings: Mapping[str, Any], inputs: Sequence[str]) -> str:
    """Return the key of a stage's result.

    Parameters
    ----------
    stage, version : str
        Name of the stage and version of its code.
    settings : mapping
        JSON values; the order of keys does not matter.
    inputs : sequence of str
        Digests of the inputs, in order.

    Returns
    -------
    str
        32 hex digits.
    """
    text = json.dumps(
        [stage, version, dict(settings), list(inputs)], sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return digest_bytes(text.encode())


@dataclass(frozen=True)
class StageSize:
    """What one stage occupies in the cache."""

    stage: str
    entries: int
    bytes: int


class Cache:
    """A folder of content-addressed entries; safe for any number of processes at once.

    Parameters
    ----------
    root : Path or None
        The folder, created when first written to; None is :func:`default_cache_dir`.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = expand_home(root) if root is not None else default_cache_dir()

    def path(self, stage: str, key: str) -> Path:
        """Return where the entry lies (or would)."""
        return self.root / stage / key[:2] / key

    def content_digest(self, stage: str, key: str) -> str | None:
        """Return the digest of an entry's value from its header, None where there is no sound header.

        The payload's length is checked, its bytes are not: :meth:`get_array` and :meth:`get_json` do that.
        """
        header = self._read_header(self.path(stage, key))
        return header[0]["content"] if header else None

    def get_array(self, stage: str, key: str) -> np.ndarray | None:
        """Return the array under *key*; None where it is absent or damaged (then it is removed)."""
        found = self._read(stage, key, as_json=False)
        if found is None:
            return None
        header, raw = found
        return np.frombuffer(raw, dtype=np.dtype(header["dtype"])).reshape(header["shape"]).copy()

    def get_json(self, stage: str, key: str) -> Any | None:
        """Return the JSON value under *key*; None where it is absent or damaged (then it is removed)."""
        found = self._read(stage, key, as_json=True)
        return None if found is None else json.loads(found[1])

    def put_array(self, stage: str, key: str, array: np.ndarray) -> str:
        """Store an array (deflated); return the digest of its content."""
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype.hasobject:
            raise TypeError("arrays of Python objects are never cached")
        return self._write(
            stage, key, array.tobytes(), {"dtype": array.dtype.str, "shape": list(array.shape)}
        )

    def put_json(self, stage: str, key: str, value: Any) -> str:
        """Store a JSON value; return the digest of its content."""
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return self._write(stage, key, text.encode(), {"dtype": "json", "shape": []})

    def array_or_make(self, stage: str, key: str, make: Callable[[], np.ndarray]) -> tuple[np.ndarray, bool]:
        """Return the array under *key*, made and stored where needed, and whether it was made."""
        array = self.get_array(stage, key)
        if array is not None:
            return array, False
        array = make()
        self.put_array(stage, key, array)
        return array, True

    def sizes(self) -> list[StageSize]:
        """Return entries and bytes of each stage that has a folder."""
        out = []
        for stage in FOLDERS:
            if (self.root / stage).is_dir():
                files = [p.stat().st_size for p in self._entries(self.root / stage)]
                out.append(StageSize(stage, len(files), sum(files)))
        return out

    def clear(self, stage: str | None = None) -> int:
        """Remove all entries, or those of *stage*; return how many bytes were freed."""
        freed = sum(s.bytes for s in self.sizes() if stage in (None, s.stage))
        for size in self.sizes():
            if stage in (None, size.stage):
                shutil.rmtree(self.root / size.stage, ignore_errors=True)
        return freed

    def sweep(self) -> None:
        """Remove temporary files that killed writers left behind more than a day ago."""
        for path in self.root.glob("*/*/.*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink(missing_ok=True)
            except OSError:
                continue

    @staticmethod
    def _entries(folder: Path) -> Iterator[Path]:
        return (p for p in folder.glob("*/*") if p.is_file() and not p.name.startswith("."))

    @staticmethod
    def _read_header(path: Path) -> tuple[dict[str, Any], int] | None:
        """Return (header, its length in bytes); None where absent or not sound."""
        try:
            with path.open("rb") as file:
                line = file.readline(_MAX_HEADER)
            size = path.stat().st_size
        except OSError:
            return None
        prefix = f"{_MAGIC} ".encode()
        if not line.startswith(prefix) or not line.endswith(b"\n"):
            return None
        digest, _, text = line[len(prefix) : -1].partition(b" ")
        if digest_bytes(text).encode() != digest:
            return None
        header = json.loads(text)
        return (header, len(line)) if size == len(line) + header["stored"] else None

    def _read(self, stage: str, key: str, *, as_json: bool) -> tuple[dict[str, Any], bytes] | None:
        path = self.path(stage, key)
        found = self._read_header(path)
        if found is not None:
            header, start = found
            try:
                right = header["key"] == key and (header["dtype"] == "json") == as_json
                if right and header["bytes"] <= _MAX_BYTES:
                    with path.open("rb") as file:
                        file.seek(start)
                        # One byte more than promised: a longer stream is a damaged one.
                        raw = zlib.decompressobj().decompress(file.read(), header["bytes"] + 1)
                    if _content_digest(header["dtype"], header["shape"], raw) == header["content"]:
                        return header, raw
            except (OSError, zlib.error):
                pass
        path.unlink(missing_ok=True)
        return None

    def _write(self, stage: str, key: str, raw: bytes, kind: dict[str, Any]) -> str:
        stored = zlib.compress(raw, 1)
        content = _content_digest(kind["dtype"], kind["shape"], raw)
        header = {"key": key, "content": content, "stored": len(stored), "bytes": len(raw), **kind}
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        line = f"{_MAGIC} {digest_bytes(text)} ".encode() + text + b"\n"
        write_atomically(
            self.path(stage, key),
            line + stored,
            durable=False,
            advice="give another folder for the cache (--cache or MTBENCH_CACHE)",
        )
        return content


def _content_digest(dtype: str, shape: Sequence[int], raw: bytes) -> str:
    return digest_bytes(f"{dtype}{tuple(shape)}".encode(), raw)
