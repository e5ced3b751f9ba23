"""What projects leave on disk comes out as a valid submission with the score of the same motion submitted directly."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from project_folders import CLIPS, FACE, SPEAKERS, make_bench, measure, motion, submit
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.importers import ImportOptions, import_submission
from mtbench.submissions import load_submission

FIRST = next(iter(CLIPS))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return make_bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def flat(vertices: np.ndarray) -> np.ndarray:
    return vertices.reshape(len(vertices), -1)


def write_obj(path: Path, vertices: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["v " + " ".join(repr(float(x)) for x in vertex) for vertex in vertices]
    path.write_text("\n".join([*lines, "f 1 2 3"]) + "\n")


def faceformer(root: Path) -> None:
    """``main.py``: a file for each speaker that the model was trained on, beside those of the demo's sounds."""
    (root / "vocaset/result").mkdir(parents=True)
    for clip in CLIPS:
        for speaker in ("FaceTalk_170913_03279_TA", "FaceTalk_170904_03276_TA"):
            np.save(root / f"vocaset/result/{clip}_condition_{speaker}.npy", flat(motion(clip, 30, speaker)))
    np.save(root / "vocaset/result/test.npy", flat(motion(FIRST, 30)))


def codetalker(root: Path) -> None:
    """``main/demo.py``: a folder a sound."""
    for clip in CLIPS:
        (root / "demo/npy" / clip).mkdir(parents=True)
        name = "condition_FaceTalk_170913_03279_TA_subject_FaceTalk_170809_00138_TA.npy"
        np.save(root / "demo/npy" / clip / name, flat(motion(clip, 30)))


def selftalk(root: Path) -> None:
    """``test.py``: (T, V, 3)."""
    (root / "result_512_03_01_10_00").mkdir(parents=True)
    for clip in CLIPS:
        np.save(root / f"result_512_03_01_10_00/{clip}.npy", motion(clip, 30))


def facediffuser(root: Path) -> None:
    """``main.py`` with two samples."""
    (root / "result").mkdir(parents=True)
    for clip in CLIPS:
        for number in (1, 2):
            name = f"{clip}_condition_FaceTalk_170913_03279_TA_{number}.npy"
            np.save(root / "result" / name, flat(motion(clip, 30, str(number))))


def multitalk(root: Path) -> None:
    """``main/test_multi_pred.py``."""
    (root / "npy").mkdir(parents=True)
    for clip in CLIPS:
        np.save(root / f"npy/{clip}.npy", flat(motion(clip, 25)))


def voca(root: Path) -> None:
    """``run_voca.py``, a folder a sound."""
    for clip in CLIPS:
        for number, vertices in enumerate(motion(clip, 60)):
            write_obj(root / clip / "meshes" / f"{number:05d}.obj", vertices)


CASES = {
    "faceformer": (faceformer, 30, "FaceTalk_170904_03276_TA", {"condition": "FaceTalk_170904_03276_TA"}),
    "codetalker": (codetalker, 30, "", {}),
    "selftalk": (selftalk, 30, "", {}),
    "facediffuser": (facediffuser, 30, "2", {"sample": 2}),
    "multitalk": (multitalk, 25, "", {}),
    "voca": (voca, 60, "", {}),
}


@pytest.mark.parametrize("project", CASES)
def test_a_project_s_results_score_as_the_same_motion_submitted_directly(bench, cache, tmp_path, project):
    make, fps, condition, given = CASES[project]
    make(tmp_path / "theirs")
    done = import_submission(
        tmp_path / "theirs", bench, tmp_path / "entry", format=project, options=ImportOptions(**given)
    )
    assert done.problems == ()
    assert done.clips == tuple(CLIPS)
    assert done.contradicted == ()
    assert f"{fps} frames a second" in done.assumed[0]
    assert load_submission(done.folder, bench).manifest.fps == fps
    direct = measure(submit(tmp_path / "direct", fps, condition), bench, cache)
    assert measure(done.folder, bench, cache) == direct
    assert direct["lve_mm"] > 1


def test_the_manifest_names_the_method_that_brings_frames_to_25(bench, tmp_path):
    selftalk(tmp_path / "theirs")
    done = import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="selftalk")
    notes = load_submission(done.folder, bench).manifest.generation.notes
    assert "30 frames a second, brought to 25 when scored: resample:30>25/spline-1" in notes
    assert "positions are metres" in notes


def test_one_of_several_conditions_has_to_be_chosen(bench, tmp_path):
    faceformer(tmp_path / "theirs")
    with pytest.raises(UsageError, match=r"has 2 files .*choose one: --condition FaceTalk_170913_03279_TA"):
        import_submission(tmp_path / "theirs", bench, tmp_path / "a", format="faceformer")
    with pytest.raises(UsageError, match="no file of condition 'F3'; found FaceTalk_170904_03276_TA, FaceT"):
        import_submission(
            *(tmp_path / "theirs", bench, tmp_path / "a"),
            format="faceformer",
            options=ImportOptions(condition="F3"),
        )
    assert not (tmp_path / "a").exists()


def test_a_name_that_was_cut_at_its_first_dot_is_the_clip_s(tmp_path):
    from factories import make_benchmark

    bench = make_benchmark(tmp_path, clips={"news.part1": ("eng", 30)})
    vertices = motion(FIRST, 25)
    (tmp_path / "theirs").mkdir()
    np.save(tmp_path / "theirs/news.npy", flat(vertices))
    done = import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="multitalk")
    assert (done.clips, done.problems) == (("news.part1",), ())


def save_all(root: Path, change, fps: float = 30) -> Path:
    root.mkdir()
    for clip in CLIPS:
        np.save(root / f"{clip}.npy", flat(change(motion(clip, fps)).astype(np.float32)))
    return root


@pytest.mark.parametrize(
    ("change", "told", "cure"),
    [
        (lambda v: v - FACE, "look like displacements", None),
        (lambda v: v * 1000, r"look like millimetres: give --scale 0\.001", {"scale": 0.001}),
        (lambda v: v * 100, r"look like centimetres: give --scale 0\.01", {"scale": 0.01}),
        (lambda v: v[: round(len(v) * 25 / 30)], r"3 of 3 clips fit 25 .*give --fps 25", {"fps": 25}),
    ],
)
def test_what_the_files_contradict_is_said_and_the_cure_works(bench, tmp_path, change, told, cure):
    theirs = save_all(tmp_path / "theirs", change)
    done = import_submission(theirs, bench, tmp_path / "entry", format="selftalk")
    assert len(done.contradicted) == 1
    assert re.search(told, done.contradicted[0]), done.contradicted
    assert done.problems
    assert done.contradicted[0] in load_manifest(done.folder)
    if cure is not None:
        options = ImportOptions(**{k: v for k, v in cure.items() if k != "fps"})
        mended = import_submission(
            theirs, bench, tmp_path / "mended", format="selftalk", options=options, fps=cure.get("fps")
        )
        assert (mended.problems, mended.contradicted) == ((), ())


def load_manifest(folder: Path) -> str:
    import tomllib

    return tomllib.loads((folder / "submission.toml").read_text())["generation"]["notes"]


def test_displacements_are_added_to_the_speaker_s_resting_face(bench, cache, tmp_path):
    import pickle

    theirs = save_all(tmp_path / "theirs", lambda v: v - FACE)
    faces = {speaker: FACE.astype(np.float64) for speaker in SPEAKERS}
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps(faces, protocol=2))
    options = ImportOptions(positions="displacements", template=tmp_path / "templates.pkl")
    done = import_submission(theirs, bench, tmp_path / "entry", format="selftalk", options=options)
    assert (done.problems, done.contradicted) == ((), ())
    direct = measure(submit(tmp_path / "direct", 30), bench, cache)
    assert measure(done.folder, bench, cache) == pytest.approx(direct, rel=1e-4)
    options = ImportOptions(template=tmp_path / "templates.pkl")
    done = import_submission(theirs, bench, tmp_path / "entry", format="selftalk", options=options)
    assert done.problems == ()
    assert "SelfTalk writes absolute ones: the resting faces were added" in done.contradicted[0]
    wrong = {"FaceTalk_9_TA": FACE, "FaceTalk_8_TA": FACE}
    (tmp_path / "others.pkl").write_bytes(pickle.dumps(wrong, protocol=2))
    options = ImportOptions(positions="displacements", template=tmp_path / "others.pkl")
    with pytest.raises(UsageError, match=r"no resting face of its speaker; the faces are FaceTalk_9_TA"):
        import_submission(theirs, bench, tmp_path / "b", format="selftalk", options=options)


def test_announced_displacements_that_are_none_are_said(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    np.save(tmp_path / "face.npy", FACE)
    options = ImportOptions(positions="displacements", template=tmp_path / "face.npy")
    done = import_submission(theirs, bench, tmp_path / "entry", format="selftalk", options=options)
    assert "positions look absolute" in done.contradicted[0]


def test_a_resting_face_that_is_not_the_motion_s_is_said(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    np.save(tmp_path / "face.npy", FACE * np.float32([1, 1, 1]) + np.float32([0, 0.2, 0]))
    options = ImportOptions(template=tmp_path / "face.npy")
    done = import_submission(theirs, bench, tmp_path / "entry", format="selftalk", options=options)
    assert "strays 0.2" in done.contradicted[0]


@pytest.mark.parametrize("count", [5143, 5423, 5118])
def test_flame_with_more_vertices_after_its_own(bench, cache, tmp_path, count):
    def extend(vertices):
        return np.concatenate([vertices, vertices[:, : count - 5023] * 0.5], axis=1)

    theirs = save_all(tmp_path / "theirs", extend, 25)
    done = import_submission(theirs, bench, tmp_path / "entry", format="multitalk")
    assert (done.problems, done.contradicted) == ((), ())
    assert any(str(count) in line for line in done.assumed)
    assert measure(done.folder, bench, cache) == measure(submit(tmp_path / "direct", 25), bench, cache)


@pytest.fixture
def seams(tmp_path):
    """A mesh with 5,118 texture coordinates, in an order of its own, and which vertex each belongs to."""
    rng = np.random.default_rng(3)
    owners = rng.permutation(np.concatenate([np.arange(5023), rng.choice(5023, 95, replace=False)]))
    corners = [f"{vertex + 1}/{place + 1}" for place, vertex in enumerate(owners)]
    corners += corners[: -len(corners) % 3]
    lines = ["v 0 0 0"] * 5023 + ["vt 0 0"] * 5118
    lines += ["f " + " ".join(corners[i : i + 3]) for i in range(0, len(corners), 3)]
    path = tmp_path / "head_template.obj"
    path.write_text("\n".join(lines) + "\n")
    return path, owners


def test_flame_doubled_at_the_seams_is_joined(bench, cache, tmp_path, seams):
    mesh, owners = seams
    theirs = save_all(tmp_path / "theirs", lambda v: v[:, owners], 25)
    with pytest.raises(
        UsageError, match=r"as many as FLAME has texture coordinates.*--uv-mesh head_template"
    ):
        import_submission(theirs, bench, tmp_path / "entry", format="multitalk")
    options = ImportOptions(uv_mesh=mesh)
    done = import_submission(theirs, bench, tmp_path / "entry", format="multitalk", options=options)
    assert (done.problems, done.contradicted) == ((), ())
    assert measure(done.folder, bench, cache) == measure(submit(tmp_path / "direct", 25), bench, cache)


def test_a_mesh_of_other_seams_is_said(bench, tmp_path, seams):
    mesh, owners = seams
    theirs = save_all(tmp_path / "theirs", lambda v: v[:, np.roll(owners, 7)], 25)
    options = ImportOptions(uv_mesh=mesh)
    done = import_submission(theirs, bench, tmp_path / "entry", format="multitalk", options=options)
    assert "copies of one vertex lie" in done.contradicted[0]
    assert done.problems
    mesh.write_text("v 0 0 0\nf 1/1 2/2 9999/3\n")
    options = ImportOptions(uv_mesh=tmp_path / "other.obj")
    (tmp_path / "other.obj").write_text("v 0 0 0\nf 1/1 2/2 9999/3\n")
    with pytest.raises(UsageError, match=r"other.obj: other polygons, expected an .obj of FLAME"):
        import_submission(theirs, bench, tmp_path / "b", format="multitalk", options=options)


def test_every_bad_file_is_named_and_nothing_is_written(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    names = list(CLIPS)
    np.save(theirs / f"{names[1]}.npy", np.array([{"a": 1}], object), allow_pickle=True)
    whole = (theirs / f"{names[0]}.npy").read_bytes()
    (theirs / f"{names[0]}.npy").write_bytes(whole[:5000])
    with pytest.raises(UsageError) as caught:
        import_submission(theirs, bench, tmp_path / "entry", format="selftalk")
    text = str(caught.value)
    assert "2 of 3 clips cannot be read, and nothing was written" in text
    assert f"{names[1]}.npy: array of Python objects" in text
    assert f"{names[0]}.npy: file has 5000 bytes" in text
    assert not (tmp_path / "entry" / "motion").exists()


def test_a_false_header_allocates_nothing(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 15069), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    (theirs / f"{FIRST}.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(UsageError, match=r"header \(1000000000, 15069\) float32 needs"):
        import_submission(theirs, bench, tmp_path / "entry", format="selftalk")


def test_meshes_with_a_hole_are_refused(bench, tmp_path):
    voca(tmp_path / "theirs")
    (tmp_path / "theirs" / FIRST / "meshes" / "00003.obj").unlink()
    with pytest.raises(UsageError, match=r"meshes: frames 3 are missing; was it cut off\?"):
        import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="voca")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"v 1 2\nv 1 2 3\n", "is damaged"),
        (b"v 1 2 x\n", "is damaged"),
        (b"", "holds no vertices"),
        (b"v 1 2 nan\n", "NaN or infinite"),
        (b"v 1 2 3 0.5 0.5 0.5\n", "1 vertices, 00000.obj has 5023"),
    ],
)
def test_meshes_that_are_none(bench, tmp_path, content, told):
    for number in range(30):
        write_obj(tmp_path / "theirs" / FIRST / f"{number:05d}.obj", FACE)
    (tmp_path / "theirs" / FIRST / "00007.obj").write_bytes(content)
    with pytest.raises(UsageError, match=f"00007.obj:? .*{told}"):
        import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="voca")


def test_links_are_not_followed_out_of_the_folder(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    secret = tmp_path / "elsewhere.npy"
    (theirs / f"{FIRST}.npy").rename(secret)
    (theirs / f"{FIRST}.npy").symlink_to(secret)
    with pytest.raises(UsageError, match=f"{FIRST}.npy: cannot be read"):
        import_submission(theirs, bench, tmp_path / "entry", format="selftalk")


def test_a_format_without_options_says_so(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    with pytest.raises(UsageError, match="this format takes no --scale"):
        import_submission(
            theirs, bench, tmp_path / "a", fps=30, options=ImportOptions(scale=0.1), format="vertices"
        )


@pytest.mark.parametrize(
    ("project", "given", "told"),
    [
        ("selftalk", {"rotations": "6d-rows"}, "SelfTalk writes vertices, which have no --rotations"),
        ("diffposetalk", {"positions": "absolute", "scale": 2.0}, "which have no --scale, --positions"),
        ("unitalker", {"sample": 3}, "UniTalker writes one mesh a clip, which has no --sample"),
    ],
)
def test_options_that_mean_nothing_are_refused(bench, tmp_path, project, given, told):
    theirs = save_all(tmp_path / "theirs", lambda v: v)
    with pytest.raises(UsageError, match=told):
        import_submission(theirs, bench, tmp_path / "a", format=project, options=ImportOptions(**given))


def test_options_of_no_known_kind():
    with pytest.raises(
        UsageError, match="--positions relative: expected one of auto, absolute, displacements"
    ):
        ImportOptions(positions="relative")
    with pytest.raises(UsageError, match="--rotations 6d: expected one of axis-angle, 6d-rows, 6d-columns"):
        ImportOptions(rotations="6d")


def test_no_clip_s_file(bench, tmp_path):
    (tmp_path / "theirs").mkdir()
    np.save(tmp_path / "theirs/other.npy", np.zeros((3, 15069), np.float32))
    with pytest.raises(
        UsageError, match=r"found other.npy; expected <clip>.npy, where <clip> is e.g. FaceTalk_1"
    ):
        import_submission(tmp_path / "theirs", bench, tmp_path / "a", format="selftalk")


def test_motion_that_nothing_can_be_compared_with(bench, tmp_path):
    from factories import make_benchmark

    other = make_benchmark(tmp_path, clips=CLIPS, topology="openhead-1", motion=False)
    theirs = save_all(tmp_path / "theirs", lambda v: v, 25)
    done = import_submission(theirs, other, tmp_path / "entry", format="multitalk")
    assert done.problems == ()
    assert "is openhead-1, the motion flame-5023: its lips can be read, LVE and its relatives are n/a" in (
        str(done.notes[0])
    )


def test_the_command_tells_what_was_assumed_and_contradicted(bench, tmp_path):
    theirs = save_all(tmp_path / "theirs", lambda v: v * 1000)
    arguments = ["import", str(theirs), "-b", str(bench), "--out", str(tmp_path / "e"), "--from", "selftalk"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 3
    assert "assumed:\n  - 30 frames a second, brought to 25 when scored" in done.output
    assert (
        "the files contradict that:\n  - positions look like millimetres: give --scale 0.001" in done.output
    )
    done = CliRunner().invoke(app, [*arguments, "--scale", "0.001", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["problems"], found["contradicted"]) == ([], [])
    assert "positions times 0.001 are metres" in found["assumed"]


@pytest.fixture
def biwi_lists(tmp_path, monkeypatch):
    """Lists of regions as CodeTalker has them, added as a user adds them."""
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "regions").mkdir()
    (tmp_path / "regions/lve.txt").write_text(", ".join(map(str, range(100, 300))))
    (tmp_path / "regions/fdd.txt").write_text(", ".join(map(str, range(9000, 9400))))
    return tmp_path / "regions"


def test_biwi_s_mesh_is_compared_by_lists_that_the_user_brings(biwi_lists, cache, tmp_path):
    from factories import face, make_benchmark

    resting = face(23370, seed=4)
    clips = {"F2_e37": ("eng", 27), "M3_e38": ("eng", 25)}
    bench = make_benchmark(tmp_path, clips=clips, topology="biwi-23370", neutral=resting)
    theirs = tmp_path / "BIWI/result"
    theirs.mkdir(parents=True)
    moved = {
        clip: np.load(bench / f"motion/{clip}.npz")["vertices"] + np.float32(0.001) * np.sin(i + 1)
        for i, clip in enumerate(clips)
    }
    for clip, vertices in moved.items():
        np.save(theirs / f"{clip}_condition_{clip[:2]}.npy", flat(vertices / np.float32(0.2)))
    arguments = [
        "import",
        str(theirs.parent),
        "-b",
        str(bench),
        "--out",
        str(tmp_path / "e"),
        "--from",
        "biwi",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exception.exit_code == 4
    assert "mtbench assets add biwi FOLDER" in str(done.exception)
    done = CliRunner().invoke(app, ["assets", "add", "biwi", str(biwi_lists)])
    assert done.output == "biwi-23370: lips 200 vertices, upper_face 400 vertices\n"
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "positions times 0.2 are metres, nominally: BIWI's are scaled speaker by speaker" in done.output
    (tmp_path / "direct/motion").mkdir(parents=True)
    (tmp_path / "direct/submission.toml").write_text(
        (tmp_path / "e/submission.toml").read_text().split("[generation]")[0]
    )
    for clip, vertices in moved.items():
        np.savez(tmp_path / f"direct/motion/{clip}.npz", vertices=vertices)
    direct = measure(tmp_path / "direct", bench, cache)
    assert measure(tmp_path / "e", bench, cache) == pytest.approx(direct, rel=1e-4, abs=1e-5)
    assert direct["lve_mm"] > 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1, 2, twenty", "holds something else than numbers"),
        ("1, 23370", "vertex 23370, of another mesh"),
        ("", "holds something else"),
    ],
)
def test_lists_that_are_not_biwi_s(biwi_lists, text, told):
    (biwi_lists / "lve.txt").write_text(text)
    done = CliRunner().invoke(app, ["assets", "add", "biwi", str(biwi_lists)])
    assert done.exception.exit_code == 2
    assert told in str(done.exception)
