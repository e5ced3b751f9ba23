"""Reading all systems: conditions, resuming, what is left out, files."""

import json
from pathlib import Path

import fakes
import numpy as np
import pytest
from typer.testing import CliRunner

import mtbench
from mtbench.cli.app import app
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.meta.reading import list_geometry
from mtbench.meta.runs import CURVE_SNRS, run_systems
from mtbench.meta.scores import ARRAYS_FILE, SCORES_FILE, MetaScores
from mtbench.meta.system_files import read_records, system_path
from mtbench.results import SightRef, round_floats

GEOMETRY = ("lve_mm", "lve_sq_m2", "lve_centred_mm", "lve_mean_mm", "mve_mm", "fdd_abs_m2")
SOME = ("static", "amplitude-0.5", "lag-200ms", "upper-face-noise-3mm")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return fakes.make_benchmark(tmp_path_factory.mktemp("meta") / "small")


@pytest.fixture(scope="module")
def first(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return out, run(small, out)


def run(benchmark, out, **options):
    options = {"recognizer": fakes.ONE_EAR, "systems": SOME, "workers": 1, "cache": out / "cache"} | options
    return run_systems(benchmark, out=out, **options)


def files(out):
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.glob("**/*.*")) if p.is_file()}


def same(a, b):
    return a.conditions == b.conditions and all(
        np.array_equal(x[key], y[key], equal_nan=True)
        for x, y in ((a.errors, b.errors), (a.phone_errors, b.phone_errors), (a.geometry, b.geometry))
        for key in x
    )


def test_geometric_metrics_are_those_that_order_systems():
    assert tuple(metric.name for metric in list_geometry()) == GEOMETRY


def test_every_system_has_every_clip_and_nothing_but_what_was_asked(first):
    _, scores = first
    assert {s.name for s in scores.systems} == {"ground-truth", *SOME}
    assert scores.clips == tuple(fakes.CLIPS)
    assert scores.languages == ("ita", "ita", "eng", "eng", "jpn", "jpn")
    truth, lag = scores.index("ground-truth"), scores.index("lag-200ms")
    for name in ("v", "av-7.5/babble"):
        assert np.isfinite(scores.errors[name]).all()
        assert np.isfinite(scores.phone_errors[name]).all()
    for snr in CURVE_SNRS:
        for noise in ("babble", "hiss"):
            av = scores.errors[Condition("av", snr, noise).name]
            assert np.isfinite(av[[truth, scores.index("static"), scores.index("amplitude-0.5")]]).all()
            a = scores.errors[Condition("a", snr, noise).name]
            assert np.isfinite(a[truth]).all()
            assert np.isnan(np.delete(a, truth, axis=0)).all()
    assert np.isnan(scores.errors["av-clean"][lag]).all()


def test_headline_counts_characters_where_they_count(first):
    _, scores = first
    assert scores.lengths[:4].tolist() == [6, 6, 6, 6]
    assert scores.lengths[4:].tolist() == [7, 10]  # characters without blanks
    assert scores.phone_lengths.tolist() == [4] * 6
    assert scores.references[0] == ("a", "b", "t", "a")


def test_a_still_mouth_is_read_worse_and_the_truth_has_no_distance_from_itself(first):
    _, scores = first
    truth, static = scores.index("ground-truth"), scores.index("static")
    errors = scores.errors["av-7.5/babble"]
    assert errors[static].sum() > errors[truth].sum()
    for metric in GEOMETRY:
        assert np.array_equal(scores.geometry[metric][truth], np.zeros(6))
        assert (scores.geometry[metric][static] > 0).all()
    forehead = scores.index("upper-face-noise-3mm")
    assert np.array_equal(scores.geometry["lve_mm"][forehead], np.zeros(6))
    assert (scores.geometry["fdd_abs_m2"][forehead] > 0).all()
    half = scores.index("amplitude-0.5")
    assert np.allclose(2 * scores.geometry["lve_mm"][half], scores.geometry["lve_mm"][static], rtol=1e-4)


def test_hypotheses_of_the_ground_truth_are_kept(first):
    _, scores = first
    assert set(scores.hypotheses) == {("ground-truth", name) for name in scores.conditions}
    assert all(len(phones) == 4 for phones in scores.hypotheses["ground-truth", "v"])


def test_facts_say_what_it_was_made_with_and_what_was_left_out(first):
    _, scores = first
    facts = scores.facts
    assert facts["recognizer"] == "one-ear"
    assert facts["headline_noise"] == "babble"
    assert facts["sources"] == ["s0-ita", "s0-ita", "s1-eng", "s1-eng", "s2-jpn", "s2-jpn"]
    assert facts["frames"] == [30, 26, 28, 25, 27, 31]
    # The small benchmark's curves were not made from phones.
    assert set(facts["families_left_out"]) == {"substitution", "missed-closures", "ladder", "identity"}
    assert "no timed phones" in facts["families_left_out"]["ladder"]


def test_scores_survive_saving(first):
    out, scores = first
    loaded = MetaScores.load(out)
    assert same(loaded, scores)
    assert (loaded.systems, loaded.clips, loaded.hypotheses) == (
        scores.systems,
        scores.clips,
        scores.hypotheses,
    )
    assert loaded.references == scores.references
    assert loaded.facts == scores.facts
    assert np.array_equal(loaded.lengths, scores.lengths)


def test_whether_the_true_motion_is_read_is_what_a_score_finds(small, first, tmp_path):
    out, scores = first
    sight = scores.sight
    assert (sight.recognizer, sight.n_clips, sight.condition) == ("one-ear", 6, "AV at -7.5 dB")
    assert sight.counted == "phones"
    assert MetaScores.load(out).sight == sight
    entry = fakes.make_entry(tmp_path / "entry")
    scored = mtbench.score(entry, small, recognizer=fakes.ONE_EAR, workers=1, cache=out / "cache")
    assert scored.sight == SightRef(**round_floats(sight.to_json()))
    # Scores that were saved before anybody looked are read all the same.
    scores.save(tmp_path)
    data = json.loads((tmp_path / SCORES_FILE).read_text("utf-8"))
    del data["sight"]
    (tmp_path / SCORES_FILE).write_text(json.dumps(data))
    assert MetaScores.load(tmp_path).sight is None


def test_a_second_run_reads_nothing_and_writes_the_same_bytes(small, first, monkeypatch, tmp_path):
    out, scores = first
    log = tmp_path / "log"
    monkeypatch.setenv("ONE_EAR_LOG", str(log))
    before = files(out)
    assert same(run(small, out), scores)
    assert not log.exists()
    assert files(out) == before


def test_a_killed_run_goes_on_and_gives_the_same_scores(small, first, monkeypatch, tmp_path):
    _, scores = first

    class Stop(Exception):
        pass

    import mtbench.meta.runs as module

    read, calls = module.read_clip, []

    def read_some(task):
        calls.append(task)
        if len(calls) > 9:  # six clips of the ground truth, three of the next system
            raise Stop
        return read(task)

    monkeypatch.setattr(module, "read_clip", read_some)
    with pytest.raises(Stop):
        run(small, tmp_path)
    assert [p.name for p in sorted((tmp_path / "systems").iterdir())] == ["ground-truth.json"]
    assert not (tmp_path / SCORES_FILE).exists()
    monkeypatch.setattr(module, "read_clip", read)
    log = tmp_path / "log"
    monkeypatch.setenv("ONE_EAR_LOG", str(log))
    assert same(run(small, tmp_path), scores)
    assert len(log.read_text().splitlines()) == 4 * 6


def test_workers_make_no_difference(small, first, tmp_path, monkeypatch):
    _, scores = first
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent))
    found = run(small, tmp_path, workers=2, systems=["lag-200ms"], languages=["eng"])
    rows = [scores.index(s.name) for s in found.systems]
    for name in ("v", "av-7.5/babble"):
        assert np.array_equal(found.errors[name], scores.errors[name][rows][:, 2:4])
        assert np.array_equal(found.phone_errors[name], scores.phone_errors[name][rows][:, 2:4])
    for metric in GEOMETRY:
        assert np.array_equal(found.geometry[metric], scores.geometry[metric][rows][:, 2:4])


def test_other_recognizers_clips_and_damaged_files_are_read_anew(small, first, tmp_path):
    _, scores = first
    run(small, tmp_path, systems=["static"], languages=["eng"])
    path = system_path(tmp_path, "static")
    assert len(json.loads(path.read_text())["clips"]) == 2
    key = json.loads(path.read_text())["key"]
    assert set(read_records(tmp_path, "static", key)) == {"eng-01", "eng-02"}
    assert read_records(tmp_path, "static", "another") == {}
    path.write_text(path.read_text()[:-40])
    assert read_records(tmp_path, "static", key) == {}
    assert same(run(small, tmp_path), scores)
    other = run(small, tmp_path, recognizer="fakes:load_no_italian", systems=["static"])
    assert other.languages == ("eng", "eng", "jpn", "jpn")
    assert set(other.facts["clips_left_out"]) == {"ita-01", "ita-02"}


def test_quick_is_smaller(small, tmp_path):
    scores = run(small, tmp_path, systems=None, families=["amplitude"], quick=True)
    assert [s.name for s in scores.systems] == ["ground-truth", "amplitude-0.8", "amplitude-0.5", "static"]
    assert not [c for c in scores.conditions if "hiss" in c]
    assert "av-15/babble" in scores.conditions
    assert "av-5/babble" not in scores.conditions


def test_the_bundled_benchmark_has_all_families(tmp_path):
    names = ["substitution-50", "missed-closures-100", "ladder-4", "identity-swap-1"]
    scores = run("openhead-20", tmp_path, languages=["eng"], systems=names, quick=True)
    assert [s.name for s in scores.systems] == ["ground-truth", *names]
    assert scores.facts["families_left_out"] == {}
    assert len(scores.clips) == 3
    assert (scores.geometry["lve_mm"][1:] > 0.1).all()


def test_usage_errors(small, tmp_path):
    with pytest.raises(UsageError, match="no clips of fra"):
        run(small, tmp_path, languages=["fra"])
    with pytest.raises(UsageError, match="unknown system ladder-1"):
        run(small, tmp_path, systems=["ladder-1"])
    with pytest.raises(UsageError, match=r"weights belong to .*openhead-av"):
        run(small, tmp_path, weights="some.safetensors")
    mute = fakes.make_benchmark(tmp_path / "mute", {"eng-01": fakes.CLIPS["eng-01"]}, motion=False)
    with pytest.raises(UsageError, match="no ground truth"):
        run(mute, tmp_path)
    result = CliRunner().invoke(
        app, ["validate-metric", "--benchmark", str(small), "--families", "amplitude,foo"]
    )
    assert isinstance(result.exception, UsageError)
    assert "unknown family foo" in str(result.exception)


def test_scores_that_do_not_belong_together_are_refused(first, tmp_path):
    _, scores = first
    with pytest.raises(UsageError, match="no scores of a meta-evaluation"):
        MetaScores.load(tmp_path)
    scores.save(tmp_path)
    data = (tmp_path / ARRAYS_FILE).read_bytes()
    (tmp_path / ARRAYS_FILE).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(UsageError, match="does not belong"):
        MetaScores.load(tmp_path)
    (tmp_path / SCORES_FILE).write_text('{"schema": 0}')
    with pytest.raises(UsageError, match="schema"):
        MetaScores.load(tmp_path)


def test_condition_names_are_taken_apart_again():
    for modality, snr, noise in (
        ("av", -12.5, "a/b"),
        ("a", 5.0, "x"),
        ("av", None, None),
        ("v", None, None),
    ):
        condition = Condition(modality, snr, noise)
        assert Condition.parse(condition.name) == condition
    with pytest.raises(ValueError, match="expected"):
        Condition.parse("vv")


def test_the_command_prints_the_report_and_writes_the_page(small, first):
    pytest.importorskip("matplotlib")
    out, scores = first
    arguments = [
        "validate-metric",
        "--benchmark",
        str(small),
        "--recognizer",
        fakes.ONE_EAR,
        "--out",
        str(out),
    ]
    arguments += ["--systems", ",".join(SOME), "--workers", "1", "--cache", str(out / "cache")]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exception is None, result.exception
    report = json.loads(result.stdout)
    assert {"spearman_system", "spearman_clip", "kendall_system", "curves", "nuisances"} <= set(report)
    assert len(report["systems"]) == len(scores.systems)
    assert json.loads((out / "report.json").read_text("utf-8")) == report
    assert "one-ear" in (out / "report.html").read_text("utf-8")
    text = CliRunner().invoke(app, arguments)
    assert "one-ear on small@1: 5 systems, 6 clips, av-7.5/babble" in text.stdout
    assert report["sight"]["reads"] is scores.sight.reads
    assert "one-ear on the ground truth of 6 clips (AV at -7.5 dB; counted: phones)" in text.stdout
    assert "left out: substitution, missed-closures, ladder, identity" in text.stderr
