"""The phone inventory and what becomes of the engine's symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.synth.phones import CONSONANTS, PHONES, SILENCE, VOWELS, UnknownPhoneError, normalize, shares


def test_the_inventory_is_fixed():
    # Class numbers of trained recognizers depend on these: a change needs a new INVENTORY.
    assert len(PHONES) == len(set(PHONES)) == 71
    assert PHONES == VOWELS + CONSONANTS
    assert "".join(PHONES) == "aɑɐʌæeɛəɜiɪɨyøœɔoɒuʊɯɤpbtdʈɖcɟkɡqʔmnɲŋfvθðszʃʒʂʐɕʑçxɣχʁħʕhɸβʋwjlʎɭɫrɾɽɹ"
    assert SILENCE not in PHONES


@pytest.mark.parametrize(
    ("symbol", "language", "expected"),
    [
        ("ˈa", "", "a"),
        ("aː", "", "a"),
        ("ɔ̃", "fra", "ɔ"),
        ("ɐ̃ʊ̃", "por", "ɐ ʊ"),
        ("aɪə", "eng", "a ɪ ə"),
        ("tʃ", "", "t ʃ"),
        ("t͡ʃʲ", "", "t ʃ"),
        ("tɕh", "cmn", "t ɕ h"),
        ("ts.h", "cmn", "t ʂ h"),
        ("onɡ", "cmn", "o ŋ"),
        ("i.", "cmn", "ɨ"),
        ("i.", "ara", "i"),
        ("o-", "cmn", "ɤ"),
        ("ə-", "fra", "ə"),
        ("bʰ", "hin", "b h"),
        ("r̝̊", "ces", "r ʃ"),
        ("ʲ", "rus", "j"),
        ("sʲ", "rus", "s"),
        ("ss", "ita", "s"),
        ("dˤ", "ara", "d"),
        ("ç", "deu", "ç"),
        ("c\u0327", "deu", "ç"),
        ("ɯᵝ", "jpn", "ɯ"),
        ("ä", "jpn", "a"),
        ("g", "", "ɡ"),
        ("ʏ", "", "y"),
        ("(en)", "rus", ""),
        ("", "", ""),
    ],
)
def test_symbols_become_base_letters(symbol, language, expected):
    assert normalize(symbol, language) == tuple(expected.split())


@given(
    st.lists(st.sampled_from(PHONES), min_size=1, max_size=5), st.sampled_from(["", "ˈ", "ː", "\u0303", "˥"])
)
def test_phones_are_their_own_normal_form(phones, mark):
    expected = [p for i, p in enumerate(phones) if i == 0 or phones[i - 1] != p]
    assert list(normalize("".join(p + mark for p in phones))) == expected


def test_a_letter_without_a_class_is_named():
    with pytest.raises(UnknownPhoneError, match=r"'ʘ' \(U\+0298\)"):
        normalize("ʘ", "eng")


@pytest.mark.parametrize("text", ["a", "aɪ", "tʃ", "tɕh", "th", "uai"])
def test_shares_sum_to_one_and_favour_frication(text):
    phones = tuple(text)
    parts = shares(phones)
    assert sum(parts) == pytest.approx(1)
    assert len(parts) == len(phones)
    if phones[0] == "t":
        assert parts[0] < parts[1]
