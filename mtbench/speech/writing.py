"""How languages are written: from which side, and by which tag pages name them."""

from __future__ import annotations

from mtbench.speech.multitalk_languages import LANGUAGES

#: ISO 639-3 codes of languages that are written from right to left.
_FROM_RIGHT = frozenset(
    ["ara", "arb", "ary", "arz", "ckb", "div", "fas", "heb", "pes", "pus", "snd", "uig", "urd", "yid"]
)


def direction_of(code: str) -> str:
    """Return ``"ltr"`` or ``"rtl"``, the direction that a language is written in.

    Examples
    --------
    >>> direction_of("ita"), direction_of("ara")
    ('ltr', 'rtl')
    """
    return "rtl" if code in _FROM_RIGHT else "ltr"


def language_tag(code: str) -> str:
    """Return the tag (BCP 47) of an ISO 639-3 *code*: two letters where the language has some.

    Examples
    --------
    >>> language_tag("ita"), language_tag("swe")
    ('it', 'swe')
    """
    known = LANGUAGES.get(code)
    return code if known is None else known.alias
