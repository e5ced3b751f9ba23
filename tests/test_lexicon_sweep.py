"""The lexicon sweep: what a word broken by phones is, what is added to a lexicon, and the command's files."""

import csv
import json

import pytest
from typer.testing import CliRunner

from mtbench.avsr.evaluation.lexicon_report import format_sweep, write_sweep
from mtbench.avsr.evaluation.lexicon_sizes import (
    break_words,
    extend_lexicon,
    pronounce_frequent,
    restrict_lexicon,
)
from mtbench.avsr.evaluation.lexicon_sweep import SweepRow, read_condition, sweep_lexicon
from mtbench.cli.app import app
from mtbench.conditions import Condition
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.speech.lexicon import Lexicon

WORDS = [list("ma"), list("tok"), list("i")]


@pytest.mark.parametrize(
    ("reference", "heard", "broken"),
    [
        ("matoki", "matoki", 0),
        ("matoki", "mitoki", 1),  # substitution
        ("matoki", "matoi", 1),  # deletion
        ("matoki", "matxoki", 1),  # insertion within a word
        ("matoki", "maxtoki", 0),  # insertion between two words
        ("matoki", "", 3),
        ("matoki", "xxxxxx", 3),
        ("matuki", "matuki", 0),  # said otherwise than in the lexicon: the borders still hold
        ("matuki", "matuke", 1),
    ],
)
def test_words_are_broken_by_phones_within_them(reference, heard, broken):
    counts = break_words(WORDS, list(reference), list(heard))
    assert (counts.hits, counts.substitutions) == (3 - broken, broken)


def small() -> Lexicon:
    return Lexicon(("ma", "tok"), ((("m", "a"),), (("t", "o", "k"), ("t", "o"))), (5, 2))


def test_lexicons_grow_and_shrink():
    assert restrict_lexicon(small(), {"tok", "absent"}) == Lexicon(
        ("tok",), (small().pronunciations[1],), (2,)
    )
    grown = extend_lexicon(small(), [("new", ("n",)), ("ma", ("x",)), ("new", ("z",))])
    assert grown.words == ("ma", "tok", "new")
    assert grown.pronunciations[0] == small().pronunciations[0]
    assert grown.pronunciations[2] == (("n",),)
    assert grown.counts == (5, 2, 0)


def test_conditions_are_read_strictly():
    assert read_condition("av-7.5") == Condition("av", -7.5, "babble", "truth")
    assert read_condition("a-clean") == Condition("a")
    for wrong in ("x-clean", "av", "a-loud", "v-clean"):
        with pytest.raises(UsageError, match="unknown condition"):
            read_condition(wrong)


@pytest.mark.synth
def test_frequent_words_are_said_as_the_benchmark_says_them():
    from mtbench.benchmarks.benchmark import load_benchmark

    try:
        frequent = pronounce_frequent("ita", 60)
    except PrerequisiteError as error:
        pytest.skip(str(error))
    closed = load_benchmark("openhead-20").lexicon("ita")
    known = dict(zip(closed.words, closed.pronunciations, strict=True))
    shared = [(w, p) for w, p in frequent if w in known]
    assert len(shared) > 20
    assert sum(p in known[w] for w, p in shared) > 0.8 * len(shared)


@pytest.mark.synth
def test_words_that_are_said_as_nothing_do_not_shift_their_neighbours(monkeypatch):
    """Japanese word lists hold marks that repeat a sign; the whole report ended in an IndexError."""
    import mtbench.synth

    pytest.importorskip("espeakng_loader", reason="needs the [synth] extra")
    words = [("cane", "cane"), ("ヽ", "\u30fd"), ("gatto", "gatto")]
    monkeypatch.setattr(mtbench.synth, "vocabulary", lambda language, size: words, raising=False)
    monkeypatch.setattr(
        mtbench.synth, "strip_punctuation", lambda s: "" if s == "\u30fd" else s, raising=False
    )
    found = pronounce_frequent("ita", 3)
    assert [word for word, _ in found] == ["cane", "gatto"]
    assert found[1][1][-1] == "o"


def rows() -> list[SweepRow]:
    return [
        SweepRow(condition, language, name, words, 0.0, per, 0.2, wer, wer / 2, wer, 6)
        for condition, per in (("av-clean", 0.05), ("v", 0.3))
        for language in ("all", "ita")
        for name, words, wer in (
            ("references only", 60, per),
            ("closed", 600, 2 * per),
            ("+1000", 1500, 3 * per),
        )
    ]


def test_report_shows_every_number(tmp_path):
    text = format_sweep(rows())
    assert "## v: PER 30.0, broken words 20.0" in text
    assert "| closed | 600 | 0.0 | 60.0 |" in text
    assert "| Italian | 5.0 | 20.0 | 5.0 | 10.0 | 15.0 |" in text
    files = write_sweep(rows(), tmp_path)
    with (tmp_path / "lexicon.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows())
    before = [f.read_bytes() for f in files]
    assert [f.read_bytes() for f in write_sweep(rows(), tmp_path)] == before


def test_command_measures_real_clips(tmp_path):
    options = [
        "--language",
        "ita",
        "--clips",
        "1",
        "--sizes",
        "none",
        "--condition",
        "a-clean",
        "--workers",
        "1",
    ]
    result = CliRunner().invoke(app, ["avsr", "lexicon", *options, "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [(r["language"], r["lexicon"]) for r in found] == [
        ("all", "references only"), ("all", "closed"), ("ita", "references only"), ("ita", "closed"),
    ]  # fmt: skip
    few, closed = found[2:]
    assert few["words"] < 30 < 500 < closed["words"]
    assert few["per"] == closed["per"]
    assert few["unknown"] == closed["unknown"] == 0
    assert {f.name for f in tmp_path.iterdir()} >= {"lexicon.md", "lexicon.csv"}


def test_wrong_sizes_and_languages_are_refused():
    result = CliRunner().invoke(app, ["avsr", "lexicon", "--sizes", "many"])
    assert "whole numbers" in str(result.exception)
    with pytest.raises(UsageError, match="no lexicon"):
        sweep_lexicon(languages=["kor"], sizes=())
    with pytest.raises(UsageError, match="unknown noise hiss; this set has babble, music, speech-shaped"):
        sweep_lexicon(languages=["ita"], sizes=(), conditions=["av-7.5/music", "av-7.5/hiss"])
