"""The phone inventory: base IPA letters that the twenty languages share.

Conventions
-----------
A phone is one base letter: stress, length, tone, nasality, palatalisation and every other diacritic are
dropped, diphthongs and affricates are sequences of letters. :data:`SILENCE` marks pauses in timed
transcriptions and is no phone. :data:`PHONES` is in fixed order; a change gets a new :data:`INVENTORY` name,
because class numbers of trained recognizers and the lexicons of benchmarks depend on it.

Source: letters of the IPA chart (2020 revision); which of them occur was counted over the Declaration of
Human Rights and word lists of the twenty languages spoken by espeak-ng 1.52.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Version of the inventory; part of what a lexicon or a recognizer's weights rely on.
INVENTORY = "ipa20-1"

#: A pause, in timed transcriptions only.
SILENCE = "sil"

VOWELS: tuple[str, ...] = tuple("aɑɐʌæeɛəɜiɪɨyøœɔoɒuʊɯɤ")
CONSONANTS: tuple[str, ...] = tuple("pbtdʈɖcɟkɡqʔmnɲŋfvθðszʃʒʂʐɕʑçxɣχʁħʕhɸβʋwjlʎɭɫrɾɽɹ")

#: All phones, in class order.
PHONES: tuple[str, ...] = VOWELS + CONSONANTS

_KNOWN = frozenset(PHONES)

#: Letters that the engine rarely or never says, and the neighbour that stands for each.
_NEIGHBOURS = {
    "g": "ɡ", "ʏ": "y", "ɵ": "ø", "ɘ": "ə", "ɚ": "ə", "ɝ": "ɜ", "ɞ": "ɜ", "ᵻ": "ɪ", "ʉ": "y", "ɶ": "œ",
    "ɱ": "m", "ɳ": "n", "ɴ": "ŋ", "ʙ": "b", "ʀ": "ʁ", "ɻ": "ɹ", "ɺ": "ɾ", "ʟ": "l", "ɬ": "l", "ɮ": "l",
    "ʝ": "j", "ɥ": "y", "ʍ": "w", "ɰ": "ɣ", "ɦ": "h", "ʜ": "ħ", "ʢ": "ʕ", "ɧ": "x", "ɢ": "ɡ", "ɓ": "b",
    "ɗ": "d", "ɠ": "ɡ", "ʄ": "ɟ",
}  # fmt: skip

#: Whole symbols in which the engine uses a letter otherwise than IPA, for all languages or for one.
_SPECIAL: dict[tuple[str, str], tuple[str, ...]] = {
    # The apical vowels of Mandarin (after s and after ʂ), a raised central vowel to ear and eye.
    ("cmn", "i."): ("ɨ",),
    ("cmn", "i̪"): ("ɨ",),
    ("cmn", "o-"): ("ɤ",),
    # Czech ř: a trill and a fricative at once.
    ("", "r̝"): ("r", "ʒ"),
    ("", "r̝̊"): ("r", "ʃ"),
    # A glide that the engine times as a segment of its own.
    ("", "ʲ"): ("j",),
}

#: Retroflex letters that the engine writes with a full stop.
_DOTTED = {"s.": "ʂ", "z.": "ʐ", "r.": "ɽ", "l.": "ɭ", "t.": "ʈ", "d.": "ɖ"}

_STOPS = frozenset("pbtdʈɖcɟkɡq")
_FRICATIVES = frozenset("szʃʒʂʐɕʑfθðx")


class UnknownPhoneError(ValueError):
    """A symbol of the engine that the inventory cannot express."""


@lru_cache(maxsize=4096)
def normalize(symbol: str, language: str = "") -> tuple[str, ...]:
    """Return the phones of one phonetic *symbol* or string of symbols.

    Parameters
    ----------
    symbol : str
        IPA as espeak-ng writes it: with stress, length, tone, ties, diacritics; ``(en)`` and the like,
        which mark a change of language, are dropped.
    language : str
        ISO 639-3 code, for the few symbols that mean different things in different languages.

    Returns
    -------
    tuple of str
        Members of :data:`PHONES`; empty for a pause or a mere mark.

    Raises
    ------
    UnknownPhoneError
        Where a letter has neither a class nor a neighbour; names the letter and its code point.

    Examples
    --------
    >>> normalize("ˈɐ̃ʊ̃"), normalize("tʃʲ"), normalize("(en)")
    (('ɐ', 'ʊ'), ('t', 'ʃ'), ())
    """
    if symbol.startswith("(") and symbol.endswith(")"):
        return ()
    # A cedilla would be lost with the other combining marks, but ç is a letter of its own.
    text = unicodedata.normalize("NFD", symbol).replace("c\u0327", "ç")
    text = "".join(c for c in text if c not in "ˈˌːˑ'ˉ|‿͜͡")
    text = text.replace("\u035f", "")
    if language == "cmn":
        # The engine spells this coda in two letters, as pinyin does.
        text = text.replace("nɡ", "ŋ")
    special = _SPECIAL.get((language, text)) or _SPECIAL.get(("", text))
    if special:
        return special
    for dotted, letter in _DOTTED.items():
        text = text.replace(dotted, letter)
    phones: list[str] = []
    for c in text:
        if c == "ʰ":
            c = "h"
        # Mn: combining diacritics; Lm: superscript letters; the rest: tone marks, digits and the engine's
        # own marks for variants of a sound (full stop, hyphen, quotation mark).
        if unicodedata.category(c) in {"Mn", "Lm", "Sk", "Nd"} or c in '.-"_;!*^~`:':
            continue
        c = c if c in _KNOWN else _NEIGHBOURS.get(c, c)
        if c not in _KNOWN:
            raise UnknownPhoneError(
                f"the symbol {symbol!r} (language {language or 'any'}) has the letter {c!r} "
                f"(U+{ord(c):04X}), which is not in the inventory {INVENTORY}; add it to the neighbours in "
                f"mtbench.synth.phones"
            )
        # A letter doubled inside one symbol is a long sound.
        if not phones or phones[-1] != c:
            phones.append(c)
    return tuple(phones)


def shares(phones: tuple[str, ...]) -> tuple[float, ...]:
    """Return how a segment's time is divided among its *phones*; sums to 1.

    Parts are equal, but for affricates: what the engine times is mostly frication, so that the stop gets 0.3
    of its pair; and for aspirated stops, where the stop gets 0.3 too.

    Examples
    --------
    >>> shares(("a", "ɪ")), shares(("t", "ʃ"))
    ((0.5, 0.5), (0.3, 0.7))
    """
    weights = [1.0] * len(phones)
    for i in range(len(phones) - 1):
        if phones[i] in _STOPS and (phones[i + 1] in _FRICATIVES or phones[i + 1] == "h"):
            weights[i], weights[i + 1] = 0.6, 1.4
    total = sum(weights)
    return tuple(w / total for w in weights)
