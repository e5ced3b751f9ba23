"""Conditions travel with numbers: one input of a score is changed at a time.

For each input: which signatures change (and which must not), whether ``compare`` refuses, whether tables keep the two
apart, whether the older result survives, and whether the cache notices.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import factories
import fakes
import numpy as np
import pytest
import soundfile

import mtbench
from mtbench.avsr.base import Hypothesis, RecognizerError
from mtbench.errors import UsageError
from mtbench.faces.flame_asset import add_flame
from mtbench.leaderboard import build_leaderboard
from mtbench.renderers.base import Appearance
from mtbench.results.comparison import compare
from mtbench.results.folders import folder_name, results_folder
from mtbench.results.run_files import find_runs, read_run
from mtbench.results.tables import entries_table, group_runs

CLIPS = {"eng-01": ("eng", 12, "word word word"), "ita-01": ("ita", 14, "word word word")}


class OtherEar(fakes.OneEar):
    """Another class under the same name and digest."""

    def transcribe(self, crops, audio, language, lexicon=None):
        return [Hypothesis("other", ("o",)) for _ in audio]


class OtherWeights(fakes.OneEar):
    digest = "89abcdef89abcdef89abcdef89abcdef"


class OtherSearch(fakes.OneEar):
    decoder = "beam(8)"


def load_other_ear():
    return OtherEar()


def load_other_weights():
    return OtherWeights()


def load_other_search():
    return OtherSearch()


@dataclass(frozen=True)
class Change:
    """One input changed: keyword arguments of score, or a change of a copied folder."""

    changed: str
    options: dict = field(default_factory=dict)
    benchmark: object = None
    entry: object = None
    comparable: bool = False
    one_table: bool | None = None
    recognized: bool = True


def _edit_manifest(old: str, new: str):
    def edit(folder: Path) -> None:
        file = folder / "benchmark.toml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return edit


def _edit_lexicon(folder: Path) -> None:
    (folder / "lexicon" / "eng.tsv").write_text("word\tw o r d\nward\tw a r d\n", "utf-8")


def _edit_sound(folder: Path) -> None:
    sound, rate = soundfile.read(folder / "audio" / "eng-01.flac")
    soundfile.write(folder / "audio" / "eng-01.flac", 0.9 * sound, rate)


def _edit_truth(folder: Path) -> None:
    units = fakes.curves(12, 7)
    with np.load(folder / "motion" / "eng-01.npz") as old:
        identity = old["identity"]
    np.savez(folder / "motion" / "eng-01.npz", units=units, identity=identity)


def _more_motion(folder: Path) -> None:
    for file in (folder / "motion").iterdir():
        with np.load(file) as old:
            kept = dict(old)
        np.savez(file, **{**kept, "units": kept["units"] * np.float32(1.1)})


def _double_rate(folder: Path) -> None:
    """The same movement at 50 frames per second."""
    file = folder / "submission.toml"
    file.write_text(file.read_text("utf-8").replace("fps = 25", "fps = 50"), "utf-8")
    for path in (folder / "motion").iterdir():
        with np.load(path) as old:
            kept = dict(old)
        np.savez(path, **{**kept, "units": np.repeat(kept["units"], 2, axis=0)})


ALL = "a av v gain lve fdd"
CHANGES = {
    "noise recording of the same name": Change("a av gain", {"noise": "noise-b"}),
    "noise recording of another name": Change("a av gain", {"noise": "noise-c"}),
    "normalizer": Change("a av v gain", {"normalizer": "multitalk"}, recognized=False),
    "recognizer's class": Change("a av v gain", {"recognizer": "test_conditions:load_other_ear"}),
    "recognizer's weights": Change("a av v gain", {"recognizer": "test_conditions:load_other_weights"}),
    "recognizer's search": Change("a av v gain", {"recognizer": "test_conditions:load_other_search"}),
    "appearance": Change("av v gain", {"appearance": Appearance(ambient=0.5)}),
    "word list": Change(ALL, benchmark=_edit_lexicon),
    "transcript": Change(ALL, benchmark=_edit_manifest("word word word", "word word"), recognized=False),
    "sound": Change(ALL, benchmark=_edit_sound),
    # The speaker at rest is the same, so nothing is recognized anew.
    "ground truth": Change(ALL, benchmark=_edit_truth, recognized=False),
    "version of the benchmark": Change(
        ALL, benchmark=_edit_manifest('version = "1"', 'version = "2"'), recognized=False
    ),
    "signal-to-noise ratio": Change("", {"snr": (-5.0,)}, comparable=True, one_table=False),
    "clean sound only": Change("a av", {"noise": "none"}, comparable=True, one_table=False, recognized=False),
    "geometry only": Change("", {"recognizer": None}, recognized=False),
    "motion": Change("", entry=_more_motion, comparable=True),
    # The entry's own: said in the signature and by compare, no hindrance.
    "frame rate": Change("av v gain lve fdd", entry=_double_rate, comparable=True),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("conditions")
    fakes.make_benchmark(root / "small", CLIPS, noises=0)
    (root / "small" / "lexicon").mkdir()
    (root / "small" / "lexicon" / "eng.tsv").write_text("word\tw o r d\n", "utf-8")
    _edit_manifest("fps = 25", 'fps = 25\nlexicons = { eng = "lexicon/eng.tsv" }')(root / "small")
    fakes.make_entry(root / "entry", CLIPS)
    rng = np.random.Generator(np.random.PCG64(3))
    for folder, name in (("noise-a", "hiss"), ("noise-b", "hiss"), ("noise-c", "rain")):
        (root / folder).mkdir()
        soundfile.write(root / folder / f"{name}.flac", 0.1 * rng.standard_normal(16000), 16000)
    return root


def run_score(place, out, benchmark=None, entry=None, **options):
    options = {
        "recognizer": fakes.ONE_EAR, "noise": "noise-a", "snr": (-7.5,), "workers": 1, "cache": place / "cache",
        **options,
    }  # fmt: skip
    if options["noise"] != "none":
        options["noise"] = place / options["noise"]
    return mtbench.score(entry or place / "entry", benchmark or place / "small", out=out, **options)


@pytest.fixture(scope="module")
def base(place):
    return run_score(place, place / "base")


def family(key: str) -> str:
    metric, _, modality = key.partition("|")
    if metric == "avlr_gain":
        return "gain"
    return modality or ("fdd" if metric.startswith("fdd") else "lve")


def settings(run, key):
    """Return the settings of a signature without the profile's name, which every signature of recognition has."""
    parts = run.signatures[key].split("|")
    assert any(part.startswith("profile:recommended") for part in parts) == ("|" in key)
    return [part for part in parts if not part.startswith("profile:")]


@pytest.mark.parametrize("name", CHANGES)
def test_one_input_at_a_time(place, base, tmp_path, name):
    """Cases 01-compare-other-noise, 02-board-mixes-settings, 31-geometry-only-overwrites."""
    change = CHANGES[name]
    out = tmp_path / "results"
    shutil.copytree(place / "base", out)
    bench, entry = tmp_path / "small", tmp_path / "entry"
    for edit, old, new in ((change.benchmark, "small", bench), (change.entry, "entry", entry)):
        shutil.copytree(place / old, new)
        if edit is not None:
            edit(new)
    if "version" in name:
        text = (entry / "submission.toml").read_text("utf-8")
        (entry / "submission.toml").write_text(text.replace("small@1", "small@2"), "utf-8")
    run = run_score(place, out, bench, entry, **change.options)

    # Signatures differ exactly where they should.
    shared = set(base.signatures) & set(run.signatures)
    assert shared
    # Phones are compared as they are: no normalizer, no word list, no search. What settings are called together (the
    # profile, "recommended+normalizer") is no setting: each of them stands in the signature itself.
    changed = {key for key in shared if settings(base, key) != settings(run, key)}
    textual = name in ("normalizer", "recognizer's search")
    expected = {
        key
        for key in shared
        if family(key) in change.changed.split()
        and not (textual and key.startswith("per|") and "class" not in name)
    }
    if name == "recognizer's search":  # its class is another one, too
        expected |= {key for key in shared if key.startswith("per|")}
    assert changed == expected

    # compare refuses, or not.
    first = out / "entry" / "small"
    assert run.folder is not None
    if name == "motion":
        assert run.folder == first  # the same system under the same conditions: the newer result counts
        first = place / "base" / "entry" / "small"
    else:
        # The older result is as it was.
        assert run.folder != first
        assert (first / "run.json").read_bytes() == (place / "base/entry/small/run.json").read_bytes()
    if change.comparable:
        notes = compare(first, run.folder, replicates=20, trials=20).notes
        assert any("frame rates differ: entry none, entry 50>25/" in note for note in notes) == (
            name == "frame rate"
        )
    else:
        with pytest.raises(UsageError, match="cannot be compared"):
            compare(first, run.folder, replicates=20, trials=20)

    # One table, or two, in show and on the board.
    one_table = change.comparable if change.one_table is None else change.one_table
    both = [read_run(first), read_run(run.folder)]
    assert len(group_runs(both)) == (1 if one_table else 2)
    if name == "frame rate":
        assert "Frame rates differ: entry none, entry 50>25/" in entries_table(both).to_text()
    board = tmp_path / "board"
    build_leaderboard(out, board)
    groups = json.loads((board / "leaderboard.json").read_text("utf-8"))
    assert sum(len(group["entries"]) for group in groups) == (1 if name == "motion" else 2)
    if not one_table:
        text = (board / "leaderboard.md").read_text("utf-8")
        assert text.count("In a table of its own, scored under other conditions: entry") == 2

    # The cache notices: what depends on the input is made anew, and only that.
    computed = run.timings["stages"]["hypotheses"]["computed"]
    assert (computed > 0) == change.recognized


def test_the_same_conditions_twice_compute_nothing_and_stay_in_place(place, base, tmp_path):
    out = tmp_path / "results"
    shutil.copytree(place / "base", out)
    run = run_score(place, out)
    assert run.folder == out / "entry" / "small"
    assert {stage["computed"] for stage in run.timings["stages"].values()} == {0}
    assert [path.name for path in find_runs(out)] == ["small"]
    assert len(group_runs([base, run])) == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("VOCA", "VOCA++"),
        ("CodeTalker", "CodeTalker*"),
        ("Ours (w/o L_lip)", "Ours (w/o L-lip)"),
        ("ÉmoTalk", "motalk"),
        ("模型B 2", "b-2"),
        ("模型A", "模型B"),
        ("voca", "VOCA"),
        ("a b", "a-b"),
    ],
)
def test_similar_names_do_not_share_a_folder(place, tmp_path, one, two, caplog):
    """Case 04-name-collision."""
    folders = []
    for number, system in enumerate((one, two)):
        entry = tmp_path / f"entry{number}"
        shutil.copytree(place / "entry", entry)
        text = (entry / "submission.toml").read_text("utf-8")
        (entry / "submission.toml").write_text(
            text.replace('system = "entry"', f'system = "{system}"'), "utf-8"
        )
        folders.append(run_score(place, tmp_path / "results", entry=entry, recognizer=None).folder)
    assert folders[0].parent.name.lower() != folders[1].parent.name.lower()
    assert [read_run(folder).system.name for folder in folders] == [one, two]
    assert len(find_runs(tmp_path / "results")) == 2
    if one.lower() == two.lower():
        assert f"holds results of '{one}'" in caplog.text


def test_plain_names_keep_plain_folders():
    assert folder_name("MultiTalk") == "multitalk"
    assert folder_name("ground-truth") == "ground-truth"
    assert folder_name("x" * 100) == "x" * 100
    assert len(folder_name("x" * 100_000)) < 120
    assert folder_name("x" * 100_000) != folder_name("x" * 100_001)
    assert results_folder("r", "VOCA", "my.bench_2") == Path("r/voca/my.bench_2")
    assert folder_name("voca_97d2e3c5") != folder_name("VOCA++")


def test_a_result_that_cannot_be_read_is_kept(place, tmp_path, caplog):
    folder = tmp_path / "entry" / "small"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"schema_version": 99}')
    run = run_score(place, tmp_path, recognizer=None)
    assert run.folder.name.startswith("small+")
    assert (folder / "run.json").read_text() == '{"schema_version": 99}'
    assert "which is kept" in caplog.text


def test_a_partial_result_does_not_replace_a_whole_one(place, base, tmp_path):
    out = tmp_path / "results"
    shutil.copytree(place / "base", out)
    shutil.copytree(place / "entry", tmp_path / "entry")
    (tmp_path / "entry" / "motion" / "ita-01.npz").unlink()
    run = run_score(place, out, entry=tmp_path / "entry", allow_partial=True)
    assert run.folder != out / "entry" / "small"
    assert read_run(out / "entry" / "small").status == "complete"


def test_rescore_keeps_what_was_counted_otherwise(place, base, tmp_path, caplog):
    out = tmp_path / "results"
    shutil.copytree(place / "base", out)
    folder = out / "entry" / "small"
    before = (folder / "run.json").read_bytes()
    other = mtbench.rescore(folder, normalizer="multitalk")
    assert other.folder != folder
    assert (folder / "run.json").read_bytes() == before
    assert "norm: uni-v1, now multitalk" in caplog.text
    again = mtbench.rescore(other.folder)
    assert again.folder == other.folder
    back = mtbench.rescore(other.folder, normalizer="uni-v1")
    assert back.folder == other.folder.with_name("small+" + back.folder.name.partition("+")[2])
    assert read_run(other.folder).settings["normalizer"] == "multitalk"


def test_compare_warns_as_score_does_and_names_no_winner(place, base, tmp_path):
    assert base.understanding is not None
    assert not base.understanding.understood
    shutil.copytree(place / "entry", tmp_path / "still")
    for file in (tmp_path / "still" / "motion").iterdir():
        with np.load(file) as old:
            kept = dict(old)
        np.savez(file, **{**kept, "units": kept["units"] * np.float32(0)})
    text = (tmp_path / "still" / "submission.toml").read_text("utf-8")
    (tmp_path / "still" / "submission.toml").write_text(text.replace('"entry"', '"still"'), "utf-8")
    other = run_score(place, tmp_path / "results", entry=tmp_path / "still")
    comparison = compare(place / "base" / "entry" / "small", other.folder, replicates=50, trials=50)
    text = comparison.table()
    assert "does not understand this speech" in text
    assert all(d.better is None for d in comparison.differences if d.modality is not None)
    assert "DOES NOT UNDERSTAND" in entries_table([base]).title


# FLAME


def install_flame(monkeypatch, folder, gain=1.0, stretch=1.0):
    arrays = factories.flame_arrays()
    arrays["shapedirs"] = arrays["shapedirs"] * np.float32(gain)
    arrays["v_template"] = arrays["v_template"] * stretch
    folder.mkdir()
    np.savez(folder / "model.npz", **arrays)
    monkeypatch.setenv("MTBENCH_DATA", str(folder))
    add_flame(folder / "model.npz")


def make_params(folder, seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    folder.mkdir(parents=True, exist_ok=True)
    for clip, (_, frames) in factories.CLIPS.items():
        jaw = np.zeros((frames, 3), np.float32)
        jaw[:, 0] = 0.1 * rng.random(frames)
        np.savez(folder / f"{clip}.npz", exp=rng.standard_normal((frames, 10)).astype(np.float32), jaw=jaw)


def measure(entry, bench, out, cache):
    return mtbench.score(entry, bench, recognizer=None, out=out, cache=cache, workers=1)


def test_vertices_are_compared_whatever_flame_file_a_lab_has(tmp_path, monkeypatch):
    bench = factories.make_benchmark(tmp_path)
    entry = factories.make_submission(tmp_path)
    runs = []
    for lab in ("none", "a", "b"):
        if lab != "none":
            install_flame(monkeypatch, tmp_path / lab, stretch=1.0 if lab == "a" else 1.01)
        runs.append(measure(entry, bench, tmp_path / f"out-{lab}", tmp_path / "cache"))
    lve = {run.signatures["lve_mm"] for run in runs}
    assert len(lve) == 1
    assert "|posed:" not in lve.pop()
    assert len({run.estimate("lve_mm", language="all", aggregation="frame") for run in runs}) == 1
    for run in runs[1:]:
        compare(runs[0].folder, run.folder, replicates=20, trials=20)


def test_parameters_posed_by_another_model_are_another_measurement(tmp_path, monkeypatch):
    bench = factories.make_benchmark(tmp_path)
    entry = factories.make_submission(tmp_path, kind="flame-params")
    shutil.rmtree(entry / "motion")
    make_params(entry / "motion", 1)
    runs = []
    for lab, gain in (("a", 1.0), ("b", 1.2)):
        install_flame(monkeypatch, tmp_path / lab, gain)
        runs.append(measure(entry, bench, tmp_path / "out", tmp_path / "cache"))
    assert runs[0].signatures["lve_mm"] != runs[1].signatures["lve_mm"]
    assert [run.timings["stages"]["geometry"]["computed"] for run in runs] == [3, 3]
    assert runs[0].folder != runs[1].folder
    with pytest.raises(UsageError, match="posed: flame-5023#"):
        compare(runs[0].folder, runs[1].folder)
    assert len(group_runs(runs)) == 2
    # An entry of vertices may stand beside either: how its vertices were made is its own affair.
    other = factories.make_submission(tmp_path, "vertices")
    third = measure(other, bench, tmp_path / "out-v", tmp_path / "cache")
    assert any(
        "models that posed the faces differ" in note for note in compare(runs[1].folder, third.folder).notes
    )


def test_ground_truth_posed_by_another_model_is_another_measurement(tmp_path, monkeypatch):
    bench = factories.make_benchmark(tmp_path)
    make_params(bench / "motion", 2)
    entry = factories.make_submission(tmp_path)
    runs = []
    for lab, gain in (("a", 1.0), ("b", 1.2)):
        install_flame(monkeypatch, tmp_path / lab, gain)
        runs.append(measure(entry, bench, tmp_path / "out", tmp_path / "cache"))
    assert "truth:flame-5023#" in runs[0].signatures["lve_mm"]
    with pytest.raises(UsageError, match="truth: flame-5023#"):
        compare(runs[0].folder, runs[1].folder)


# What a recognizer does wrong names clip and condition


class Failing(fakes.OneEar):
    name = "failing"

    def transcribe(self, crops, audio, language, lexicon=None):
        if language == "ita" and crops is not None and any(sound is None for sound in audio):
            raise KeyError("lips")
        return super().transcribe(crops, audio, language, lexicon)


class Short(fakes.OneEar):
    name = "short"

    def transcribe(self, crops, audio, language, lexicon=None):
        return [Hypothesis("a") for _ in audio[1:]]


def load_failing():
    return Failing()


def load_short():
    return Short()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_of_a_recognizer_names_clip_and_condition(place, tmp_path, workers):
    with pytest.raises(RecognizerError) as caught:
        run_score(
            place,
            tmp_path,
            recognizer="test_conditions:load_failing",
            workers=workers,
            cache=tmp_path / "cache",
        )
    text = str(caught.value)
    assert "failing failed on clip ita-01 (ita), no sound, face: " in text
    assert "KeyError: 'lips' (test_conditions.py, line " in text


def test_an_answer_that_is_none_is_named(place, tmp_path):
    with pytest.raises(RecognizerError, match="returned 0, expected a list of 1 hypotheses"):
        run_score(place, tmp_path, recognizer="test_conditions:load_short", cache=tmp_path / "cache")


def test_the_speakers_template_is_in_what_is_measured_from_it_only(tmp_path):
    """Case 21-fdd-template."""
    runs = []
    for number, lift in enumerate((None, 0.0, 0.001)):
        bench = factories.make_benchmark(tmp_path / str(number))
        if lift is not None:
            np.save(bench / "face.npy", factories.face() + np.float32([0, lift, 0]))
            file = bench / "benchmark.toml"
            text = file.read_text("utf-8").replace("[[clips]]", '[[clips]]\ntemplate = "face.npy"')
            file.write_text(text, "utf-8")
        entry = factories.make_submission(tmp_path / str(number))
        runs.append(measure(entry, bench, tmp_path / "out", tmp_path / "cache"))
    without, one, other = runs
    assert without.find("fdd_m2", language="all")[0].estimate is None
    assert "no template of the speaker" in without.find("fdd_m2", language="all")[0].reason
    assert "n/a in FDD mm²: no template of the speaker" in entries_table([without]).to_text()
    templates = [
        next(p for p in run.signatures["fdd_m2"].split("|") if "template" in p) for run in (one, other)
    ]
    assert templates[0] != templates[1]
    assert all("template:" not in run.signatures["lve_mm"] for run in runs)
    assert "template:" not in without.signatures["fdd_m2"]
    assert one.find("fdd_m2", language="all")[0].estimate is not None
    assert one.find("fdd_m2", language="all")[0].estimate != other.find("fdd_m2", language="all")[0].estimate
