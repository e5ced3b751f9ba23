"""Lexicon files: what is read back, what is refused, and the words of each refusal."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.errors import BenchmarkError
from mtbench.speech import lexicon as module
from mtbench.speech.lexicon import Lexicon, format_lexicon, load_lexicon, make_lexicon, write_lexicon


def write(tmp_path, text, encoding="utf8"):
    path = tmp_path / "words.tsv"
    path.write_bytes(text.encode(encoding))
    return path


def test_variants_counts_and_order_are_read(tmp_path):
    path = write(tmp_path, "# comment\n\nzwei\tt s v a ɪ\t3\nein\ta ɪ n\t5\nzwei\tt s v o\t3\n")
    lexicon = load_lexicon(path)
    assert lexicon.words == ("zwei", "ein")
    assert lexicon.pronunciations == ((("t", "s", "v", "a", "ɪ"), ("t", "s", "v", "o")), (("a", "ɪ", "n"),))
    assert lexicon.counts == (3, 5)
    assert lexicon.phones == {"t", "s", "v", "a", "ɪ", "o", "n"}
    assert len(lexicon) == 2


def test_prior_is_add_one_and_sums_to_one(tmp_path):
    lexicon = load_lexicon(write(tmp_path, "a\ta\t0\nb\tb\t7\nb\tv\t7\n"))
    assert lexicon.log_prior == pytest.approx((math.log(1 / 9), math.log(8 / 9)))
    assert sum(map(math.exp, lexicon.log_prior)) == pytest.approx(1)
    assert [(w, p) for w, p, _ in lexicon.entries()] == [("a", ("a",)), ("b", ("b",)), ("b", ("v",))]
    assert [prior for *_, prior in lexicon.entries()][1] == lexicon.log_prior[1]


def test_without_counts_all_words_are_equally_likely(tmp_path):
    lexicon = load_lexicon(write(tmp_path, "a\ta\nb\tb\n"))
    assert lexicon.log_prior == pytest.approx((math.log(0.5),) * 2)


WORDS = st.text(st.characters(categories=["L"]), min_size=1, max_size=8)
PHONES = st.lists(st.sampled_from("aɪʃŋpt"), min_size=1, max_size=6)


@given(st.lists(st.tuples(WORDS, PHONES, st.integers(0, 999)), min_size=1, max_size=20))
def test_write_and_load_are_inverse(tmp_path_factory, rows):
    import unicodedata

    lexicon = make_lexicon((unicodedata.normalize("NFC", w), p, c) for w, p, c in rows)
    path = tmp_path_factory.mktemp("lexicon") / "x.tsv"
    write_lexicon(lexicon, path)
    back = load_lexicon(path)
    assert back.digest == lexicon.digest
    assert dict(zip(back.words, back.counts, strict=True)) == dict(
        zip(lexicon.words, lexicon.counts, strict=True)
    )
    assert list(path.parent.iterdir()) == [path]


def test_digest_depends_on_everything():
    base = make_lexicon([("a", "a", 1), ("b", "b", 2)])
    others = [
        make_lexicon([("a", "a", 1), ("b", "b", 3)]),
        make_lexicon([("a", "a", 1), ("b", "p", 2)]),
        make_lexicon([("a", "a", 1), ("c", "b", 2)]),
        make_lexicon([("b", "b", 2), ("a", "a", 1)]),
    ]
    assert len({lexicon.digest for lexicon in (base, *others)}) == 5
    assert make_lexicon([("a", "a", 1), ("b", "b", 2)]).digest == base.digest
    assert format_lexicon(base) == "a\ta\t1\nb\tb\t2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no words"),
        ("# only a comment\n", "no words"),
        ("a b c\n", "line 1: 1 fields"),
        ("a\tb\t1\t2\n", "line 1: 4 fields"),
        ("a\ta\t1\n\tb\t1\n", "line 2: '' is not a word"),
        ("two words\tb\t1\n", "'two words' is not a word"),
        ("a\t \t1\n", "'a' has 0 phones"),
        ("a\tabcdefghijk\t1\n", "'abcdefghijk' is not a phone"),
        ("a\ta\tmany\n", "'many' is not a whole number"),
        ("a\ta\t-1\n", "not a whole number"),
        ("a\ta\t²\n", "not a whole number"),
        (f"a\ta\t{10**30}\n", "not a whole number"),
        ("a\ta\t1\na\tb\t2\n", "line 2: 'a' has the count 2 here and 1"),
        ("a\ta\t1\nb\tb\n", "1 words have no count ('b'"),
    ],
)
def test_broken_files_are_refused_with_their_line(tmp_path, text, message):
    with pytest.raises(BenchmarkError) as e:
        load_lexicon(write(tmp_path, text))
    assert message in str(e.value)
    assert "words.tsv" in str(e.value)


def test_other_encodings_are_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="not UTF-8"):
        load_lexicon(write(tmp_path, "wörter\ta\t1\n", "latin1"))
    assert load_lexicon(write(tmp_path, "a\ta\t1\n", "utf-8-sig")).words == ("a",)


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    path = write(tmp_path, "a\ta\t1\n" * 50)
    monkeypatch.setattr(type(path), "open", lambda *a, **k: pytest.fail("was opened"))
    with pytest.raises(BenchmarkError, match="too many for a lexicon"):
        load_lexicon(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BenchmarkError, match=r"nothing\.tsv: the lexicon cannot be read"):
        load_lexicon(tmp_path / "nothing.tsv")


def test_a_value_is_consistent():
    with pytest.raises(ValueError, match="only once"):
        Lexicon(("a", "a"), ((("a",),), (("b",),)), (1, 1))
    with pytest.raises(ValueError, match="same length"):
        Lexicon(("a",), ((("a",),),), ())
