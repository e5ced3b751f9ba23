"""From a transcript as people write it to words and what the engine is given to say them.

Conventions
-----------
A word is what the normalizer ``uni-v1`` makes one word of, so that a recognizer that answers with it is right; it is
written in lower case and otherwise as in the transcript. Where the normalizer makes several words of a token
(``well-known``, ``U.S.A.``), each is said alone. Japanese, Mandarin and Thai are segmented as in
:mod:`mtbench.synth.frontends`. What is written otherwise than it is said (digits, abbreviations, symbols, other
scripts) is read as the engine reads it and remarked on.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mtbench.speech import UNSPACED, get_normalizer
from mtbench.synth.frontends import segment
from mtbench.synth.lexicon_builder import strip_punctuation
from mtbench.synth.texts import letter_script, scripts_of

#: Kinds of remarks, with what to do about them.
REMARKS = {
    "digits": "is read as the engine reads numbers; write out what is said",
    "abbreviation": "is read as the engine reads it; write out what is said",
    "symbol": "has no sound in word lists and error rates; write out what is said",
    "script": "is not in the language's script; its pronunciation is the engine's guess",
    "unsaid": "cannot be pronounced, so the recognizer can never answer it; write it as it is said",
}

#: Punctuation that is read aloud.
_ALOUD = frozenset("&%@#§‰*")


@dataclass(frozen=True)
class SpokenText:
    """A transcript, word by word.

    Attributes
    ----------
    words : tuple of str
        Words as they stand in word lists.
    spoken : tuple of str
        What the engine is given for each, with punctuation, since that makes the pauses.
    remarks : tuple of (str, str)
        A kind of :data:`REMARKS`, and the token.
    """

    words: tuple[str, ...]
    spoken: tuple[str, ...]
    remarks: tuple[tuple[str, str], ...] = ()


def read_transcript(text: str, language: str) -> SpokenText:
    """Return the words of *text* (ISO 639-3 *language*, one of the twenty) with their spoken forms.

    Examples
    --------
    >>> read_transcript("A well-known song, isn't it?", "eng").words
    ('a', 'well', 'known', 'song', "isn't", 'it')
    """
    text = unicodedata.normalize("NFC", text)
    shouted = text == text.upper() and text != text.lower() and sum(map(str.isalpha, text)) > 1
    pairs: list[tuple[str, str]] = []
    remarks: list[tuple[str, str]] = []
    for token in text.split():
        said = _lower(token, language) if shouted else token
        found = _segment(said, language) if language in UNSPACED else _split(said, language)
        kept = []
        for word, spoken in found:
            kind = _find_obstacle(word, language)
            if kind == "unsaid":
                remarks.append((kind, word))
            else:
                kept.append((word, spoken))
        if kept:
            pairs += kept
        elif pairs and not get_normalizer().words(token, language) and not _has_symbol(token):
            # Punctuation that stands alone belongs to the word before.
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + token)
        remarks += ((kind, token) for kind in _remark(token, found, language, shouted))
    return SpokenText(
        tuple(word for word, _ in pairs), tuple(spoken for _, spoken in pairs), tuple(dict.fromkeys(remarks))
    )


def normalize_word(word: str, language: str) -> str:
    """Return the form in which words of a list are equal to each other."""
    return get_normalizer()(word, language)


def _lower(text: str, language: str) -> str:
    if language == "tur":
        text = text.replace("I", "ı").replace("İ", "i")
    return text.lower()


def _split(token: str, language: str) -> list[tuple[str, str]]:
    """Return the (word, spoken form) of a token without blanks."""
    normal = get_normalizer().words(token, language)
    if not normal:
        return []
    if len(normal) == 1:
        word = _lower(strip_punctuation(token), language)
        return [(word if get_normalizer().words(word, language) == normal else normal[0], token)]
    pieces = [p for p in re.split(r"[^\w'’ʼ·\u0300-\u036f\u200c\u200d]+", token) if strip_punctuation(p)]
    words = [_lower(strip_punctuation(p), language) for p in pieces]
    if [normalize_word(word, language) for word in words] != normal:
        words = pieces = normal
    # The mark at the end makes a pause after the last.
    mark = token[len(token.rstrip(".,;:!?…")) :]
    return list(zip(words, [*pieces[:-1], pieces[-1] + mark], strict=True))


def _segment(token: str, language: str) -> list[tuple[str, str]]:
    found = []
    for written, spoken in segment(token, language):
        normal = get_normalizer().words(written, language)
        if len(normal) == 1:
            found.append((written, spoken))
        else:
            found += [(word, word) for word in normal]
    return found


def _find_obstacle(word: str, language: str) -> str | None:
    """Return why *word* cannot be said, or is a guess; None where its letters are the language's."""
    if not any(c.isalnum() for c in word):
        return "unsaid"  # a mark without its letter
    scripts = {letter_script(c) for c in word if unicodedata.category(c)[0] == "L"}
    foreign = scripts - scripts_of(language) - {"MODIFIER", "FEMININE", "MASCULINE"}
    if not foreign:
        return None
    # Latin words are read by English rules amid other scripts; other letters are only named one by one.
    return "script" if foreign == {"LATIN"} else "unsaid"


def _has_symbol(token: str) -> bool:
    """Return whether there is something in *token* that people read aloud though it is no letter or digit."""
    return any(c in _ALOUD or unicodedata.category(c) in {"Sc", "Sm", "So"} for c in token)


def _is_abbreviation(token: str, letters: list[str], language: str) -> bool:
    if re.search(r"\w\.\w+\.", token):
        return True
    # "Dr.", "Mr.", "vs.": no vowel and a full stop; words without vowels are common in two languages.
    return (
        token.endswith(".")
        and 1 < len(letters) < 5
        and language not in {"ces", "hrv"}
        and all("a" <= c <= "z" and c not in "aeiouy" for c in "".join(letters).lower())
    )


def _remark(token: str, found: list[tuple[str, str]], language: str, shouted: bool) -> list[str]:
    kinds = []
    if any(unicodedata.category(c)[0] == "N" for c in token):
        kinds.append("digits")
    letters = [c for c in token if c.isalpha()]
    capitals = len(letters) > 1 and all(c.isupper() for c in letters) and not shouted
    if capitals or _is_abbreviation(token, letters, language):
        kinds.append("abbreviation")
    if _has_symbol(token):
        kinds.append("symbol")
    if any(_find_obstacle(word, language) == "script" for word, _ in found):
        kinds.append("script")
    if language in UNSPACED:
        normal = "".join(get_normalizer().characters(token, language))
        if normal != "".join("".join(get_normalizer().characters(w, language)) for w, _ in found):
            kinds.append("unsaid")
    return kinds
