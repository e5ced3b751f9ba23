"""Noise recordings and word lists of people's own that go into a benchmark in the making."""

from __future__ import annotations

import shutil
from pathlib import Path

from mtbench.errors import BenchmarkError, UsageError
from mtbench.files import quote_toml
from mtbench.making.notes import Ledger
from mtbench.making.recordings import read_sound, write_sound
from mtbench.speech import SOUND_SUFFIXES, display_name, find_gap, iso_name, language_code, load_lexicon


def add_noise(folder: Path, work: Path, ledger: Ledger) -> list[str]:
    """Write the noise recordings of *folder* into the benchmark *work*; return the manifest's line for them."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [p for p in entries if p.suffix.lower() in SOUND_SUFFIXES and not p.name.startswith(".")]
    if not files:
        ledger.findings.append(f"{folder}: no noise recordings there; looked for {', '.join(SOUND_SUFFIXES)}")
        return []
    for other in sorted(set(entries) - set(files)):
        what = "a folder" if other.is_dir() else "hidden" if other.name.startswith(".") else "no sound file"
        ledger.note(
            "not-used",
            f"{folder.name}/{other.name}",
            f"passed over: {what}",
            "noise is sound files in one folder",
        )
    (work / "noise").mkdir()
    seen: dict[str, str] = {}
    for file in files:
        shown = f"{folder.name}/{file.name}"
        other_name = seen.setdefault(file.stem.casefold(), shown)
        if other_name != shown:
            ledger.findings.append(f"{shown}: a noise of the same name as {other_name}; rename one")
            continue
        sound = read_sound(file, shown, ledger)
        if sound is None:
            continue
        if (gap := find_gap(sound)) is not None:
            ledger.note(
                "noise-gap", shown, str(gap), "a clip that falls into it cannot be mixed: cut the silence out"
            )
        write_sound(work / "noise" / f"{file.stem}.flac", sound)
    return ['noises = "noise"']


def add_word_lists(folder: Path, work: Path, findings: list[str]) -> list[str]:
    """Copy the word lists ``<code>.tsv`` of *folder* into the benchmark *work*; return the manifest's line for them.

    Lists that cannot be used become lines of *findings*.
    """
    files = sorted(folder.glob("*.tsv")) if folder.is_dir() else []
    if not files:
        findings.append(f"{folder}: no word lists there; expected <code>.tsv, e.g. eng.tsv")
        return []
    (work / "lexicon").mkdir()
    entries: dict[str, Path] = {}
    for file in files:
        try:
            code = language_code(file.stem)
        except UsageError as error:
            # A list for a recognizer of one's own may be in any language of ISO 639-3.
            if iso_name(file.stem) is None:
                findings.append(
                    f"{file.name}: a word list is called after its language, e.g. eng.tsv; {error}"
                )
                continue
            code = file.stem
        other = entries.setdefault(code, file)
        if other is not file:
            findings.append(f"{file.name}: a second word list for {display_name(code)}, beside {other.name}")
            continue
        try:
            load_lexicon(file)
        except BenchmarkError as error:
            findings.append(str(error))
            continue
        shutil.copyfile(file, work / "lexicon" / f"{code}.tsv")
    lines = (f"{code} = {quote_toml(f'lexicon/{code}.tsv')}" for code in entries)
    return [f"lexicons = {{ {', '.join(lines)} }}"]
