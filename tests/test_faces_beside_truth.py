"""Vertices and FLAME parameters are looked at beside the ground truth, on several frames; cures are followed."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from factories import face, flame_arrays, make_benchmark, make_submission, manifest, talk
from scipy.spatial.transform import Rotation

from mtbench import score
from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import BenchmarkError, SubmissionError, UsageError
from mtbench.faces.flame_asset import add_flame
from mtbench.submissions.validation import inspect_submission, validate

CLIPS = {"eng-01": ("eng", 9), "eng-02": ("eng", 8)}
FILE = "motion/eng-01.npz"
UP, FAR = np.array([0, 0.3, 0]), np.array([0, 0, 50.0])
Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


@pytest.fixture(autouse=True)
def _places(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def with_truth(tmp_path_factory):
    return load_benchmark(make_benchmark(tmp_path_factory.mktemp("a"), clips=CLIPS))


@pytest.fixture(scope="module")
def without_truth(tmp_path_factory):
    return load_benchmark(make_benchmark(tmp_path_factory.mktemp("b"), clips=CLIPS, motion=False))


def turn(axis, degrees):
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix().T


def entry(tmp_path, vertices, clip="eng-01"):
    """A good submission but for the motion of one clip."""
    root = tmp_path / "entry"
    if not root.exists():
        make_submission(tmp_path, clips=CLIPS)
    np.savez(root / f"motion/{clip}.npz", vertices=np.asarray(vertices, np.float32))
    return root


def truth(clip="eng-01"):
    return talk(CLIPS[clip][1], seed=list(CLIPS).index(clip)).astype(float)


def only(problems):
    (problem,) = problems
    assert problem.where == FILE
    return problem


#: name -> (fault, code, words)
FAULTS = {
    "zup": (lambda v: v @ Z_UP.T, "wrong-axes", "turned by"),
    "mirror": (lambda v: v * [-1, 1, 1], "wrong-vertex-order", "mirrored in frame 0"),
    "shuffled": (
        lambda v: v[:, np.random.default_rng(0).permutation(5023)],
        "wrong-vertex-order",
        "do not match",
    ),
    "y down": (lambda v: v * [1, -1, 1], "wrong-axes", "save vertices * [1, -1, 1]"),
    "looking back": (lambda v: v * [-1, 1, -1], "wrong-axes", "vertices * [-1, 1, -1]"),
    "z backward": (lambda v: v * [1, 1, -1], "wrong-axes", "save vertices * [1, 1, -1]"),
    "axes in a circle": (lambda v: v[..., [2, 0, 1]], "wrong-axes", "vertices[..., [1, 2, 0]]"),
    "y and z swapped": (lambda v: v[..., [0, 2, 1]], "wrong-axes", "save vertices[..., [0, 2, 1]]"),
    "rolled": (lambda v: v @ turn("z", 90), "wrong-axes", "vertices[..., [1, 0, 2]]"),
    "upside down": (lambda v: v @ turn("x", 180), "wrong-axes", "vertices * [1, -1, -1]"),
    "planes": (lambda v: v.transpose(0, 2, 1).reshape(v.shape), "wrong-vertex-order", "all x come first"),
    "inches": (lambda v: v * 39.37, "wrong-unit", "multiply by 0.0254"),
    "millimetres": (lambda v: v * 1000, "wrong-unit", "divide by 1000"),
    "50 m away": (lambda v: v + FAR, "far-away", "50.00 m away"),
    "the last frame 50 m away": (lambda v: at(v, -1, v[-1] + FAR), "far-away", "in frame 8"),
    "mirrored from the middle on": (
        lambda v: at(v, slice(4, None), v[4:] * [-1, 1, 1]),
        "wrong-vertex-order",
        "mirrored in frame 4",
    ),
    "one frame mirrored": (lambda v: at(v, 6, v[6] * [-1, 1, 1]), "implausible", "frame 6 is not the face"),
    "one frame shuffled": (lambda v: at(v, 2, v[2, ::-1]), "implausible", "frame 2 is not the face"),
    "a zero frame": (lambda v: at(v, 5, 0 * v[5]), "implausible", "frame 5 is 0 m large"),
    "a zero first frame": (lambda v: at(v, 0, 0 * v[0]), "implausible", "frame 0 is 0 m large"),
    "a stray vertex": (lambda v: at(v, (slice(None), 17), v[:, 17] + FAR), "implausible", "vertex 17 lies"),
    "an infinite vertex, nearly": (
        lambda v: at(v, (slice(None), 17), 3e38),
        "implausible",
        "vertex 17 lies 3e+38 m",
    ),
    "explodes at the end": (lambda v: at(v, 8, 20 * v[8]), "implausible", "frame 8"),
}


def at(vertices, index, value):
    out = vertices.copy()
    out[index] = value
    return out


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("known", ["truth", "landmarks"])
def test_faults_are_named_without_an_asset(name, known, tmp_path, with_truth, without_truth):
    """05-flame-without-asset: the ground truth tells what the template would, and the landmarks where there is none."""
    fault, code, words = FAULTS[name]
    benchmark = with_truth if known == "truth" else without_truth
    problem = only(validate(entry(tmp_path, fault(truth())), benchmark))
    assert problem.code == code
    assert words in str(problem)


def test_every_change_of_axes_is_named_with_its_cure(tmp_path, with_truth):
    """05-flame-without-asset: all 47 ways to swap and to turn over axes."""
    for order, signs in itertools.product(
        itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)
    ):
        vertices = truth()[..., list(order)] * signs
        problems = validate(entry(tmp_path, vertices), with_truth)
        if order == (0, 1, 2) and signs == (1, 1, 1):
            assert problems == []
            continue
        cure = re.search(r"vertices(\[\.\.\., \[.*?\]\])?( \* \[.*?\])?$", only(problems).hint).group()
        assert validate(entry(tmp_path, eval(cure, {"vertices": vertices})), with_truth) == []


def test_planes_are_named_with_their_cure(tmp_path, with_truth, without_truth):
    planes = truth().transpose(0, 2, 1).reshape(9, 5023, 3)
    for benchmark in (with_truth, without_truth):
        problem = only(validate(entry(tmp_path, planes), benchmark))
        cure = problem.hint.partition("save ")[2]
        assert validate(entry(tmp_path, eval(cure, {"vertices": planes})), benchmark) == []


def test_a_mirrored_half_of_the_clips_is_found(tmp_path, with_truth):
    root = entry(tmp_path, truth() * [-1, 1, 1])
    assert only(validate(root, with_truth)).clip == "eng-01"
    with pytest.raises(SubmissionError, match="mirrored"):
        score(root, with_truth, recognizer=None, progress=False, workers=1)


@pytest.mark.parametrize("factor", [0.7, 0.79, 1.27, 1.5])
def test_another_scale_is_refused_with_the_factor(factor, tmp_path, with_truth):
    """05-flame-without-asset: a face of 0.7 times its size is within the limits that people leave."""
    problem = only(validate(entry(tmp_path, factor * truth()), with_truth))
    assert problem.code == "wrong-scale"
    assert f"{factor:.2f} times as large" in problem.message
    assert f"divide the positions by {factor:g}" in problem.hint


def notes_of(root, benchmark):
    submission, problems = inspect_submission(root, benchmark)
    assert problems == []
    return [(note.code, str(note)) for note in submission.notes if note.where == FILE]


def test_a_head_30_cm_higher_is_noted_and_lve_after_alignment_is_zero(tmp_path, with_truth):
    """05-flame-without-asset: 300 mm before, 0 mm after aligning the head, and a warning in the run."""
    root = entry(tmp_path, truth() + UP)
    np.savez(root / "motion/eng-02.npz", vertices=(truth("eng-02") + UP).astype("f4"))
    ((code, text),) = notes_of(root, with_truth)
    assert code == "head-pose"
    assert "up to 300 mm away from where the ground truth has it" in text
    run = score(root, with_truth, recognizer=None, progress=False, workers=1)
    overall = {"language": "all", "aggregation": "frame"}
    assert run.estimate("lve_mm", **overall) == pytest.approx(300, rel=1e-5)
    assert run.estimate("lve_aligned_mm", **overall) == pytest.approx(0, abs=1e-3)
    assert any("300.00 mm before and 0.00 mm after" in warning for warning in run.warnings)


@pytest.mark.parametrize(("axis", "degrees"), [("x", 45), ("y", -45), ("z", 45), ("y", 20)])
def test_head_turns_are_noted_not_refused(axis, degrees, tmp_path, with_truth):
    ((code, text),) = notes_of(entry(tmp_path, truth() @ turn(axis, degrees)), with_truth)
    assert code == "head-pose"
    assert f"turned by up to {abs(degrees)} degrees" in text


def test_a_canonical_face_beside_a_free_head_is_noted_not_refused(tmp_path):
    """The truth's head is turned 50 degrees to the left, the entry's 40 to the right: 90 degrees, both upright."""
    root = make_benchmark(tmp_path, clips=CLIPS)
    for clip in CLIPS:
        moved = truth(clip) @ turn("y", 50) + [0.2, 0, 0.1]
        np.savez(root / f"motion/{clip}.npz", vertices=moved.astype("f4"))
    benchmark = load_benchmark(root)
    ((code, text),) = notes_of(entry(tmp_path, truth() @ turn("y", -40)), benchmark)
    assert code == "head-pose"
    assert "turned by up to 90 degrees" in text


def test_exchanged_vertices_are_found(tmp_path, with_truth):
    order = np.arange(5023)
    a, b = np.argmax(face()[:, 1]), np.argmin(face()[:, 1])
    order[[a, b]] = order[[b, a]]
    problem = only(validate(entry(tmp_path, truth()[:, order]), with_truth))
    assert problem.code == "implausible"
    assert re.search(rf"vertex ({a}|{b}) lies 0.3\d m from where the ground truth has it", problem.message)


@pytest.mark.parametrize("factor", [0.93, 1.0, 1.1])
def test_heads_of_all_sizes_pass_without_a_word(factor, tmp_path, with_truth):
    assert notes_of(entry(tmp_path, factor * truth()), with_truth) == []


def test_another_identity_is_noted_from_fifteen_per_cent_on(tmp_path, with_truth):
    ((code, text),) = notes_of(entry(tmp_path, 0.83 * truth()), with_truth)
    assert (code, "0.83 times as large" in text) == ("head-size", True)


def test_a_stretched_head_is_noted(tmp_path, with_truth):
    """05-flame-without-asset: a scale of one axis only, which leaves most of the face in its place."""
    ((code, text),) = notes_of(entry(tmp_path, truth() * [1.1, 0.75, 1.1]), with_truth)
    assert code == "head-shape"
    x, y, z = map(float, re.search(r"is (\S+), (\S+) and (\S+) times", text).groups())
    assert (y / x, z / x) == (pytest.approx(0.75 / 1.1, abs=0.02), pytest.approx(1, abs=0.02))


def test_a_static_face_and_another_clips_motion_pass(tmp_path, with_truth):
    still = np.repeat(truth()[:1], 9, axis=0)
    assert notes_of(entry(tmp_path, still), with_truth) == []
    assert notes_of(entry(tmp_path, talk(9, seed=7, neutral=face())), with_truth) == []


def test_a_ground_truth_in_other_axes_is_refused_when_it_is_read(tmp_path):
    root = make_benchmark(tmp_path, clips=CLIPS)
    np.savez(root / FILE, vertices=(truth() @ Z_UP.T).astype("f4"))
    benchmark = load_benchmark(root)
    with pytest.raises(BenchmarkError, match=r"eng-01 cannot be used:\n.*wrong-axes"):
        validate(entry(tmp_path, truth()), benchmark)


# FLAME parameters


def parameters(tmp_path, **values):
    root = tmp_path / "entry"
    if not root.exists():
        make_submission(tmp_path, clips=CLIPS)
    (root / "submission.toml").write_text(manifest(kind="flame-params"))
    for clip, (_, frames) in CLIPS.items():
        arrays = {"exp": np.zeros((frames, 50)), "jaw": np.zeros((frames, 3))}
        if clip == "eng-01":
            arrays |= {
                key: np.broadcast_to(value, (frames, np.shape(value)[-1])) for key, value in values.items()
            }
        np.savez(root / f"motion/{clip}.npz", **{k: v.astype("f4") for k, v in arrays.items()})
    return root


PARAMETERS = {
    "jaw in degrees": ({"jaw": [5.7, 0, 0]}, "wrong-unit", "pi / 180"),
    "jaw in small degrees": ({"jaw": [1.2, 0, 0]}, "wrong-unit", "jaw reaches 1.2"),
    "jaw of 3 rad": ({"jaw": [3, 0, 0]}, "wrong-unit", "pi / 180"),
    "neck in degrees": ({"neck": [0, 10, 0]}, "wrong-unit", "neck reaches 10"),
    "eyes in degrees": ({"eyes": [0, 5, 0, 0, 5, 0]}, "wrong-unit", "eyes reaches 5"),
    "rotation in degrees": ({"rotation": [10, 0, 0]}, "wrong-unit", "rotation reaches 10"),
    "rotation in small degrees": ({"rotation": [0, 4, 0]}, "wrong-axes", "camera's pose"),
    "rotation pi": ({"rotation": [3.14159, 0, 0]}, "wrong-axes", "turn the head by 180 degrees"),
    "rotation and neck together": ({"rotation": [0, 0.8, 0], "neck": [0, 0.7, 0]}, "wrong-axes", "by 86"),
    "translation of 50 m": ({"translation": [0, 0, 50]}, "far-away", "50.00 m away"),
    "translation of 1 m": ({"translation": [0, 0, -1]}, "far-away", "Leave translation out"),
    "exp of 60": ({"exp": [60.0] + [0] * 49}, "implausible", "exp reaches 60"),
    "exp of 12": ({"exp": [12.0] + [0] * 49}, "implausible", "expected within 10"),
    "shape of 30": ({"shape": [30.0] + [0] * 49}, "implausible", "shape reaches 30"),
}


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("model", [False, True])
def test_parameters_that_no_face_has(name, model, tmp_path, without_truth):
    """08-flame-params-values: degrees, a camera's translation, a head upside down; with and without a FLAME model."""
    if model:
        np.savez(tmp_path / "model.npz", **flame_arrays())
        add_flame(tmp_path / "model.npz")
    values, code, words = PARAMETERS[name]
    problem = only(validate(parameters(tmp_path, **values), without_truth))
    assert problem.code == code
    assert words in str(problem)


def test_one_frame_in_degrees_is_named(tmp_path, without_truth):
    """08-flame-params-values: the frame where the jaw is widest."""
    root = parameters(tmp_path)
    jaw = np.zeros((9, 3), "f4")
    jaw[3, 0] = 5.7
    np.savez(root / FILE, exp=np.zeros((9, 50), "f4"), jaw=jaw)
    assert "jaw reaches 5.7 in frame 3" in only(validate(root, without_truth)).message


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"jaw": [0.6, 0.05, 0.02], "exp": np.linspace(-4, 4, 50)},
        {"rotation": [0, 0.78, 0], "neck": [0.1, 0, 0], "translation": [0.02, -0.05, 0.1]},
        {"eyes": [0.2, 0.5, 0, 0.2, 0.5, 0], "shape": np.linspace(-3, 3, 100)},
    ],
)
def test_parameters_of_real_heads_pass(values, tmp_path, without_truth):
    assert validate(parameters(tmp_path, **values), without_truth) == []


def test_posed_parameters_are_looked_at_beside_the_truth(tmp_path):
    """08-flame-params-values: a model's template turned by a quarter is seen when it is posed, not before."""
    np.savez(tmp_path / "model.npz", **flame_arrays())
    add_flame(tmp_path / "model.npz")
    root = make_benchmark(tmp_path, clips=CLIPS)
    for clip, (_, frames) in CLIPS.items():
        np.savez(
            root / f"motion/{clip}.npz", exp=np.zeros((frames, 10), "f4"), jaw=np.zeros((frames, 3), "f4")
        )
    benchmark = load_benchmark(root)
    ((code, text),) = notes_of(parameters(tmp_path, translation=[0, 0.3, 0]), benchmark)
    assert code == "head-pose"
    assert "300 mm" in text
    ((code, text),) = notes_of(parameters(tmp_path, rotation=[0, 0.5, 0]), benchmark)
    assert "turned by up to 29 degrees" in text
    assert notes_of(parameters(tmp_path), benchmark) == []


def test_a_ground_truth_upside_down_is_refused(tmp_path):
    """08-flame-params-values: a corpus whose heads are all in a camera's axes, rotation pi, is not of this format."""
    root = make_benchmark(tmp_path, clips=CLIPS)
    for clip, (_, n) in CLIPS.items():
        upside = np.tile(np.float32([3.1416, 0, 0]), (n, 1))
        np.savez(root / f"motion/{clip}.npz", exp=np.zeros((n, 5), "f4"), jaw=0 * upside, rotation=upside)
    with pytest.raises(BenchmarkError, match="turn the head by 180 degrees"):
        assert load_benchmark(root).clips[0].motion


# Templates


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v @ Z_UP.T, "save v_template[..., [0, 2, 1]] * [1, 1, -1]"),
        (lambda v: v * [-1, 1, 1], "mirrored"),
        (lambda v: v[:, [0, 2, 1]], "save v_template[..., [0, 2, 1]]"),
        (lambda v: v + UP, "0.30 m from the origin"),
        (lambda v: 0.7 * v, "0.70 times as large"),
        (lambda v: v @ turn("z", 45), "rotate it upright"),
        (lambda v: v.T.reshape(-1, 3), "in planes"),
    ],
)
def test_templates_are_looked_at_when_they_are_added(change, words, tmp_path):
    """05-flame-without-asset: what entries are compared with must be right itself."""
    arrays = flame_arrays(model=False)
    np.savez(tmp_path / "good.npz", **arrays)
    add_flame(tmp_path / "good.npz")
    arrays["v_template"] = change(arrays["v_template"])
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(UsageError) as refused:
        add_flame(tmp_path / "bad.npz")
    assert words in str(refused.value)
