"""The guard on the motion: recognizers that read, are blind, or are misled; where it shows, and what it costs."""

import csv
import importlib.util
import json
import re
import shutil
import sys
from types import SimpleNamespace

import fakes
import pytest

import mtbench
from mtbench.avsr import Hypothesis, ask_for, keep_recognizer
from mtbench.benchmarks import find_noise_folder, load_benchmark
from mtbench.files import digest_bytes
from mtbench.leaderboard import build_leaderboard
from mtbench.results import Sight, compare, entries_table, read_results, read_run
from mtbench.scoring import Contents, Setup, text_phones
from mtbench.scoring.rescoring import rescore
from mtbench.scoring.text_phones import find_phones, read_phones
from mtbench.scoring.true_mouths import MOST_CLIPS, choose_clips, look_at_truth
from mtbench.speech import load_noises
from mtbench.statistics import Number
from mtbench.work import Executor, make_progress

CLIPS = {
    f"{language}-{k}": (language, 24 + 2 * k, f"{language} {k}")
    for language in ("ita", "eng")
    for k in range(4)
}
PHONES = ("a", "b", "t", "a")
TRUTHS: dict[str, str] = {}
ASKED: list[tuple[str, bool]] = []


def learn_truths(benchmark):
    """Keep what the true mouths look like, by what is said."""
    from mtbench.faces import load_topology
    from mtbench.renderers import Appearance, load_renderer, render_mouth_crops

    for clip in benchmark.clips:
        vertices = clip.load_motion().vertices
        topology = load_topology(clip.topology)
        crops = render_mouth_crops(load_renderer("software"), topology, vertices, Appearance())
        TRUTHS[clip.transcript] = digest_bytes(crops.tobytes())


class Reader:
    """Understands everything of the true mouth and of clean sound, and half of the rest."""

    name, digest, languages = "reader", "a" * 16, frozenset({"ita", "eng"})
    with_truth = (PHONES, -1.0)
    with_other = (("a", "b", "k"), -20.0)
    without = (("a", "b"), -8.0)

    def transcribe(self, crops, audio, language, lexicon=None):
        raise AssertionError("asked without a reference")

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        ASKED.append((reference.text, crops is not None))
        moves = crops is not None and (crops != crops[:1]).any()
        true = crops is not None and digest_bytes(crops.tobytes()) == TRUTHS.get(reference.text)
        phones, told = self.with_truth if true else self.with_other if moves else self.without
        if crops is None:
            phones = PHONES
        return [Hypothesis(reference.text, phones, told, 4) for _ in audio]


class Blind(Reader):
    name = "blind"
    with_truth = with_other = Reader.without


class Misled(Reader):
    """Believes every moving mouth, and what it believes is wrong."""

    name = "misled"
    with_truth = (("k", "k", "k", "k"), -15.0)


class Wordy(Reader):
    """Tells neither phones nor probabilities; half of the words where it does not see the true mouth."""

    name = "wordy"

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        found = super().transcribe_scored(crops, audio, language, lexicon, reference)
        right = found[0].phones == PHONES
        return [Hypothesis(reference.text if right else "nothing", None) for _ in found]


class Lister(Reader):
    """Has words only from a list; understands what was said of the true mouth, and its first phone else."""

    name, needs_lexicon = "lister", True

    def transcribe_scored(self, crops, audio, language, lexicon, reference):
        true = crops is not None and digest_bytes(crops.tobytes()) == TRUTHS.get(reference.text)
        phones = reference.phones if true else reference.phones[:1]
        return [Hypothesis("undivided", phones, -1.0 if true else -9.0, len(reference.phones)) for _ in audio]


def load_lister():
    return Lister()


def load_reader():
    return Reader()


def load_blind():
    return Blind()


def load_misled():
    return Misled()


def load_wordy():
    return Wordy()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("true-mouths")
    fakes.make_benchmark(root / "small", CLIPS, noises=1)
    fakes.make_benchmark(root / "deaf" / "small", CLIPS, motion=False, noises=1)
    learn_truths(load_benchmark(root / "small"))
    fakes.make_entry(root / "entry", CLIPS)
    fakes.make_entry(root / "other", CLIPS, amplitude=0.3)
    return root


def score(place, name, out=None, entry="entry", benchmark="small", **more):
    return mtbench.score(
        place / entry,
        place / benchmark,
        recognizer=f"test_true_mouths:load_{name}",
        workers=1,
        snr=(-10.0, -7.5),
        cache=place / "cache",
        out=out,
        **more,
    )


def test_one_that_reads_passes_and_nothing_else_changes(place, tmp_path):
    run = score(place, "reader", tmp_path)
    assert run.sight.reads is True
    assert (run.sight.n_clips, run.sight.counted) == (8, "phones")
    assert run.sight.condition == "AV at -7.5 dB"
    assert run.sight.numbers["true"].estimate == 0
    assert run.sight.numbers["static-true"].estimate == 50
    assert run.sight.numbers["percentile"].estimate == 100
    assert not any("motion" in code for code in run.warning_codes)
    assert "CANNOT READ" not in entries_table([run]).title
    assert "sight" not in "".join(run.signatures.values())
    assert read_run(tmp_path / "entry" / "small").sight == run.sight


@pytest.mark.parametrize("name", ["blind", "misled"])
def test_one_that_does_not_is_named_everywhere_and_ranks_nothing(place, tmp_path, name):
    runs = [score(place, name, tmp_path / "results", entry) for entry in ("entry", "other")]
    for run in runs:
        assert run.rankable
        assert run.sight.reads is False
        assert run.understanding.understood is True
        assert "motion-not-read" in run.warning_codes
        assert any("cannot read this motion" in warning for warning in run.warnings)
        assert "WHICH CANNOT READ THIS MOTION" in entries_table([run]).title
    if name == "misled":
        assert runs[0].sight.numbers["static-true"].ci95[1] < 0
    else:
        assert runs[0].sight.numbers["percentile"].estimate == 50
    found = compare(*(tmp_path / "results" / entry / "small" for entry in ("entry", "other")))
    assert all(d.better is None for d in found.differences if d.modality is not None)
    build_leaderboard(tmp_path / "results", tmp_path / "board")
    (group,) = json.loads((tmp_path / "board" / "leaderboard.json").read_text())
    assert group["sight"]["reads"] is False
    assert "CANNOT READ THIS MOTION" in (tmp_path / "board" / "leaderboard.md").read_text()
    # By LVE: less of the motion is further from the ground truth.
    assert [entry["system"]["name"] for entry in group["entries"]] == ["entry", "other"]
    with (tmp_path / "board" / "leaderboard.csv").open() as file:
        assert {row["reads"] for row in csv.DictReader(file)} == {"False"}
    folder = tmp_path / "results" / "entry" / "small"
    before = {**json.loads((folder / "run.json").read_text()), "timings": None}
    rescore(folder)
    assert {**json.loads((folder / "run.json").read_text()), "timings": None} == before


def test_words_count_where_there_are_no_phones(place):
    run = score(place, "wordy")
    assert run.sight.reads is True
    assert run.sight.counted == "words"
    assert run.sight.numbers["percentile"].estimate is None
    assert run.sight.numbers["v.shuffled-true"].estimate == 100


def test_one_that_needs_a_list_is_not_judged_by_words(place, monkeypatch):
    monkeypatch.setattr(Wordy, "needs_lexicon", True, raising=False)
    monkeypatch.setattr(Wordy, "digest", "b" * 16)
    monkeypatch.setattr("mtbench.synth.OPEN_WORDS", 25)
    run = score(place, "wordy")
    assert run.sight.reads is None
    assert "neither phones nor words" in run.sight.reason


def look(place, folder, name="lister", workers=1):
    """Look at the true mouths of a benchmark without scoring anything."""
    benchmark = load_benchmark(folder)
    spec = ask_for(f"test_true_mouths:load_{name}")
    contents = Contents(benchmark.digest, recognizer=keep_recognizer(spec)[1])
    noise = str(find_noise_folder(benchmark))
    setup = Setup(str(folder), "", str(place / "cache"), spec, "software", noise=noise, contents=contents)
    return look_at_truth(
        setup, benchmark.clips, load_noises(noise), (-10.0, -7.5), Executor(workers), make_progress(False)
    )


@pytest.fixture
def phoneless(place):
    """The benchmark without reference phones; the first Italian text cannot be said as a whole."""
    folder = place / "phoneless"
    if not folder.exists():
        shutil.copytree(place / "small", folder)
        text = (folder / "benchmark.toml").read_text("utf-8").replace('phones = "a b t a"\n', "")
        (folder / "benchmark.toml").write_text(text.replace('"ita 0"', '"ita & 0"'), "utf-8")
    return folder


def test_phones_are_read_from_the_transcripts_where_there_are_none_and_words_need_a_list(place, phoneless):
    pytest.importorskip("espeakng_loader")
    sight = look(place, phoneless)
    assert sight.reads is True
    # All but the one that cannot be said; it lends no mouth either.
    assert sight.n_clips == 7
    assert re.fullmatch(r"phones that espeak-ng 1\.\d+\S* reads from the transcripts", sight.counted)
    assert sight.numbers["true"].estimate == 0
    said = {text: read_phones(text[:3], {"x": text})["x"] for _, _, text in CLIPS.values() if text != "ita 0"}
    wrong = sum(len(phones) - 1 for phones in said.values()) / sum(map(len, said.values()))
    assert sight.numbers["static-true"].estimate == pytest.approx(100 * wrong)
    assert sight.numbers["percentile"].estimate == 100
    assert sight.counted in sight.describe()
    assert look(place, phoneless) == sight
    # Reference phones are taken where there are some, and nothing is read for who needs no list.
    own = look(place, place / "small")
    assert (own.counted, own.n_clips) == ("phones", 8)
    words = look(place, phoneless, "wordy")
    assert (words.counted, words.n_clips, words.reads) == ("words", 8, True)


def test_a_language_that_nothing_was_looked_at_of_is_named(place, phoneless):
    pytest.importorskip("espeakng_loader")
    mute = place / "mute"
    shutil.copytree(phoneless, mute)
    text = (mute / "benchmark.toml").read_text("utf-8").replace('transcript = "ita ', 'transcript = "ita & ')
    (mute / "benchmark.toml").write_text(text, "utf-8")
    sight = look(place, mute)
    assert sight.n_clips > 0
    assert sight.left_out == ("ita",)
    assert "; none in Italian)" in sight.describe()
    assert look(place, mute) == sight  # from the cache as well
    assert look(place, phoneless).left_out == ()
    assert Sight.from_json(sight.to_json()) == sight


def test_reference_phones_and_read_ones_are_told_apart(place, phoneless):
    pytest.importorskip("espeakng_loader")
    mixed = place / "mixed"
    shutil.copytree(phoneless, mixed)
    text = (mixed / "benchmark.toml").read_text("utf-8")
    text = text.replace('transcript = "eng 1"\n', 'transcript = "eng 1"\nphones = "a b"\n')
    (mixed / "benchmark.toml").write_text(text, "utf-8")
    assert look(place, mixed).counted.endswith("reads from the transcripts (6 of 7 clips)")


def test_where_phones_cannot_be_read_the_reason_and_the_remedy_are_told(place, phoneless, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    text_phones._read.cache_clear()
    sight = look(place, phoneless)
    assert (sight.reads, sight.n_clips, sight.counted) == (None, 0, None)
    for part in (
        "the clips have no reference phones",
        "pip install 'multitalk-bench[synth]'",
        "'mtbench benchmark lexicon'",
    ):
        assert part in sight.warn()
    # It can be told as soon as the packages are there: no verdict was kept.
    monkeypatch.undo()
    if importlib.util.find_spec("espeakng_loader"):
        assert look(place, phoneless).reads is True


def test_what_answers_can_be_counted_by():
    def clip(name, language, text, phones=None):
        return SimpleNamespace(id=name, language=language, transcript=text, phones=phones)

    own = clip("a", "ita", "pane", ("p", "a"))
    assert find_phones(Lister(), [own]) == ({"a": ("p", "a")}, None)
    assert find_phones(Reader(), [own, clip("b", "ita", "vino")]) == ({"a": ("p", "a"), "b": ()}, None)
    strange = [clip("c", "swe", "bröd"), clip("d", "ita", "&")]
    found, why = find_phones(Lister(), [own, *strange[:1]])
    assert (found, why) == ({"a": ("p", "a")}, "the speech engine is not used for swe")
    pytest.importorskip("espeakng_loader")
    found, why = find_phones(Lister(), [own, clip("b", "ita", "vino"), *strange])
    assert list(found) == ["a", "b"]
    assert found["b"] == ("v", "i", "n", "o")
    assert why == "not every transcript can be said as a whole; the speech engine is not used for swe"


def test_where_there_is_no_ground_truth_that_is_said(place):
    run = score(place, "reader", benchmark="deaf/small")
    assert run.sight.reads is None
    assert run.sight.reason == "the benchmark has no ground truth"
    assert "motion-unchecked" in run.warning_codes
    assert any("was not looked at" in warning for warning in run.warnings)
    assert "CANNOT READ" not in entries_table([run]).title


def test_it_is_made_once_for_all_entries(place, tmp_path):
    ASKED.clear()
    run = mtbench.score(
        place / "entry", place / "small", recognizer="test_true_mouths:load_reader", workers=1, snr=(-7.5,),
        cache=tmp_path / "cache",
    )  # fmt: skip
    once = len(ASKED)
    ASKED.clear()
    again = mtbench.score(
        place / "other", place / "small", recognizer="test_true_mouths:load_reader", workers=1, snr=(-7.5,),
        cache=tmp_path / "cache",
    )  # fmt: skip
    assert again.sight == run.sight
    # One question a clip about the entry's own face.
    assert len(ASKED) == len(CLIPS)
    # Before: alone twice (clean first), entry, static; and the check's true, static and ten others.
    assert once == len(CLIPS) * (2 + 2 + 12)


def test_two_workers_find_the_same(place, tmp_path):
    runs = [
        mtbench.score(
            place / "entry", place / "small", recognizer=fakes.ONE_EAR, workers=workers, snr=(-7.5,),
            cache=tmp_path / str(workers),
        )
        for workers in (1, 2)
    ]  # fmt: skip
    assert runs[0].sight == runs[1].sight
    assert runs[0].sight.n_clips == 8


def test_clips_are_spread_over_languages():
    benchmark = load_benchmark("openhead-20")
    chosen = choose_clips(benchmark.clips)
    assert len(chosen) == MOST_CLIPS
    assert len({clip.language for clip in chosen}) == min(MOST_CLIPS, len(benchmark.languages))
    assert chosen == choose_clips(benchmark.clips)
    assert len(choose_clips(benchmark.clips, 50)) == 50


def number(estimate, low, high):
    return Number(estimate, (low, high), "points")


@pytest.mark.parametrize(
    ("changed", "reads"),
    [
        ({}, True),
        ({"static-true": number(3.0, -0.1, 6.0)}, False),
        ({"shuffled-true": number(3.0, 0.0, 6.0)}, False),
        ({"percentile": number(60.0, 49.0, 70.0)}, False),
        ({"percentile": Number(None, None, "%")}, True),
        ({"percentile": Number(None, None, "%"), "v.shuffled-true": number(1.0, -1.0, 2.0)}, False),
        ({"v.shuffled-true": number(1.0, -1.0, 2.0)}, True),
        ({"static-true": Number(3.0, None, "points")}, False),
    ],
)
def test_every_claim_needs_its_whole_interval(changed, reads):
    numbers = {
        "static-true": number(10.0, 5.0, 15.0),
        "shuffled-true": number(10.0, 5.0, 15.0),
        "percentile": number(90.0, 80.0, 99.0),
        "v.shuffled-true": number(5.0, 1.0, 9.0),
    }
    sight = Sight("judge", 8, "AV at -7.5 dB", "phones", {**numbers, **changed})
    assert sight.reads is reads
    assert (sight.warn() is None) is reads
    assert Sight.from_json(json.loads(json.dumps(sight.to_json()))) == sight


def test_older_files_have_no_verdict(place, tmp_path):
    score(place, "reader", tmp_path)
    file = tmp_path / "entry" / "small" / "run.json"
    data = json.loads(file.read_text())
    del data["sight"]
    file.write_text(json.dumps({**data, "schema_version": 2}))
    assert read_results(file.parent)[0].sight is None
