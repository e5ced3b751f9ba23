"""Text normalization and tokenisation before error rates are counted.

Conventions
-----------
Reference and hypothesis go through the same normalizer; results keep the raw texts, so that any normalizer
can be applied later. A normalizer's name is part of every signature, and its behavior never changes under
the same name. Characters are Unicode code points.

Normalizers
-----------
``uni-v1`` (default)
    NFKC; case folding (``ß`` -> ``ss``, final sigma -> sigma; in Turkish ``I`` -> ``ı`` and ``İ`` ->
    ``i``); punctuation (P*) and symbols (S*) become blanks, but for apostrophes within a word, which are
    kept in one form (``'``), and the middle dot between two letters (Catalan ``l·l``), which vanishes;
    format characters (Cf: soft hyphen, joiners) vanish; blanks collapse. Digits stay as they are (NFKC
    folds full-width ones; Arabic-Indic and Thai digits stay themselves). Accents, ``ё`` and Arabic alef
    variants are letters and stay. In Arabic the tatweel (U+0640) and the optional vowel marks (tashkil,
    U+0610-061A, U+064B-0652, U+0670, U+06D6-06ED) are removed: writers leave them out at will. CER leaves
    out blanks in Japanese, Mandarin and Thai.
``multitalk``
    What MultiTalk's released script does (postech-ami/MultiTalk, ``eval_avlr/eval_avlr.py``): deletes the
    seven characters ``. , ! ; : ? /`` and newlines, and lower-cases. For comparison with the paper only.
``muavic-13a``
    What MuAViC's evaluation does through fairseq's ``WerScorer`` (``fairseq/scoring/wer.py`` with tokenizer
    13a, punctuation removed, lower case): mteval-v13a tokenisation, then tokens made of punctuation only are
    dropped, then lower case.
``uroman-1.3.1.1``
    Everything in roman letters (:mod:`mtbench.speech.romanization`); CER leaves out blanks. For recognizers that write
    roman letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from mtbench.errors import UsageError
from mtbench.speech.languages import LANGUAGES, check_code
from mtbench.speech.romanization import UROMAN, romanize

DEFAULT_NORMALIZER = "uni-v1"
#: The normalizer of recognizers that write roman letters.
ROMAN = f"uroman-{UROMAN}"

#: Languages written without blanks between words.
UNSPACED = frozenset({"jpn", "cmn", "tha"})

_APOSTROPHES = "'\u2018\u2019\u02bc\u02b9\uff07\u201b"
_MIDDLE_DOT = "\u00b7"
_ARABIC_OPTIONAL = re.compile(
    "[\u0610-\u061a\u0640\u064b-\u0652\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)


@dataclass(frozen=True)
class Normalizer:
    """A named way to bring texts into comparable form.

    Attributes
    ----------
    name : str
        Goes into signatures (``norm:…``).
    function : callable
        ``(text, language) -> str``.
    unspaced : frozenset of str
        Languages whose characters are counted without blanks.
    """

    name: str
    function: Callable[[str, str], str]
    unspaced: frozenset[str] = frozenset()

    def __call__(self, text: str, language: str) -> str:
        """Return *text* normalized for *language* (ISO 639-3); ``UsageError`` where there is no such code."""
        return self.function(text, check_code(language))

    def words(self, text: str, language: str) -> list[str]:
        """Return the words of *text* after normalization."""
        return self(text, language).split()

    def characters(self, text: str, language: str) -> list[str]:
        """Return the characters of *text* after normalization; blanks left out in unspaced languages."""
        normal = self(text, language).strip()
        if language in self.unspaced:
            normal = "".join(normal.split())
        return list(normal)


def normalize_uni_v1(text: str, language: str) -> str:
    """Return *text* in the form ``uni-v1`` (see the module's docstring).

    Parameters
    ----------
    text : str
        Any text.
    language : str
        ISO 639-3 code; only Turkish and Arabic have rules of their own.

    Returns
    -------
    str
        Words separated by single blanks; possibly empty. Normalizing twice changes nothing.

    Examples
    --------
    >>> normalize_uni_v1("¿Dónde está l’océan, «don't»?", "spa")
    "dónde está l'océan don't"
    >>> normalize_uni_v1("IŞIK, İstanbul'da!", "tur")
    "ışık istanbul'da"
    """
    # What one pass takes out can let its neighbours compose: pass until nothing changes, so that normalizing
    # a normalized text is harmless. The bound is never reached by text that people write.
    for _ in range(8):
        previous, text = text, _normalize_once(text, language)
        if text == previous:
            break
    return text


def _normalize_once(text: str, language: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    if language == "tur":
        text = text.replace("I", "ı").replace("İ", "i")
    text = unicodedata.normalize("NFKC", text.casefold())
    if language == "tur":
        text = text.replace("i\u0307", "i")
    if language == "ara":
        text = _ARABIC_OPTIONAL.sub("", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join("".join(_keep(text, i) for i in range(len(text))).split())


def _keep(text: str, i: int) -> str:
    """Return what ``uni-v1`` makes of character *i* of *text*: itself, an apostrophe, a blank or nothing."""
    c = text[i]
    if c in _APOSTROPHES:
        return "'" if _is_word_internal(text, i) else " "
    if c == _MIDDLE_DOT and _is_word_internal(text, i):
        return ""
    return " " if unicodedata.category(c)[0] in "PSZC" else c


def _is_word_internal(text: str, i: int) -> bool:
    return 0 < i < len(text) - 1 and _is_word_character(text[i - 1]) and _is_word_character(text[i + 1])


def _is_word_character(c: str) -> bool:
    return c not in _APOSTROPHES and unicodedata.category(c)[0] in "LMN"


_MULTITALK_DELETED = str.maketrans("", "", ".,!;:?/\n")


def normalize_multitalk(text: str, language: str = "") -> str:
    """Return *text* as MultiTalk's ``eval_avlr.py`` (b37c8d05) compares it.

    Deletes ``. , ! ; : ? /`` without leaving a blank, deletes newlines and outer blanks, lower-cases as
    Python does. *language* plays no part.

    Examples
    --------
    >>> normalize_multitalk("«Bitte/danke», 3,50 Euro!")
    '«bittedanke» 350 euro'
    """
    return text.translate(_MULTITALK_DELETED).lower().strip()


# The four rules of mteval-v13a's language-independent and Western tokenisation, in their order: ASCII
# punctuation other than . , ' - stands alone; so do . and , unless both neighbours are digits, and a dash
# after a digit.
_ASCII_PUNCTUATION = re.compile(r"""([!"#$%&()*+/:;<=>?@\[\\\]^_`{|}~])""")
_MARK_AFTER_NON_DIGIT = re.compile(r"([^0-9])([.,])")
_MARK_BEFORE_NON_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")


def tokenize_13a(text: str) -> list[str]:
    """Return the tokens of *text* by the rules of NIST's ``mteval-v13a.pl``.

    Examples
    --------
    >>> tokenize_13a('It costs 3,50; "really".')
    ['It', 'costs', '3,50', ';', '"', 'really', '"', '.']
    """
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(entity, character)
    text = f" {text} "
    text = _ASCII_PUNCTUATION.sub(r" \1 ", text)
    text = _MARK_AFTER_NON_DIGIT.sub(r"\1 \2 ", text)
    text = _MARK_BEFORE_NON_DIGIT.sub(r" \1 \2", text)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", text).split()


def normalize_muavic(text: str, language: str = "") -> str:
    """Return *text* as MuAViC's evaluation compares it (fairseq 0.12.3 ``WerScorer``: 13a, lower case).

    Examples
    --------
    >>> normalize_muavic("We’ll meet at 10:30 a.m. and/or later...")
    'we’ll meet at 10 30 a m and or later'
    """
    tokens = tokenize_13a(text)
    kept = (t for t in tokens if not all(unicodedata.category(c)[0] == "P" for c in t))
    return " ".join(kept).lower()


NORMALIZERS: dict[str, Normalizer] = {
    n.name: n
    for n in (
        Normalizer("uni-v1", lru_cache(maxsize=4096)(normalize_uni_v1), UNSPACED),
        Normalizer("multitalk", normalize_multitalk),
        Normalizer("muavic-13a", normalize_muavic),
        Normalizer(ROMAN, romanize, frozenset(LANGUAGES)),
    )
}


def get_normalizer(name: str = DEFAULT_NORMALIZER) -> Normalizer:
    """Return the normalizer called *name*.

    Raises
    ------
    UsageError
        For an unknown name; the message lists the known ones.

    Examples
    --------
    >>> get_normalizer("uni-v1").characters("猫 が 好き です。", "jpn")
    ['猫', 'が', '好', 'き', 'で', 'す']
    """
    try:
        return NORMALIZERS[name]
    except KeyError:
        raise UsageError(f"unknown normalizer {name!r}; known: {', '.join(NORMALIZERS)}") from None
