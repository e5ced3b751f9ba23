"""The files that a benchmark is made of: recordings, their texts and ground truth, and in which language they are.

Conventions
-----------
Files belong together by their stems, in any Unicode form; endings may be in any case. A text lies beside its
recording. What fits no recording is named, never passed over in silence. The language of a clip is what the option
says; else what its name begins with (``Italian_…``, ``ita_…``) and the folders that it lies in say, which must agree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mtbench.benchmarks import CLIP_ID
from mtbench.errors import UsageError
from mtbench.files import explain_no_folder
from mtbench.making.notes import Ledger
from mtbench.making.truth import MOTION_SUFFIXES
from mtbench.speech import (
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    TranscriptError,
    display_name,
    find_code,
    language_code,
    read_transcript,
)

RECORDING_SUFFIXES = SOUND_SUFFIXES + VIDEO_SUFFIXES
#: Other files that may say what is spoken.
_TEXT_LIKE = (
    ".lab",
    ".align",
    ".textgrid",
    ".srt",
    ".vtt",
    ".trn",
    ".ctm",
    ".phn",
    ".wrd",
    ".json",
    ".tsv",
    ".csv",
)
#: Files that systems leave in folders.
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Source:
    """The files of one clip.

    Attributes
    ----------
    id : str
        Clip id.
    name : str
        Path of the recording within its folder, for messages.
    language : str
        ISO 639-3 code.
    transcript : str
    sound : Path
        Sound or video file.
    motion : Path or None
        Ground truth.
    """

    id: str
    name: str
    language: str
    transcript: str
    sound: Path
    motion: Path | None


def collect_sources(folder: Path, motion: Path | None, language: str | None, ledger: Ledger) -> list[Source]:
    """Return the clips in *folder*, in the order of their paths.

    Parameters
    ----------
    folder : Path
        Recordings and texts, also in subfolders.
    motion : Path or None
        Folder of the ground truth; None: beside the recordings.
    language : str or None
        Language of all clips; None: by names and folders.
    ledger : Ledger
        Gets what is wrong, and what is passed over or guessed.

    Raises
    ------
    UsageError
        Where *motion* is no folder, or *language* unknown.
    """
    fixed = language_code(language) if language else None
    if motion is not None and not motion.is_dir():
        raise UsageError(f"{explain_no_folder(motion)}; ground truth is looked for in a folder")
    files = _list_files(folder, ledger)
    truths = _list_files(motion, ledger) if motion is not None else files
    truths = {path: shown for path, shown in truths.items() if path.suffix.lower() in MOTION_SUFFIXES}
    sounds = [path for path in files if path.suffix.lower() in RECORDING_SUFFIXES]
    if not sounds:
        ledger.findings.append(f"no recordings; looked for {', '.join(RECORDING_SUFFIXES)}")
    by_stem: dict[str, list[Path]] = {}
    for path in truths:
        by_stem.setdefault(_key(path.stem), []).append(path)
    texts = {(path.parent, _key(path.stem)): path for path in files if path.suffix.lower() == ".txt"}
    used: set[Path] = set(sounds)
    seen: dict[str, str] = {}
    sources = []
    for sound in sounds:
        shown = files[sound]
        text = texts.get((sound.parent, _key(sound.stem)))
        truth = _choose_truth(sound, shown, by_stem.get(_key(sound.stem), []), truths, ledger)
        used.update(path for path in (text, *by_stem.get(_key(sound.stem), ())) if path is not None)
        clip = re.sub(r"[^A-Za-z0-9._-]+", "-", sound.stem).strip("-._")
        other = seen.setdefault(clip.lower(), shown)
        if other != shown:
            ledger.findings.append(f"{shown}: the same clip name as {other}; rename one")
            continue
        if not re.fullmatch(CLIP_ID, clip):
            ledger.findings.append(f"{shown}: no name for a clip can be made of it; use letters and digits")
            continue
        if clip != sound.stem:
            ledger.note(
                "renamed", shown, f"the clip is called {clip}", "ids hold letters, digits, '.', '_' and '-'"
            )
        code = fixed or guess_language(sound, folder, shown, ledger)
        transcript = _read_text(sound, shown, text, ledger)
        for partner in (text, truth):
            if partner is not None and partner.stem != sound.stem:
                ledger.note(
                    "unicode-form",
                    partner.name,
                    f"taken for {shown}: the names differ in their Unicode form",
                    "é is one character or two; some systems change it",
                )
        if code is not None and transcript is not None:
            sources.append(Source(clip, shown, code, transcript, sound, truth))
    _tell_unused(files | truths, used, [path.stem for path in sounds], ledger)
    return sources


def _key(stem: str) -> str:
    return unicodedata.normalize("NFC", stem)


def _list_files(folder: Path, ledger: Ledger) -> dict[Path, str]:
    """Return the files in *folder* that count, with the names that messages call them."""
    found: dict[Path, str] = {}
    for path in sorted(folder.rglob("*")):
        shown = path.relative_to(folder).as_posix()
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        if hidden or path.name.lower() in _SYSTEM_FILES:
            # One line for a hidden folder, none for what is in it.
            if not any(part.startswith(".") for part in parts[:-1]):
                ledger.note(
                    "hidden",
                    shown,
                    "passed over: hidden, or a file of the system",
                    "rename it if it is yours",
                )
        elif path.is_symlink() and not path.exists():
            ledger.findings.append(f"{shown}: a link to nothing; copy the file, or remove it")
        elif path.is_symlink() and path.is_dir():
            ledger.note("link", shown, "passed over: a link to a folder", "give that folder, or copy it here")
        elif path.is_file():
            found[path] = shown
            if path.is_symlink():
                ledger.note(
                    "link", shown, "a link: what it points to is copied", "the benchmark has no links"
                )
        elif not path.is_dir():
            ledger.note("not-used", shown, "passed over: a pipe, socket or device", "remove it")
    return found


def _choose_truth(
    sound: Path, shown: str, candidates: list[Path], names: dict[Path, str], ledger: Ledger
) -> Path | None:
    """Return the ground truth of *sound*: the one file of its stem, or the one beside it."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    beside = [path for path in candidates if path.parent == sound.parent]
    listed = ", ".join(names[path] for path in candidates)
    if len(beside) == 1:
        others = ", ".join(names[path] for path in candidates if path != beside[0])
        ledger.note(
            "motion-choice", shown, f"{names[beside[0]]} was taken, not {others}", "it lies beside the sound"
        )
        return beside[0]
    ledger.findings.append(f"{shown}: several files of motion fit it ({listed}); keep one")
    return None


def guess_language(sound: Path, folder: Path, shown: str, ledger: Ledger) -> str | None:
    """Return the language that the name of *sound* and its folders below *folder* say; None is told as a finding.

    Names count where they begin with a language's name or three-letter code and ``_``: two letters are a word of some
    language as often (``hi_there``, ``it_was_late``).
    """
    told: dict[str, str] = {}
    prefix = sound.stem.split("_")[0] if "_" in sound.stem else ""
    if len(prefix) >= 3 and (code := find_code(prefix)) is not None:
        told[code] = f"its name, {prefix}_…"
    for part in sound.relative_to(folder).parts[:-1]:
        if (code := find_code(part)) is not None:
            told.setdefault(code, f"its folder, {part}/")
    if len(told) > 1:
        said = " and ".join(f"{display_name(code)} ({how})" for code, how in told.items())
        ledger.findings.append(f"{shown}: {said}: which one is spoken? give --language, or rename")
        return None
    if not told:
        ledger.findings.append(
            f"{shown}: language unknown; give --language, call it '<Language>_{sound.name}', or put it "
            "into a subfolder called after its language"
        )
        return None
    code, how = next(iter(told.items()))
    ledger.note(
        f"language-{code}", shown, f"{display_name(code)}, by {how}", "give --language if that is wrong"
    )
    return code


def _read_text(sound: Path, shown: str, text: Path | None, ledger: Ledger) -> str | None:
    expected = Path(shown).with_suffix(".txt").as_posix()
    if text is None:
        other = next((p for p in sorted(sound.parent.glob("*")) if _is_text_like(p, sound)), None)
        there = f" ({other.name} is not read)" if other is not None else ""
        ledger.findings.append(f"{expected}: missing{there}; put the words of {sound.name} there")
        return None
    try:
        transcript = read_transcript(text)
    except TranscriptError as error:
        more = f"; put the words of {sound.name} there" if str(error) == "empty" else ""
        ledger.findings.append(f"{expected}: {error}{more}")
        return None
    except OSError as error:
        ledger.findings.append(f"{expected}: cannot be read ({error.strerror}); check its permissions")
        return None
    for code, message, hint in transcript.notes:
        ledger.note(code, expected, message, hint)
    return transcript.text


def _is_text_like(path: Path, sound: Path) -> bool:
    return _key(path.stem) == _key(sound.stem) and path.suffix.lower() in _TEXT_LIKE


def _tell_unused(files: dict[Path, str], used: set[Path], stems: Iterable[str], ledger: Ledger) -> None:
    """Name the files that became part of nothing."""
    stems = [_key(stem) for stem in stems]
    for path, shown in files.items():
        if path in used:
            continue
        near = get_close_matches(_key(path.stem), stems, n=1, cutoff=0.5) if len(stems) < 1000 else []
        begun = [stem for stem in stems if _key(path.stem).startswith(stem)]
        hint = (
            f"did you mean {max(begun, key=len) if begun else near[0]}{path.suffix.lower()}?"
            if begun or near
            else ""
        )
        suffix = path.suffix.lower()
        if suffix in MOTION_SUFFIXES:
            ledger.note(
                "motion-without-sound",
                shown,
                "ground truth that fits no recording",
                hint or "stems must be the same",
            )
        elif suffix == ".txt":
            ledger.note("text-without-sound", shown, "a text without a recording", hint or "passed over")
        else:
            ledger.note(
                "not-used", shown, f"passed over: {suffix or 'no'} ending is not read", _advise(suffix)
            )


def _advise(suffix: str) -> str:
    if suffix in (".wma", ".amr", ".ape", ".aifc", ".3gp", ".mts", ".ts", ".flv", ".wmv", ".caf", ".sph"):
        return "convert it to wav"
    if suffix in (".pkl", ".pt", ".mat", ".obj", ".ply", ".csv", ".json"):
        return "ground truth is npy or npz"
    return "remove it if it belongs to no clip"
