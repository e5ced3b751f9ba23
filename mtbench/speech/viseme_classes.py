"""Classes of phones that look alike: used for substitutions and confusions.

Conventions
-----------
Every phone of :data:`mtbench.synth.phones.PHONES` (``ipa20-1``) belongs to exactly one class. Classes follow
what lips, jaw and tongue tip show from the front: voicing and nasality show nothing, everything behind the
palate shows little. Names are visemes in common use where there is one.
"""

from __future__ import annotations

from functools import lru_cache

#: Phones by class: vowels from spread over open to rounded, then consonants from the lips backwards.
VISEME_CLASSES: dict[str, tuple[str, ...]] = {
    "iy": tuple("iɪɨ"),
    "E": tuple("eɛæ"),
    "aa": tuple("aɑɐʌ"),
    "schwa": tuple("əɜɤɯ"),
    "oh": tuple("oɔɒ"),
    "uw": tuple("uʊ"),
    "oe": tuple("yøœ"),
    "PP": tuple("pbm"),
    "FF": tuple("fvʋ"),
    "WW": tuple("wɸβ"),
    "TH": tuple("θð"),
    "DD": tuple("tdnlɫrɾ"),
    "SS": tuple("szɕʑ"),
    "CH": tuple("ʃʒʂʐ"),
    "RR": tuple("ɹʈɖɽɭ"),
    "JJ": tuple("jʎɲcɟç"),
    "kk": tuple("kɡŋxɣqχʁħʕhʔ"),
}
#: Classes of vowels.
VOWEL_CLASSES = frozenset(("iy", "E", "aa", "schwa", "oh", "uw", "oe"))


@lru_cache(maxsize=1)
def class_by_phone() -> dict[str, str]:
    """Return the class of each phone.

    Examples
    --------
    >>> class_by_phone()["b"], class_by_phone()["œ"]
    ('PP', 'oe')
    """
    return {phone: name for name, phones in VISEME_CLASSES.items() for phone in phones}


@lru_cache(maxsize=128)
def unlike_phones(phone: str) -> tuple[str, ...]:
    """Return the phones that could stand for *phone* and look different: vowels for vowels, consonants else.

    Raises
    ------
    KeyError
        For a symbol that is no phone.

    Examples
    --------
    >>> "m" in unlike_phones("p"), "s" in unlike_phones("p"), "a" in unlike_phones("p")
    (False, True, False)
    """
    own = class_by_phone()[phone]
    kind = own in VOWEL_CLASSES
    return tuple(
        other
        for name, phones in VISEME_CLASSES.items()
        if name != own and (name in VOWEL_CLASSES) == kind
        for other in phones
    )
