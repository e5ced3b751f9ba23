"""Lexicons: the words that may be said, how they are pronounced, and how common they are.

Conventions
-----------
A lexicon file is UTF-8 text with one pronunciation per line and three fields between tabs::

    word <TAB> phones between blanks <TAB> count

Several lines for one word are variants and carry the same count. The count is how often the word occurs in
the texts that the prior is estimated from (0 where it doesn't); the third field may be left out in the whole
file, then all words are equally likely. Lines that start with ``#`` and empty lines are skipped. The prior of
a word is ``(count + 1) / sum(count + 1)``: add-one, so that a word without a count can still be recognized.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtbench.errors import BenchmarkError
from mtbench.files import write_atomically

#: Most bytes of a lexicon file: about 100,000 words.
MAX_BYTES = 16 << 20
#: Most phones of one pronunciation and characters of one phone or word.
_MAX_PHONES, _MAX_PHONE, _MAX_WORD = 200, 8, 200
_MAX_COUNT = 10**12


@dataclass(frozen=True)
class Lexicon:
    """Words with pronunciations and counts.

    Attributes
    ----------
    words : tuple of str
        Each once, in the order of the file.
    pronunciations : tuple of tuple of tuple of str
        Variants of each word, each a tuple of phones; at least one, none empty.
    counts : tuple of int
        Count of each word.
    """

    words: tuple[str, ...]
    pronunciations: tuple[tuple[tuple[str, ...], ...], ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if not len(self.words) == len(self.pronunciations) == len(self.counts):
            raise ValueError("words, pronunciations and counts must be of the same length")
        if len(set(self.words)) != len(self.words):
            raise ValueError("a word may be listed only once; give its variants together")

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.words)

    @cached_property
    def log_prior(self) -> tuple[float, ...]:
        """Natural logarithm of each word's prior, see the module's conventions."""
        total = sum(self.counts) + len(self.counts)
        return tuple(math.log((count + 1) / total) for count in self.counts)

    @cached_property
    def phones(self) -> frozenset[str]:
        """Every phone that occurs."""
        return frozenset(p for variants in self.pronunciations for variant in variants for p in variant)

    def entries(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """Yield (word, phones, log prior) for every variant; variants share their word's prior."""
        for word, variants, prior in zip(self.words, self.pronunciations, self.log_prior, strict=True):
            for variant in variants:
                yield word, variant, prior

    @cached_property
    def digest(self) -> str:
        """blake2b-128 hex digest of words, pronunciations and counts."""
        return hashlib.blake2b(format_lexicon(self).encode(), digest_size=16).hexdigest()


def format_lexicon(lexicon: Lexicon) -> str:
    """Return *lexicon* as the text of a lexicon file."""
    rows = zip(lexicon.words, lexicon.pronunciations, lexicon.counts, strict=True)
    return "".join(f"{word}\t{' '.join(v)}\t{count}\n" for word, variants, count in rows for v in variants)


def write_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Write *lexicon* to *path*, all of it or nothing."""
    write_atomically(path, format_lexicon(lexicon).encode())


def load_lexicon(path: Path | str) -> Lexicon:
    """Read a lexicon file.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    BenchmarkError
        With line number and cause: unreadable or too large a file, not UTF-8, wrong number of fields, an
        empty word or pronunciation, a count that is no number, counts that differ between variants.
    """
    path = Path(path)
    lines = _read_text(path).splitlines()
    variants: dict[str, dict[tuple[str, ...], None]] = {}
    counts: dict[str, int | None] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        word, phones, count = _parse_line(line, where)
        if counts.setdefault(word, count) != count:
            raise BenchmarkError(
                f"{where}: {word!r} has the count {count} here and {counts[word]} on an earlier line; the "
                f"count belongs to the word, so all its variants carry the same"
            )
        variants.setdefault(word, {})[phones] = None
    if not variants:
        raise BenchmarkError(
            f"{path}: the lexicon has no words; expected lines of word, tab, phones between blanks"
        )
    without = [word for word, count in counts.items() if count is None]
    if without and len(without) < len(counts):
        raise BenchmarkError(
            f"{path}: {len(without)} words have no count ({without[0]!r} is the first), others have; "
            f"give all words a count or none"
        )
    return Lexicon(
        tuple(variants), tuple(tuple(v) for v in variants.values()), tuple(c or 0 for c in counts.values())
    )


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BenchmarkError(
                f"{path}: {size} bytes, too many for a lexicon (at most {MAX_BYTES}): leave out rare words"
            )
        # Bounded again: the file may have grown, or be a device without a size.
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as e:
        raise BenchmarkError(f"{path}: the lexicon cannot be read ({e.strerror or e})") from e
    if len(data) > MAX_BYTES:
        raise BenchmarkError(f"{path}: too large for a lexicon (at most {MAX_BYTES} bytes)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise BenchmarkError(f"{path}: not UTF-8 (byte {e.start}); save it as UTF-8 text") from e


def _parse_line(line: str, where: str) -> tuple[str, tuple[str, ...], int | None]:
    fields = line.split("\t")
    if len(fields) not in (2, 3):
        raise BenchmarkError(
            f"{where}: {len(fields)} fields, expected 2 or 3 with tabs between: word, phones, count. Perhaps "
            f"blanks were used for tabs."
        )
    word = unicodedata.normalize("NFC", fields[0].strip())
    if not word or len(word) > _MAX_WORD or len(word.split()) > 1:
        raise BenchmarkError(
            f"{where}: {fields[0][:40]!r} is not a word; expected 1 to {_MAX_WORD} characters without blanks"
        )
    phones = tuple(fields[1].split())
    if not phones or len(phones) > _MAX_PHONES:
        raise BenchmarkError(f"{where}: {word!r} has {len(phones)} phones, expected 1 to {_MAX_PHONES}")
    long = [p for p in phones if len(p) > _MAX_PHONE]
    if long:
        raise BenchmarkError(f"{where}: {long[0][:40]!r} is not a phone; put blanks between phones")
    if len(fields) == 2:
        return word, phones, None
    text = fields[2].strip()
    if not text.isascii() or not text.isdigit() or int(text[:20]) > _MAX_COUNT:
        raise BenchmarkError(
            f"{where}: the count {fields[2][:40]!r} is not a whole number of 0 to {_MAX_COUNT}"
        )
    return word, phones, int(text)


def make_lexicon(rows: Iterable[tuple[str, Sequence[str], int]]) -> Lexicon:
    """Return the lexicon of (word, phones, count) rows, in order; variants of a word keep its first count."""
    variants: dict[str, dict[tuple[str, ...], None]] = {}
    counts: dict[str, int] = {}
    for word, phones, count in rows:
        variants.setdefault(word, {})[tuple(phones)] = None
        counts.setdefault(word, count)
    return Lexicon(tuple(variants), tuple(tuple(v) for v in variants.values()), tuple(counts.values()))
