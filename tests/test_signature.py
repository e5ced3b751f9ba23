"""Signatures: order, forms, parsing, comparison of settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.results.signature import KEYS, Signature

VALUE = st.text(
    st.characters(codec="ascii", exclude_characters="|\n\r", exclude_categories=["Cc"]), min_size=1
)
SETTINGS = st.dictionaries(st.sampled_from(list(KEYS)), VALUE)


@given(settings=SETTINGS)
def test_long_form_can_be_parsed_back(settings):
    signature = Signature.of("wer", settings)
    assert Signature.parse(str(signature)) == signature


@given(settings=SETTINGS)
def test_order_is_fixed_whatever_the_order_given(settings):
    reverse = dict(reversed(list(settings.items())))
    assert str(Signature.of("wer", settings)) == str(Signature.of("wer", reverse))
    keys = [key for key, _ in Signature.of("wer", settings).fields]
    assert keys == sorted(keys, key=list(KEYS).index)


def test_short_form_keeps_meaning():
    signature = Signature.of(
        "lve_mm", {"bench": "b@1#00112233445566778899", "mask": "lips-250#77c0aabb", "n": 60}
    )
    assert signature.short() == "lve_mm|b:b@1#00112233|mk:lips-250#77c0aabb|n:60"
    assert Signature.parse(signature.short()).get("mask") == "lips-250#77c0aabb"
    assert len(signature.digest) == 16


def test_short_keys_are_distinct_and_no_long_key_is_a_short_one_of_another():
    assert len(set(KEYS.values())) == len(KEYS)
    assert all(KEYS[key] == key for key in KEYS if key in KEYS.values())


def test_none_is_left_out_and_numbers_are_plain():
    assert str(Signature.of("wer", {"snr": -7.5, "noise": None, "seed": 12345})) == "wer|snr:-7.5|seed:12345"


@pytest.mark.parametrize("settings", [{"colour": "red"}, {"norm": "a|b"}, {"norm": ""}, {"norm": "a\nb"}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match="signature"):
        Signature.of("wer", settings)


@pytest.mark.parametrize("text", ["", "|norm:x", "wer|norm", "wer|colour:red"])
def test_what_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match="not a signature"):
        Signature.parse(text)


def test_settings_leave_coordinates_out_and_differences_are_named():
    a = Signature.of("wer", {"lang": "ita", "snr": -7.5, "norm": "uni-v1", "n": 6})
    b = Signature.of("wer", {"lang": "fra", "snr": -10.0, "norm": "multitalk", "n": 6})
    assert str(a.settings()) == "wer|norm:uni-v1"
    assert a.settings().differences(b.settings()) == ["norm: uni-v1 != multitalk"]
    assert a.extend({"norm": "multitalk"}).settings() == b.settings()
