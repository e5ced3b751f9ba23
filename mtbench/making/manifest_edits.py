"""Adding word lists and reference phones to a ``benchmark.toml`` that people may have written by hand.

Conventions
-----------
Lines are put in; what is there keeps its place, its comments and its line ends. The result is parsed again and must
say what the old text said and the new entries, nothing else; where the file is written in a way that doesn't allow
it, an error gives the lines to add by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from mtbench.errors import BenchmarkError
from mtbench.files import quote_toml

#: Ends the lines of phones that were put in, by which they are known when they are made again.
MADE = "# by mtbench benchmark lexicon"

_CLIP = re.compile(r"\s*\[\[\s*(clips|\"clips\"|'clips')\s*\]\]\s*(#.*)?")
_TABLE = re.compile(r"\s*\[")
_LEXICONS = re.compile(r"\s*\[\s*lexicons\s*\]\s*(#.*)?")
_INLINE = re.compile(r"(\s*lexicons\s*=\s*\{)([^}]*)(\}\s*(?:#.*)?)")
_PHONES = re.compile(r"\s*phones\s*=")
_DOTTED = re.compile(r"\s*lexicons\s*\.")


def edit_manifest(text: str, lexicons: Mapping[str, str], phones: Mapping[str, str | None]) -> str:
    """Return the manifest *text* with further word lists and reference phones.

    Parameters
    ----------
    text : str
        Text of a valid ``benchmark.toml``.
    lexicons : mapping of str to str
        Files by language; languages that the manifest has no list for.
    phones : mapping of str to str or None
        Phones by clip id; they take the place of those that are there. None takes away.

    Raises
    ------
    BenchmarkError
        Where lines cannot be put in safely; the message has them.
    """
    old = tomllib.loads(text)
    wanted = deepcopy(old)
    if lexicons:
        wanted.setdefault("lexicons", {}).update(lexicons)
    for clip in wanted["clips"]:
        if clip["id"] in phones:
            clip["phones"] = phones[clip["id"]]
            if clip["phones"] is None:
                del clip["phones"]
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    _add_phones(lines, old["clips"], phones)
    _add_lexicons(lines, lexicons)
    new = end.join(lines) + end
    if _parses_to(new, wanted):
        return new
    by_hand = [f"{code} = {quote_toml(file)}" for code, file in lexicons.items()]
    raise BenchmarkError(
        "benchmark.toml is written in a way that this command cannot add to safely (expected [[clips]] tables and at "
        f"most one table [lexicons]); nothing was changed. Add by hand: [lexicons] with {', '.join(by_hand) or 'none'}"
        + (f", and phones of {len(phones)} clips" if phones else "")
    )


def made_phones(text: str) -> frozenset[str]:
    """Return the clips of the manifest *text* whose phones :func:`edit_manifest` put in."""
    clips = tomllib.loads(text)["clips"]
    sections = _find_sections(text.splitlines())
    if len(sections) != len(clips):
        return frozenset()
    lines = text.splitlines()
    return frozenset(
        clip["id"]
        for clip, (start, stop) in zip(clips, sections, strict=True)
        if any(_is_made(line) for line in lines[start:stop])
    )


def _parses_to(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _find_sections(lines: list[str]) -> list[tuple[int, int]]:
    """Return the lines of each ``[[clips]]`` table: from behind its header to before the next header."""
    heads = [i for i, line in enumerate(lines) if _TABLE.match(line)]
    ends = [*heads[1:], len(lines)]
    return [(i + 1, end) for i, end in zip(heads, ends) if _CLIP.fullmatch(lines[i])]


def _is_made(line: str) -> bool:
    return _PHONES.match(line) is not None and line.rstrip().endswith(MADE)


def _add_phones(lines: list[str], clips: list[dict[str, Any]], phones: Mapping[str, str | None]) -> None:
    sections = _find_sections(lines)
    if len(sections) != len(clips):
        return
    # From the last on, so that the places of those before stay.
    for clip, (start, stop) in reversed(list(zip(clips, sections, strict=True))):
        if clip["id"] not in phones:
            continue
        held = [i for i in range(start, stop) if _PHONES.match(lines[i])]
        last = max((i for i in range(start, stop) if _is_entry(lines[i])), default=start - 1)
        place = slice(held[0], held[0] + 1) if held else slice(last + 1, last + 1)
        value = phones[clip["id"]]
        lines[place] = [] if value is None else [f"phones = {quote_toml(value)}  {MADE}"]


def _is_entry(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _add_lexicons(lines: list[str], lexicons: Mapping[str, str]) -> None:
    if not lexicons:
        return
    entries = [f"{code} = {quote_toml(file)}" for code, file in lexicons.items()]
    heads = [i for i, line in enumerate(lines) if _LEXICONS.fullmatch(line)]
    first_table = next((i for i, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    inline = [i for i, line in enumerate(lines[:first_table]) if _INLINE.fullmatch(line)]
    dotted = [i for i, line in enumerate(lines[:first_table]) if _DOTTED.match(line)]
    if heads:
        lines[heads[0] + 1 : heads[0] + 1] = entries
    elif inline:
        match = _INLINE.fullmatch(lines[inline[0]])
        assert match is not None
        held = match[2].strip().rstrip(",")
        lines[inline[0]] = f"{match[1]} {', '.join([*([held] if held else []), *entries])} {match[3]}"
    elif dotted:
        lines[dotted[-1] + 1 : dotted[-1] + 1] = [f"lexicons.{entry}" for entry in entries]
    else:
        # Before the first table of a clip: top-level entries end there.
        place = next((i for i, line in enumerate(lines) if _CLIP.fullmatch(line)), len(lines))
        lines[place:place] = ["[lexicons]", *entries, ""]
