"""Noise recordings: where they come from, and which part of one a clip gets.

Conventions
-----------
A noise set is a folder of sound files; a noise's name is its file's stem. Every clip gets its own part of
each recording: the offset is drawn from seed, clip id and noise name, and is the same at every SNR and for
every entry (mixing ``"rms"``, :func:`mtbench.speech.audio.mix_at_snr`). Published evaluations give every clip the
beginning instead (``"published"``, :mod:`mtbench.speech.published_mixing`). Names, digests, seed and mixing are part of
every signature.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import BenchmarkError, UsageError, list_some
from mtbench.files import digest_file, explain_no_folder
from mtbench.speech.audio import MIXING_VERSION, mix_at_snr, to_pcm16
from mtbench.speech.published_mixing import PUBLISHED_MIXING_VERSION, mix_as_published
from mtbench.speech.sound_files import SOUND_SUFFIXES, load_sound
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.benchmarks import Clip

#: Seed of the offsets; another one is another measurement.
NOISE_SEED = 12345
#: Ways to mix a recording into a clip, as signatures name them.
MIXINGS = {
    "rms": f"rms@{MIXING_VERSION}({NOISE_SEED})",
    "published": f"published@{PUBLISHED_MIXING_VERSION}",
}
_MAX_FILES = 64
_log = logging.getLogger(__name__)
#: Seconds of silence in a noise that are told.
_LEAST_GAP = 1.0
#: RMS of a part beside that of the whole recording below which it counts as silent: -60 dB.
_SILENT = 1e-3


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
    mixing : str
        How it is mixed into a clip, one of :data:`MIXINGS`.
    """

    name: str
    path: Path
    digest: str
    mixing: str = "rms"

    @property
    def audio(self) -> np.ndarray:
        """(M,) float32 mono at 16 kHz; read once per process."""
        return _load(self.path, self.digest)

    def part_level(self, clip_id: str, length: int) -> float:
        """Return the RMS of the part that clip *clip_id* of *length* samples gets, beside that of all of it."""
        sums = _sum_squares(self.path, self.digest)
        whole, total = len(sums) - 1, float(sums[-1])
        first = self.offset(clip_id)
        turns, rest = divmod(first + length, whole)
        energy = turns * total + float(sums[rest]) - float(sums[first])
        return float(np.sqrt(max(energy, 0.0) / length / (total / whole)))

    def offset(self, clip_id: str) -> int:
        """Return the first sample that clip *clip_id* uses."""
        if self.mixing == "published":
            return 0
        text = f"{NOISE_SEED}|{clip_id}|{self.name}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") % len(self.audio)

    def mix(self, speech: np.ndarray, snr_db: float, clip_id: str) -> np.ndarray:
        """Return the (N,) int16 mixture of the (N,) float32 *speech* of clip *clip_id* with this noise at *snr_db*.

        Errors are those of :func:`mtbench.speech.audio.mix_at_snr`.
        """
        if self.mixing == "published":
            return mix_as_published(to_pcm16(speech), self.audio, snr_db)
        return to_pcm16(mix_at_snr(speech, self.audio, snr_db, self.offset(clip_id)))


@dataclass(frozen=True)
class NoiseSet:
    """The noises that a score is computed with.

    Attributes
    ----------
    name : str
        ``"none"`` or the folder's name.
    noises : tuple of Noise
        Noises, sorted by name.
    """

    name: str
    noises: tuple[Noise, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the noises, sorted."""
        return tuple(noise.name for noise in self.noises)

    @property
    def digest(self) -> str:
        """blake2b-64 hex digest over names, contents, and seed or mixing."""
        h = hashlib.blake2b(digest_size=8)
        for noise in self.noises:
            h.update(f"{noise.name}={noise.digest}|".encode())
        others = {noise.mixing for noise in self.noises} - {"rms"}
        h.update((",".join(MIXINGS[mixing] for mixing in others) or str(NOISE_SEED)).encode())
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
        return NoiseSet(self.name, tuple(n for n in self.noises if n.name in names))

    def check_parts(self, clips: Iterable[Clip]) -> None:
        """Refuse noises whose part for one of *clips* is silent, before anything is rendered.

        Raises
        ------
        BenchmarkError
            With noises and clips.
        """
        lines = []
        for noise in self.noises:
            hit = [
                clip.id
                for clip in clips
                if noise.part_level(clip.id, clip.frames * SAMPLES_PER_FRAME) < _SILENT
            ]
            if hit:
                lines.append(
                    f"{noise.path}: noise {noise.name} is silent in the part that clip {list_some(hit)} gets; no "
                    "signal-to-noise ratio exists there: cut the silence out of the recording"
                )
        if lines:
            raise BenchmarkError("\n".join(lines))


def load_noises(
    folder: Path | str | None, names: Sequence[str] | None = None, mixing: str = "rms"
) -> NoiseSet:
    """Return the noise set in *folder* (WAV, FLAC, OGG, MP3, …), or an empty one for None.

    Parameters
    ----------
    folder : Path or None
        The recordings.
    names : sequence of str, optional
        Recordings that are wanted by name: those that do not lie in the folder are looked for in its sub-folders, which
        are not searched otherwise. Which of them exist is for :meth:`NoiseSet.select` to say.
    mixing : str
        How they are mixed into clips, one of :data:`MIXINGS`.

    Raises
    ------
    UsageError
        Where the folder is absent, holds no sound file (and none are named), two of the same stem, or more than 64.
    BenchmarkError
        For a recording that cannot be read or is silent.
    """
    if folder is None:
        return NoiseSet("none", ())
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(
            f"{explain_no_folder(folder)}; --noise takes a folder of WAV, FLAC or OGG recordings"
        )
    files = _list_recordings(folder)
    if names is not None:
        below = [
            file for part in sorted(folder.iterdir()) if part.is_dir() for file in _list_recordings(part)
        ]
        wanted = set(names) - {file.stem for file in files}
        files += [file for file in below if file.stem in wanted]
    elif not files:
        raise UsageError(
            f"{folder}: holds no WAV, FLAC or OGG file; put at least one noise recording there (those in sub-folders "
            "are found by name: --noise-name)"
        )
    if len(files) > _MAX_FILES:
        raise UsageError(
            f"{folder}: {len(files)} recordings, at most {_MAX_FILES}; choose a representative few"
        )
    for file in files:
        # "all" is what numbers over all noises together are called; the others would break signatures.
        if file.stem.lower() == "all" or any(c in file.stem for c in "|,()#\n\r"):
            raise UsageError(
                f"{folder}: a recording cannot be called {file.stem!r}: rename it, without | , ( ) # and not 'all'"
            )
    stems = [p.stem for p in files]
    if twice := sorted({s for s in stems if stems.count(s) > 1}):
        raise UsageError(
            f"{folder}: two recordings are called {twice[0]!r}; rename one, names must be unique"
        )
    noises = tuple(
        Noise(p.stem, p, digest_file(p).short.hex(), mixing) for p in sorted(files, key=lambda p: p.stem)
    )
    for noise in noises:
        if not np.any(noise.audio):
            raise BenchmarkError(
                f"{noise.path}: silent recording; no signal-to-noise ratio exists, remove it"
            )
    return NoiseSet(folder.resolve().name, noises)


def _list_recordings(folder: Path) -> list[Path]:
    return sorted(
        p for p in folder.iterdir() if p.suffix.lower() in SOUND_SUFFIXES and not p.name.startswith(".")
    )


@dataclass(frozen=True)
class Gap:
    """A stretch of silence in a recording, in seconds."""

    start: float
    length: float

    def __str__(self) -> str:
        return f"{self.length:.1f} s of silence from {self.start:.1f} s on"


def find_gap(audio: np.ndarray) -> Gap | None:
    """Return the longest silence of a second or more in (M,) *audio* at 16 kHz, None without one.

    Silent is what lies 60 dB below the RMS of the whole, in blocks of 10 ms.
    """
    block = SAMPLE_RATE // 100
    wide = np.asarray(audio, np.float64)
    energy = np.add.reduceat(wide * wide, np.arange(0, len(wide), block)) / block
    silent = energy <= _SILENT**2 * np.mean(wide * wide)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(np.int8)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    if not len(lengths) or lengths.max() * 0.01 < _LEAST_GAP:
        return None
    longest = int(lengths.argmax())
    return Gap(float(starts[longest]) * 0.01, float(lengths[longest]) * 0.01)


@lru_cache(maxsize=_MAX_FILES)
def _load(path: Path, digest: str) -> np.ndarray:
    """Load *path*; its digest is part of the key, so that a rewritten file is read again."""
    sound = load_sound(path)
    for note in sound.notes:
        _log.info("%s: %s (%s)", path, note.message, note.hint)
    sound.samples.setflags(write=False)
    return sound.samples


@lru_cache(maxsize=_MAX_FILES)
def _sum_squares(path: Path, digest: str) -> np.ndarray:
    """Return (M + 1,) float64, the energy up to each sample."""
    wide = _load(path, digest).astype(np.float64)
    return np.concatenate([[0.0], np.cumsum(wide * wide)])
