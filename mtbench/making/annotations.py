"""What is said in the clips of a data set: JSON annotations as MultiTalk releases them, or text files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.making.notes import Ledger
from mtbench.speech import TranscriptError, find_code, read_transcript

#: Most bytes of one JSON file; MultiTalk's largest has some 20 MB.
MAX_JSON = 256 << 20
_TEXT_KEYS = ("transcript", "text", "sentence")


class Texts:
    """The words of clips, by their names.

    Parameters
    ----------
    root : Path
        The data set.
    annotations : str or Path or None
        A JSON file, or a folder of them.
    folders : tuple of str
        Folders of ``<clip>.txt`` within the data set.
    by_sentence : bool
        Whether all speakers say the same sentences, so that a text may be called after the sentence alone.

    Raises
    ------
    UsageError
        Where annotations cannot be read.
    """

    def __init__(
        self, root: Path, annotations: str | Path | None, folders: tuple[str, ...], by_sentence: bool = False
    ) -> None:
        self._folders = [root / folder for folder in folders if (root / folder).is_dir()]
        self._by_sentence = by_sentence
        self._table = {} if annotations is None else _read_annotations(Path(annotations))

    def _find_entry(self, stem: str) -> Any:
        """Return a clip's annotation: under its name, without the language before it, or its sentence's."""
        keys = [stem, stem.partition("_")[2]]
        if self._by_sentence:
            keys.append(stem.rpartition("_")[2])
        return next((self._table[key] for key in keys if key and key in self._table), None)

    def language(self, stem: str) -> str | None:
        """Return the language that a clip's annotation names, None where it names none."""
        entry = self._find_entry(stem)
        name = entry.get("language") if isinstance(entry, dict) else None
        return find_code(name) if isinstance(name, str) else None

    def find(self, stem: str, sound: Path, ledger: Ledger) -> str | None:
        """Return the words of a clip, None where they are not known; a text that cannot be read is a finding."""
        entry = self._find_entry(stem)
        if isinstance(entry, dict):
            entry = next((entry[key] for key in _TEXT_KEYS if isinstance(entry.get(key), str)), None)
        if isinstance(entry, str) and entry.strip():
            return " ".join(entry.split())
        for folder in (sound.parent, *self._folders):
            path = folder / f"{stem}.txt"
            if not path.is_file():
                continue
            try:
                return read_transcript(path).text
            except TranscriptError as error:
                ledger.findings.append(f"{path.name}: {error}; put the words of {sound.name} there")
            except OSError as error:
                ledger.findings.append(
                    f"{path.name}: cannot be read ({error.strerror}); check its permissions"
                )
            return None
        return None


def _read_annotations(path: Path) -> Mapping[str, Any]:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: no JSON files there, expected annotations, e.g. italian.json")
    table: dict[str, Any] = {}
    for file in files:
        expected = 'expected {"<clip>": {"transcript": …}, …} or {"<clip>": "<text>", …}'
        try:
            if file.stat().st_size > MAX_JSON:
                raise UsageError(f"{file}: larger than {MAX_JSON >> 20} MB, {expected}")
            entries = json.loads(file.read_text("utf-8-sig"))
        except OSError as error:
            raise UsageError(f"{file}: cannot be read ({error.strerror or error}); {expected}") from None
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{file}: no JSON ({str(error)[:200]}); {expected}") from None
        if not isinstance(entries, dict):
            raise UsageError(f"{file}: a {type(entries).__name__} at the top, {expected}")
        if twice := sorted(entries.keys() & table.keys()):
            raise UsageError(f"{file}: {twice[0]} stands in another file too; keep one")
        table |= entries
    return table
