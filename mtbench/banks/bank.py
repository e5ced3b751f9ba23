"""A motion bank: the folder, its manifest, its recordings.

Conventions
-----------
Paths in the manifest are relative to the folder, with forward slashes, and may not leave it. ``docs/motion-bank.md``
describes the format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mtbench.banks.manifest import MANIFEST, MAX_MANIFEST, BankManifest, RecordingManifest
from mtbench.banks.recording import Recording
from mtbench.errors import BankError, UsageError
from mtbench.faces import load_topology, topology_of_kind
from mtbench.files import (
    PathError,
    digest_bytes,
    digest_file,
    explain_no_folder,
    read_toml,
    resolve_inside,
    validation_lines,
)


@dataclass(frozen=True)
class MotionBank:
    """Recordings of people's mouths with sound and timed phones.

    Attributes
    ----------
    name : str
    license, credit : str
        Under which terms the recordings may be used, and whom to name with what was trained on them.
    folder : Path
    recordings : tuple of Recording
    """

    name: str
    license: str
    credit: str
    folder: Path
    recordings: tuple[Recording, ...]

    def __len__(self) -> int:
        return len(self.recordings)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    def __getitem__(self, recording: str) -> Recording:
        """Return the recording of this id; ``KeyError`` where there is none."""
        for one in self.recordings:
            if one.id == recording:
                return one
        raise KeyError(f"{self.folder}: no recording {recording!r}")

    def split(self, name: str) -> tuple[Recording, ...]:
        """Return the recordings of split *name*, ``"train"`` or ``"development"``."""
        return tuple(one for one in self.recordings if one.split == name)

    def digest(self) -> str:
        """Return 32 hex digits that follow from the manifest and every file it names."""
        parts = [(self.folder / MANIFEST).read_bytes()]
        for one in self.recordings:
            for path in (one.sound_path, one.motion_path, one.phones_path, one.template_path):
                parts.append(b"" if path is None else digest_file(path).short)
        return digest_bytes(*parts)


def load_bank(folder: str | Path) -> MotionBank:
    """Return the bank in *folder*; its recordings' files are looked for, not read.

    Raises
    ------
    BankError
        Where the folder or its manifest is absent or damaged, or names files that are not there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BankError(f"{explain_no_folder(folder)}; a motion bank is a folder with {MANIFEST}")
    path = folder / MANIFEST
    if not path.exists():
        raise BankError(
            f"{path}: not there; a motion bank is a folder with {MANIFEST}, see docs/motion-bank.md"
        )
    try:
        manifest = BankManifest.model_validate(read_toml(path, MAX_MANIFEST))
    except ValidationError as error:
        told = "".join(
            f"\n  - {field or 'the whole'}: {text}" for field, text in validation_lines(error)[:20]
        )
        raise BankError(f"{path}: not as docs/motion-bank.md has it:{told}") from None
    except (ValueError, OSError) as error:
        raise BankError(f"{path}: {error}") from None
    topology = manifest.topology or topology_of_kind(manifest.kind)
    assert topology is not None
    try:
        load_topology(topology)
    except UsageError as error:
        raise BankError(f"{path}: {error}") from None
    recordings = tuple(_find_files(folder, manifest, one, topology) for one in manifest.recordings)
    return MotionBank(manifest.name, manifest.license, manifest.credit, folder, recordings)


def _find_files(folder: Path, manifest: BankManifest, one: RecordingManifest, topology: str) -> Recording:
    """Return a recording whose files are all there."""
    template = manifest.speakers[one.speaker].template
    named = {"sound": one.sound, "motion": one.motion, "phones": one.phones}
    if template is not None:
        named[f"template of speaker {one.speaker}"] = template
    paths: dict[str, Path] = {}
    for what, relative in named.items():
        try:
            paths[what] = resolve_inside(folder, relative)
        except PathError as error:
            raise BankError(f"{folder / MANIFEST}: recording {one.id}, {what}: {error}") from None
        if not paths[what].is_file():
            raise BankError(
                f"{paths[what]}: not there; {MANIFEST} names it as {what} of recording {one.id}. Perhaps the copy of "
                "the bank was cut short, or the case of a name differs"
            )
    return Recording(
        one.id,
        one.speaker,
        one.language,
        one.split,
        manifest.kind,
        topology,
        one.fps,
        paths["sound"],
        paths["motion"],
        paths["phones"],
        paths.get(f"template of speaker {one.speaker}"),
    )
