"""The words of a clip, from the text file beside it.

Conventions
-----------
A text holds the words that are spoken and nothing else; lines are joined. Texts of LRS2 and LRS3 (``Text:``,
``Conf:``, a table of times) are known: the words after ``Text:`` are taken. Subtitles, alignments and records of other
programs are refused, for their numbers and marks would count as words.
"""

from __future__ import annotations

import codecs
import itertools
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

#: Longest text file in bytes.
MAX_TEXT = 100_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", ""),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_CUE = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?[.,]\d{1,3}\s*-->\s*\d{1,2}:\d{2}")
_LRS_FIELD = re.compile(r"(Conf|Ref|Text):|WORD\s+START\s+END")
#: What speaks of another file than one of words, and what it then is.
_WORDS_ONLY = "write the words that are spoken, nothing else"


class TranscriptError(ValueError):
    """A text that is no transcript; the message says why, and what to do."""


@dataclass(frozen=True)
class Transcript:
    """The words of a clip.

    Attributes
    ----------
    text : str
        Normalized to NFC, one blank between words.
    notes : tuple of (str, str, str)
        Code, message and hint of what was read otherwise than it is written.
    """

    text: str
    notes: tuple[tuple[str, str, str], ...] = ()


def read_transcript(path: Path) -> Transcript:
    """Return the words in the text file *path*.

    Raises
    ------
    TranscriptError
        Where the file is too large, in no known encoding, empty, or something else than words.
    """
    size = path.stat().st_size
    if size > MAX_TEXT:
        raise TranscriptError(f"{size} bytes, expected the words of one clip")
    raw = path.read_bytes()
    encoding, name = next(((e, n) for bom, e, n in _BOMS if raw.startswith(bom)), ("utf-8", ""))
    try:
        written = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise TranscriptError(f"not {name or 'UTF-8'} text (byte {error.start}); save it as UTF-8") from None
    notes = []
    if name:
        notes.append(("encoding", f"read as {name}", "expected UTF-8"))
    elif written.count("\0") > 0.4 * len(written):
        raise TranscriptError("every other byte is zero, as in UTF-16 without a mark; save it as UTF-8")
    words = _take_lrs(written)
    if words is not None:
        notes.append(
            ("lrs-text", "only the words after 'Text:' were taken", "the rest is a table of LRS2 or LRS3")
        )
    else:
        words = written
        _refuse_other_kinds(written, path.stem)
    if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t\f\v" for c in words):
        notes.append(("control-characters", "control characters became blanks", "is the file damaged?"))
    words = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in words)
    text = unicodedata.normalize("NFC", " ".join(words.replace("\ufeff", " ").split()))
    if not text:
        raise TranscriptError("empty")
    return Transcript(text, tuple(notes))


def _take_lrs(written: str) -> str | None:
    """Return what stands after ``Text:`` in a text of LRS2 or LRS3, None where it is none."""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if not lines or not lines[0].startswith("Text:"):
        return None
    rest = lines[1:]
    if rest and not any(_LRS_FIELD.match(line) for line in rest):
        return None
    words = [lines[0].removeprefix("Text:")]
    for line in rest:  # a long text may go on in further lines
        if _LRS_FIELD.match(line):
            break
        words.append(line)
    return " ".join(words)


def _refuse_other_kinds(written: str, stem: str) -> None:
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if not lines:
        return
    whole = written.strip()
    if whole.startswith("WEBVTT") or _CUE.search(written):
        raise TranscriptError(f"subtitles with times (SRT or WebVTT), not a transcript; {_WORDS_ONLY}")
    if "ooTextFile" in lines[0] or lines[0].startswith('Object class = "'):
        raise TranscriptError(f"a TextGrid of Praat, not a transcript; {_WORDS_ONLY}")
    if whole.startswith("<?xml") or re.fullmatch(r"<(\w+)[^>]*>.*</\1>", whole, re.DOTALL):
        raise TranscriptError(f"XML, not a transcript; {_WORDS_ONLY}")
    if whole[0] in "{[" and _is_json(whole):
        raise TranscriptError(f"JSON, not a transcript; {_WORDS_ONLY}")
    timed = [line for line in lines if _is_timed(line, len(lines) == 1)]
    if len(timed) >= max(1, 0.6 * len(lines)):
        raise TranscriptError(
            f"a table of times (line {timed[0][:40]!r}), as of an alignment or labels, not a transcript; {_WORDS_ONLY}"
        )
    if _LRS_FIELD.match(lines[0]) or any(re.match(r"WORD\s+START\s+END", line) for line in lines):
        raise TranscriptError(
            f"fields of LRS2 or LRS3 (line {lines[0][:40]!r}) without a first line 'Text:'; {_WORDS_ONLY}"
        )
    if re.match(re.escape(stem) + r"(\.\w+)?\s*([|\t]|;(?! ))", whole):
        raise TranscriptError(f"starts with the name of the clip, as a line of a list; {_WORDS_ONLY}")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_timed(line: str, alone: bool) -> bool:
    """Return whether a line is of an alignment: a start and an end, and a label before or after them.

    A line that is *alone* may also be a sentence with numbers: there they need tabs around them, or decimals in front.
    """
    tabs = "\t" in line
    fields = [f.strip() for f in (line.split("\t") if tabs else re.split(r"[ ;|]+|, ", line)) if f.strip()]
    times = [float(f.replace(",", ".")) if _NUMBER.fullmatch(f) else None for f in fields]
    if len(fields) < 2 or (all(time is not None for time in times) and not tabs):
        return False
    for i, (start, end) in enumerate(itertools.pairwise(times)):
        if start is None or end is None:
            continue
        if alone:
            return tabs or (i == 0 and "." in fields[0] and "." in fields[1])
        # "start end label", "label start end", or utterance, channel, start, length, word (CTM)
        return i <= 2 or i == len(fields) - 2
    return False
