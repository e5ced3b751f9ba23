"""Other projects' motion becomes a submission: by a bundled format, and by one that is added in one file."""

import importlib
import json
import sys

import fakes
import numpy as np
import pytest
from typer.testing import CliRunner

import mtbench
from mtbench.benchmarks import load_benchmark
from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.importers import IMPORTERS, FoundMotion, import_submission
from mtbench.submissions import load_submission


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return fakes.make_benchmark(tmp_path_factory.mktemp("importers") / "small")


@pytest.fixture
def theirs(small, tmp_path):
    """Motion as a project leaves it: flat arrays in folders of its own, and a file that is no clip's."""
    folder = tmp_path / "their results"
    for clip in load_benchmark(small).clips:
        vertices = clip.load_motion().vertices
        place = folder / clip.language
        place.mkdir(parents=True, exist_ok=True)
        flat = vertices.reshape(len(vertices), -1)
        if clip.language == "eng":
            np.savez(place / f"{clip.id}.npz", verts=vertices, fps=np.array(25))
        else:
            np.save(place / f"{clip.id}.npy", flat.astype(np.float64))
    np.save(folder / "mean.npy", np.zeros((4801, 3)))
    return folder


def test_arrays_of_vertices_become_a_submission_that_scores_as_the_motion_does(small, theirs, tmp_path):
    done = import_submission(theirs, small, tmp_path / "entry", fps=25)
    assert done.problems == ()
    assert done.clips == tuple(fakes.CLIPS)
    assert done.missing == ()
    assert [path.name for path in done.unknown] == ["mean.npy"]
    submission = load_submission(done.folder, small)
    assert (submission.system, submission.topology, submission.kind) == (
        "their results",
        "openhead-1",
        "vertices",
    )
    clip = load_benchmark(small).clips[0]
    np.testing.assert_array_equal(submission.motion(clip.id).vertices, clip.load_motion().vertices)
    run = mtbench.score(done.folder, small, recognizer=None, cache=tmp_path / "cache")
    assert run.estimate("lve_mm", language="all", aggregation="frame") == pytest.approx(0.0, abs=1e-4)


def test_the_same_files_give_the_same_submission(small, theirs, tmp_path):
    digests = {
        load_submission(
            import_submission(theirs, small, tmp_path / name, fps=25, system="one").folder, small
        ).digest
        for name in ("a", "b", "a")
    }
    assert len(digests) == 1


def test_a_missing_clip_is_a_problem_and_not_left_out_in_silence(small, theirs, tmp_path):
    (theirs / "ita" / "ita-02.npy").unlink()
    done = import_submission(theirs, small, tmp_path / "entry", fps=25)
    assert done.missing == ("ita-02",)
    assert "ita-02" in " ".join(map(str, done.problems))


def test_what_is_wrong_is_said(small, theirs, tmp_path):
    with pytest.raises(UsageError, match="do not say how many frames a second they have; give it: --fps 30"):
        import_submission(theirs, small, tmp_path / "a")
    with pytest.raises(
        UsageError, match=r"no such folder; expected one with a motion file for each clip of small@1"
    ):
        import_submission(tmp_path / "nowhere", small, tmp_path / "a", fps=25)
    empty = tmp_path / "empty"
    empty.mkdir()
    np.save(empty / "mean.npy", np.zeros((4801, 3)))
    with pytest.raises(UsageError, match=r"found mean.npy; expected ita-01.npy, ita-02.npy and 4 more"):
        import_submission(empty, small, tmp_path / "a", fps=25)
    with pytest.raises(UsageError, match=r"unknown format 'vertces'; did you mean vertices\?"):
        import_submission(theirs, small, tmp_path / "a", format="vertces")
    np.save(theirs / "ita-01.npy", np.zeros((3, 3)))
    with pytest.raises(UsageError, match="clip ita-01 has two files"):
        import_submission(theirs, small, tmp_path / "a", fps=25)
    assert not (tmp_path / "a").exists()


def test_vertices_of_another_mesh_are_named(small, tmp_path):
    np.save(tmp_path / "ita-01.npy", np.zeros((30, 18516), np.float32))
    with pytest.raises(
        UsageError, match=r"6172 vertices belong to no topology of mtbench: openhead-1 \(4801\)"
    ):
        import_submission(tmp_path, small, small.parent / "a", fps=25)


def test_a_submission_is_not_made_among_the_files_that_it_is_made_of(small, theirs, tmp_path):
    """The next import would find two files of each clip, its own among them."""
    before = sorted(theirs.rglob("*"))
    for out in (theirs / "entry", theirs, theirs / ".." / theirs.name / "entry"):
        with pytest.raises(UsageError, match="choose a folder outside of it"):
            import_submission(theirs, small, out, fps=25)
    assert sorted(theirs.rglob("*")) == before


def test_a_damaged_file_loses_no_earlier_submission(small, theirs, tmp_path):
    done = import_submission(theirs, small, tmp_path / "entry", fps=25)
    before = {p.name: p.read_bytes() for p in sorted(done.folder.rglob("*.*"))}
    path = theirs / "ita" / "ita-02.npy"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match=r"ita-02.npy"):
        import_submission(theirs, small, tmp_path / "entry", fps=25)
    assert {p.name: p.read_bytes() for p in sorted(done.folder.rglob("*.*"))} == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_folder_that_holds_something_else_is_left_alone(small, theirs, tmp_path):
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="holds something else than a submission of their results"):
        import_submission(theirs, small, tmp_path / "entry", fps=25)
    assert (tmp_path / "entry" / "thesis.txt").read_text() == "years of work"


UNITS = '''
"""Curves of units, a text file a clip: whoever writes them knows the frame rate."""
import numpy as np
from mtbench.faces import load_head
from mtbench.importers import FoundMotion

def find_curves(folder, benchmark, fps):
    files = {path.stem: path for path in sorted(folder.glob("*.txt")) if path.stem in benchmark}
    return FoundMotion("openhead-1", "units", 25, files, read, notes=("faces of one person",))

def read(path):
    jaw = np.array(path.read_text().split(), np.float32)
    head = load_head()
    units = np.zeros((len(jaw), len(head.unit_names)), np.float32)
    units[:, head.unit_index("jawOpen")] = jaw
    return {"units": units, "identity": np.array(head.identity_names[0])}
'''


def test_a_format_of_another_package_is_one_file(small, tmp_path, monkeypatch):
    (tmp_path / "curves.py").write_text(UNITS)
    info = tmp_path / "curves-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: curves\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mtbench.importers]\njaw-text = curves:find_curves\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert {"jaw-text", "vertices"} <= {*IMPORTERS.names()}
    assert "jaw-text         of another package" in CliRunner().invoke(app, ["ls", "formats"]).output
    folder = tmp_path / "texts"
    folder.mkdir()
    for clip in load_benchmark(small).clips:
        (folder / f"{clip.id}.txt").write_text(" ".join(["0.2", "0.4"] * clip.frames)[: 4 * clip.frames - 1])
    options = ["-b", str(small), "--out", str(tmp_path / "entry"), "--format", "jaw-text", "--system", "Jaw"]
    done = CliRunner().invoke(app, ["import", str(folder), *options])
    assert done.exit_code == 0, done.output
    assert f"{tmp_path / 'entry'}: 6 of 6 clips, valid" in done.output
    assert "warning: faces of one person" in done.output
    assert load_submission(tmp_path / "entry", small).kind == "units"
    sys.modules.pop("curves", None)


def test_an_importer_that_finds_strangers_is_refused(small, tmp_path):
    def find(folder, benchmark, fps):
        return FoundMotion("openhead-1", "vertices", 25, {"nobody": folder}, lambda path: {})

    with pytest.raises(UsageError, match="found clips that small@1 does not have: nobody"):
        import_submission(tmp_path, small, small.parent / "a", format=find)


def test_the_command_tells_in_json_and_by_its_exit(small, theirs, tmp_path):
    (theirs / "ita" / "ita-02.npy").unlink()
    options = ["-b", str(small), "--out", str(tmp_path / "entry"), "--fps", "25", "--json"]
    done = CliRunner().invoke(app, ["import", str(theirs), *options])
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert found["missing"] == ["ita-02"]
    assert [problem["code"] for problem in found["problems"]] == ["missing-clip"]
    assert found["warnings"] == ["no clip of the benchmark: mean.npy"]
