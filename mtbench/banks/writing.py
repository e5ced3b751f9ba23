"""Writing a bank, recording by recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.banks.manifest import MANIFEST
from mtbench.benchmarks import format_phone_times
from mtbench.files import format_toml, make_folder, write_atomically
from mtbench.timing import SAMPLE_RATE

if TYPE_CHECKING:
    from mtbench.benchmarks import PhoneTime

_FOLDERS = ("sound", "motion", "phones")


@dataclass
class BankWriter:
    """Writes the files of a bank; the manifest comes last, so that a folder that has one is whole.

    Attributes
    ----------
    folder : Path
        Files of the same names are replaced.
    name, license, credit : str
        As in the manifest.
    kind : str
        Of the motion.
    topology : str or None
        Of vertices.
    notes : str
        How the bank was made.
    speakers : dict of str to str
        What is to be said about each speaker.
    """

    folder: Path
    name: str
    license: str
    credit: str
    kind: str = "units"
    topology: str | None = None
    notes: str = ""
    speakers: dict[str, str] = field(default_factory=dict)
    _tables: list[str] = field(default_factory=list)

    def add(
        self,
        recording: str,
        speaker: str,
        language: str,
        sound: np.ndarray,
        motion: Mapping[str, np.ndarray],
        phones: Iterable[PhoneTime],
        fps: float = 25.0,
        split: str = "train",
    ) -> None:
        """Write one recording's files.

        Parameters
        ----------
        recording, speaker, language : str
            Id, who speaks, and ISO 639-3.
        sound : (N,) float
            Mono at 16 kHz, -1..1.
        motion : mapping of str to array
            The arrays of a motion file.
        phones : iterable of PhoneTime
            Pauses included.
        fps : float
            Of the motion.
        split : str
            ``"train"`` or ``"development"``.
        """
        import soundfile

        from mtbench.speech import to_pcm16

        for name in _FOLDERS:
            make_folder(self.folder / name)
        files = {
            "sound": f"sound/{recording}.flac",
            "motion": f"motion/{recording}.npz",
            "phones": f"phones/{recording}.tsv",
        }
        soundfile.write(
            self.folder / files["sound"], to_pcm16(sound), SAMPLE_RATE, format="FLAC", subtype="PCM_16"
        )
        np.savez_compressed(self.folder / files["motion"], allow_pickle=False, **motion)
        (self.folder / files["phones"]).write_text(format_phone_times(phones), encoding="utf-8", newline="\n")
        self.speakers.setdefault(speaker, "")
        fields = {
            "id": recording,
            "speaker": speaker,
            "language": language,
            **files,
            "fps": fps,
            "split": split,
        }
        self._tables.append(f"\n[[recordings]]\n{format_toml(fields)}")

    def finish(self) -> None:
        """Write the manifest."""
        head = {
            "schema": 1,
            "name": self.name,
            "license": self.license,
            "credit": self.credit,
            "kind": self.kind,
        }
        head |= {} if self.topology is None else {"topology": self.topology}
        head |= {"notes": self.notes} if self.notes else {}
        people = "".join(
            f'\n[speakers."{name}"]\n{format_toml({"about": about} if about else {})}'
            for name, about in self.speakers.items()
        )
        text = format_toml(head) + people + "".join(self._tables)
        write_atomically(self.folder / MANIFEST, text.encode())
