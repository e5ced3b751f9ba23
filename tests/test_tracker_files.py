"""Files as trackers write them: the hints, followed to the letter, give files that hold the right parameters."""

from __future__ import annotations

import re

import numpy as np
import pytest
from factories import CLIPS, make_benchmark, make_submission, manifest
from scipy.spatial.transform import Rotation

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.faces.tracker_names import translate
from mtbench.submissions.validation import validate

CLIP, T = "ita-01", CLIPS["ita-01"][1]
RNG = np.random.default_rng(3)
EXP, EXP100 = RNG.normal(size=(T, 50)).astype("f4"), RNG.normal(size=(T, 100)).astype("f4")
SHAPE, SHAPE300 = RNG.normal(size=(T, 100)).astype("f4"), RNG.normal(size=(T, 300)).astype("f4")
HEAD, NECK, JAW = (0.1 * RNG.normal(size=(3, T, 3))).astype("f4")
EYES = (0.1 * RNG.normal(size=(T, 6))).astype("f4")
PLACE = (0.01 * RNG.normal(size=(T, 3))).astype("f4")
CAM, LIGHT = np.ones((T, 3), "f4"), np.ones((T, 27), "f4")


def glue(*arrays):
    return np.concatenate(arrays, axis=1)


def matrices(turns):
    return Rotation.from_rotvec(turns).as_matrix().astype("f4")


#: name -> (what the file holds, what it means)
FILES = {
    "DECA": (
        {"exp": EXP, "pose": glue(HEAD, JAW), "shape": SHAPE, "cam": CAM, "tex": EXP, "light": LIGHT},
        {"exp": EXP, "rotation": HEAD, "jaw": JAW, "shape": SHAPE},
    ),
    "DECA's pose called jaw": (
        {"exp": EXP, "jaw": glue(HEAD, JAW)},
        {"exp": EXP, "rotation": HEAD, "jaw": JAW},
    ),
    "DECA, everything in one": (
        {"arr_0": glue(SHAPE, EXP, EXP, HEAD, JAW, CAM, LIGHT)},
        {"shape": SHAPE, "exp": EXP, "rotation": HEAD, "jaw": JAW},
    ),
    "EMOCA": (
        {"expcode": EXP, "shapecode": SHAPE, "posecode": glue(HEAD, JAW), "detailcode": EXP, "cam": CAM},
        {"exp": EXP, "rotation": HEAD, "jaw": JAW, "shape": SHAPE},
    ),
    "EMOCA, posed apart": (
        {"expcode": EXP, "globalpose": HEAD, "jawpose": JAW},
        {"exp": EXP, "rotation": HEAD, "jaw": JAW},
    ),
    "SMIRK": (
        {
            "expression_params": EXP,
            "jaw_params": JAW,
            "pose_params": HEAD,
            "shape_params": SHAPE300,
            "eyelid_params": EYES[:, :2],
            "cam": CAM,
        },
        {"exp": EXP, "jaw": JAW, "rotation": HEAD, "shape": SHAPE300},
    ),
    "VHAP": (
        {
            "expr": EXP100,
            "rotation": HEAD,
            "neck_pose": NECK,
            "jaw_pose": JAW,
            "eyes_pose": EYES,
            "translation": PLACE,
            "shape": SHAPE300[0],
            "static_offset": np.zeros((1, 5143, 3), "f4"),
        },
        {
            "exp": EXP100,
            "rotation": HEAD,
            "neck": NECK,
            "jaw": JAW,
            "eyes": EYES,
            "translation": PLACE,
            "shape": SHAPE300[0],
        },
    ),
    "smplx": (
        {
            "expression": EXP[:, :10],
            "global_orient": HEAD,
            "jaw_pose": JAW,
            "leye_pose": EYES[:, :3],
            "reye_pose": EYES[:, 3:],
            "betas": SHAPE[:1, :10],
            "transl": PLACE,
        },
        {
            "exp": EXP[:, :10],
            "rotation": HEAD,
            "jaw": JAW,
            "eyes": EYES,
            "shape": SHAPE[:1, :10],
            "translation": PLACE,
        },
    ),
    "FLAME's pose vector": (
        {"exp": EXP, "full_pose": glue(HEAD, NECK, JAW, EYES)},
        {"exp": EXP, "rotation": HEAD, "neck": NECK, "jaw": JAW, "eyes": EYES},
    ),
    "exp with the jaw glued on": ({"exp": glue(EXP, JAW)}, {"exp": EXP, "jaw": JAW}),
    "exp with DECA's pose glued on": (
        {"exp": glue(EXP, HEAD, JAW)},
        {"exp": EXP, "rotation": HEAD, "jaw": JAW},
    ),
    "100 exp with the jaw glued on": ({"exp": glue(EXP100, JAW)}, {"exp": EXP100, "jaw": JAW}),
    "100 exp with a pose, under another name": (
        {"coef": glue(EXP100, HEAD, JAW)},
        {"exp": EXP100, "rotation": HEAD, "jaw": JAW},
    ),
    "shape, exp and jaw": (
        {"params": glue(SHAPE300, EXP100, JAW)},
        {"shape": SHAPE300, "exp": EXP100, "jaw": JAW},
    ),
    "shape, exp and pose": (
        {"params": glue(SHAPE300, EXP, HEAD, JAW)},
        {"shape": SHAPE300, "exp": EXP, "rotation": HEAD, "jaw": JAW},
    ),
    "DECA's pose called jaw, beside a rotation": (
        {"exp": EXP, "jaw": glue(HEAD, JAW), "rotation": HEAD},
        {"exp": EXP, "jaw": JAW, "rotation": HEAD},
    ),
    "rotation matrices": ({"exp": EXP, "jaw": matrices(JAW)}, {"exp": EXP, "jaw": JAW}),
    "rotation matrices in rows": (
        {"exp": EXP, "jaw_pose": matrices(JAW).reshape(T, 9), "global_orient": matrices(HEAD)[:, None]},
        {"exp": EXP, "jaw": JAW, "rotation": HEAD},
    ),
    "quaternions": (
        {"exp": EXP, "jaw": Rotation.from_rotvec(JAW).as_quat().astype("f4")},
        {"exp": EXP, "jaw": JAW},
    ),
    "the jaw's opening only": (
        {"exp": EXP, "jaw": JAW[:, :1]},
        {"exp": EXP, "jaw": JAW * np.float32([1, 0, 0])},
    ),
    "one eye": (
        {"exp": EXP, "jaw": JAW, "eyes": EYES[:, :3]},
        {"exp": EXP, "jaw": JAW, "eyes": glue(EYES[:, :3], EYES[:, :3])},
    ),
    "batch axes": (
        {"exp": EXP[None], "jaw": JAW[:, None], "shape": SHAPE[None, :1]},
        {"exp": EXP, "jaw": JAW, "shape": SHAPE[:1]},
    ),
}


def follow(path, problems):
    """Do what the hints say, word by word, until the file is right."""
    with np.load(path) as file:
        old = {name or "array": file[name] for name in file.files}
    new = dict(old)
    for problem in problems:
        hint, name = problem.hint, re.search(r"array '(\w+)'", problem.message)
        if match := re.search(r"save (\w+ = .*)$", hint):
            if name and name.group(1) in new and "unknown" in problem.message:
                del new[name.group(1)]
            for part in re.split(r", (?=\w+ = )", match.group(1)):
                parameter, expression = part.split(" = ", 1)
                new[parameter] = eval(expression, {"np": np, "Rotation": Rotation}, old)
        elif match := re.fullmatch(r"did you mean '(\w+)'\?", hint):
            new[match.group(1)] = new.pop(name.group(1))
        elif "leave it out" in hint:
            del new[name.group(1)]
        else:
            assert "rename it" in hint, problem
    np.savez(path, **{key: np.asarray(value, "f4") for key, value in new.items()})


@pytest.fixture(scope="module", autouse=True)
def _no_asset(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    return load_benchmark(make_benchmark(folder, clips={CLIP: CLIPS[CLIP]}, motion=False))


def parameters(tmp_path, arrays):
    root = make_submission(tmp_path, clips={CLIP: CLIPS[CLIP]})
    (root / "submission.toml").write_text(manifest(kind="flame-params"))
    np.savez(root / f"motion/{CLIP}.npz", **arrays)
    return root


@pytest.mark.parametrize("name", FILES)
def test_hints_lead_to_the_right_file(name, tmp_path, benchmark):
    """11-deca-pose: DECA's pose is the head's rotation and the jaw's; other trackers have other names."""
    arrays, meaning = FILES[name]
    root = parameters(tmp_path, arrays)
    problems = validate(root, benchmark)
    assert problems
    assert {p.code for p in problems} <= {"wrong-arrays", "wrong-shape"}
    path = root / f"motion/{CLIP}.npz"
    follow(path, problems)
    assert validate(root, benchmark) == []
    with np.load(path) as file:
        assert set(file.files) == set(meaning)
        for key, value in meaning.items():
            np.testing.assert_allclose(file[key], value, atol=2e-6)


def test_the_words_of_decas_pose(tmp_path, benchmark):
    """11-deca-pose: both hints name the same two slices."""
    pose = glue(HEAD, JAW)
    lines = [str(p) for p in validate(parameters(tmp_path / "P", {"exp": EXP, "pose": pose}), benchmark)]
    assert all("save rotation = pose[:, :3], jaw = pose[:, 3:]" in line for line in lines)
    (line,) = map(str, validate(parameters(tmp_path / "Q", {"exp": EXP, "jaw": pose}), benchmark))
    assert "save rotation = jaw[:, :3], jaw = jaw[:, 3:]" in line


def test_an_array_that_holds_everything_in_a_plain_npy(tmp_path, benchmark):
    root = parameters(tmp_path, {"exp": EXP, "jaw": JAW})
    (root / f"motion/{CLIP}.npz").unlink()
    np.save(root / f"motion/{CLIP}.npy", glue(EXP, JAW))
    assert "save exp = array[:, :50], jaw = array[:, 50:]" in validate(root, benchmark)[0].hint
    np.save(root / f"motion/{CLIP}.npy", np.zeros((T, 15069), "f4"))
    assert 'set kind = "vertices"' in validate(root, benchmark)[0].hint


def test_parameters_given_as_vertices_are_told(tmp_path, benchmark):
    for arrays in (FILES["SMIRK"][0], FILES["EMOCA"][0]):
        root = make_submission(tmp_path / str(len(arrays)), clips={CLIP: CLIPS[CLIP]})
        np.savez(root / f"motion/{CLIP}.npz", **arrays)
        assert 'set kind = "flame-params"' in validate(root, benchmark)[0].hint


def test_rotations_in_6d_are_told(tmp_path, benchmark):
    root = parameters(tmp_path, {"exp": EXP, "jaw": JAW, "rotation": glue(HEAD, HEAD)})
    (problem,) = validate(root, benchmark)
    assert "6D" in problem.hint


def test_names_that_say_what_they_are_come_before_pose_vectors():
    recipe = translate({"exp": (9, 50), "jaw_pose": (9, 3), "pose": (9, 6)})
    assert recipe.sources == {"exp": "exp", "jaw": "jaw_pose", "rotation": "pose[:, :3]"}
    assert recipe.hint_unknown("pose") == "it holds rotation: save rotation = pose[:, :3]"
    assert translate({"exp": (9, 53), "jaw": (9, 3)}).sources == {"exp": "exp", "jaw": "jaw"}
    assert translate({"pose": (9, 3), "exp": (9, 50)}).sources["jaw"] == "pose"
    assert translate({"pose": (9, 3), "jaw_params": (9, 3)}).sources["rotation"] == "pose"
