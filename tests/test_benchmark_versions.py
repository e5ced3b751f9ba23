"""Versions of a benchmark that share a folder: whatever is scored, their results never meet."""

import json
import shutil

import fakes
import numpy as np
import pytest

import mtbench
from mtbench.errors import UsageError
from mtbench.leaderboard import build_leaderboard
from mtbench.results.comparability import find_conflicts
from mtbench.results.tables import entries_table, group_runs
from mtbench.submissions.controls import make_controls
from mtbench.submissions.validation import validate


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with two versions whose motion differs, and an entry for each of them."""
    root = tmp_path_factory.mktemp("versions")
    small = fakes.make_benchmark(root / "small")
    (small / "motion-2").mkdir()
    for path in (small / "motion").iterdir():
        with np.load(path) as arrays:
            np.savez(small / "motion-2" / path.name, units=0.5 * arrays["units"], identity=arrays["identity"])
    text = (small / "benchmark.toml").read_text().replace('version = "1"', 'version = "2"')
    (small / "benchmark-2.toml").write_text(text.replace('"motion/', '"motion-2/'))
    fakes.make_entry(root / "entry")
    shutil.copytree(root / "entry", root / "entry-2")
    manifest = root / "entry-2" / "submission.toml"
    manifest.write_text(manifest.read_text().replace("small@1", "small@2"))
    return root


def score(world, entry, version, out, cache, workers=1):
    place = world / "small" / version
    return mtbench.score(
        world / entry, place, recognizer=fakes.ONE_EAR, workers=workers, cache=cache, out=out
    )


@pytest.fixture(scope="module")
def runs(world):
    """Both versions, one after the other, in one folder of results and with one cache."""
    where = {"out": world / "results", "cache": world / "cache"}
    one = score(world, "entry", "benchmark.toml", **where)
    return one, score(world, "entry-2", "benchmark-2.toml", **where)


def test_a_version_has_the_same_numbers_with_the_others_cache(world, runs, tmp_path):
    one, two = runs
    # In processes of their own, which read the benchmark again by what they are given.
    alone = score(world, "entry-2", "benchmark-2.toml", tmp_path / "out", tmp_path / "cache", workers=2)
    assert alone.benchmark == two.benchmark
    assert alone.summary == two.summary
    errors = {run.benchmark.version: [row.estimate for row in run.find("lve_mm")] for run in runs}
    assert all(a != b for a, b in zip(errors["1"], errors["2"], strict=True))
    # The same motion, sound and noises: what does not depend on the ground truth is the same.
    assert [row.estimate for row in one.find("wer")] == [row.estimate for row in two.find("wer")]


def test_results_of_two_versions_lie_side_by_side(world, runs):
    one, two = runs
    assert (one.benchmark.version, two.benchmark.version) == ("1", "2")
    assert one.folder.name == "small"
    assert two.folder.name.startswith("small+")
    assert one.folder.parent == two.folder.parent
    again = score(world, "entry", "benchmark.toml", world / "results", world / "cache")
    assert again.folder == one.folder


def test_no_table_board_or_comparison_holds_both(world, runs, tmp_path):
    one, two = runs
    assert any("small@1" in line and "small@2" in line for line in find_conflicts(one, two))
    assert group_runs([one, two, one]) == [[one, one], [two]]
    with pytest.raises(ValueError, match="not comparable"):
        entries_table([one, two])
    with pytest.raises(UsageError, match="small@1"):
        mtbench.compare(one.folder, two.folder)
    build_leaderboard(world / "results", tmp_path)
    board = json.loads((tmp_path / "leaderboard.json").read_text("utf-8"))
    assert [group["benchmark"]["version"] for group in board] == ["1", "2"]
    assert [len(group["entries"]) for group in board] == [1, 1]


def test_an_entry_is_made_for_one_version(world):
    problems = validate(world / "entry", world / "small" / "benchmark-2.toml")
    assert [problem.code for problem in problems if problem.code == "wrong-benchmark"]
    with pytest.raises(Exception, match="made for small@1, validated against small@2"):
        score(world, "entry", "benchmark-2.toml", world / "other", world / "cache")


def test_controls_of_a_bundled_version_name_it_and_are_found_by_it(tmp_path):
    made = make_controls("openhead-20@2", tmp_path)
    for folder in made:
        assert 'benchmark = "openhead-20@2"' in (folder / "submission.toml").read_text("utf-8")
    truth = tmp_path / "ground-truth"
    # Without --benchmark: the manifest names the version, and its clips are found.
    assert not validate(truth)
    bundled = mtbench.load_benchmark("openhead-20@2")
    with np.load(truth / "motion" / "eng-01.npz") as motion, np.load(bundled["eng-01"].motion_path) as own:
        assert np.array_equal(motion["units"], own["units"])
    problems = validate(truth, "openhead-20")
    assert "wrong-benchmark" in [problem.code for problem in problems]
