"""From written text to pairs of written word and spoken form, by language.

Conventions
-----------
Written words are lower case without punctuation and hyphens; each counts as one word for error rates. Spoken
forms are what the engine is given and keep punctuation. Three languages need more than splitting at blanks:

- Japanese: words and their reading in kana by ``pykakasi`` (the engine cannot read kanji); the particles wa,
  e and o are spelt as they sound.
- Mandarin: words by ``jieba`` (dictionary only, no statistical model); the engine reads the characters.
- Thai: words and their romanisation by ``pythainlp`` (Royal Institute's system), respelt for the Indonesian
  voice; tones, length and aspiration are lost, and vowels that the script leaves out are guessed:
  approximate.
"""

from __future__ import annotations

import logging
import re
import unicodedata
import warnings
from functools import lru_cache
from typing import Any

from mtbench.errors import PrerequisiteError

_APOSTROPHES = "'\u2018\u2019\u02bc"
_DASHES = re.compile("[-\u2010-\u2015\u2212/()\\[\\]\u05be]")
_QUOTES = re.compile('["\u201c-\u201f\u00ab\u00bb\u2039\u203a\u300c-\u300f\u201a\u201b*]')


def segment(text: str, language: str) -> list[tuple[str, str]]:
    """Return the words of *text* as (written, spoken).

    Parameters
    ----------
    text : str
        A sentence or word, with punctuation.
    language : str
        ISO 639-3.

    Raises
    ------
    PrerequisiteError
        Where the package for Japanese, Mandarin or Thai is not installed.

    Examples
    --------
    >>> segment("Nul ne sera tenu en servitude ;", "fra")[-1]
    ('servitude', 'servitude;')
    """
    # Soft hyphens and joiners say nothing, but joiners shape Devanagari clusters and stay.
    text = unicodedata.normalize("NFC", text).replace("\u00ad", "")
    text = _QUOTES.sub(" ", _DASHES.sub(" ", text))
    chunks = {"jpn": _segment_japanese, "cmn": _segment_mandarin, "tha": _segment_thai}.get(language, _split)(
        text
    )
    pairs: list[tuple[str, str]] = []
    for written, spoken in chunks:
        word = _bare_word(written, language)
        if word:
            pairs.append((word, spoken))
        elif pairs and spoken.strip():
            # Punctuation that stands alone belongs to the word before.
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + spoken.strip())
    return pairs


def _split(text: str) -> list[tuple[str, str]]:
    return [(chunk, chunk) for chunk in text.split()]


def _bare_word(chunk: str, language: str) -> str:
    """Return *chunk* in lower case with nothing but letters, marks, digits and inner apostrophes and dots."""
    if language == "tur":
        chunk = chunk.replace("I", "ı").replace("İ", "i")
    kept = [
        c for c in chunk.lower() if unicodedata.category(c)[0] in "LMN" or c in _APOSTROPHES + "·\u200c\u200d"
    ]
    word = "".join("'" if c in _APOSTROPHES else c for c in kept).strip("'·\u200c\u200d")
    return word if any(c.isalnum() for c in word) else ""


@lru_cache(maxsize=1)
def _kakasi() -> Any:
    try:
        import pykakasi
    except ImportError as e:
        raise PrerequisiteError(_needs("Japanese", "pykakasi")) from e
    return pykakasi.kakasi()


def _needs(language: str, package: str) -> str:
    return f"{language} text needs the package {package}; install it: pip install 'multitalk-bench[synth]'"


_PARTICLES = {"は": "わ", "へ": "え", "を": "お"}
#: Readings where the converter takes the wrong one for legal prose.
_READINGS = {
    "何人": "なんぴと",
    "人": "ひと",
    "又は": "またわ",
    "又": "また",
    "有する": "ゆうする",
    "下に": "もとに",
}


def _segment_japanese(text: str) -> list[tuple[str, str]]:
    chunks = []
    for item in _kakasi().convert(text):
        written, reading = item["orig"].strip(), item["hira"].strip()
        if not written:
            continue
        reading = _READINGS.get(written, reading)
        if reading in _PARTICLES:
            reading = _PARTICLES[reading]
        elif written[-1] in _PARTICLES and len(written) > 1:
            # "とを", "には", "人は": a particle at the end of a group.
            reading = reading[:-1] + _PARTICLES[written[-1]]
        chunks.append((written, reading))
    return chunks


@lru_cache(maxsize=1)
def _jieba() -> Any:
    try:
        with warnings.catch_warnings():
            # It imports setuptools' old way to find its files, which setuptools warns of.
            warnings.simplefilter("ignore")
            import jieba
    except ImportError as e:
        raise PrerequisiteError(_needs("Mandarin", "jieba")) from e
    jieba.setLogLevel(logging.ERROR)
    return jieba


def _segment_mandarin(text: str) -> list[tuple[str, str]]:
    return [(w, w) for w in _jieba().cut(text, HMM=False) if w.strip()]


def _segment_thai(text: str) -> list[tuple[str, str]]:
    try:
        from pythainlp import romanize, word_tokenize
    except ImportError as e:
        raise PrerequisiteError(_needs("Thai", "pythainlp")) from e
    chunks: list[tuple[str, str]] = []
    pause = False
    for word in word_tokenize(text, engine="newmm"):
        if word.strip() == "ๆ":
            # The sign that the word before is said twice.
            if chunks:
                chunks.append(chunks[-1])
        elif not word.strip():
            pause = bool(chunks)
            continue
        else:
            if pause and chunks:
                # Blanks stand between clauses.
                chunks[-1] = (chunks[-1][0], chunks[-1][1] + ",")
            letters = romanize(word, engine="royin") if any("\u0e00" <= c <= "\u0e7f" for c in word) else word
            # Signs that the romanizer leaves as they are would be read out by name.
            spoken = respell_thai("".join(c for c in letters if c.isascii() and c.isalpha()))
            if spoken:
                chunks.append((word.replace("ๆ", ""), spoken))
        pause = False
    return chunks


_RTGS = re.compile("kh|ph|th|ch|ng|ae|oe|ue|.")
_RTGS_TO_INDONESIAN = {"kh": "k", "ph": "p", "th": "t", "ch": "c", "ae": "e", "oe": "e", "ue": "u"}
_GLIDES = frozenset("rlw")


def respell_thai(letters: str) -> str:
    """Return a Royal Institute romanisation in letters that the Indonesian voice reads about right.

    The romanizer leaves out vowels that are not written in Thai; an ``o`` is put between the last two
    consonants of a run that no syllable could hold.

    Examples
    --------
    >>> respell_thai("thukkn"), respell_thai("seriphap")
    ('tukkon', 'seripap')
    """
    units = _RTGS.findall(letters.lower())
    result: list[str] = []
    run: list[str] = []

    def close(at_end: bool) -> None:
        vowels_before = bool(result)
        fits = 1 if at_end else 2 if vowels_before else 1
        if not at_end and len(run) > 1 and run[-1] in _GLIDES:
            fits += 1
        if len(run) > fits:
            run.insert(len(run) - (1 if at_end else 2 if len(run) > 2 else 1), "o")
        result.extend(run)
        run.clear()

    for unit in units:
        if unit[0] in "aeiou" or not unit.isalpha():
            close(not unit.isalpha())
            result.append(unit)
        else:
            run.append(unit)
    close(True)
    return "".join(_RTGS_TO_INDONESIAN.get(u, u) for u in result)
