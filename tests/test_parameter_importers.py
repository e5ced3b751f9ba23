"""FLAME's parameters of DiffPoseTalk, ARTalk and EMOTE, and UniTalker's archive: as the same motion, submitted."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from factories import flame_arrays, manifest
from project_folders import CLIPS, make_bench, measure, motion, submit
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.faces import add_flame
from mtbench.files import UnsafePickleError, read_saved_tensor
from mtbench.importers import ImportOptions, import_submission
from mtbench.importers.flame_parameters import to_vectors

FIRST = next(iter(CLIPS))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A made-up FLAME, installed for these tests."""
    folder = tmp_path_factory.mktemp("flame")
    arrays = flame_arrays()
    arrays["shapedirs"] *= np.float32(0.02)
    arrays["posedirs"] *= np.float32(0.02)
    np.savez(folder / "model.npz", **arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTBENCH_DATA", str(folder / "data"))
        add_flame(folder / "model.npz")
        yield folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory, model):
    return make_bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def parameters(clip: str, coefficients: int = 50) -> dict[str, np.ndarray]:
    """What a face says in *clip*: float32, at 25 frames a second."""
    frames = CLIPS[clip][1]
    rng = np.random.default_rng(sorted(CLIPS).index(clip))
    times = np.arange(frames)[:, None] / 25
    jaw = np.abs(np.sin(times * 9)) * [0.2, 0, 0]
    return {
        "exp": rng.standard_normal((1, coefficients)) * np.sin(times * 5),
        "rotation": np.sin(times * 3) * [0.02, 0.05, 0.01],
        "jaw": jaw,
        "shape": np.repeat(rng.standard_normal((1, 100)), frames, axis=0),
    }


def narrow(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def submit_parameters(folder: Path, coefficients: int = 50, shape: bool = True) -> Path:
    (folder / "motion").mkdir(parents=True)
    (folder / "submission.toml").write_text(manifest(system="direct", kind="flame-params"))
    for clip in CLIPS:
        arrays = narrow(parameters(clip, coefficients))
        arrays["shape"] = arrays["shape"][:1]
        np.savez(folder / f"motion/{clip}.npz", **{k: v for k, v in arrays.items() if shape or k != "shape"})
    return folder


def diffposetalk(root: Path, turn=lambda vectors: vectors) -> None:
    """``demo.py --save_coef -n 2``."""
    root.mkdir(parents=True)
    for clip in CLIPS:
        for number in range(2):
            p = narrow(parameters(clip))
            pose = np.concatenate([turn(p["rotation"]), turn(p["jaw"])], axis=1) * np.float32(
                1 - 0.5 * number
            )
            np.savez_compressed(root / f"{clip}_{number:03d}.npz", exp=p["exp"], pose=pose, shape=p["shape"])


def save_tensor(path: Path, array: np.ndarray) -> None:
    """What ``torch.save`` writes of a tensor, without torch: the same members and the same pickle."""
    kind, (rows, columns) = {"<f4": "FloatStorage", "<f8": "DoubleStorage"}[array.dtype.str], array.shape
    code = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\n"
        + kind.encode()
        + b"\nq\x02X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04J"
        + array.size.to_bytes(4, "little")
        + b"tq\x05QK\x00J"
        + rows.to_bytes(4, "little")
        + b"J"
        + columns.to_bytes(4, "little")
        + b"\x86q\x06J"
        + columns.to_bytes(4, "little")
        + b"K\x01\x86q\x07\x89ccollections\nOrderedDict\nq\x08)Rq\ttq\nRq\x0b."
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", code)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", array.tobytes())
        archive.writestr("archive/version", "3\n")


def artalk(root: Path, turn=lambda vectors: vectors) -> None:
    """The page of ``inference.py``."""
    root.mkdir(parents=True)
    for clip in CLIPS:
        p = narrow(parameters(clip, 100))
        motions = np.concatenate([p["exp"], turn(p["rotation"]), turn(p["jaw"])], axis=1)
        save_tensor(root / f"{clip}_natural_0_mesh_motions.pt", motions.astype(np.float32))


def emote(root: Path) -> None:
    """``--save_flame``, an output folder a sound, two emotions."""
    for clip in CLIPS:
        for emotion, gain in (("Neutral", 1), ("Anger", 2)):
            name = f"M003_{emotion}_0"
            folder = root / clip / "EMOTE_v2" / name / "flame"
            folder.mkdir(parents=True)
            p = narrow(parameters(clip))
            table = {"shape": p["shape"][0], "expression": p["exp"] * np.float32(gain)}
            table |= {"jaw_pose": p["jaw"], "global_pose": p["rotation"]}
            (folder / f"flame_{name}.pkl").write_bytes(pickle.dumps(table))


CASES = {
    "diffposetalk": (diffposetalk, 50, True, {"sample": 0}),
    "artalk": (artalk, 100, False, {}),
    "emote": (emote, 50, True, {"condition": "M003_Neutral_0"}),
}


@pytest.mark.parametrize("project", CASES)
def test_parameters_score_as_the_same_ones_submitted_directly(bench, cache, tmp_path, project):
    make, coefficients, shape, given = CASES[project]
    make(tmp_path / "theirs")
    done = import_submission(
        tmp_path / "theirs", bench, tmp_path / "entry", format=project, options=ImportOptions(**given)
    )
    assert (done.problems, done.contradicted, done.clips) == ((), (), tuple(CLIPS))
    assert any(line.startswith("made with ") for line in done.assumed)
    direct = measure(submit_parameters(tmp_path / "direct", coefficients, shape), bench, cache)
    assert measure(done.folder, bench, cache) == direct
    assert direct["lve_mm"] > 0.5


@pytest.mark.parametrize(
    ("project", "rotations"),
    [("diffposetalk", "6d-rows"), ("artalk", "6d-columns"), ("diffposetalk", "6d-interleaved")],
)
def test_rotations_of_six_numbers(bench, cache, tmp_path, project, rotations):
    def turn(vectors):
        matrices = Rotation.from_rotvec(vectors).as_matrix()
        if rotations == "6d-rows":
            return matrices[:, :2].reshape(-1, 6).astype(np.float32)
        columns = matrices[:, :, :2]
        if rotations == "6d-columns":
            columns = columns.transpose(0, 2, 1)
        return columns.reshape(-1, 6).astype(np.float32)

    make = {"diffposetalk": one_sample, "artalk": artalk}[project]
    make(tmp_path / "theirs", turn)
    with pytest.raises(
        UsageError, match=r"rotations of six numbers\? give --rotations 6d-rows \(pytorch3d's\)"
    ):
        import_submission(tmp_path / "theirs", bench, tmp_path / "a", format=project)
    done = import_submission(
        *(tmp_path / "theirs", bench, tmp_path / "entry"),
        format=project,
        options=ImportOptions(rotations=rotations),
    )
    assert (done.problems, done.contradicted) == ((), ())
    direct = submit_parameters(tmp_path / "direct", *CASES[project][1:3])
    assert measure(done.folder, bench, cache) == pytest.approx(measure(direct, bench, cache), abs=1e-4)
    if rotations != "6d-interleaved":
        wrong = {"6d-rows": "6d-columns", "6d-columns": "6d-rows"}[rotations]
        options = ImportOptions(rotations=wrong)
        done = import_submission(tmp_path / "theirs", bench, tmp_path / "b", format=project, options=options)
        assert f"the jaw opens upwards ({FIRST}" in done.contradicted[0]
        assert f"give --rotations {rotations}" in done.contradicted[0]


def one_sample(root, turn):
    root.mkdir(parents=True)
    for clip in CLIPS:
        p = narrow(parameters(clip))
        pose = np.concatenate([turn(p["rotation"]), turn(p["jaw"])], axis=1)
        np.savez(root / f"{clip}.npz", exp=p["exp"], pose=pose, shape=p["shape"])


def test_axes_of_rotations():
    """Against scipy's own vectors, half turns among them, and numbers that are no rotation."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 2, 3))
    vectors[0] = [[np.pi, 0, 0], [0, 0, 0]]
    matrices = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    numbers = matrices[:, :2].reshape(50, 2, 6)
    back, skew = to_vectors(numbers, "6d-rows")
    np.testing.assert_allclose(Rotation.from_rotvec(back.reshape(-1, 3)).as_matrix(), matrices, atol=1e-12)
    assert skew < 1e-9
    scaled, skew = to_vectors(numbers * 3, "6d-rows")
    np.testing.assert_allclose(scaled, back, atol=1e-9)
    assert skew > 1


def test_another_flame_than_the_project_s_is_said(bench, tmp_path, monkeypatch):
    import dataclasses

    from mtbench.importers import flame_parameters

    record = flame_parameters.flame_record()
    monkeypatch.setattr(
        flame_parameters, "flame_record", lambda: dataclasses.replace(record, edition="FLAME 2023 Open")
    )
    one_sample(tmp_path / "theirs", lambda v: v)
    done = import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="diffposetalk")
    assert (
        "they are posed with FLAME 2023 Open, which is installed, and were made with FLAME 2020"
        in (done.contradicted[0])
    )


def test_without_a_flame_model_it_is_said_where_to_get_one(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "nothing"))
    one_sample(tmp_path / "theirs", lambda v: v)
    done = import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="diffposetalk")
    assert done.problems == ()
    assert "no FLAME model is installed, which parameters are posed with. Get" in str(done.notes[0])


def test_several_emotions_have_to_be_chosen_among(bench, tmp_path):
    emote(tmp_path / "theirs")
    with pytest.raises(
        UsageError, match=r"choose one: --condition M003_Neutral_0; there are M003_Anger_0, M003_N"
    ):
        import_submission(tmp_path / "theirs", bench, tmp_path / "a", format="emote")


def test_emote_s_meshes_come_before_its_parameters(bench, cache, tmp_path):
    emote(tmp_path / "theirs")
    for clip in CLIPS:
        folder = tmp_path / "theirs" / clip / "EMOTE_v2/M003_Neutral_0/meshes"
        folder.mkdir()
        for number, vertices in enumerate(motion(clip, 25)):
            lines = ["v " + " ".join(repr(float(x)) for x in vertex) for vertex in vertices]
            (folder / f"{number:05d}.obj").write_text("\n".join([*lines, "f 1 2 3"]))
    done = import_submission(tmp_path / "theirs", bench, tmp_path / "entry", format="emote")
    assert done.problems == ()
    assert measure(done.folder, bench, cache) == measure(submit(tmp_path / "direct", 25), bench, cache)


class Malice:
    def __reduce__(self):
        return print, ("run",)


def test_pickles_that_name_anything_else_are_refused(bench, tmp_path, capsys):
    emote(tmp_path / "theirs")
    file = tmp_path / "theirs" / FIRST / "EMOTE_v2/M003_Neutral_0/flame/flame_M003_Neutral_0.pkl"
    file.write_bytes(pickle.dumps({"expression": Malice()}))
    options = ImportOptions(condition="M003_Neutral_0")
    with pytest.raises(UsageError, match=r"flame_M003_Neutral_0.pkl: the name builtins.print, which no"):
        import_submission(tmp_path / "theirs", bench, tmp_path / "a", format="emote", options=options)
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Malice(), protocol=2))
    with pytest.raises(UnsafePickleError, match=r"the name __builtin__.print, which no tensor needs"):
        read_saved_tensor(tmp_path / "x.pt", 1 << 20)
    assert capsys.readouterr().out == ""


def test_tensors_that_claim_more_than_there_is(tmp_path):
    save_tensor(tmp_path / "a.pt", np.zeros((4, 6), np.float32))
    with pytest.raises(UnsafePickleError, match="96 bytes of numbers, expected at most 95"):
        read_saved_tensor(tmp_path / "a.pt", 95)
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        code = archive.read("archive/data.pkl")
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        archive.writestr("archive/data.pkl", code)
        archive.writestr("archive/data/0", b"\0" * 90)
    with pytest.raises(UnsafePickleError, match="another count of numbers"):
        read_saved_tensor(tmp_path / "b.pt", 1 << 20)
    (tmp_path / "c.pt").write_bytes((tmp_path / "a.pt").read_bytes()[:100])
    with pytest.raises(UnsafePickleError, match=r"no tensor of torch\.save"):
        read_saved_tensor(tmp_path / "c.pt", 1 << 20)


def test_tensors_of_torch_itself(tmp_path):
    torch = pytest.importorskip("torch")
    numbers = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    torch.save(numbers[1:], tmp_path / "a.pt")
    np.testing.assert_array_equal(read_saved_tensor(tmp_path / "a.pt", 1 << 20), numbers[1:].numpy())
    torch.save(numbers.T, tmp_path / "b.pt")
    with pytest.raises(UnsafePickleError, match="does not lie row by row"):
        read_saved_tensor(tmp_path / "b.pt", 1 << 20)
    torch.save({"a": numbers}, tmp_path / "c.pt")
    with pytest.raises(UnsafePickleError, match="a dict at the top, expected one tensor"):
        read_saved_tensor(tmp_path / "c.pt", 1 << 20)


def unitalker(path: Path, fps: float = 30, sets=("D1",), folder: str = "") -> None:
    """``main/demo.py``: an object array a sound."""
    torch = pytest.importorskip("torch")
    path.parent.mkdir(parents=True)
    table = {}
    for clip in CLIPS:
        meshes = {"D0": torch.zeros(3, 23370, 3), "D5": torch.zeros(3, 1787, 3)}
        meshes |= {name: torch.from_numpy(motion(clip, fps)) for name in sets}
        table[f"{folder}{clip}.wav"] = meshes
    np.savez(path, **table)


@pytest.mark.parametrize("folder", ["", "english/"])
def test_unitalker_s_archive(bench, cache, tmp_path, folder):
    unitalker(tmp_path / "theirs/demo.npz", folder=folder)
    arguments = ["import", str(tmp_path / "theirs"), "-b", str(bench), "--out", str(tmp_path / "entry")]
    done = CliRunner().invoke(app, [*arguments, "--from", "unitalker", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["problems"], told["contradicted"]) == ([], [])
    assert measure(tmp_path / "entry", bench, cache) == measure(submit(tmp_path / "d", 30), bench, cache)


def test_unitalker_s_archives_that_cannot_be_used(bench, tmp_path):
    unitalker(tmp_path / "theirs/demo.npz", sets=("D1", "D2"))
    with pytest.raises(UsageError, match=r"D1 and D2 have 5023 vertices; choose: --condition D1"):
        import_submission(tmp_path / "theirs", bench, tmp_path / "a", format="unitalker")
    done = import_submission(
        *(tmp_path / "theirs", bench, tmp_path / "a"),
        format="unitalker",
        options=ImportOptions(condition="D2"),
    )
    assert done.problems == ()
    unitalker(tmp_path / "none/demo.npz", sets=())
    with pytest.raises(
        UsageError, match=r"no mesh of 5023 vertices: it has D0 \(3, 23370, 3\), D5 \(3, 1787, 3\)"
    ):
        import_submission(tmp_path / "none", bench, tmp_path / "b", format="unitalker")
    (tmp_path / "evil").mkdir()
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(tmp_path / "evil/demo.npz", "w") as archive:
        archive.writestr(f"{FIRST}.wav.npy", head.getvalue() + pickle.dumps({"D1": Malice()}))
    with pytest.raises(UsageError, match=r"the name builtins.print, which no dictionary of tensors needs"):
        import_submission(tmp_path / "evil", bench, tmp_path / "c", format="unitalker")


def test_options_that_parameters_do_not_have(bench, tmp_path):
    one_sample(tmp_path / "theirs", lambda v: v)
    with pytest.raises(UsageError, match="DiffPoseTalk writes FLAME's parameters, which have no --scale"):
        import_submission(
            *(tmp_path / "theirs", bench, tmp_path / "a"),
            format="diffposetalk",
            options=ImportOptions(scale=0.1),
        )
