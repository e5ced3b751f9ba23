"""Metrics on request: in rows, summary, tables, comparisons, cache and files of a run, and nowhere without one."""

import json
import re

import factories
import fakes
import numpy as np
import pytest
from test_cli import call

import mtbench
from mtbench.errors import UsageError
from mtbench.metrics import METRICS
from mtbench.results import compare, find_number, optional_table, read_results, read_rows

ALL = METRICS.optional()
ALONE = [name for name in ALL if not METRICS[name].needs_truth]


def add_phones(folder, speakers=True):
    """Say when the phones of each clip are said, and who says them."""
    (folder / "phones").mkdir()
    text = (folder / "benchmark.toml").read_text("utf-8")
    for number, clip in enumerate(fakes.CLIPS):
        times = "sil\t0.0\t0.4\t\na\t0.4\t0.5\t\nb\t0.5\t0.7\t0.65\nt\t0.7\t0.8\t0.75\na\t0.8\t0.96\t\n"
        (folder / "phones" / f"{clip}.tsv").write_text("phone\tstart\tend\trelease\n" + times)
        told = f'id = "{clip}"\nphone_times = "phones/{clip}.tsv"'
        told += f'\nspeaker = "{"ab"[number % 2]}"' if speakers else ""
        text = text.replace(f'id = "{clip}"', told)
    (folder / "benchmark.toml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    out = tmp_path_factory.mktemp("asked")
    benchmark = add_phones(fakes.make_benchmark(out / "small"))
    entries = [fakes.make_entry(out / name, amplitude=a) for name, a in (("near", 0.9), ("far", 0.2))]
    return out, benchmark, entries


def score(place, entry=0, out=None, **options):
    folder, benchmark, entries = place
    given = {"recognizer": None, "cache": folder / "cache", "workers": 1, "out": out, **options}
    return mtbench.score(entries[entry], benchmark, **given)


@pytest.fixture(scope="module")
def runs(place):
    out = place[0] / "results"
    plain = score(place, out=out)
    return plain, [score(place, entry, out=out, metrics="all") for entry in (0, 1)]


def test_a_run_without_them_is_what_it_was(place, runs):
    plain, (asked, _) = runs
    assert not {row.metric for row in plain.summary} & set(ALL)
    text = (plain.folder / "clips.jsonl").read_text()
    assert "alone" not in text
    assert "speaker" not in text
    assert not re.search("lip_|mtm|closure", (plain.folder / "run.json").read_text())
    # What both have is the same to the last digit, under the same signature.
    assert {k: v for k, v in asked.signatures.items() if k in plain.signatures} == plain.signatures
    shared = [row for row in asked.summary if row.metric not in ALL]
    assert shared == list(plain.summary)
    assert plain.folder != asked.folder  # a result with more numbers takes nothing's place


def test_summary_has_what_was_asked_for(runs):
    _, (near, far) = runs
    assert {row.metric for row in near.summary} >= set(ALL)
    for name in ("lip_dtw_mm", "mod_mm", "lve_rms_mm", "jaw_mm", "lip_ccc"):
        a, b = (find_number(run.summary, name) for run in (near, far))
        assert (a.estimate > b.estimate) == bool(METRICS[name].higher_is_better), name
        assert a.n_clips == 6
    assert find_number(near.summary, "closure_recall").unit == "%"
    # The clips' silence is 0.4 s, and every mouth moves in it.
    assert find_number(near.summary, "silent_lips_mm").estimate > 0
    signature = near.signatures["lip_dtw_mm"]
    assert "|err:dtw-l1/frames|" in signature
    assert "|mask:lip-gap|" in signature
    assert "|truth:" not in near.signatures["lip_dynamics_mm"]
    assert "|template:" in near.signatures["closure_recall"]


def test_rows_are_sums_that_the_numbers_follow_from(runs):
    _, (near, _) = runs
    _, rows = read_results(near.folder)
    geometry = [row for row in rows if row.geometry is not None]
    assert len(geometry) == 6
    dtw = sum(r.geometry["lip_dtw_mm_sum"] for r in geometry) / sum(r.geometry.frames for r in geometry)
    assert find_number(near.summary, "lip_dtw_mm").estimate == pytest.approx(dtw)
    shut = [sum(r.alone[name] for r in geometry) for name in ("closures_made", "closures")]
    assert shut[1] == 6  # one b a clip
    assert find_number(near.summary, "closure_recall").estimate == pytest.approx(100 * shut[0] / shut[1])
    assert {r.speaker for r in geometry} == {"a", "b"}
    x, y, who = (
        np.array([read(r) for r in geometry])
        for read in (
            lambda r: r.alone["lip_intensity_mm_s"],
            lambda r: r.alone["speech_intensity"],
            lambda r: r.speaker,
        )
    )
    z = np.zeros((2, 6))
    for name in "ab":
        for i, values in enumerate((x, y)):
            z[i, who == name] = (values[who == name] - values[who == name].mean()) / values[who == name].std(
                ddof=1
            )
    found = find_number(near.summary, "slcc").estimate
    assert found == pytest.approx(np.corrcoef(z)[0, 1], abs=1e-8)


def test_the_table_has_a_line_a_metric(runs):
    _, both = runs
    table = optional_table(both)
    assert [row[0] for row in table.rows] == ALL
    assert table.header == ("metric", "unit", "better", "near", "far")
    assert optional_table(runs[:1]) is None
    assert optional_table([runs[0], both[1]]).header == ("metric", "unit", "better", "far")
    assert "lip_dtw_mm" in table.to_text()
    assert "metrics on request" in both[0]._repr_html_()
    assert "metrics on request" not in runs[0]._repr_html_()


def test_entries_are_compared_by_them(runs):
    _, (near, far) = runs
    differences = {d.metric: d for d in compare(near.folder, far.folder).differences if d.language == "all"}
    assert {"lip_dtw_mm", "lip_dtw_path_mm", "closure_recall", "lip_pcc", "slcc"} <= set(differences)
    assert differences["lip_dynamics_mm"].better is None


def test_some_can_be_asked_for_and_lie_in_the_cache(place, runs):
    few = score(place, metrics=["mod_mm", "lip_loudness"])
    assert few.timings["stages"]["geometry"]["computed"] == 6  # another set, the usual geometry is there
    again = score(place, metrics=["lip_loudness", "mod_mm"])
    assert again.timings["stages"]["geometry"] | {"computed": 0} == again.timings["stages"]["geometry"]
    assert {row.metric for row in few.summary} & set(ALL) == {"mod_mm", "lip_loudness"}
    both = [find_number(run.summary, "mod_mm").estimate for run in (few, runs[1][0])]
    assert both[0] == both[1]
    other = score(place, metrics="all", workers=2)
    assert [row.to_json() for row in other.summary] == [row.to_json() for row in runs[1][0].summary]


def test_unknown_names_are_refused_before_anything_is_measured(place):
    with pytest.raises(UsageError, match="unknown metric 'lip_dwt_mm'"):
        score(place, metrics=["lip_dwt_mm"])


def test_without_ground_truth_there_are_those_that_need_none(tmp_path):
    benchmark = fakes.make_benchmark(tmp_path / "small", motion=False)
    entry = fakes.make_entry(tmp_path / "near")
    run = mtbench.score(
        entry,
        benchmark,
        recognizer=None,
        cache=tmp_path / "cache",
        out=tmp_path / "out",
        workers=1,
        metrics="all",
    )
    found = {row.metric: row for row in run.summary if row.language == "all" and row.metric in ALL}
    assert set(found) == set(ALONE)
    assert found["lip_loudness"].estimate is not None
    assert found["lip_dynamics_mm"].n_clips == 6
    assert found["closure_recall"].estimate is None
    assert "no timed phones, no resting face" in found["closure_recall"].reason
    lve = find_number(run.summary, "lve_mm")
    assert lve.estimate is None
    assert "no ground truth" in lve.reason
    rows = [row for row in read_rows(run.folder) if hasattr(row, "alone")]
    assert all(row.geometry is None and row.alone.frames > 20 for row in rows)
    # Nobody says who speaks: the clips of a language are compared.
    assert found["slcc"].estimate is not None
    assert "n/a in closure_recall: no timed phones" in optional_table([run]).to_text()


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_flame_vertices_of_any_rate(tmp_path, fps):
    benchmark = factories.make_benchmark(tmp_path)
    frames = {clip: (language, round(n * fps / 25)) for clip, (language, n) in factories.CLIPS.items()}
    entry = factories.make_submission(tmp_path, clips=frames, fps=fps)
    run = mtbench.score(entry, benchmark, recognizer=None, cache=tmp_path / "cache", workers=1, metrics="all")
    found = {row.metric: row for row in run.summary if row.language == "all" and row.metric in ALL}
    assert set(found) == set(ALL)
    for name in ("lip_dtw_mm", "mod_mm", "lve_rms_mm", "jaw_mm", "upper_face_mm", "lip_dynamics_mm"):
        assert np.isfinite(found[name].estimate), name
    # Faces go up and down as a whole here: their lips stay as they are.
    assert found["lip_pcc"].estimate is None
    assert "the true lips do not move" in found["lip_pcc"].reason
    assert "no resting face of the speaker" in found["closure_recall"].reason


def test_an_entry_of_another_mesh_has_those_that_need_no_truth(tmp_path):
    benchmark = fakes.make_benchmark(tmp_path / "small")
    frames = {clip: (language, n) for clip, (language, n, _) in fakes.CLIPS.items()}
    entry = factories.make_submission(tmp_path, clips=frames, benchmark="small@1")
    run = mtbench.score(entry, benchmark, recognizer=None, cache=tmp_path / "cache", workers=1, metrics="all")
    found = {row.metric: row for row in run.summary if row.language == "all" and row.metric in ALL}
    assert set(found) == set(ALONE)
    assert found["lip_loudness"].n_clips == 6
    assert "topology openhead-1" in find_number(run.summary, "lve_mm").reason


def test_rescoring_keeps_them(runs, tmp_path):
    _, (near, _) = runs
    again = mtbench.rescore(near.folder, normalizer="multitalk", out=tmp_path)
    assert {row.metric for row in again.summary} >= set(ALL)
    assert find_number(again.summary, "slcc").estimate == find_number(near.summary, "slcc").estimate


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row["alone"].update(lip_dynamics_mm="much"), "geometry.lip_dynamics_mm"),
        (lambda row: row["alone"].update(closures=-1), "a sum of distances from 0 on"),
        (lambda row: row["alone"].update(nonsense=1.0), "unknown fields \\['nonsense'\\]"),
        (lambda row: row.update(speaker=7), "speaker"),
        (lambda row: row["geometry"].update(lip_dtw_mm_sum=-1.0), "lip_dtw_mm_sum"),
    ],
)
def test_rows_that_were_edited_are_refused(runs, tmp_path, change, message):
    _, (near, _) = runs
    lines = (near.folder / "clips.jsonl").read_text().splitlines()
    row = json.loads(lines[0])
    change(row)
    lines[0] = json.dumps(row)
    for name in ("run.json", "clips.jsonl"):
        (tmp_path / name).write_bytes((near.folder / name).read_bytes())
    (tmp_path / "clips.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match=message):
        read_rows(tmp_path)


def test_one_command_prints_them(place):
    out, benchmark, (near, _) = place
    command = ["score", str(near), "-b", str(benchmark), "--recognizer", "none", "--out", str(out / "cli")]
    code, done = call(*command, "--cache", str(out / "cache"), "--metrics", "lip_dtw_mm,mtm_ms")
    assert code == 0
    assert "metrics on request, all languages" in done
    assert re.search(r"^lip_dtw_mm +mm +lower +\d", done, re.MULTILINE)
    assert re.search(r"^mtm_ms ", done, re.MULTILINE)
    assert "lip_pcc" not in done
