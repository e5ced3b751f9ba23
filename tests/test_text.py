"""Normalizers: rules of uni-v1 language by language, parity of the compatibility ones."""

import json
import unicodedata

import pytest
from conftest import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st

from mtbench.errors import UsageError
from mtbench.metrics.character_errors import count_character_edits
from mtbench.metrics.word_errors import count_word_edits
from mtbench.speech.languages import language_code
from mtbench.speech.multitalk_languages import LANGUAGES
from mtbench.speech.normalizers import (
    get_normalizer,
    normalize_muavic,
    normalize_multitalk,
    normalize_uni_v1,
    tokenize_13a,
)

LANGUAGE = st.sampled_from(sorted(LANGUAGES))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("eng", "Don't you think it's 20% better?", "don't you think it's 20 better"),
        ("eng", "‘Stop,’ she said — “right there…”", "stop she said right there"),
        ("eng", "the dogs' bowl, rock 'n' roll", "the dogs bowl rock n roll"),
        ("eng", "state-of-the-art word—word", "state of the art word word"),
        ("eng", "  tab\tand\nnewline\u00a0blank ", "tab and newline blank"),
        ("eng", "ﬁne soft\u00adhyphen zero\u200bwidth", "fine softhyphen zerowidth"),
        ("deu", "Die STRAẞE, die Straße", "die strasse die strasse"),
        ("deu", "Es kostet 3,50 €", "es kostet 3 50"),
        ("fra", "L’été, j'ai vu l‘océan : « oui »", "l'été j'ai vu l'océan oui"),
        ("ita", "È l'ora dell’amico", "è l'ora dell'amico"),
        ("cat", "la col·lecció", "la collecció"),
        ("spa", "¿Dónde está? ¡Aquí!", "dónde está aquí"),
        ("tur", "Iğdır'ın İLÇESİ, IŞIK!", "ığdır'ın ilçesi ışık"),
        ("tur", "I\u0307stanbul", "istanbul"),
        ("ell", "ΟΔΥΣΣΕΥΣ· οδυσσεύς;", "οδυσσευσ οδυσσεύσ"),
        ("rus", "Кто-то пришёл?", "кто то пришёл"),
        ("ukr", "м’ята, мʼята, м'ята", "м'ята м'ята м'ята"),
        ("ara", "ذهبَ الولدُ إلى المدرســةِ؟", "ذهب الولد إلى المدرسة"),
        ("ara", "١٢ كتابا؛", "١٢ كتابا"),
        ("hin", "नमस्ते। क्या\u200d हाल है?", "नमस्ते क्या हाल है"),
        ("jpn", "「はい」、と１２３！", "はい と123"),
        ("cmn", "“好的”，她说：再见。", "好的 她说 再见"),
        ("tha", "ราคา ๕๐ บาท.", "ราคา ๕๐ บาท"),
        ("pol", "„Cicho!”, krzyknął – już.", "cicho krzyknął już"),
        ("eng", "?!…", ""),
        ("eng", "", ""),
    ],
)
def test_uni_v1(language, text, expected):
    assert normalize_uni_v1(text, language) == unicodedata.normalize("NFKC", expected)


def test_turkish_dotless_i_is_a_letter_of_its_own_elsewhere_not():
    assert normalize_uni_v1("ISI", "tur") == "ısı"
    assert normalize_uni_v1("ISI", "ita") == "isi"


def test_arabic_marks_are_letters_in_other_languages():
    assert "\u064b" in normalize_uni_v1("ا\u064b", "eng")


@given(text=st.text(), language=LANGUAGE)
def test_uni_v1_is_idempotent_and_clean(text, language):
    once = normalize_uni_v1(text, language)
    assert normalize_uni_v1(once, language) == once
    assert once == " ".join(once.split())
    for c in once:
        assert c in " '" or unicodedata.category(c)[0] not in "PSZ"
        assert unicodedata.category(c) not in {"Cf", "Cc"}


@given(
    text=st.text(alphabet="aiIİıßΣςσ'’·-. \u0307\u0301\u0640\u064e\u00adｱﾞ1", max_size=12), language=LANGUAGE
)
def test_uni_v1_is_idempotent_on_awkward_letters(text, language):
    once = normalize_uni_v1(text, language)
    assert normalize_uni_v1(once, language) == once


@given(text=st.text(), language=LANGUAGE)
def test_letter_case_and_composition_do_not_matter(text, language):
    assert normalize_uni_v1(unicodedata.normalize("NFD", text), language) == normalize_uni_v1(
        unicodedata.normalize("NFC", text), language
    )


def test_characters_leave_out_blanks_where_words_are_not_separated():
    normal = get_normalizer("uni-v1")
    assert normal.characters("猫 が 好き。", "jpn") == ["猫", "が", "好", "き"]
    assert normal.characters("我 喜欢", "cmn") == ["我", "喜", "欢"]
    assert normal.characters("a b", "eng") == ["a", " ", "b"]
    assert get_normalizer("multitalk").characters("猫 が", "jpn") == ["猫", " ", "が"]


def test_unknown_normalizer_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"uni-v1.*multitalk.*muavic-13a"):
        get_normalizer("uni-v2")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("10:30 a.m.", ["10", ":", "30", "a", ".", "m", "."]),
        ("3,50 and 1.000,25", ["3,50", "and", "1.000,25"]),
        ("1990-95 e-mail", ["1990", "-", "95", "e-mail"]),
        ("a &quot;b&quot; &amp;c;", ["a", '"', "b", '"', "&", "c", ";"]),
        (
            "\\path {x} ~y ^z `k` |m|",
            ["\\", "path", "{", "x", "}", "~", "y", "^", "z", "`", "k", "`", "|", "m", "|"],
        ),
        ("line-\nbreak next\nline", ["linebreak", "next", "line"]),
        ("...", [".", ".", "."]),
        ("don't", ["don't"]),
    ],
)
def test_13a_tokens(text, tokens):
    assert tokenize_13a(text) == tokens


@given(text=st.text(alphabet="aB1 .,-'!?:;\"&<>()[]{}\\/_^`~|#$%*+=@\n…«é", max_size=30))
@settings(deadline=None)
def test_13a_agrees_with_sacrebleu(text):
    tokenizer = pytest.importorskip("sacrebleu.tokenizers.tokenizer_13a").Tokenizer13a()
    assert tokenize_13a(text) == tokenizer(text).split()


def golden():
    data = json.loads((GOLDEN / "wer_a/expected.json").read_text("utf-8"))
    for code, language in data["languages"].items():
        yield code, language_code(code), language
    yield "all", None, data["all_languages"]


def test_golden_multitalk():
    rates = []
    for _code, language, expected in golden():
        if language is None:
            assert sum(rates) / len(rates) == pytest.approx(expected["multitalk_macro_wer"], abs=1e-12)
            continue
        words, characters = [], []
        for item in expected["items"]:
            for side in ("reference", "hypothesis"):
                assert normalize_multitalk(item[side], language) == item[f"multitalk_{side}"]
            pair = item["reference"], item["hypothesis"], language, "multitalk"
            words.append(count_word_edits(*pair).rate)
            characters.append(count_character_edits(*pair).rate)
            assert words[-1] == pytest.approx(item["multitalk_wer"], abs=1e-12)
            assert characters[-1] == pytest.approx(item["multitalk_cer"], abs=1e-12)
        assert sum(words) / len(words) == pytest.approx(expected["multitalk_macro_wer"], abs=1e-12)
        assert sum(characters) / len(characters) == pytest.approx(expected["multitalk_macro_cer"], abs=1e-12)
        rates += words


def test_golden_muavic():
    errors = words = 0
    for _code, language, expected in golden():
        if language is None:
            assert 100 * errors / words == pytest.approx(expected["fairseq_corpus_wer_percent"], abs=1e-12)
            continue
        subtotal = None
        for item in expected["items"]:
            for side in ("reference", "hypothesis"):
                assert normalize_muavic(item[side], language).split() == item[f"fairseq_{side}_words"]
            counts = count_word_edits(item["reference"], item["hypothesis"], language, "muavic-13a")
            assert counts.errors == item["fairseq_errors"]
            assert counts.reference_length == item["fairseq_reference_length"]
            subtotal = counts if subtotal is None else subtotal + counts
        assert (subtotal.errors, subtotal.reference_length) == (
            expected["fairseq_errors"],
            expected["fairseq_reference_length"],
        )
        assert 100 * subtotal.rate == pytest.approx(expected["fairseq_corpus_wer_percent"], abs=1e-12)
        errors, words = errors + subtotal.errors, words + subtotal.reference_length
