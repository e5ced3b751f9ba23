"""Error rates: counts, empty sides, phones, gains, and rows made anew by another normalizer."""

from dataclasses import replace

import jiwer
import pytest
from factories import make_sums
from hypothesis import given
from hypothesis import strategies as st

from mtbench.avsr.base import Hypothesis
from mtbench.conditions import Condition
from mtbench.metrics.avlr import gain_statistics
from mtbench.metrics.character_errors import count_character_edits
from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.edits import count_edits
from mtbench.metrics.per import count_phone_edits
from mtbench.metrics.word_errors import count_word_edits
from mtbench.results.recount import remeasure
from mtbench.results.rows import GeometryRow, RecognitionRow, row_from_json
from mtbench.scoring.rows import measure_recognition

TOKENS = st.lists(st.sampled_from(["a", "b", "cc", "d d", " ", "\n", "ɛ"]), max_size=8)


def edit_distance(a, b):
    """Textbook dynamic programme, independent of jiwer."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


@given(reference=TOKENS, hypothesis=TOKENS)
def test_counts_are_minimal_and_add_up(reference, hypothesis):
    counts = count_edits(reference, hypothesis)
    assert counts.errors == edit_distance(reference, hypothesis)
    assert counts.reference_length == len(reference)
    assert counts.hits + counts.substitutions + counts.insertions == len(hypothesis)
    assert min(counts.hits, counts.substitutions, counts.deletions, counts.insertions) >= 0


@given(
    reference=st.lists(st.sampled_from("abcde"), min_size=1, max_size=8),
    hypothesis=st.lists(st.sampled_from("abcde"), max_size=8),
)
def test_agrees_with_jiwer_on_words(reference, hypothesis):
    pair = " ".join(reference), " ".join(hypothesis)
    assert count_edits(reference, hypothesis).rate == jiwer.wer(*pair)
    assert count_word_edits(*pair, "eng").rate == jiwer.wer(*pair)
    assert count_character_edits(*pair, "eng").rate == jiwer.cer(*pair)


def test_empty_sides_are_defined():
    assert count_word_edits("", "", "eng") == EditCounts(0, 0, 0, 0)
    assert count_word_edits("", "", "eng").rate == 0
    assert count_word_edits("...", "two words", "eng") == EditCounts(0, 0, 0, 2)
    assert count_word_edits("...", "two words", "eng").rate == 2
    assert count_word_edits("two words", "", "eng") == EditCounts(0, 0, 2, 0)
    assert count_word_edits("two words", "", "eng").rate == 1


def test_cer_ignores_segmentation_where_there_are_no_words():
    assert count_character_edits("猫 が 好き です。", "猫が好きです", "jpn").errors == 0
    assert count_character_edits("我喜欢", "我 喜 欢", "cmn").errors == 0
    assert count_character_edits("ไปไหนมา", "ไป ไหน มา", "tha").errors == 0
    assert count_character_edits("ab", "a b", "eng").errors == 1


def test_phones_may_be_absent_on_either_side():
    assert count_phone_edits(None, ("a",)) is None
    assert count_phone_edits(("a",), None) is None
    assert count_phone_edits(("t͡ʃ", "a"), ("t͡ʃ", "ɛ")) == EditCounts(1, 1, 0, 0)
    assert count_phone_edits((), ()) == EditCounts(0, 0, 0, 0)


def test_gain_needs_the_same_reference():
    assert gain_statistics(EditCounts(1, 3, 0, 2), EditCounts(3, 1, 0, 0)) == (4, 4)
    assert gain_statistics(EditCounts(4, 0, 0, 0), EditCounts(3, 1, 0, 0)) == (-1, 4)
    with pytest.raises(ValueError, match="4 reference units, entry row 5"):
        gain_statistics(EditCounts(4, 0, 0, 0), EditCounts(5, 0, 0, 0))


def make_row(**changes):
    values = {
        "clip": "ita-01",
        "language": "ita",
        "source": "ita-s1",
        "condition": Condition("av", -7.5, "babble", "entry"),
        "reference": "Ogni individuo, ha «diritto»",
        "hypothesis": Hypothesis("ogni ha diritto", ("o", "ɲ")),
        "reference_phones": ("o", "ɲ", "i"),
    }
    return measure_recognition(**(values | changes))


def test_row_has_counts_and_survives_json():
    row = make_row()
    assert row.words == EditCounts(3, 0, 1, 0)
    assert row.phones == EditCounts(2, 0, 1, 0)
    assert row.reference == "Ogni individuo, ha «diritto»"
    assert row_from_json(row.to_json()) == row
    assert row.to_json()["kind"] == "recognition"


def test_uncovered_language_has_a_reason_and_no_counts():
    row = make_row(hypothesis=None, reason="language not covered by the recognizer")
    assert row.words is row.chars is row.phones is None
    assert row_from_json(row.to_json()) == row
    with pytest.raises(ValueError, match="needs a reason"):
        make_row(hypothesis=None)


def test_remeasure_applies_another_normalizer():
    row = make_row()
    again = remeasure(row, "multitalk")
    assert again.words == EditCounts(2, 1, 1, 0)
    assert remeasure(again) == row
    absent = make_row(hypothesis=None, reason="n/a")
    assert remeasure(absent, "multitalk") == absent


@pytest.mark.parametrize(
    "changes",
    [
        {"modality": "x"},
        {"face": None},
        {"modality": "a"},
        {"snr_db": None},
        {"noise": None},
        {"face": "other"},
    ],
)
def test_impossible_conditions_are_refused(changes):
    condition = replace(Condition("av", -7.5, "babble", "entry"), **changes)
    with pytest.raises(ValueError, match="ita-01"):
        make_row(condition=condition)


def test_geometry_row_survives_json_exactly():
    row = GeometryRow("c", "eng", "s", make_sums(3, 1 / 3, 1e-7 / 3, 0.1, 0.2, 0.3, -1e-9 / 7))
    assert row_from_json(row.to_json()) == row
    assert row.to_json()["modality"] is None
    with pytest.raises(ValueError, match="needs a reason"):
        GeometryRow("c", "eng", "s", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "other"}, "unknown kind"),
        ({"extra": 1}, "unknown fields \\['extra'\\]"),
        ({"words": {"hits": 1}}, "missing fields"),
    ],
)
def test_foreign_rows_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        row_from_json(make_row().to_json() | change)


def test_row_types_are_frozen():
    row = make_row()
    assert isinstance(row, RecognitionRow)
    with pytest.raises(AttributeError):
        row.words = None
