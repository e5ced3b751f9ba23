"""Languages in whatever way people write them: codes of several standards, tags with regions, names.

Conventions
-----------
Names are compared folded: compatibility forms, case, accents (combining marks above the letters), and the dots of
Turkish i's make no difference, and punctuation counts as blanks. A tag (``pt-BR``, ``zh_Hans``, ``en_US.UTF-8``)
is its language: script, region and encoding are dropped. What is another language is never taken for one of the
twenty: Cantonese (``yue``, and ``zh-HK``, which names it wherever speech is collected) is not Mandarin, and the
codes of single Arabic dialects are not Arabic.

Sources: ISO 639-1, -2 (both forms) and -3; BCP 47; endonyms as CLDR writes them. Codes and names of all other
languages: ``data/iso639-3.tsv``, from IANA's language subtag registry.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from mtbench.bundled import data_path
from mtbench.errors import UsageError
from mtbench.speech.multitalk_languages import LANGUAGES

#: What a language is called besides its ISO 639-3 and 639-1 codes and its English name.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "ara": ("arb", "العربية", "عربي", "عربية", "اللغة العربية"),
    "cat": ("Català", "Valencian", "Valencià", "Catalan; Valencian"),
    "hrv": ("scr", "Hrvatski"),
    "ces": ("cze", "Čeština", "Český", "Česky"),
    "nld": ("dut", "Nederlands", "Flemish", "Vlaams", "Dutch; Flemish"),
    "eng": (),
    "fra": ("fre", "Français"),
    "deu": ("ger", "Deutsch", "Standard German"),
    "ell": ("gre", "Ελληνικά", "Modern Greek", "Modern Greek (1453-)", "Greek, Modern (1453-)"),
    "hin": ("हिन्दी", "हिंदी"),
    "ita": ("Italiano",),
    "jpn": ("日本語", "にほんご", "Nihongo"),
    "cmn": (
        "zho", "chi", "Chinese", "Mandarin Chinese", "Standard Chinese", "Putonghua", "中文", "汉语", "漢語", "普通话",
        "普通話", "国语", "國語", "官话", "官話", "华语", "華語",
    ),
    "pol": ("Polski", "język polski"),
    "por": ("Português",),
    "rus": ("Русский", "русский язык"),
    "spa": ("Español", "Castilian", "Castellano", "Spanish; Castilian"),
    "tha": ("ไทย", "ภาษาไทย"),
    "tur": ("Türkçe",),
    "ukr": ("Українська", "українська мова"),
}  # fmt: skip

#: Words that may stand before or after a language's name and change nothing about the code.
_QUALIFIERS = frozenset(
    {
        "american", "australian", "austria", "austrian", "belgium", "belgian", "brazil", "brazilian", "british",
        "canada", "canadian", "castilian", "china", "european", "france", "germany", "great britain", "india",
        "ireland", "italy", "japan", "latin america", "latin american", "mainland china", "mandarin", "mexican",
        "mexico", "modern", "modern standard", "netherlands", "poland", "portugal", "prc", "russia", "simplified",
        "singapore", "spain", "standard", "switzerland", "taiwan", "thailand", "traditional", "turkey", "uk",
        "ukraine", "united kingdom", "united states", "us", "usa",
    }
)  # fmt: skip
#: Words that make Cantonese of Chinese.
_CANTONESE_WORDS = ("hong kong", "macau", "macao", "cantonese")
_SCRIPTS = frozenset(
    ["arab", "cyrl", "deva", "grek", "hans", "hant", "hira", "hrkt", "jpan", "kana", "latn", "thai"]
)
_VARIANTS = frozenset(
    ["1901", "1996", "ao1990", "monoton", "polyton", "pinyin", "oxendict", "scouse", "valencia"]
)
#: Chinese as written in these regions is spoken as Cantonese, unless the tag says ``cmn``.
_CANTONESE_REGIONS = frozenset({"hk", "mo"})
#: Codes of countries that are taken for codes of their languages.
_COUNTRIES = {"cn": "cmn", "cz": "ces", "gr": "ell", "jp": "jpn", "ua": "ukr"}
_TABLE = data_path("iso639-3.tsv")
#: Longest name that is looked at.
_LONGEST = 80


def fold_name(name: str) -> str:
    """Return *name* in the form in which names are compared, see the module's conventions.

    Examples
    --------
    >>> fold_name("  Português (Brasil)"), fold_name("TÜRKÇE"), fold_name("İtalyan")
    ('portugues brasil', 'turkce', 'italyan')
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    text = "".join(c for c in text if not "\u0300" <= c <= "\u036f").replace("ı", "i")
    kept = (" " if unicodedata.category(c)[0] in "PSZC" else c for c in text)
    return " ".join("".join(kept).split())


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Return the ISO 639-3 code by folded name or code, of the twenty languages."""
    found: dict[str, str] = {}
    for lang in LANGUAGES.values():
        for name in (lang.code, lang.alias, lang.name, *OTHER_NAMES[lang.code]):
            found[fold_name(name)] = lang.code
    return found


@lru_cache(maxsize=1)
def _world() -> tuple[dict[str, str], dict[str, str]]:
    """Return all ISO 639-3 codes with their English names, and codes by ISO 639-1 code or folded name."""
    codes: dict[str, str] = {}
    others: dict[str, str] = {}
    for line in _TABLE.read_text(encoding="utf8").splitlines():
        if line.startswith("#"):
            continue
        code, alias, name = line.split("\t")
        codes[code] = name
        for key in (alias, fold_name(name)):
            if key:
                others.setdefault(key, code)
    others |= {"cantonese": "yue", "farsi": "fas"}
    return codes, others


def iso_name(code: str) -> str | None:
    """Return the English name of an ISO 639-3 *code*, None where there is no such code."""
    return _world()[0].get(code)


@lru_cache(maxsize=1024)
def read_language(name: str) -> str:
    """Return the ISO 639-3 code of one of the twenty languages, see :func:`mtbench.speech.languages.language_code`."""
    code = _find(name) if len(name) <= _LONGEST else None
    if code is None:
        raise UsageError(f"unknown language {name[:_LONGEST]!r}: {_explain(name[:_LONGEST])}")
    return code


def _find(name: str) -> str | None:
    names = _names()
    key = fold_name(name)
    if key in names:
        return names[key]
    if key in _world()[1]:
        return None
    return _find_tag(name) or _find_qualified(key)


def _find_tag(name: str) -> str | None:
    """Return the language of a tag like ``zh-Hans-CN`` or ``en_US.UTF-8``, None where it is none."""
    text = unicodedata.normalize("NFKC", name).strip().casefold()
    # Dashes and minus signs as pages and word processors set them.
    text = re.split("[.@]", re.sub("[\u2010-\u2015\u2212]", "-", text))[0]
    first, *rest = re.split("[-_]", text)
    code = _names().get(fold_name(first))
    if code is None or not rest:
        return None
    if rest[0] in {"cmn", "arb"} and first in {"zh", "zho", "chi", "ar", "ara"}:
        first, rest = rest[0], rest[1:]
    if rest and rest[0] in _SCRIPTS:
        rest = rest[1:]
    if rest and re.fullmatch("[a-z]{2}|[0-9]{3}", rest[0]):
        if rest[0] in _CANTONESE_REGIONS and code == "cmn" and first not in {"cmn", "mandarin"}:
            return None
        rest = rest[1:]
    while rest and rest[0] in _VARIANTS:
        rest = rest[1:]
    extended = bool(rest) and len(rest) > 1 and re.fullmatch("[utx]", rest[0]) is not None
    return code if not rest or extended else None


def _find_qualified(key: str) -> str | None:
    """Return the language of a folded name with a word on its variety: ``brazilian portuguese``."""
    words = key.split()
    for i in range(1, len(words)):
        head, tail = " ".join(words[:i]), " ".join(words[i:])
        for word, language in ((head, tail), (tail, head)):
            # Short keys are codes, which words don't qualify.
            if word in _QUALIFIERS and len(language) > 3 and (code := _find_plain(language)) is not None:
                return code
    return None


def _find_plain(key: str) -> str | None:
    return _names().get(key) or _find_qualified(key)


def other_code(name: str) -> str | None:
    """Return the ISO 639-3 code of a language that is not one of the twenty, None where *name* is none."""
    name = name[:_LONGEST]
    key = fold_name(name)
    codes, others = _world()
    if _is_cantonese(name, key):
        return "yue"
    found = key if key in codes else others.get(key)
    first = re.split("[-_]", name.strip().casefold())[0]
    if found is None and len(first) in (2, 3) and first != key and first not in _names():
        found = first if first in codes else others.get(first)
    return found


def _explain(name: str) -> str:
    """Return why *name* is none of the twenty, and what to give."""
    key = fold_name(name)
    other = other_code(name)
    if other == "yue":
        return (
            "this is Cantonese (yue), which is not Mandarin and not one of the twenty languages; say 'cmn' where the "
            "speech is Mandarin"
        )
    if other is not None:
        return f"{iso_name(other)} ({other}) is not one of the twenty languages; known: {list_languages()}"
    if key in _COUNTRIES:
        return f"{name.strip()!r} is a country; did you mean {_show(_COUNTRIES[key])}?"
    import difflib

    listed = [known for known in _names() if len(known) > 3]
    near = difflib.get_close_matches(key, listed, n=3, cutoff=0.8)
    if near:
        meant = dict.fromkeys(_show(_names()[known]) for known in near)
        return f"did you mean {' or '.join(meant)}?"
    return f"known: {list_languages()}"


def _is_cantonese(name: str, key: str) -> bool:
    parts = re.split("[-_. ]", name.strip().casefold())
    if _names().get(fold_name(parts[0])) != "cmn":
        return False
    return (
        key.endswith(_CANTONESE_WORDS) or "yue" in parts[1:] or not _CANTONESE_REGIONS.isdisjoint(parts[1:])
    )


def _show(code: str) -> str:
    return f"{LANGUAGES[code].name} ({code})"


def list_languages() -> str:
    """Return the twenty languages with their codes, for messages."""
    return ", ".join(_show(code) for code in LANGUAGES)
