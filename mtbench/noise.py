"""Noise recordings: where they come from, and which part of one a clip gets.

Conventions
-----------
A noise set is a folder of sound files; a noise's name is its file's stem. Every clip gets its own part of
each recording: the offset is drawn from seed, clip id and noise name, and is the same at every SNR and for
every entry. Names, digests and seed are part of every signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.audio import load_audio
from mtbench.errors import BenchmarkError, UsageError
from mtbench.paths import explain_no_folder

#: Seed of the offsets; another one is another measurement.
NOISE_SEED = 12345
_SUFFIXES = (".flac", ".wav", ".ogg")
_MAX_FILES = 64


@dataclass(frozen=True)
class Noise:
    """One noise recording.

    Attributes
    ----------
    name : str
        File stem, e.g. ``"babble"``.
    path : Path
        The sound file.
    digest : str
        blake2b-128 hex digest of the file's bytes.
    """

    name: str
    path: Path
    digest: str

    @property
    def audio(self) -> np.ndarray:
        """(M,) float32 mono at 16 kHz; read once per process."""
        return _load(self.path, self.digest)

    def offset(self, clip_id: str, seed: int = NOISE_SEED) -> int:
        """Return the first sample that clip *clip_id* uses."""
        text = f"{seed}|{clip_id}|{self.name}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") % len(self.audio)


@dataclass(frozen=True)
class NoiseSet:
    """The noises that a score is computed with.

    Attributes
    ----------
    name : str
        ``"none"`` or the folder's name.
    noises : tuple of Noise
        By name.
    seed : int
        Seed of the offsets.
    """

    name: str
    noises: tuple[Noise, ...] = field(default=())
    seed: int = NOISE_SEED

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the noises, sorted."""
        return tuple(noise.name for noise in self.noises)

    @property
    def digest(self) -> str:
        """blake2b-64 hex digest over names, contents and seed."""
        h = hashlib.blake2b(digest_size=8)
        for noise in self.noises:
            h.update(f"{noise.name}={noise.digest}|".encode())
        h.update(str(self.seed).encode())
        return h.hexdigest()

    def __getitem__(self, name: str) -> Noise:
        for noise in self.noises:
            if noise.name == name:
                return noise
        raise KeyError(f"no noise {name!r}; there are {', '.join(self.names) or 'none'}")

    def select(self, names: Sequence[str]) -> NoiseSet:
        """Return the set with only the noises called *names*; ``UsageError`` lists what exists."""
        unknown = sorted(set(names) - set(self.names))
        if unknown:
            raise UsageError(
                f"unknown noise {', '.join(unknown)}; this set has {', '.join(self.names) or 'none'}"
            )
        return NoiseSet(self.name, tuple(n for n in self.noises if n.name in names), self.seed)


def load_noises(folder: Path | str | None, name: str | None = None, seed: int = NOISE_SEED) -> NoiseSet:
    """Return the noise set in *folder* (``*.flac``, ``*.wav``, ``*.ogg``), or an empty one for None.

    Parameters
    ----------
    folder : Path or None
        The recordings; sub-folders are not searched.
    name : str, optional
        Name in signatures; default: the folder's.
    seed : int
        Seed of the offsets.

    Raises
    ------
    UsageError
        Where the folder is absent, holds no sound file, two of the same stem, or more than 64.
    BenchmarkError
        For a recording that cannot be read or is silent.
    """
    if folder is None:
        return NoiseSet("none", (), seed)
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(
            f"{explain_no_folder(folder)}; --noise takes a folder of WAV, FLAC or OGG recordings"
        )
    files = sorted(
        p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".")
    )
    if not files:
        raise UsageError(f"{folder}: holds no WAV, FLAC or OGG file; put at least one noise recording there")
    if len(files) > _MAX_FILES:
        raise UsageError(
            f"{folder}: {len(files)} recordings, at most {_MAX_FILES}; choose a representative few"
        )
    stems = [p.stem for p in files]
    if twice := sorted({s for s in stems if stems.count(s) > 1}):
        raise UsageError(
            f"{folder}: two recordings are called {twice[0]!r}; rename one, names must be unique"
        )
    noises = tuple(
        Noise(p.stem, p, hashlib.blake2b(p.read_bytes(), digest_size=16).hexdigest())
        for p in sorted(files, key=lambda p: p.stem)
    )
    for noise in noises:
        if not np.any(noise.audio):
            raise BenchmarkError(
                f"{noise.path}: silent recording; no signal-to-noise ratio exists, remove it"
            )
    return NoiseSet(name or folder.resolve().name, noises, seed)


@lru_cache(maxsize=_MAX_FILES)
def _load(path: Path, digest: str) -> np.ndarray:
    """Load *path*; its digest is part of the key, so that a rewritten file is read again."""
    audio = load_audio(path)
    audio.setflags(write=False)
    return audio
