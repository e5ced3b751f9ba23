"""Tokens as text: the list of units, ViSpeR's languages, SentencePiece.

Conventions
-----------
Token 0 is the blank, the last one begins and ends a text; between are the units, whose number is their line in the file
of units. A unit begins a word where it begins with ``▁`` (U+2581). The numbers that SentencePiece gives its pieces are
never used.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.avsr.avhubert import load_sentencepiece
from mtbench.errors import UsageError
from mtbench.speech import language_code

#: The first token, the one that begins and ends a text, and that of what is no unit.
BLANK, END, UNKNOWN = "<blank>", "<eos>", "<unk>"
#: ViSpeR's units that say which language a text is in, by ISO 639-3 code.
LANGUAGE_UNITS = {"eng": "<en>", "ara": "<ar>", "spa": "<es>", "fra": "<fr>", "cmn": "<zh>"}
#: Most bytes of a file of units.
MAX_UNITS = 16 << 20
_SPACE = "\u2581"


def read_units(path: Path) -> list[str]:
    """Return all tokens: the blank, those of a file of units, and the end.

    Parameters
    ----------
    path : Path
        ``unigram5000_units.txt`` of Auto-AVSR, ``unigram_units.txt`` of ViSpeR: a unit and a number a line.

    Raises
    ------
    UsageError
        For a file that is none.
    """
    try:
        if path.stat().st_size > MAX_UNITS:
            raise ValueError(f"larger than {MAX_UNITS >> 20} MB")
        lines = path.read_text("utf-8-sig").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: not a file of units that can be read ({error}); expected the *_units.txt that is published "
            "beside the model, a unit and its number a line"
        ) from None
    units = []
    for number, line in enumerate(lines, 1):
        unit, _, count = line.rstrip("\r ").rpartition(" ")
        if not unit or not count.isdigit():
            raise UsageError(
                f"{path}, line {number}: {line[:60]!r} is no unit with a number; expected the *_units.txt that is "
                "published beside the model"
            )
        units.append(unit)
    return [BLANK, *units, END]


def taught_languages(pieces: Sequence[str]) -> frozenset[str]:
    """Return ISO 639-3 codes: those that units name; English alone where none does.

    Examples
    --------
    >>> sorted(taught_languages(["<blank>", "<fr>", "<ar>", "<eos>"])), sorted(taught_languages([]))
    (['ara', 'fra'], ['eng'])
    """
    named = {code for code, unit in LANGUAGE_UNITS.items() if unit in pieces}
    return frozenset(named or {"eng"})


@dataclass(frozen=True)
class Units:
    """What the tokens of a network mean.

    Attributes
    ----------
    size : int
        Tokens that the network has.
    pieces : tuple of str
        By token; empty where nobody said.
    tokenizer : path or None
        The SentencePiece model, read when it is needed.
    """

    size: int
    pieces: tuple[str, ...] = ()
    tokenizer: Path | None = None

    def __post_init__(self) -> None:
        if not self.pieces:
            return
        if len(self.pieces) != self.size:
            raise UsageError(
                f"a list of {len(self.pieces)} tokens for a network of {self.size}; expected the units that are "
                f"published beside the model, with {BLANK} before and {END} after. Perhaps they are another model's."
            )
        if (self.pieces[0], self.pieces[-1]) != (BLANK, END):
            raise UsageError(
                f"a list of tokens from {self.pieces[0][:40]!r} to {self.pieces[-1][:40]!r}, expected {BLANK} and {END}"
            )

    @property
    def end(self) -> int:
        """The token that begins and ends a text."""
        return self.size - 1

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-3 codes; English alone where no unit names a language."""
        return taught_languages(self.pieces)

    @property
    def many_languages(self) -> bool:
        """Whether units name languages, as ViSpeR's do."""
        return any(unit in self.pieces for unit in LANGUAGE_UNITS.values())

    def start(self, language: str | int | None) -> list[int]:
        """Return the tokens that every hypothesis begins with: the beginning and, where units name it, the language.

        Parameters
        ----------
        language : str, int or None
            A language in whatever way people write it, its unit, or the number of that; None leaves it open.

        Raises
        ------
        UsageError
            For a language that the network was not taught.
        """
        if language is None:
            return [self.end]
        if isinstance(language, int):
            language = self.pieces[language] if 0 <= language < len(self.pieces) else str(language)
        code = language_code(language.strip("<>"))
        if code not in self.languages:
            known = ", ".join(sorted(self.languages))
            raise UsageError(f"this network was not taught {code}; expected one of {known}")
        return [self.end, self.pieces.index(LANGUAGE_UNITS[code])] if self.many_languages else [self.end]

    def detokenize(self, tokens: Sequence[int], language: str | int | None = None) -> str:
        """Return the text of *tokens*, which begin as :meth:`start` has it; the end is not written.

        As published: blanks are cut off first and the end afterwards, so that a blank before the end stays; units of
        languages that were said, and the unknown, are written.
        """
        if not self.pieces:
            raise UsageError("no list of units to read tokens with; load the model with tokens=")
        said = "".join(self.pieces[int(token)] for token in tokens[len(self.start(language)) :])
        return said.replace(_SPACE, " ").strip().replace(END, "")

    def write_as_taught(self, text: str) -> str:
        """Return *text* as transcripts of the training were written: no punctuation but apostrophes, one case.

        The case is that of the units: upper where none has a small Latin letter.
        """
        text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
        kept = "".join(" " if unicodedata.category(c)[0] == "P" and c != "'" else c for c in text)
        units = "".join(self.pieces[1:-1])
        upper = not any("a" <= c <= "z" for c in units.replace(UNKNOWN, "")) and any(
            "A" <= c <= "Z" for c in units
        )
        return " ".join((kept.upper() if upper else kept.lower()).split())

    def tokenize(self, text: str, language: str | int | None = None) -> list[int]:
        """Return the tokens of *text*, the language's before them, without beginning and end.

        Chinese of a network of many languages is taken character by character, and but for the first no blank is kept.
        """
        if not self.pieces or self.tokenizer is None:
            raise UsageError(
                "no units or no tokenizer to make tokens with; load the model with tokens= and tokenizer="
            )
        first = self.start(language)[1:]
        chinese = bool(first) and self.pieces[first[0]] == LANGUAGE_UNITS["cmn"]
        parts = load_sentencepiece(self.tokenizer).encode(" ".join(text) if chinese else text, out_type=str)
        if chinese:
            parts = [part for place, part in enumerate(parts) if place == 0 or part != _SPACE]
        numbers = {piece: number for number, piece in reversed([*enumerate(self.pieces)])}
        return [*first, *(numbers.get(part, numbers[UNKNOWN]) for part in parts)]
