"""mtbench.score and rescore: rows, warnings, partial runs, and a run that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fakes
import numpy as np
import pytest

import mtbench
from mtbench.errors import SubmissionError, UsageError
from mtbench.results.folders import results_folder
from mtbench.results.rows import GeometryRow, RecognitionRow
from mtbench.results.run_files import canonical_rows, find_runs, read_rows, read_run, row_to_line
from mtbench.results.tables import entries_table, group_runs, languages_table


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("scoring")
    fakes.make_benchmark(root / "small")
    fakes.make_entry(root / "entry")
    return root


@pytest.fixture(scope="module")
def scored(place):
    run = mtbench.score(
        place / "entry",
        place / "small",
        recognizer=fakes.ONE_EAR,
        workers=1,
        cache=place / "cache",
        out=place / "results",
    )
    return run, place / "results" / "entry" / "small"


def test_files_hold_what_was_returned(scored):
    run, folder = scored
    again = read_run(folder)
    assert again.system == run.system
    assert again.benchmark == run.benchmark
    assert again.signatures == run.signatures
    assert [r.estimate for r in again.summary] == pytest.approx([r.estimate for r in run.summary], rel=1e-9)
    rows = read_rows(folder)
    # 6 clips: av 1 + 4, v 1, a 1 + 4, static 4, geometry 1.
    assert len(rows) == 6 * 16
    assert [r.clip for r in rows[:16]] == ["ita-01"] * 16
    assert isinstance(rows[15], GeometryRow)
    assert rows[15].geometry.frames == 30
    assert results_folder(folder.parents[1], "entry", "small") == folder
    assert find_runs(folder.parents[1]) == [folder] == find_runs(folder)


def test_required_fields_of_run_json(scored):
    data = json.loads((scored[1] / "run.json").read_text())
    assert data["schema_version"] == 3
    assert data["status"] == "complete"
    assert data["rankable"] is True
    assert set(data["benchmark"]) == {"name", "version", "digest"}
    assert set(data["recognizer"]) == {"name", "digest"}
    assert {"signatures", "summary", "timings", "environment", "system"} <= set(data)
    wanted = {
        "metric", "modality", "snr_db", "noise", "language", "aggregation", "estimate", "ci95", "n_clips",
        "unit", "higher_is_better",
    }  # fmt: skip
    assert all(wanted <= set(row) for row in data["summary"])
    assert all(row["signature"] for row in data["summary"])
    metrics = {row["metric"] for row in data["summary"]}
    assert {
        "headline",
        "wer",
        "cer",
        "per",
        "avlr_gain",
        "lve_mm",
        "lve_sq_m2",
        "mve_mm",
        "fdd_m2",
    } <= metrics
    assert {(r["modality"], r["snr_db"]) for r in data["summary"] if r["metric"] == "wer"} == {
        ("av", None), ("av", -7.5), ("av", -10.0), ("a", None), ("a", -7.5), ("a", -10.0), ("v", None),
    }  # fmt: skip


def test_rows_keep_raw_texts_and_phones(scored):
    rows = [r for r in read_rows(scored[1]) if isinstance(r, RecognitionRow)]
    raw = next(r for r in rows if r.clip == "eng-02" and r.modality == "a" and r.snr_db is None)
    assert raw.reference == "Word, word word: word word word!"
    assert raw.words.hits == 6
    assert raw.reference_phones == ("a", "b", "t", "a")
    assert all((r.noise is None) == (r.snr_db is None) for r in rows)


def test_judge_that_does_not_understand_is_named(scored):
    run, _ = scored
    assert any("does not understand this speech" in w for w in run.warnings)
    assert "does not understand" in entries_table([run]).to_text()


def test_estimate_needs_a_unique_row(scored):
    run, _ = scored
    assert run.estimate("lve_mm", language="all", aggregation="frame") > 0
    assert run.estimate("nothing") is None
    with pytest.raises(UsageError, match="name language"):
        run.estimate("wer")


def test_rescore_gives_the_same_bytes_but_for_timings(scored, tmp_path):
    run, folder = scored
    again = mtbench.rescore(folder, out=tmp_path)
    assert (tmp_path / "entry" / "small" / "clips.jsonl").read_bytes() == (
        folder / "clips.jsonl"
    ).read_bytes()
    assert (tmp_path / "entry" / "small" / "run.json").read_bytes() == (folder / "run.json").read_bytes()
    assert again.summary == run.summary


def test_rescore_with_another_normalizer(scored, tmp_path):
    _, folder = scored
    other = mtbench.rescore(folder, normalizer="multitalk", out=tmp_path)
    assert other.settings["normalizer"] == "multitalk"
    assert "norm:multitalk" in other.signatures["wer|av"]
    with pytest.raises(UsageError):
        mtbench.rescore(folder, normalizer="unknown", out=tmp_path)


def test_missing_clips_block_unless_partial_is_allowed(place, tmp_path):
    entry = fakes.make_entry(tmp_path / "partial", {k: v for k, v in fakes.CLIPS.items() if k != "eng-01"})
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "cache": place / "cache", "snr": (-7.5,)}
    with pytest.raises(SubmissionError, match="eng-01"):
        mtbench.score(entry, place / "small", **options)
    run = mtbench.score(entry, place / "small", allow_partial=True, out=tmp_path / "out", **options)
    assert run.status == "partial"
    assert not run.rankable
    rows = read_rows(tmp_path / "out" / "partial" / "small")
    missing = [r for r in rows if r.clip == "eng-01"]
    assert len(missing) == 10
    assert {r.reason for r in missing} == {"clip missing in the submission"}
    row = run.find("headline", modality="av", snr_db=-7.5, noise="all", language="eng")[0]
    assert (row.n_clips, row.n_expected) == (1, 2)
    assert "(partial)" in entries_table([run]).to_text()


def test_uncovered_language_is_not_available_never_zero(place, tmp_path):
    run = mtbench.score(
        place / "entry", place / "small", recognizer="fakes:load_no_italian", workers=1, cache=place / "cache",
        snr=(-7.5,), out=tmp_path,
    )  # fmt: skip
    row = run.find("headline", modality="av", snr_db=-7.5, noise="all", language="ita")[0]
    assert row.estimate is None
    assert row.ci95 is None
    assert row.n_clips == 0
    assert "not covered" in row.reason
    assert any("ita" in warning for warning in run.warnings)
    lines = languages_table([run]).to_text().splitlines()
    italian = next(line for line in lines if line.startswith("Italian"))
    assert italian.count("n/a") == 6
    assert run.find("lve_mm", language="ita", aggregation="frame")[0].estimate > 0


def test_without_ground_truth_lve_is_not_available_and_avlr_works(place, tmp_path):
    bench = fakes.make_benchmark(tmp_path / "blind", motion=False)
    run = mtbench.score(place / "entry", bench, recognizer=fakes.ONE_EAR, workers=1, cache=tmp_path / "cache")
    row = run.find("lve_mm", language="all", aggregation="frame")[0]
    assert row.estimate is None
    assert "no ground truth" in row.reason
    where = {"snr_db": -7.5, "noise": "all", "language": "all"}
    assert run.estimate("avlr_gain", aggregation="corpus", **where) is not None
    assert run.estimate("headline", modality="av", **where) is not None


def test_without_noise_only_clean_sound_is_scored(place, tmp_path):
    bench = fakes.make_benchmark(tmp_path / "quiet", noises=0)
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "cache": tmp_path / "cache"}
    run = mtbench.score(place / "entry", bench, noise="none", **options)
    assert {row.snr_db for row in run.summary} == {None}
    assert any("no noise recordings" in w for w in run.warnings)
    bundled = mtbench.score(place / "entry", bench, snr=(-5,), **options)
    assert {row.noise for row in bundled.summary} == {None, "all", "babble", "music", "speech-shaped"}
    given = mtbench.score(
        place / "entry", bench, recognizer=fakes.ONE_EAR, workers=1, cache=tmp_path / "cache",
        noise=place / "small" / "noise", noise_names=["hiss"],
    )  # fmt: skip
    assert {row.noise for row in given.summary} == {None, "hiss", "all"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recognizer": "nobody"}, "unknown recognizer"),
        ({"recognizer": "fakes:nobody"}, "cannot be loaded"),
        ({"recognizer": "builtins:dict"}, "lacks name"),
        ({"renderer": "paint"}, "unknown renderer"),
        ({"normalizer": "none"}, "normalizer"),
        ({"snr": (-5, -5)}, "twice"),
        ({"snr": (float("nan"),)}, "finite"),
        ({"noise": "nowhere"}, "no such folder"),
        ({"noise_names": ["rain"]}, "unknown noise"),
        ({"workers": 0}, "1 or more"),
    ],
)
def test_wrong_arguments_are_usage_errors(place, tmp_path, options, message):
    options = {"recognizer": fakes.ONE_EAR, "workers": 1, "cache": tmp_path / "cache", **options}
    with pytest.raises(UsageError, match=message):
        mtbench.score(place / "entry", place / "small", **options)


def test_results_are_read_with_care(scored, tmp_path):
    _, folder = scored
    with pytest.raises(UsageError, match="cannot be read"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UsageError, match="not JSON"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(UsageError, match="schema_version"):
        read_run(tmp_path)
    data = json.loads((folder / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**data, "schema_version": 99}))
    with pytest.raises(UsageError, match="newer mtbench"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({**data, "status": "fine"}))
    with pytest.raises(UsageError, match="status"):
        read_run(tmp_path)
    lines = (folder / "clips.jsonl").read_text().splitlines()
    (tmp_path / "clips.jsonl").write_text("\n".join([lines[0], lines[1][:40]]))
    with pytest.raises(UsageError, match="line 2"):
        read_rows(tmp_path)


def test_canonical_rows_are_a_fixed_point(scored):
    rows = read_rows(scored[1])
    assert [row_to_line(r) for r in canonical_rows(rows)] == [row_to_line(r) for r in rows]


def test_tables_group_by_benchmark_and_recognizer(scored):
    run, _ = scored
    other = run.model_copy(update={"recognizer": None})
    assert [len(group) for group in group_runs([run, other, run])] == [1, 2]
    markdown = entries_table([run]).to_markdown()
    assert markdown.count("\n| entry |") == 2  # the header, and the entry of that name
    assert "signature" in markdown.lower()


KILLS = 10


def test_killed_and_restarted_run_gives_the_bytes_of_one_that_was_not(scored, place, tmp_path):
    """SIGKILL at ten random moments, of the parent process only: its workers must end by themselves."""
    cache = tmp_path / "cache"
    log = tmp_path / "errors.txt"

    def start() -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "ONE_EAR_PAUSE": "0.02"}
        command = [
            sys.executable, "-c", "from mtbench.cli import main; main()", "score", str(place / "entry"),
            "--benchmark", str(place / "small"), "--recognizer", fakes.ONE_EAR, "--workers", "2",
            "--out", str(tmp_path / "results"), "--cache", str(cache),
        ]  # fmt: skip
        with log.open("ab") as errors:
            return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)

    def count_entries() -> int:
        return sum(1 for _ in cache.glob("*/*/*"))

    rng = np.random.Generator(np.random.PCG64(20261121))
    total = 24 + 12 + 6 + 90  # mixtures, crops, geometry, hypotheses
    moments = sorted(int(n) for n in rng.integers(0, total, KILLS))
    killed = 0
    for moment in moments:
        process = start()
        while process.poll() is None and count_entries() < moment:
            time.sleep(0.002)
        # A little later: between two entries, in the middle of one, or while the results are written.
        time.sleep(float(rng.uniform(0, 0.02)))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed >= KILLS - 2
    process = start()
    assert process.wait(timeout=300) == 0, log.read_text()

    whole, mended = scored[1], tmp_path / "results" / "entry" / "small"
    assert (whole / "clips.jsonl").read_bytes() == (mended / "clips.jsonl").read_bytes()
    one, two = (json.loads((folder / "run.json").read_text()) for folder in (whole, mended))
    assert one.pop("timings") != two.pop("timings")
    assert json.dumps(one) == json.dumps(two)
    assert list((tmp_path / "results").rglob("*.tmp")) == []
