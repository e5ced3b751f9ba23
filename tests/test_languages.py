"""Languages in any habit: what is accepted, what is refused, and the words of each refusal."""

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.errors import UsageError
from mtbench.speech.language_names import OTHER_NAMES, fold_name, iso_name
from mtbench.speech.languages import any_code, check_code, language_code
from mtbench.speech.multitalk_languages import LANGUAGES

#: What people write, by ISO 639-3 code.
HABITS = {
    "ara": "ar ara arb Arabic العربية ar-EG ar_SA ar-001",
    "cat": "ca cat Catalan Català CATALA ca-ES ca-valencia",
    "hrv": "hr hrv scr Croatian Hrvatski hr-HR",
    "ces": "cs ces cze Czech Čeština ČEŠTINA cs-CZ",
    "nld": "nl nld dut Dutch Flemish Nederlands nl-BE",
    "eng": "en eng English ENGLISH en-GB en_US en_US.UTF-8 en-029 ｅｎｇ",
    "fra": "fr fra fre French Français FRANÇAIS Francais fr-CA",
    "deu": "de deu ger German Deutsch DEUTSCH de-AT de-DE-1996 de_DE@euro de-DE-u-co-phonebk",
    "ell": "el ell gre Greek Ελληνικά ΕΛΛΗΝΙΚΆ el-GR",
    "hin": "hi hin Hindi हिन्दी hi-IN",
    "ita": "it ita Italian Italiano ITALIANO İTALİAN ıtalian it-CH",
    "jpn": "ja jpn Japanese 日本語 ja-JP",
    "cmn": "zh zho chi cmn Chinese Mandarin 中文 普通话 國語 zh-CN zh_Hans cmn-Hans-CN zh-Hant-TW zh-cmn-Hans cmn-HK",
    "pol": "pl pol Polish Polski pl-PL",
    "por": "pt por Portuguese Português pt-BR pt_PT pt‑BR pt−BR Portuguese-BR",
    "rus": "ru rus Russian Русский РУССКИЙ ru-RU",
    "spa": "es spa Spanish Español Castilian Castellano es-419 es-MX",
    "tha": "th tha Thai ไทย ภาษาไทย th-TH",
    "tur": "tr tur Turkish Türkçe TÜRKÇE tr-TR",
    "ukr": "uk ukr Ukrainian Українська uk-UA",
}


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_habit(code):
    """Case ``27-language-names``: ``zho``, ``pt-BR``, ``Chinese``, ``Deutsch`` and their kind are accepted."""
    found = {name: language_code(name) for name in HABITS[code].split()}
    assert found == dict.fromkeys(found, code)


def test_names_of_several_words():
    """Case ``27-language-names``: as lists of languages and people write them."""
    names = {
        "Mandarin Chinese": "cmn", "Chinese (Simplified)": "cmn", "Traditional Chinese": "cmn",
        "Brazilian Portuguese": "por", "Portuguese (Brazil)": "por", "Latin American Spanish": "spa",
        "Spanish; Castilian": "spa", "Modern Standard Arabic": "ara", "Greek, Modern (1453-)": "ell",
        "English (US)": "eng", "British English": "eng", "German (Austria)": "deu", "  it\t": "ita",
    }  # fmt: skip
    assert {name: language_code(name) for name in names} == names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Farsi", "Persian (fas) is not one of the twenty languages"),
        ("Slovak", "Slovak (slk) is not one"),
        ("Javanese", "Javanese (jav) is not one"),  # and not "did you mean Japanese?"
        ("Danish", "Danish (dan) is not one"),
        ("sv-SE", "Swedish (swe) is not one"),
        ("arz", "Egyptian Arabic (arz) is not one"),
        ("Swiss German", "Swiss German (gsw) is not one"),
        ("yue", "this is Cantonese (yue), which is not Mandarin"),
        ("Cantonese", "this is Cantonese (yue), which is not Mandarin"),
        ("zh-HK", "this is Cantonese (yue), which is not Mandarin"),
        ("zh-Hant-HK", "this is Cantonese (yue)"),
        ("Chinese (Hong Kong)", "this is Cantonese (yue)"),
        ("Germn", "did you mean German (deu)?"),
        ("Castillian", "did you mean Spanish (spa)?"),
        ("jp", "'jp' is a country; did you mean Japanese (jpn)?"),
        ("Ancient Greek", "known: Arabic (ara), Catalan (cat)"),
        ("Old English", "known: Arabic (ara)"),
        ("xxx", "known: Arabic (ara)"),
        ("", "known: Arabic (ara)"),
        ("it was late", "known: Arabic (ara)"),
        ("hi_there", "known: Arabic (ara)"),
        ("es-ist", "known: Arabic (ara)"),
        ("\0", "known: Arabic (ara)"),
    ],
)
def test_what_is_refused_says_why(name, words):
    """Case ``27-language-names``: no suggestion misleads; Deutsch is not answered with "dutch"."""
    with pytest.raises(UsageError) as caught:
        language_code(name)
    assert str(caught.value).startswith(f"unknown language {name!r}: {words}")
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30) | st.from_regex(r"[a-z]{2,3}([-_][A-Za-z]{2,4}){0,3}", fullmatch=True))
def test_any_name_is_a_language_or_refused(name):
    for read in (language_code, check_code):
        with contextlib.suppress(UsageError):
            assert iso_name(read(name))


def test_a_book_for_a_name_is_cut():
    with pytest.raises(UsageError) as caught:
        language_code("x" * 100_000)
    assert len(str(caught.value)) < 700


def test_no_name_means_two_languages():
    owner = {}
    for lang in LANGUAGES.values():
        for name in (lang.code, lang.alias, lang.name, *OTHER_NAMES[lang.code]):
            assert owner.setdefault(fold_name(name), lang.code) == lang.code, name
    # And none of them is the code of another language.
    macro = {"zho"}
    assert not [n for n in owner if iso_name(n) and n not in LANGUAGES and n not in macro | {"arb"}]


def test_codes_in_files():
    assert check_code("ita") == "ita"
    assert check_code("swe") == "swe"  # a recognizer of one's own may cover it
    assert check_code("yue") == "yue"
    for wrong, right in {"zho": "cmn", "fre": "fra", "English": "eng", "ITA": "ita", "pt-BR": "por"}.items():
        with pytest.raises(UsageError, match=f"write its ISO 639-3 code, '{right}'"):
            check_code(wrong)
    for name in ("xxx", "zzz", "und", "mul", ""):
        with pytest.raises(UsageError, match="unknown language"):
            check_code(name)


def test_languages_of_files_in_any_habit():
    names = {
        "Italian": "ita",
        "swe": "swe",
        "sv": "swe",
        "Swedish": "swe",
        "sv-SE": "swe",
        "zh-HK": "yue",
        "Farsi": "fas",
    }
    assert {name: any_code(name) for name in names} == names
    for name in ("xxx", "zzz", "", "Germn", "hi_there", "it was late"):
        with pytest.raises(UsageError, match="unknown language"):
            any_code(name)


def test_the_table_is_all_of_iso_639_3():
    assert {iso_name(c) for c in ("swe", "zho", "yue")} == {"Swedish", "Chinese", "Yue Chinese"}
    assert all(iso_name(code) for code in LANGUAGES)
    assert iso_name("xxx") is None


def test_nothing_of_the_table_is_read_for_a_known_name():
    code = (
        "import mtbench.speech.languages as m, mtbench.speech.language_names as n\n"
        "assert m.language_code('Deutsch') == 'deu'\n"
        "assert n._world.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
