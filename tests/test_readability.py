"""Readability bits: the probability of what was said, with a face and with one that does not move."""

import itertools
import json
import math

import fakes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mtbench
from mtbench.avsr import ByLanguage, Hypothesis, Reference, ReferenceScorer
from mtbench.avsr.base import RecognizerError, transcribe_checked
from mtbench.results import read_rows
from mtbench.results.rows import RecognitionRow, row_from_json


def collapse(path):
    return tuple(c for c, _ in itertools.groupby(path) if c)


@settings(deadline=None)  # the first call imports torch
@given(
    st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=1, max_size=6),
    st.lists(st.integers(1, 2), min_size=1, max_size=4),
)
def test_the_probability_is_the_sum_over_all_alignments(scores, classes):
    pytest.importorskip("torch", reason="the judge needs torch")
    from mtbench.avsr.openhead.likelihood import phone_log_probability

    scores = np.array(scores, np.float32)
    log_probs = (scores - np.log(np.exp(scores).sum(1, keepdims=True))).astype(np.float32)
    paths = itertools.product(range(3), repeat=len(log_probs))
    total = sum(
        math.exp(sum(float(log_probs[t, c]) for t, c in enumerate(path)))
        for path in paths
        if collapse(path) == tuple(classes)
    )
    found = phone_log_probability(log_probs, classes)
    if total == 0:
        assert found is None
    else:
        assert found == pytest.approx(math.log(total), abs=1e-9)


class Scorer(fakes.OneEar):
    """Finds what was said the more probable the more the face moves."""

    name, digest = "scorer", "7"

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        motion = 0.0 if crops is None else float(np.abs(np.diff(crops.astype(np.int16), axis=0)).mean())
        found = self.transcribe(crops, audio, language, lexicon)
        tokens = len(reference.phones)
        return [Hypothesis(h.text, h.phones, -tokens * (4.0 - min(3.0, motion)), tokens) for h in found]


def load_scorer():
    return Scorer()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("readability")
    fakes.make_benchmark(root / "small")
    fakes.make_entry(root / "entry")
    return root


@pytest.fixture(scope="module")
def run(place):
    return mtbench.score(
        place / "entry", place / "small", recognizer="test_readability:load_scorer", snr=(-7.5,), workers=1,
        cache=place / "cache", out=place / "results",
    )  # fmt: skip


WHERE = {"modality": "av", "snr_db": -7.5, "noise": "all"}


def test_rows_keep_it_and_the_number_follows_from_them(run):
    rows = [r for r in read_rows(run.folder) if isinstance(r, RecognitionRow) and r.snr_db is not None]
    entry = {(r.clip, r.noise): r for r in rows if r.face == "entry"}
    static = {(r.clip, r.noise): r for r in rows if r.face == "static"}
    assert set(entry) == set(static)
    assert {r.log_probability / r.tokens for r in static.values()} == {-4.0}
    gained = sum(entry[key].log_probability - static[key].log_probability for key in entry)
    tokens = sum(row.tokens for row in entry.values())
    found = run.find("readability_bits", language="all", aggregation="corpus", **WHERE)[0]
    assert found.estimate == pytest.approx(gained / math.log(2) / tokens, rel=1e-9)
    assert found.estimate > 0
    assert (found.unit, found.higher_is_better) == ("bits", True)
    assert [r.noise for r in run.find("readability_bits", language="ita", aggregation="corpus") if r.snr_db] == [
        "all", "babble", "hiss",
    ]  # fmt: skip


def test_tables_have_a_column_where_the_recognizer_tells(place, run):
    from mtbench.results import entries_table, languages_table

    for table in (entries_table([run]), languages_table([run])):
        assert "bits -7.5 dB" in table.header
        column = table.header.index("bits -7.5 dB")
        assert table.header[column - 1] == "gain -7.5 dB"
    found = run.find("readability_bits", language="all", aggregation="corpus", **WHERE)[0]
    (row,) = entries_table([run]).rows
    assert row[entries_table([run]).header.index("bits -7.5 dB")].startswith(f"{found.estimate:+.2f}")
    notes = " ".join(entries_table([run]).notes)
    assert "higher is better" in notes
    assert "bits a phone" in notes
    assert "|ag:static|" in notes
    unheard = mtbench.score(
        place / "entry", place / "small", recognizer=fakes.ONE_EAR, snr=(-7.5,), workers=1, cache=place / "cache",
    )  # fmt: skip
    alone = entries_table([unheard])
    assert not any("bits" in text for text in (*alone.header, *alone.notes))


def test_neither_search_nor_words_stand_in_its_signature(run):
    signature = run.signatures["readability_bits|av"]
    assert "|rec:scorer#7" in signature
    assert "|against:static|" in signature
    assert not any(f"|{key}:" in signature for key in ("norm", "lexicon", "dec"))


class Forgetful(Scorer):
    """Does not tell of one language."""

    name = "forgetful"

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        found = super().transcribe_scored(crops, audio, language, lexicon, reference)
        return [Hypothesis(h.text, h.phones) for h in found] if language == "ita" else found


def load_forgetful():
    return Forgetful()


def test_clips_that_it_does_not_tell_of_are_named_not_left_out_in_silence(place, tmp_path):
    run = mtbench.score(
        place / "entry", place / "small", recognizer="test_readability:load_forgetful", snr=(-7.5,), workers=1,
        cache=tmp_path / "cache",
    )  # fmt: skip
    (whole,) = run.find("readability_bits", language="all", aggregation="corpus", **WHERE)
    assert (whole.n_clips, whole.n_expected) == (4, 6)
    (none,) = run.find("readability_bits", language="ita", aggregation="corpus", **WHERE)
    assert none.estimate is None
    assert none.reason == "the recognizer does not tell how probable the reference is (2 clips)"


def test_two_entries_are_compared_by_it(place, run, tmp_path):
    fakes.make_entry(tmp_path / "still", amplitude=0.01)
    other = mtbench.score(
        tmp_path / "still", place / "small", recognizer="test_readability:load_scorer", snr=(-7.5,), workers=1,
        cache=place / "cache", out=tmp_path / "results",
    )  # fmt: skip
    differences = mtbench.compare(run.folder, other.folder).differences
    found = [d for d in differences if (d.metric, d.language, d.noise) == ("readability_bits", "all", "all")]
    assert {d.aggregation for d in found} == {"corpus", "macro-language"}
    assert all(d.difference < 0 for d in found)


def test_recognizers_that_do_not_tell_have_no_such_number(place, tmp_path):
    run = mtbench.score(
        place / "entry", place / "small", recognizer=fakes.ONE_EAR, snr=(-7.5,), workers=1, cache=place / "cache",
        out=tmp_path,
    )  # fmt: skip
    assert run.find("readability_bits") == []
    assert not any(key.startswith("readability") for key in run.signatures)
    assert not any(
        "log_probability" in line for line in (run.folder / "clips.jsonl").read_text().splitlines()
    )


def test_rows_are_read_as_they_were_written(run):
    row = next(r for r in read_rows(run.folder) if isinstance(r, RecognitionRow))
    assert row.tokens == 4
    assert row_from_json(json.loads(json.dumps(row.to_json()))) == row


@pytest.mark.parametrize(
    "changes",
    [
        {"log_probability": 0.1},
        {"log_probability": "-3"},
        {"tokens": None},
        {"tokens": 0},
        {"log_probability": None},
    ],
)
def test_impossible_values_in_files_are_refused(run, changes):
    from mtbench.results.checks import check_row

    row = next(r for r in read_rows(run.folder) if isinstance(r, RecognitionRow))
    check_row(row)
    with pytest.raises(ValueError, match=r"log_probability|tokens"):
        check_row(row_from_json(row.to_json() | {"log_probability": -1.0, "tokens": 2} | changes))


@pytest.mark.parametrize(
    ("told", "tokens"), [(0.5, 3), (float("nan"), 3), (-math.inf, 3), (-3.0, None), (None, 3), (-3.0, 0)]
)
def test_a_recognizer_that_tells_nonsense_is_named(told, tokens):
    class Odd(Scorer):
        def transcribe_scored(self, crops, audio, language, lexicon, reference):
            return [Hypothesis("word", None, told, tokens) for _ in audio]

    with pytest.raises(RecognizerError, match="clean sound: a log-probability"):
        transcribe_checked(
            Odd(),
            None,
            [np.full(640, 0.1, np.float32)],
            "eng",
            None,
            "c",
            ["clean sound"],
            Reference("word", ("a",)),
        )


def test_one_of_several_files_tells_where_all_do():
    assert isinstance(ByLanguage({"ita": Scorer, "eng": Scorer}), ReferenceScorer)
    assert not isinstance(ByLanguage({"ita": fakes.OneEar}), ReferenceScorer)
    found = ByLanguage({"ita": Scorer}).transcribe_scored(
        None, [np.full(640, 0.1, np.float32)], "ita", None, Reference("a", ("a", "b"))
    )
    assert found[0].log_probability == -8.0


def test_the_bundled_judge_is_one_and_its_hypotheses_stay_the_same():
    pytest.importorskip("torch", reason="the judge needs torch")
    from mtbench.avsr import load_recognizer
    from mtbench.benchmarks import load_benchmark

    judge = load_recognizer("openhead-av")
    assert isinstance(judge, ReferenceScorer)
    clip = load_benchmark("openhead-20")["ita-01"]
    lexicon = load_benchmark("openhead-20").lexicon("ita")
    sound = clip.load_audio()
    (plain,) = judge.transcribe(None, [sound], "ita", lexicon)
    true = Reference(clip.transcript, clip.phones)
    wrong = Reference(clip.transcript, clip.phones[::-1])
    first, second = (
        judge.transcribe_scored(None, [sound, sound[:-640]][:1], "ita", lexicon, r)[0] for r in (true, wrong)
    )
    assert (first.text, first.phones) == (second.text, second.phones) == (plain.text, plain.phones)
    assert first.tokens == len(clip.phones)
    assert second.log_probability < first.log_probability - 50 < 0
    unknown = Reference(clip.transcript, ("?",))
    assert judge.transcribe_scored(None, [sound], "ita", lexicon, unknown)[0].log_probability is None
