"""Benchmarks: a folder of clips with text, sound and, where there is some, ground-truth motion.

Conventions
-----------
A benchmark is a folder with a ``benchmark.toml``; every file it names lies inside. Sound is mono at 16 kHz,
motion has 25 frames per second, so that a clip of N samples has ``ceil(N / 640)`` frames; the sound is padded
with zeros to a whole number of frames. Languages are ISO 639-3 codes. The bundled benchmark is such a folder.

Other versions of a benchmark may lie in the same folder and share files with it: ``benchmark-<version>.toml`` is the
manifest of one. A manifest counts as ``benchmark.toml`` in the digest, whatever it is called, so that a version can
become the folder's main one, or lie in a folder of its own, and stay the same benchmark.

.. code-block:: toml

    schema = 1
    name = "my-clips"
    version = "1"
    topology = "flame-5023"      # of the ground truth; leave out where there is none
    fps = 25
    sample_rate = 16000
    title = "…"                  # optional, as are description, license, notes
    articulation = "everyday"    # optional: the speaking style that generated ground truth was animated in
    noises = "noise"             # optional folder of noise recordings; a noise is called by its file's stem
    [lexicons]                   # optional word lists by language
    ita = "lexicon/ita.tsv"
    [templates]                  # optional resting faces by speaker; or templates = "templates.pkl"
    "speaker-1" = "templates/speaker-1.npz"
    [[clips]]
    id = "ita-01"                # letters, digits, '.', '_' and '-'
    language = "ita"
    transcript = "ogni individuo ha diritto"
    audio = "audio/ita-01.flac"
    frames = 97
    source = "udhr-03"           # optional: clips of one recording are resampled together in intervals
    motion = "motion/ita-01.npz" # optional ground truth
    speaker = "speaker-1"        # optional: whose face in [templates] it is
    template = "rest.npz"        # optional, in place of the speaker's: the face at rest (npy, npz, ply, obj, pkl)
    phones = "o ɲ i"             # optional reference phones
    phone_times = "phones/ita-01.tsv"  # optional
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mtbench.benchmarks.clip import Clip
from mtbench.benchmarks.installed import ON_DEMAND, installed_benchmarks
from mtbench.benchmarks.manifest import MANIFEST, MAX_MANIFEST, OTHER_MANIFESTS, BenchmarkManifest
from mtbench.bundled import data_path
from mtbench.errors import BenchmarkError, UsageError, did_you_mean
from mtbench.files import (
    PathError,
    digest_file,
    explain_no_folder,
    read_toml,
    resolve_inside,
    validation_lines,
)
from mtbench.timing import FPS

if TYPE_CHECKING:
    from mtbench.speech import Lexicon


@dataclass(frozen=True)
class Benchmark:
    """A loaded benchmark; see the module's text for the folder.

    Attributes
    ----------
    name, version : str
    topology : str or None
        Topology of the ground truth; None where there is none.
    fps : float
        Always 25.
    clips : tuple of Clip
        Clips in the manifest's order.
    manifest_path : Path
        The manifest's file, by which :func:`load_benchmark` finds the benchmark again.
    lexicons : dict of str to Path
        Word lists by language.
    noise_folder : Path or None
        Folder of noise recordings.
    manifest : BenchmarkManifest
        Everything else that the manifest says.
    """

    name: str
    version: str
    topology: str | None
    fps: float
    clips: tuple[Clip, ...]
    manifest_path: Path
    lexicons: dict[str, Path]
    noise_folder: Path | None
    manifest: BenchmarkManifest

    @property
    def ref(self) -> str:
        """``name@version``, as submissions and results write it."""
        return f"{self.name}@{self.version}"

    @property
    def root(self) -> Path:
        """The folder, in which other versions of the benchmark may lie too."""
        return self.manifest_path.parent

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-3 codes in the order in which clips bring them up."""
        return tuple(dict.fromkeys(clip.language for clip in self.clips))

    @cached_property
    def _by_id(self) -> dict[str, Clip]:
        return {clip.id: clip for clip in self.clips}

    def clip(self, clip_id: str) -> Clip:
        """Return the clip called *clip_id*; ``UsageError`` names similar ones."""
        if clip_id in self._by_id:
            return self._by_id[clip_id]
        raise UsageError(f"benchmark {self.ref} has no clip {clip_id!r}{did_you_mean(clip_id, self._by_id)}")

    def __getitem__(self, clip_id: str) -> Clip:
        """Return the clip called *clip_id*, as :meth:`clip` does; by number they are in :attr:`clips`."""
        if not isinstance(clip_id, str):
            raise UsageError(
                f"clips are called by id, not by {clip_id!r}: {self.name}[{self.clips[0].id!r}], or .clips[0]"
            )
        return self.clip(clip_id)

    def __contains__(self, clip: object) -> bool:
        """Whether *clip* is the id of a clip, or one of the clips."""
        return clip in self._by_id if isinstance(clip, str) else clip in self.clips

    def __iter__(self) -> Iterator[Clip]:
        """Yield the clips in the manifest's order."""
        return iter(self.clips)

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clips)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from mtbench.results import benchmark_html

        return benchmark_html(self)

    def lexicon(self, language: str) -> Lexicon | None:
        """Return the word list of *language*, or None where the benchmark brings none."""
        if language not in self.lexicons:
            return None
        from mtbench.speech import load_lexicon

        return load_lexicon(self.lexicons[language])

    def files(self) -> Iterator[Path]:
        """Yield every file of the benchmark, the manifest first, then by name."""
        named = {clip.audio_path for clip in self.clips} | set(self.lexicons.values())
        optional = (p for c in self.clips for p in (c.motion_path, c.phone_times_path, c.template_path))
        named |= {p for p in optional if p is not None}
        if self.noise_folder is not None:
            named |= {p for p in self.noise_folder.iterdir() if p.is_file() and not p.name.startswith(".")}
        yield self.manifest_path
        yield from sorted(named)

    @cached_property
    def digest(self) -> str:
        """blake2b-128 hex digest of the manifest and of every file that it names."""
        h = hashlib.blake2b(digest_size=16)
        for path in self.files():
            name = MANIFEST if path == self.manifest_path else path.relative_to(self.root).as_posix()
            h.update(name.encode() + b"\0" + digest_file(path).long)
        return h.hexdigest()


def bundled_benchmarks() -> dict[str, Path]:
    """Return the folders of the benchmarks that ship with the package, by name."""
    folder = data_path("benchmarks")
    return {p.parent.name: p.parent for p in sorted(folder.glob(f"*/{MANIFEST}"))}


def known_benchmarks() -> dict[str, Path]:
    """Return the folders of the benchmarks that are found by name: the bundled ones, and those in the data folder."""
    bundled = bundled_benchmarks()
    return bundled | {name: folder for name, folder in installed_benchmarks().items() if name not in bundled}


def list_versions(folder: Path) -> list[Benchmark]:
    """Return every version of a benchmark that lies in *folder*, the main one, which its name stands for, first.

    Raises
    ------
    BenchmarkError
        As :func:`load_benchmark`.
    """
    return [_load(folder / MANIFEST), *(_load(path) for path in sorted(folder.glob(OTHER_MANIFESTS)))]


def load_benchmark(name: str | Path) -> Benchmark:
    """Load a benchmark by name or folder.

    Parameters
    ----------
    name : str or Path
        ``"openhead-20"``, ``"openhead-20@2"``, the path of a folder with a ``benchmark.toml``, or that of a manifest.
        What was built into the user's data folder has a name too.

    Returns
    -------
    Benchmark

    Raises
    ------
    UsageError
        For an unknown name or a path that does not exist.
    BenchmarkError
        For a folder that contradicts itself; the message lists every problem.

    Examples
    --------
    >>> benchmark = load_benchmark("openhead-20")  # doctest: +SKIP
    >>> benchmark.clips[0].load_audio().dtype  # doctest: +SKIP
    dtype('float32')
    """
    bundled = known_benchmarks()
    plain, _, version = str(name).partition("@")
    if isinstance(name, str) and plain in bundled:
        return _load_version(bundled[plain], version) if version else _load(bundled[plain] / MANIFEST)
    path = Path(name)
    if is_manifest(path):
        return _load(path)
    if not (path / MANIFEST).is_file():
        what = f"no benchmark called {str(name)!r}"
        if path.is_dir():
            what = f"the folder {path} has no {MANIFEST}"
        elif os.path.lexists(path):
            what = explain_no_folder(path)
        if plain in ON_DEMAND:
            raise UsageError(
                f"{what}: it is not shipped, and was not built here; build it with: {ON_DEMAND[plain]}"
            )
        known = ", ".join(bundled) or "none"
        raise UsageError(
            f"{what}{did_you_mean(plain, bundled)}; known: {known}; "
            "a folder of your own is made with 'mtbench benchmark new DIR'"
        )
    return _load(path / MANIFEST)


def is_manifest(path: Path) -> bool:
    """Whether *path* is a file that is called as a benchmark's manifest is."""
    return (path.name == MANIFEST or path.match(OTHER_MANIFESTS)) and path.is_file()


def _load_version(folder: Path, version: str) -> Benchmark:
    """Load the version of that number from the *folder* of a bundled benchmark."""
    # Compared with what is there, not made a path: a version may come from a stranger's manifest.
    other = next((p for p in folder.glob(OTHER_MANIFESTS) if p.name == _name_manifest(version)), None)
    benchmark = _load(other or folder / MANIFEST)
    if benchmark.version == version:
        return benchmark
    there = sorted(found.version for found in list_versions(folder))
    told = f"version {there[0]}" if len(there) == 1 else f"versions {', '.join(there)}"
    raise UsageError(f"benchmark {benchmark.name} has {told} here, not {version}")


def _name_manifest(version: str) -> str:
    """Return what the manifest of a version that is not its folder's main one is called."""
    return OTHER_MANIFESTS.replace("*", version)


def as_benchmark(benchmark: Benchmark | str | Path) -> Benchmark:
    """Return a benchmark that is given as an object as it is, and load one that is given by name or folder.

    Parameters
    ----------
    benchmark : Benchmark, str or Path

    Raises
    ------
    UsageError, BenchmarkError
        As :func:`load_benchmark`.

    Examples
    --------
    >>> benchmark = as_benchmark("openhead-20")
    >>> as_benchmark(benchmark) is benchmark
    True
    """
    return benchmark if isinstance(benchmark, Benchmark) else load_benchmark(benchmark)


def _load(path: Path) -> Benchmark:
    root = path.parent
    try:
        manifest = BenchmarkManifest.model_validate(read_toml(path, MAX_MANIFEST))
    except ValidationError as error:
        lines = "".join(f"\n  - {field}: {message}" for field, message in validation_lines(error))
        raise BenchmarkError(f"{path} does not describe a benchmark:{lines}") from None
    except ValueError as error:
        raise BenchmarkError(f"{path} {error}") from None
    findings: list[str] = []
    if path.name not in (MANIFEST, _name_manifest(manifest.version)):
        findings.append(
            f"version {manifest.version}, whose manifest is called {MANIFEST} or {_name_manifest(manifest.version)}; "
            "perhaps it was copied from another version's"
        )

    def locate(relative: str | None, where: str, folder: bool = False) -> Path | None:
        if relative is None:
            return None
        try:
            located = resolve_inside(root, relative)
        except PathError as error:
            findings.append(f"{where}: {error}; every file of a benchmark lies in its folder")
            return None
        if not (located.is_dir() if folder else located.is_file()):
            findings.append(f"{where}: there is no {'folder' if folder else 'file'} {relative}")
            return None
        return located

    given = manifest.templates
    faces = {} if isinstance(given, str) else {k: locate(v, f"templates, {k}") for k, v in given.items()}
    shared = locate(given, "templates") if isinstance(given, str) else None
    clips = []
    for item in manifest.clips:
        audio = locate(item.audio, f"clip {item.id}, audio")
        motion = locate(item.motion, f"clip {item.id}, motion")
        times = locate(item.phone_times, f"clip {item.id}, phone_times")
        template = locate(item.template, f"clip {item.id}, template")
        if item.template is None:
            template = faces.get(item.speaker) if item.speaker in faces else shared
        if item.motion is not None and manifest.topology is None:
            findings.append(f"clip {item.id}, motion: the manifest names no topology for it")
        if audio is not None:
            clips.append(
                Clip(
                    id=item.id,
                    language=item.language,
                    transcript=item.transcript,
                    source=item.source or item.id,
                    frames=item.frames,
                    phones=None if item.phones is None else tuple(item.phones.split()),
                    audio_path=audio,
                    motion_path=motion,
                    phone_times_path=times,
                    topology=manifest.topology,
                    speaker=item.speaker,
                    template_path=template,
                )
            )
    lexicons = {lang: locate(file, f"lexicons, {lang}") for lang, file in manifest.lexicons.items()}
    noise_folder = locate(manifest.noises, "noises", folder=True)
    if findings:
        raise BenchmarkError(f"{path}:" + "".join(f"\n  - {finding}" for finding in findings))
    return Benchmark(
        name=manifest.name,
        version=manifest.version,
        topology=manifest.topology,
        fps=float(FPS),
        clips=tuple(clips),
        manifest_path=path,
        lexicons={lang: file for lang, file in lexicons.items() if file is not None},
        noise_folder=noise_folder,
        manifest=manifest,
    )
