"""Good submissions; broken ones are in test_broken_submissions.py."""

import json

import numpy as np
import pytest
from factories import CLIPS, FLAME_SIZE, make_benchmark, make_submission, manifest, talk

import mtbench
from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.errors import PrerequisiteError, SubmissionError, UsageError
from mtbench.files.names import slugify
from mtbench.submissions.submission import SubmissionManifest
from mtbench.submissions.validation import blocking, load_submission, validate


@pytest.fixture(autouse=True)
def _no_asset(tmp_path, monkeypatch):
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))


@pytest.fixture
def benchmark(tmp_path):
    return load_benchmark(make_benchmark(tmp_path, motion=False))


def test_a_good_submission(tmp_path, benchmark):
    root = make_submission(tmp_path)
    assert mtbench.validate(root, benchmark) == []
    submission = mtbench.load_submission(root, benchmark)
    assert submission.clips == tuple(CLIPS)
    assert (submission.system, submission.slug, submission.kind) == ("Test system", "test-system", "vertices")
    assert not submission.partial
    motion = submission.motion("ita-02")
    assert np.array_equal(motion.vertices, talk(8, seed=51))
    assert (motion.fps, motion.topology) == (25, "flame-5023")
    with pytest.raises(UsageError, match="no clip 'ita-03'"):
        submission.motion("ita-03")


@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f4", "f8"])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("suffix", ["npy", "npz", "verts"])
def test_forms_of_vertices(tmp_path, benchmark, dtype, flat, suffix):
    root = make_submission(tmp_path)
    value = talk(6).astype(dtype)
    (root / "motion/ita-01.npz").unlink()
    stored = value.reshape(6, -1) if flat else np.asfortranarray(value)
    if suffix == "npy":
        np.save(root / "motion/ita-01.npy", stored)
    else:
        np.savez_compressed(
            root / "motion/ita-01.npz", **{"vertices" if suffix == "npz" else "verts": stored}
        )
    assert validate(root, benchmark) == []
    vertices = load_submission(root, benchmark).motion("ita-01").vertices
    assert vertices.dtype == np.float32
    assert vertices.flags.c_contiguous
    assert np.array_equal(vertices, value.astype(np.float32))


def test_what_lies_beside_is_ignored(tmp_path, benchmark):
    root = make_submission(tmp_path)
    (root / "README.md").write_text("how it was made")
    (root / ".DS_Store").write_bytes(b"\0")
    (root / "motion/.DS_Store").write_bytes(b"\0")
    assert validate(root, benchmark) == []


def test_model_and_generation_tables(tmp_path, benchmark):
    root = make_submission(tmp_path)
    extra = '[model]\npaper = "https://example.org"\nparams_m = 93.1\nopen_weights = true\n'
    extra += "[generation]\nseed = 7\n"
    (root / "submission.toml").write_text(manifest() + extra)
    assert validate(root, benchmark) == []
    submission = load_submission(root, benchmark)
    assert submission.manifest.model.params_m == 93.1
    assert submission.manifest.generation.seed == 7


def test_partial_submissions_tolerate_missing_clips_only(tmp_path, benchmark):
    root = make_submission(tmp_path)
    (root / "motion/ita-02.npz").unlink()
    problems = validate(root, benchmark)
    assert [p.code for p in problems] == ["missing-clip"]
    assert blocking(problems, allow_partial=True) == []
    with pytest.raises(SubmissionError, match=r"motion/ita-02.npz"):
        load_submission(root, benchmark)
    submission = load_submission(root, benchmark, allow_partial=True)
    assert submission.partial
    assert submission.missing == ("ita-02",)
    assert submission.clips == ("ita-01", "eng-01")
    np.save(root / "motion/stray.npy", talk(3))
    with pytest.raises(SubmissionError, match=r"stray.npy"):
        load_submission(root, benchmark, allow_partial=True)


def test_no_clip_at_all_is_not_partial(tmp_path, benchmark):
    root = make_submission(tmp_path)
    for path in (root / "motion").iterdir():
        path.unlink()
    problems = validate(root, benchmark)
    assert [p.code for p in blocking(problems, allow_partial=True)] == ["no-clips"]


def test_an_unknown_benchmark_is_a_problem_and_the_rest_is_checked(tmp_path):
    root = make_submission(tmp_path)
    np.savez(root / "motion/ita-01.npz", vertices=talk(6) * 1000)
    problems = validate(root)
    assert [p.code for p in problems] == ["unknown-benchmark", "wrong-unit"]
    assert "--benchmark DIR" in problems[0].hint


def test_another_topology_than_the_ground_truth_is_allowed(tmp_path):
    benchmark = load_benchmark(make_benchmark(tmp_path, topology=None))
    assert validate(make_submission(tmp_path), benchmark) == []


def test_flame_parameters_need_a_model(tmp_path, benchmark):
    root = make_submission(tmp_path, kind="flame-params")
    for clip, (_, frames) in CLIPS.items():
        np.savez(
            root / f"motion/{clip}.npz",
            exp=np.zeros((frames, 50)),
            jaw=np.zeros((frames, 3)),
            shape=np.zeros(100),
        )
    assert validate(root, benchmark) == []
    with pytest.raises(PrerequisiteError, match=r"flame2023_Open\.pkl"):
        load_submission(root, benchmark).motion("ita-01")


def test_the_digest_covers_manifest_and_motion(tmp_path, benchmark):
    root = make_submission(tmp_path)
    digests = {load_submission(root, benchmark).digest, load_submission(root, benchmark).digest}
    np.savez(root / "motion/ita-01.npz", vertices=talk(6, seed=99))
    digests.add(load_submission(root, benchmark).digest)
    (root / "submission.toml").write_text(manifest(system="Other"))
    digests.add(load_submission(root, benchmark).digest)
    (root / "README").write_text("does not count")
    digests.add(load_submission(root, benchmark).digest)
    assert len(digests) == 3


def test_no_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="nowhere: no such folder; a submission is a folder"):
        validate(tmp_path / "nowhere")


def test_the_manifest_has_a_json_schema():
    schema = SubmissionManifest.model_json_schema()
    assert {"schema", "system", "benchmark", "fps", "unit", "topology", "kind"} <= set(schema["required"])
    json.dumps(schema)


@pytest.mark.parametrize(("name", "slug"), [("MultiTalk (ours)", "multitalk-ours"), ("../../etc", "etc")])
def test_slugs_are_folder_names(name, slug):
    assert slugify(name) == slug


def test_a_slug_is_never_empty():
    assert slugify("会話").startswith("system-")
    assert slugify("会話") != slugify("音声")


def test_vertex_count_of_the_factory_is_flames():
    assert talk(1).shape == (1, FLAME_SIZE, 3)
