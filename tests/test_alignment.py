"""Words against words, as errors are counted; classes of phones; what an entry is."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.errors import UsageError
from mtbench.metrics.edits import count_edits
from mtbench.results import align_phones, align_row, align_units, count_pairs, role_of
from mtbench.results.rows import RecognitionRow
from mtbench.speech import MANNER_CLASSES, VISEME_CLASSES

UNITS = st.lists(st.sampled_from(["a", "b", "c d", ""]), max_size=8)


@given(UNITS, UNITS)
def test_an_alignment_has_the_edits_that_are_counted(reference, hypothesis):
    found = align_units(reference, hypothesis)
    assert [u.said for u in found if u.said is not None] == reference
    assert [u.heard for u in found if u.heard is not None] == hypothesis
    kinds = [u.kind for u in found]
    counts = count_edits(reference, hypothesis)
    expected = (counts.hits, counts.substitutions, counts.deletions, counts.insertions)
    assert tuple(map(kinds.count, ("hit", "substitution", "deletion", "insertion"))) == expected


def test_rows_are_aligned_by_words_or_characters_after_normalization():
    row = RecognitionRow("c", "jpn", "s", "v", "entry", None, None, "猫 が、好き", "猫が", reason="new")
    assert [u.said for u in align_row(row, "cer")] == list("猫が好き")
    assert [u.kind for u in align_row(row, "wer")] == ["substitution", "deletion", "deletion"]
    assert align_row(RecognitionRow("c", "jpn", "s", "a", None, None, None, "猫", None, reason="no")) is None
    with pytest.raises(UsageError, match="normalizer"):
        align_row(row, "wer", "no-such")


@given(st.text("pbmtdaoi", max_size=12), st.text("pbmtdaoi", max_size=12))
def test_alignments_of_phones_have_the_fewest_edits(reference, hypothesis):
    pairs = align_phones(reference, hypothesis)
    assert "".join(a for a, _ in pairs if a) == reference
    assert "".join(b for _, b in pairs if b) == hypothesis
    assert sum(a != b for a, b in pairs) == count_edits(list(reference), list(hypothesis)).errors


def test_an_alignment_of_no_utterance_is_refused():
    with pytest.raises(UsageError, match="more than an utterance has"):
        align_phones("a" * 5000, "b" * 5000)


def test_every_phone_has_one_class_of_either_kind():
    from mtbench.synth.phones import PHONES

    for classes in (VISEME_CLASSES, MANNER_CLASSES):
        assert sorted("".join("".join(phones) for phones in classes.values())) == sorted(PHONES)


def test_phones_are_counted_by_manner():
    found = count_pairs([align_phones("pam", "ban")], MANNER_CLASSES).classes
    assert (found["stops"].n, found["stops"].right) == (1, 1.0)
    assert (found["nasals"].n, found["nasals"].right) == (1, 1.0)
    assert found["fricatives"].right is None


@pytest.mark.parametrize(
    ("model", "role"),
    [
        ({}, "system"),
        ({"name": "control entry static"}, "control"),
        ({"name": "multitalk-mini", "code": "mtbench.reference_model"}, "reference"),
        ({"name": None, "code": 3}, "system"),
    ],
)
def test_what_an_entry_is_stands_in_its_manifest(model, role):
    assert role_of(SimpleNamespace(system=SimpleNamespace(model=model))) == role
