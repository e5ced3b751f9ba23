"""Classes of phones by manner of articulation: what the ear tells apart, beside the viseme classes of the eye.

Conventions
-----------
Every phone of the inventory ``ipa20-1`` belongs to exactly one class. Affricates are sequences of letters there, a stop
and a fricative. Source: rows of the IPA chart (2020 revision); approximants include laterals.
"""

from __future__ import annotations

from functools import lru_cache

#: Phones by class, vowels first.
MANNER_CLASSES: dict[str, tuple[str, ...]] = {
    "vowels": tuple("aɑɐʌæeɛəɜiɪɨyøœɔoɒuʊɯɤ"),
    "stops": tuple("pbtdʈɖcɟkɡqʔ"),
    "nasals": tuple("mnɲŋ"),
    "fricatives": tuple("fvθðszʃʒʂʐɕʑçxɣχʁħʕhɸβ"),
    "approximants": tuple("ʋwjlʎɭɫɹ"),
    "trills, taps": tuple("rɾɽ"),
}


@lru_cache(maxsize=1)
def manner_by_phone() -> dict[str, str]:
    """Return the manner class of each phone.

    Examples
    --------
    >>> manner_by_phone()["b"], manner_by_phone()["m"]
    ('stops', 'nasals')
    """
    return {phone: name for name, phones in MANNER_CLASSES.items() for phone in phones}
