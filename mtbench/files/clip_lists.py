"""Lists of clips beside a corpus: which to train on, and which are held out.

Conventions
-----------
A list is a text file in a corpus's folder whose name says what it is for (:data:`TRAINING`, :data:`HELD_OUT`) and
whose lines name clips as people write them::

    FaceTalk_170809_00138_TA_sentence02            the clip's name
    FaceTalk_170809_00138_TA_sentence02.npy        with the ending of its sound or its motion, in any case, or of both
    wav/FaceTalk_170809_00138_TA_sentence02.wav    under any folders, also with backslashes
    FaceTalk_170809_00138_TA/sentence02            speaker or language as a folder
    FaceTalk_170809_00138_TA                       a speaker: every clip of theirs (VOCASET's splits are so)
    "a.wav", 3.2, Italian                          the first of several columns, or several names on a line

Quotes, comments (``#``), a heading row, byte-order marks and line ends of other systems are passed over; names are
compared in Unicode's composed form, and without case where that leaves no doubt. A name that no file has is an error:
a held-out clip whose name was not understood would be trained on.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from mtbench.errors import UsageError

#: Names of lists, without ending and in any case.
TRAINING = ("train", "training")
HELD_OUT = ("test", "testing", "val", "valid", "validation", "dev", "eval", "heldout", "held_out", "held-out")
#: Endings of lists.
LIST_SUFFIXES = (".txt", ".csv", ".tsv", ".lst", ".list")
#: Endings that are no part of a clip's name.
_CLIP_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".mp3", ".m4a", ".mp4", ".avi", ".mkv", ".mov", ".webm", ".npy", ".npz", ".pkl",
    ".txt", ".json", ".textgrid",
)  # fmt: skip
_HEADINGS = ("name", "names", "file", "files", "filename", "file_name", "path", "clip", "clips", "id", "audio",
             "audio_path", "wav", "subject", "speaker")  # fmt: skip
_MOST_BYTES = 64 << 20
#: Names that an error shows.
_SHOWN = 10


def clip_name(file_name: str) -> str:
    """Return a clip's name: a file's, in Unicode's composed form, without endings of sound and motion.

    Examples
    --------
    >>> clip_name("Italian_01.wav.WAV")
    'Italian_01'
    """
    name = unicodedata.normalize("NFC", file_name)
    while (ending := PurePosixPath(name).suffix).lower() in _CLIP_SUFFIXES:
        name = name[: -len(ending)]
    return name


def read_lists(
    root: Path, clips: Iterable[str], speakers: Mapping[str, Iterable[str]]
) -> tuple[set[str] | None, dict[str, str]]:
    """Read every list of a corpus.

    Parameters
    ----------
    root : Path
        The corpus's folder.
    clips : iterable of str
        Names of the clips that are there (:func:`clip_name`), usable or not.
    speakers : mapping
        Names of the clips of each speaker that a list may name instead.

    Returns
    -------
    chosen : set of str or None
        Clips to train on; None where no list says: all.
    held_out : dict of str to str
        The list that holds out each of the clips that are never trained on.

    Raises
    ------
    UsageError
        For names that no clip has (all of them, with names that are near), a clip that is both to be trained on and
        held out, or a list that cannot be read.
    """
    known = _Names(clips, speakers)
    chosen: set[str] | None = None
    held_out: dict[str, str] = {}
    trained_by: dict[str, str] = {}
    for path, purpose in find_lists(root):
        found = known.resolve(path)
        if purpose == "training":
            if not found:
                raise UsageError(
                    f"{path}: names no clip; name the clips to train on, or remove it to train on all"
                )
            chosen = (chosen or set()) | found
            trained_by |= dict.fromkeys(found, path.name)
        else:
            held_out |= {name: path.name for name in found if name not in held_out}
    if both := sorted((chosen or set()) & held_out.keys()):
        raise UsageError(
            f"{root}: {both[0]} is in {trained_by[both[0]]} and in {held_out[both[0]]}"
            + (f", as are {len(both) - 1} more" if len(both) > 1 else "")
            + "; what is trained on cannot be tested on: leave it out of one of them"
        )
    return chosen, held_out


def find_lists(root: Path) -> list[tuple[Path, str]]:
    """Return the lists of a folder and what each is for, in the order of their names."""
    lists = []
    for path in sorted(root.iterdir()):
        stem, suffix = path.stem.lower(), path.suffix.lower()
        if suffix in LIST_SUFFIXES and stem in TRAINING + HELD_OUT:
            if not path.is_file():
                raise UsageError(f"{path}: no file that can be read, expected a list of clips, a name a line")
            lists.append((path, "training" if stem in TRAINING else "held out"))
    return lists


def _read_lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path}: larger than {_MOST_BYTES} bytes, expected a name a line")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}); it says what must not be trained on"
        ) from None
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: not UTF-8 text (byte {error.start}), expected a name a line; save it as UTF-8"
        ) from None
    if "\0" in text:
        raise UsageError(f"{path}: not text, expected a name a line; save it as UTF-8")
    lines = (line.strip().strip("\ufeff\u200b").strip() for line in re.split(r"[\r\n]+", text))
    return [line for line in lines if line and not line.startswith(("#", "//", ";"))]


class _Names:
    """The clips that are there, by every way of writing them."""

    def __init__(self, clips: Iterable[str], speakers: Mapping[str, Iterable[str]]) -> None:
        self._clips = {clip: {clip} for clip in clips}
        self._speakers = {unicodedata.normalize("NFC", name): set(of) for name, of in speakers.items()}
        self._loose: list[dict[str, list[str]]] = []
        for names in (self._clips, self._speakers):
            loose: dict[str, list[str]] = {}
            for name in names:
                loose.setdefault(name.casefold(), []).append(name)
            self._loose.append(loose)

    def resolve(self, path: Path) -> set[str]:
        """Return the clips that a list names."""
        found: set[str] = set()
        unknown = []
        for number, line in enumerate(_read_lines(path)):
            names = self._find_on_line(line)
            if names is not None:
                found |= names
            elif number > 0 or _split(line)[0].lower() not in _HEADINGS:
                unknown.append(line)
        if unknown:
            lines = "".join(f"\n  - {line[:200]}{self._suggest(line)}" for line in unknown[:_SHOWN])
            more = f"\n  - and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise UsageError(
                f"{path}: {len(unknown)} name(s) that no clip here has; correct them, or remove those whose clips you "
                f"do not have:{lines}{more}"
            )
        return found

    def _find_on_line(self, line: str) -> set[str] | None:
        """Return the clips that a line names, None where it names none."""
        whole = self._find(line)
        if whole is not None:
            return whole[1]
        for columns in (_split(line), line.split()):
            found = [self._find(column) for column in columns]
            if found[0] is None:
                continue
            known = [one for one in found if one is not None]
            if len(known) > 1 and any(
                one is None and self._is_near(column) for one, column in zip(found, columns, strict=True)
            ):
                return None  # several names, and one of them misspelt
            clips = set().union(*(one[1] for one in known if one[0] == 0))
            speakers = set().union(*(one[1] for one in known if one[0] == 1))
            # A clip beside its speaker is that clip; all else that is named counts.
            return clips if clips and clips <= speakers else clips | speakers
        return None

    def _is_near(self, column: str) -> bool:
        """Whether what is no name is nearly one."""
        names = [*self._clips, *self._speakers][:20_000]
        return bool(difflib.get_close_matches(clip_name(_unquote(column)), names, n=1, cutoff=0.7))

    def _find(self, text: str) -> tuple[int, set[str]] | None:
        """Return the kind (0 a clip, 1 a speaker) and the clips of one name."""
        parts = [p for p in _unquote(text).replace("\\", "/").split("/") if p not in ("", ".", "..")]
        if not parts:
            return None
        last = clip_name(parts[-1])
        candidates = [unicodedata.normalize("NFC", parts[-1]), last]
        if len(parts) > 1:
            candidates.append(clip_name(f"{parts[-2]}_{parts[-1]}"))
        for kind, (names, loose) in enumerate(zip((self._clips, self._speakers), self._loose, strict=True)):
            for candidate in candidates:
                if candidate in names:
                    return kind, names[candidate]
                alike = loose.get(candidate.casefold(), [])
                if len(alike) == 1:
                    return kind, names[alike[0]]
        return None

    def _suggest(self, line: str) -> str:
        parts = [part for part in re.split(r"[/\\]", _unquote(_split(line)[0])) if part]
        name = clip_name(parts[-1]) if parts else ""
        near = difflib.get_close_matches(name, [*self._clips, *self._speakers][:20_000], n=3)
        return f" (near: {', '.join(near)})" if near else ""


def _split(line: str) -> list[str]:
    """Return the columns of a line, without quotes."""
    return [_unquote(column) for column in re.split(r"[,;|\t]", line)]


def _unquote(text: str) -> str:
    text = text.strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    return text
