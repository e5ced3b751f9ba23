"""The guard on the domain: what is measured, when it is said, and where it shows."""

import csv
import dataclasses
import json
import re
import shutil

import fakes
import pytest

import mtbench
from mtbench.avsr.base import Hypothesis
from mtbench.errors import UsageError
from mtbench.leaderboard import build_leaderboard
from mtbench.metrics.edit_counts import EditCounts
from mtbench.results.comparison import check_comparable
from mtbench.results.rows import RecognitionRow
from mtbench.results.run_files import read_run
from mtbench.results.signature import Signature
from mtbench.results.tables import entries_table, languages_table
from mtbench.results.understanding import measure_understanding
from mtbench.scoring.rescoring import rescore
from mtbench.work.progress import Progress


def row(language, words, phones=None, modality="a", snr=None, chars=(9, 1, 0, 0)):
    return RecognitionRow(
        f"{language}-{words}-{phones}-{modality}-{snr}", language, "s", modality,
        None if modality == "a" else "entry", snr, None if snr is None else "babble", "x", "x",
        words=EditCounts(*words), chars=EditCounts(*chars),
        phones=None if phones is None else EditCounts(*phones),
    )  # fmt: skip


def test_phone_error_counts_whatever_the_lexicon_makes_of_it():
    # Words are nearly all right, thanks to a small lexicon; phones are not.
    found = measure_understanding("judge", [row("ita", (9, 1, 0, 0), (6, 4, 0, 0))])
    assert (found.unit, found.error, found.understood) == ("phones", 40.0, False)
    assert "40.0 % phone error" in found.warn()
    assert "does not understand this speech" in found.warn()
    # And the other way round: a lexicon that does not fit is not the speech's fault.
    found = measure_understanding("judge", [row("ita", (2, 8, 0, 0), (9, 1, 0, 0))])
    assert (found.error, found.understood, found.warn()) == (10.0, True, None)


def test_mean_over_languages_and_corpus_within():
    rows = [
        row("ita", (1, 0, 0, 0), (10, 0, 0, 0)),
        row("ita", (1, 0, 0, 0), (15, 10, 5, 0)),
        row("eng", (1, 0, 0, 0), (95, 5, 0, 0)),
    ]
    found = measure_understanding("judge", rows)
    assert found.by_language == pytest.approx({"eng": 5.0, "ita": 37.5})
    assert found.error == pytest.approx(21.25)
    assert found.n_clips == 3
    assert found.understood
    assert "Italian 37.5 %" in found.warn()
    assert "English" not in found.warn()


def test_words_only_where_phones_are_missing():
    rows = [row("ita", (8, 2, 0, 0), (0, 9, 0, 0)), row("jpn", (0, 9, 0, 0))]
    found = measure_understanding("judge", rows)
    # One clip without phones: all languages by their headline rate, characters for Japanese.
    assert found.unit == "words"
    assert found.by_language == pytest.approx({"ita": 20.0, "jpn": 10.0})
    assert "word error" in found.describe()


def test_only_clean_sound_alone_counts():
    bad = (0, 10, 0, 0)
    rows = [row("ita", bad, bad, "av"), row("ita", bad, bad, "a", -7.5), row("ita", bad, bad, "v")]
    assert measure_understanding("judge", rows) is None
    assert measure_understanding("judge", [*rows, row("ita", (10, 0, 0, 0), (10, 0, 0, 0))]).error == 0


class GoodEar(fakes.OneEar):
    """Says the phones of the transcripts of the tiny benchmark."""

    name = "good-ear"
    digest = "abcdef0123456789"

    def transcribe(self, crops, audio, language, lexicon=None):
        return [
            Hypothesis(h.text, tuple("abta")) for h in super().transcribe(crops, audio, language, lexicon)
        ]


def load_good_ear():
    return GoodEar()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("understanding")
    fakes.make_benchmark(root / "small", noises=1)
    fakes.make_entry(root / "entry")
    return root


def score(place, recognizer, out):
    return mtbench.score(
        place / "entry",
        place / "small",
        recognizer=recognizer,
        workers=1,
        snr=(-7.5,),
        cache=place / "cache",
        out=out,
    )


def test_verdict_is_in_run_json_tables_and_leaderboard(place, tmp_path):
    bad = score(place, fakes.ONE_EAR, tmp_path / "bad")
    folder = tmp_path / "bad" / "entry" / "small"
    data = json.loads((folder / "run.json").read_text())
    assert data["understanding"]["understood"] is False
    assert data["understanding"]["unit"] == "phones"
    assert data["understanding"]["error"] == pytest.approx(bad.understanding.error)
    assert set(data["understanding"]["by_language"]) == {"ita", "eng", "jpn"}
    assert any("does not understand this speech" in w for w in data["warnings"])
    for table in (entries_table([bad]), languages_table([bad])):
        assert "one-ear#01234567" in table.title
        assert "DOES NOT UNDERSTAND" in table.title
    before = (folder / "run.json").read_bytes()
    rescore(folder)
    assert read_run(folder).understanding == bad.understanding
    assert json.loads(before)["warnings"] == list(read_run(folder).warnings)

    good = score(place, "test_understanding:load_good_ear", tmp_path / "good")
    assert good.understanding.error == 0
    assert not any("understand" in w for w in good.warnings)
    assert "UNDERSTAND" not in entries_table([good]).title
    assert (
        "good-ear on this benchmark's clean sound alone: 0.0 % phone error" in entries_table([good]).to_text()
    )
    with pytest.raises(ValueError, match="not comparable"):
        entries_table([bad, good])

    for name in ("bad", "good"):
        shutil.copytree(tmp_path / name / "entry", tmp_path / "both" / name)
    build_leaderboard(tmp_path / "both", tmp_path / "board")
    markdown = (tmp_path / "board" / "leaderboard.md").read_text()
    titles = [line for line in markdown.splitlines() if line.startswith("**")]
    assert len(titles) == 4
    assert all(("one-ear" in t) != ("good-ear" in t) for t in titles)
    groups = json.loads((tmp_path / "board" / "leaderboard.json").read_text())
    assert {g["recognizer"]["name"]: g["understanding"]["understood"] for g in groups} == {
        "one-ear": False, "good-ear": True,
    }  # fmt: skip
    with (tmp_path / "board" / "leaderboard.csv").open() as file:
        judges = {r["recognizer"]: r["understood"] for r in csv.DictReader(file)}
    assert judges == {"one-ear#01234567": "False", "good-ear#abcdef01": "True"}


def test_verdict_comes_before_anything_is_rendered(place, monkeypatch):
    from mtbench.scoring import scoring

    told = []

    class Recorder(Progress):
        def warn(self, text):
            told.append(("warn", text))

        def stage(self, name, total, cached=0):
            told.append(("stage", name))
            return super().stage(name, total, cached)

    monkeypatch.setattr(scoring, "make_progress", lambda wanted: Recorder())
    score(place, fakes.ONE_EAR, None)
    order = [what if what == "warn" else name for what, name in told]
    assert order.index("warn") < order.index("rendering mouths")
    # What is said of the speech, and what of the motion.
    assert order.count("warn") == 2


def test_files_of_schema_version_1_are_read(place, tmp_path):
    score(place, fakes.ONE_EAR, tmp_path)
    file = tmp_path / "entry" / "small" / "run.json"
    data = json.loads(file.read_text())
    del data["understanding"]
    file.write_text(json.dumps({**data, "schema_version": 1}))
    old = read_run(file.parent)
    assert old.understanding is None
    assert "one-ear" in entries_table([old]).title


def test_a_missing_word_list_is_no_deafness():
    """Case ``30-no-word-list``: the message names the list that is missing, and how to make one."""
    everything_wrong = (0, 1, 6, 0)
    found = measure_understanding("judge", [row("eng", everything_wrong)], no_words=["eng"])
    assert (found.error, found.understood, found.no_words, found.n_clips) == (None, None, ("eng",), 0)
    assert found.warn().startswith("no word list for English: judge answers with words of a list only")
    assert "pip install 'multitalk-bench[synth]' gives it the language's common words" in found.warn()
    assert "understand" not in found.warn()
    assert found.describe().endswith("not judged, there is no word list")
    # Where there are reference phones, they judge; the list is missing all the same.
    found = measure_understanding("judge", [row("eng", everything_wrong, (9, 1, 0, 0))], no_words=["eng"])
    assert (found.unit, found.error, found.understood, found.no_words) == ("phones", 10.0, True, ("eng",))
    assert found.warn().startswith("no word list for English")
    assert "does not understand" not in found.warn()
    found = measure_understanding("judge", [row("eng", everything_wrong, (1, 9, 0, 0))], no_words=["eng"])
    assert found.understood is False
    assert "no word list for English" in found.warn()
    assert "does not understand this speech" in found.warn()
    # Another language is judged by its words.
    rows = [row("eng", everything_wrong), row("ita", (9, 1, 0, 0))]
    found = measure_understanding("judge", rows, no_words=["eng", "fra"])
    assert (found.by_language, found.understood, found.no_words) == ({"ita": 10.0}, True, ("eng",))


def test_characters_judge_words_of_an_open_vocabulary():
    """Half of the words may be wrong, for want of a list, where nearly all of it was heard."""
    heard = dataclasses.replace(row("eng", (3, 3, 0, 0)), chars=EditCounts(27, 3, 0, 0))
    found = measure_understanding("judge", [heard], open_words=["eng", "fra"])
    assert (found.unit, found.error, found.understood) == ("words", 10.0, True)
    assert (found.open_words, found.no_words, found.warn()) == (("eng",), (), None)
    assert found.describe() == "judge on this benchmark's clean sound alone: 10.0 % character error"
    # Above the limit it may be the vocabulary's fault: then nothing is said, and nobody wins.
    lost = dataclasses.replace(heard, chars=EditCounts(15, 15, 0, 0))
    found = measure_understanding("judge", [lost, row("ita", (9, 1, 0, 0))], open_words=["eng"])
    assert (found.error, found.understood, found.strange) == (30.0, True, ())
    found = measure_understanding("judge", [lost], open_words=["eng"])
    assert (found.error, found.understood, found.strange) == (50.0, None, ())
    assert "cannot be told from that" in found.warn()
    # The same words of a list are a verdict.
    assert measure_understanding("judge", [heard]).understood is False
    # Phones need no words at all.
    deaf = dataclasses.replace(row("eng", (6, 0, 0, 0), (1, 9, 0, 0)), chars=EditCounts(30, 0, 0, 0))
    assert measure_understanding("judge", [deaf], open_words=["eng"]).understood is False
    # One text that cannot be said as a whole does not keep the others from telling.
    both = measure_understanding("judge", [deaf, lost], open_words=["eng"])
    assert (both.unit, both.error, both.n_clips) == ("phones", 90.0, 1)
    mixed = measure_understanding("judge", [heard, row("ita", (9, 1, 0, 0))], open_words=["eng"])
    assert mixed.describe().endswith("10.0 % word error")


class ListReader(fakes.OneEar):
    """Needs a word list."""

    name = "list-reader"
    needs_lexicon = True


def load_list_reader():
    return ListReader()


@pytest.fixture
def lists(place):
    """A benchmark with an Italian list, and neither phones nor lists otherwise."""
    lists = place / "listed"
    if not lists.exists():
        shutil.copytree(place / "small", lists)
        (lists / "ita.tsv").write_text("word\tw a d\t1\n")
        text = (lists / "benchmark.toml").read_text("utf-8").replace('phones = "a b t a"\n', "")
        text = text.replace("fps = 25", 'lexicons = {ita = "ita.tsv"}\nfps = 25').replace("small", "listed")
        (lists / "benchmark.toml").write_text(text, "utf-8")
        shutil.copytree(place / "entry", place / "entry-listed")
        manifest = place / "entry-listed" / "submission.toml"
        manifest.write_text(manifest.read_text("utf-8").replace("small", "listed"), "utf-8")
    return lists


def test_a_missing_word_list_is_told_in_tables_results_and_rescored_ones(place, lists, tmp_path, monkeypatch):
    """Case ``30-no-word-list``: before anything is rendered, in the title, and in files."""
    monkeypatch.setattr("mtbench.extras.has_module", lambda name: name != "espeakng_loader")
    run = mtbench.score(
        place / "entry-listed", lists, recognizer="test_understanding:load_list_reader", workers=1, snr=(-7.5,),
        cache=place / "cache", out=tmp_path,
    )  # fmt: skip
    assert run.understanding.no_words == ("eng", "jpn")
    assert set(run.understanding.by_language) == {"ita"}
    title = entries_table([run]).title
    assert "list-reader#01234567 in %, WITHOUT A WORD LIST FOR English, Japanese" in title
    assert [w for w in run.warnings if w.startswith("no word list for English, Japanese: list-reader")]
    folder = next(tmp_path.rglob("run.json")).parent
    assert read_run(folder).understanding == run.understanding
    again = rescore(folder)
    assert again.warnings == run.warnings
    assert again.understanding == run.understanding


def test_words_of_an_open_vocabulary_are_told_and_stand_in_no_column_with_others(
    place, lists, tmp_path, monkeypatch
):
    pytest.importorskip("espeakng_loader")
    asked = {
        "benchmark": lists, "recognizer": "test_understanding:load_list_reader", "workers": 1, "snr": (-7.5,),
        "cache": place / "cache",
    }  # fmt: skip
    monkeypatch.setattr("mtbench.synth.OPEN_WORDS", 60)
    run = mtbench.score(place / "entry-listed", **asked, out=tmp_path)
    assert (run.understanding.no_words, run.understanding.open_words) == ((), ("eng", "jpn"))
    # What an engine reads is no verdict on Italian, whose words come from a list.
    assert (run.understanding.unit, set(run.understanding.by_language)) == ("words", {"eng", "ita", "jpn"})
    assert run.understanding.understood is None
    assert "UNDERSTAND" not in entries_table([run]).title
    assert "WITHOUT A WORD LIST" not in entries_table([run]).title
    told = [
        text for text in run.warnings if text.startswith("no word list for English: words come from an open")
    ]
    assert "(60 commonest words; wordfreq-" in told[0]
    assert "espeak-ng-1.52" in told[0]
    # "word" is no word of the list's sixty commonest.
    assert "which lacks 12 of 12 words that are said" in told[0]
    assert run.warning_codes.count("open-vocabulary") == 2
    signature = Signature.parse(
        run.find("wer", modality="av", snr_db=-7.5, noise="all", language="eng")[0].signature
    )
    named = signature.get("lexicon")
    assert re.fullmatch(
        r"listed#[0-9a-f]+\+open:wordfreq-[0-9.]+,espeak-ng-1\.52\.0,pykakasi-[0-9.]+,60#[0-9a-f]+", named
    )
    folder = next(tmp_path.rglob("run.json")).parent
    again = rescore(folder)
    assert (again.understanding, again.warnings) == (run.understanding, run.warnings)
    # Another size, or none, is another measurement.
    monkeypatch.setattr("mtbench.synth.OPEN_WORDS", 30)
    fewer = mtbench.score(place / "entry-listed", **asked)
    monkeypatch.setattr("mtbench.extras.has_module", lambda name: name != "espeakng_loader")
    none = mtbench.score(place / "entry-listed", **asked)
    for a, b in ((run, fewer), (run, none), (fewer, none)):
        with pytest.raises(UsageError, match="lexicon: listed#"):
            check_comparable(a, b)


def test_nobody_wins_by_words_without_a_list():
    """Of the kind of case ``30-no-word-list``: undivided phones may differ in characters by chance."""
    from types import SimpleNamespace

    from mtbench.results.comparison import _withhold_winners
    from mtbench.results.paired import Difference

    def difference(metric, language, modality="av"):
        values = dict.fromkeys(Difference.__dataclass_fields__, 0.0)
        names = {"metric": metric, "language": language, "modality": modality, "better": "a"}
        return Difference(**{**values, **names})

    judged = measure_understanding(
        "judge", [row("eng", (0, 1, 0, 0), (9, 1, 0, 0)), row("ita", (9, 1, 0, 0), (9, 1, 0, 0))], ["eng"]
    )
    run = SimpleNamespace(understanding=judged, sight=None)
    asked = [
        difference("wer", "eng"), difference("wer", "ita"), difference("wer", "all"), difference("per", "eng"),
        difference("per", "all"), difference("lve_mm", "eng", None), difference("readability_bits", "all"),
    ]  # fmt: skip
    found, notes = _withhold_winners(asked, run, run)
    assert [d.better for d in found] == [None, "a", None, "a", "a", "a", "a"]
    assert "or there is no word list" in notes[0]
