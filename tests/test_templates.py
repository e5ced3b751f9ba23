"""Resting faces of speakers: reading them, whose they are, and what FDD makes of them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from factories import FLAME_SIZE, face, make_benchmark, make_submission

from mtbench import load_benchmark, score
from mtbench.benchmarks.ground_truth import (
    find_untemplated,
    neutral_face,
    static_digest,
    template_digest,
    template_face,
)
from mtbench.errors import BenchmarkError, UsageError
from mtbench.faces.flame_lists import index_lists
from mtbench.faces.templates import match_speaker, read_template, read_templates
from mtbench.faces.topologies import load_topology
from mtbench.making.folder import create_benchmark

CLIPS = {"ita-01": ("ita", 12), "ita-02": ("ita", 9)}
FACES = {"anna": face(seed=1), "bruno": face(seed=2)}


def save_pickle(path: Path, faces: dict = FACES) -> Path:
    """As VOCASET has it: protocol 2, float64."""
    path.write_bytes(pickle.dumps({k: v.astype(np.float64) for k, v in faces.items()}, protocol=2))
    return path


# Reading


def test_faces_of_several_speakers(tmp_path):
    save_pickle(tmp_path / "templates.pkl")
    np.savez(tmp_path / "all.npz", **FACES)
    folder = tmp_path / "faces"
    folder.mkdir()
    np.savez(folder / "anna.npz", FACES["anna"])  # numpy calls it arr_0
    points = "".join(f"v {x} {y} {z}\n" for x, y, z in FACES["bruno"])
    (folder / "bruno.obj").write_text(points + "f 1 2 3\n")
    (folder / "notes.txt").write_text("faces at rest")
    for source in (tmp_path / "templates.pkl", tmp_path / "all.npz", folder):
        found = read_templates(source, FLAME_SIZE)
        assert sorted(found) == ["anna", "bruno"]
        for name, one in found.items():
            np.testing.assert_allclose(one, FACES[name], atol=1e-6)
    for source in (tmp_path / "templates.pkl", tmp_path / "all.npz"):
        np.testing.assert_array_equal(read_template(source, FLAME_SIZE, "bruno"), FACES["bruno"])


def test_a_face_without_a_name_is_everyones(tmp_path):
    save_pickle(tmp_path / "templates.pkl", {"id": FACES["anna"]})
    np.save(tmp_path / "template.npy", FACES["anna"])
    for name in ("templates.pkl", "template.npy"):
        assert list(read_templates(tmp_path / name, FLAME_SIZE)) == [""]
        assert read_template(tmp_path / name, FLAME_SIZE, "whoever").shape == (FLAME_SIZE, 3)


class Trap:
    def __reduce__(self):
        return (print, ("run",))


def test_faces_that_cannot_be_used(tmp_path, capsys):
    save_pickle(tmp_path / "t.pkl")
    with pytest.raises(UsageError, match="no face of 'ana'; did you mean anna"):
        read_template(tmp_path / "t.pkl", FLAME_SIZE, "ana")
    save_pickle(tmp_path / "mm.pkl", {"anna": FACES["anna"] * 1000})
    with pytest.raises(UsageError, match=r"mm\.pkl, anna: 3.. m across.*millimetres by 1000"):
        read_templates(tmp_path / "mm.pkl", FLAME_SIZE)
    np.save(tmp_path / "d.npy", np.zeros((FLAME_SIZE, 3), np.float32))
    with pytest.raises(UsageError, match="displacements, or no face"):
        read_template(tmp_path / "d.npy", FLAME_SIZE)
    (tmp_path / "trap.pkl").write_bytes(pickle.dumps({"anna": Trap()}))
    with pytest.raises(UsageError, match=r"trap\.pkl"):
        read_templates(tmp_path / "trap.pkl", FLAME_SIZE)
    assert capsys.readouterr().out == ""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no resting faces there"):
        read_templates(tmp_path / "empty", FLAME_SIZE)


@pytest.mark.parametrize(
    ("clip", "speaker"),
    [
        ("FaceTalk_170725_00137_TA_sentence01.wav", "FaceTalk_170725_00137_TA"),
        ("facetalk_170725_00137_ta_sentence01.wav", "FaceTalk_170725_00137_TA"),
        ("FaceTalk_170725_00137_TAG_sentence01.wav", None),
        ("FaceTalk_170725_00137_TA/sentence01.wav", "FaceTalk_170725_00137_TA"),
        ("F1_s01.wav", "F1"),
        ("F10_s01.wav", "F10"),
        ("F100_s01.wav", None),
        ("F1.wav", "F1"),
    ],
)
def test_whose_clip_it_is(clip, speaker):
    assert match_speaker(Path(clip), ["F1", "F10", "FaceTalk_170725_00137_TA"]) == speaker


# In a benchmark


def add_templates(root: Path, head: str, clips: dict[str, str]) -> Path:
    """Write *head* and a line for each clip into ``benchmark.toml``."""
    text = (root / "benchmark.toml").read_text()
    for clip, line in clips.items():
        text = text.replace(f'id = "{clip}"\n', f'id = "{clip}"\n{line}\n')
    before, after = text.split("[[clips]]", 1)
    (root / "benchmark.toml").write_text(before + head + "\n[[clips]]" + after)
    return root


@pytest.fixture
def root(tmp_path):
    """Vertices: ita-01 by anna, ita-02 by bruno."""
    root = make_benchmark(tmp_path, clips=CLIPS)
    for clip, name in (("ita-01", "anna"), ("ita-02", "bruno")):
        frames = CLIPS[clip][1]
        move = 0.004 * np.sin(np.arange(frames) * 0.7)[:, None, None] * np.array([0, 1, 0])
        np.savez(root / "motion" / f"{clip}.npz", vertices=(FACES[name] + 0.001 + move).astype(np.float32))
    return root


def test_speakers_of_a_pickle(root):
    save_pickle(root / "templates.pkl")
    add_templates(
        root, 'templates = "templates.pkl"', {"ita-01": 'speaker = "anna"', "ita-02": 'speaker = "bruno"'}
    )
    benchmark = load_benchmark(root)
    for clip, name in zip(benchmark.clips, ("anna", "bruno"), strict=True):
        np.testing.assert_array_equal(template_face(clip), FACES[name])
        np.testing.assert_array_equal(neutral_face(clip), FACES[name])
    assert root / "templates.pkl" in list(benchmark.files())


def test_a_table_and_a_clips_own_file(root):
    np.save(root / "a.npy", FACES["anna"])
    np.savez(root / "b.npz", template=FACES["bruno"])
    add_templates(
        root, '[templates]\nanna = "a.npy"', {"ita-01": 'speaker = "anna"', "ita-02": 'template = "b.npz"'}
    )
    clips = load_benchmark(root).clips
    np.testing.assert_array_equal(template_face(clips[0]), FACES["anna"])
    np.testing.assert_array_equal(template_face(clips[1]), FACES["bruno"])


def test_vertices_alone_tell_no_template(root):
    clips = load_benchmark(root).clips
    assert [template_face(clip) for clip in clips] == [None, None]
    assert find_untemplated(clips) == ["ita-01", "ita-02"]


def test_templates_that_do_not_fit_name_the_clip(root):
    np.save(root / "a.npy", FACES["anna"][:100])
    add_templates(root, "", {"ita-01": 'template = "a.npy"'})
    with pytest.raises(BenchmarkError, match=r"clip ita-01: template .*expected \(5023, 3\)"):
        template_face(load_benchmark(root).clips[0])
    (root / "a.npy").unlink()
    with pytest.raises(BenchmarkError, match=r"clip ita-01, template: there is no file a\.npy"):
        load_benchmark(root)


def test_digests_notice_another_template(root):
    np.save(root / "a.npy", FACES["anna"])
    add_templates(root, "", {"ita-01": 'template = "a.npy"'})
    topology = load_topology("flame-5023")
    benchmark = load_benchmark(root)
    whole = benchmark.digest
    first, still = template_digest(benchmark.clips[0]), static_digest(benchmark.clips[0], topology)
    np.save(root / "a.npy", FACES["bruno"])
    again = load_benchmark(root)
    assert template_digest(again.clips[0]) != first
    assert static_digest(again.clips[0], topology) != still
    assert again.digest != whole


def test_fdd_is_measured_from_the_speakers_own_face(root, tmp_path):
    """21-fdd-template: ground truth of a face that is no mean face; without its template there is no number.

    Where the truth moves by a(t) along y from the template plus 1 mm, and the entry by a(t) / 2, FDD is the mean
    over vertices of the spread of squared distances from the template.
    """
    entry = make_submission(tmp_path, clips=CLIPS)
    for clip, name in (("ita-01", "anna"), ("ita-02", "bruno")):
        truth = np.load(root / "motion" / f"{clip}.npz")["vertices"]
        half = FACES[name] + 0.001 + 0.5 * (truth - FACES[name] - 0.001)
        np.savez(entry / "motion" / f"{clip}.npz", vertices=half.astype(np.float32))
    run = score(entry, root, recognizer=None, out=None, cache=tmp_path / "cache")
    assert run.estimate("fdd_m2", language="all", aggregation="clip") is None
    assert any("FDD is n/a for 2 of 2 clips: no template of the speaker" in w for w in run.warnings)

    save_pickle(root / "templates.pkl")
    add_templates(
        root, 'templates = "templates.pkl"', {"ita-01": 'speaker = "anna"', "ita-02": 'speaker = "bruno"'}
    )
    run = score(entry, root, recognizer=None, out=None, cache=tmp_path / "cache")
    upper = index_lists()["regions"]["upper_face"]
    expected = []
    for clip, name in (("ita-01", "anna"), ("ita-02", "bruno")):
        spreads = []
        for motion in (root, entry):
            vertices = np.load(motion / "motion" / f"{clip}.npz")["vertices"].astype(np.float64)
            distance = ((vertices[:, upper] - FACES[name][upper].astype(np.float64)) ** 2).sum(axis=2)
            spreads.append(distance.std(axis=0).mean())
        expected.append(spreads[0] - spreads[1])
    found = run.estimate("fdd_m2", language="all", aggregation="clip")
    assert found == pytest.approx(np.mean(expected), rel=1e-6)
    assert found > 0
    assert not any("FDD" in warning for warning in run.warnings)


# ``benchmark new --templates``


def record(folder: Path, clips: dict[str, np.ndarray]) -> Path:
    """Write recordings of a second, words, and vertices at 25 fps."""
    for name, vertices in clips.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path.with_suffix(".wav"), 0.1 * np.sin(np.arange(640 * len(vertices)) * 0.05), 16000)
        path.with_suffix(".txt").write_text("one word")
        np.save(path.with_suffix(".npy"), vertices.astype(np.float32))
    return folder


def test_templates_of_files_and_folders_and_those_without_a_partner(tmp_path):
    still = np.repeat(face()[None], 25, axis=0)
    corpus = record(tmp_path / "in", {"anna_01": still, "bruno/02": still, "carla_03": still})
    faces = save_pickle(tmp_path / "templates.pkl", FACES | {"dora": face(seed=3)})
    told: list[str] = []
    made = create_benchmark(tmp_path / "b", corpus, language="eng", templates=faces, tell=told.append)
    assert {clip.id: clip.speaker for clip in made.clips} == {
        "anna_01": "anna",
        "02": "bruno",
        "carla_03": None,
    }
    np.testing.assert_array_equal(template_face(made.clip("02")), FACES["bruno"])
    assert find_untemplated(made.clips) == ["carla_03"]
    assert any(line.startswith("templates: none for carla_03 — FDD is n/a there") for line in told), told
    assert any("speakers without a clip: dora" in line for line in told), told


def test_one_face_for_everyone(tmp_path):
    """As MultiTalk has it: its motion was fitted with one head, ``id``."""
    still = np.repeat(face()[None], 25, axis=0)
    corpus = record(tmp_path / "in", {"a": still, "b": still})
    faces = save_pickle(tmp_path / "templates.pkl", {"id": FACES["anna"]})
    made = create_benchmark(tmp_path / "b", corpus, language="eng", templates=faces)
    for clip in made.clips:
        np.testing.assert_array_equal(template_face(clip), FACES["anna"])


def test_templates_are_checked_when_a_benchmark_is_made(tmp_path):
    corpus = record(tmp_path / "in", {"anna_01": np.repeat(face()[None], 25, axis=0)})
    faces = save_pickle(tmp_path / "t.pkl", {"anna": FACES["anna"] * 1000, "bruno": FACES["bruno"]})
    with pytest.raises(BenchmarkError, match=r"t\.pkl, anna: .* divide millimetres by 1000"):
        create_benchmark(tmp_path / "b", corpus, language="eng", templates=faces)
    with pytest.raises(UsageError, match="no file or folder"):
        create_benchmark(tmp_path / "b", corpus, language="eng", templates=tmp_path / "absent.pkl")
    assert not (tmp_path / "b").exists()


def test_fdd_of_a_real_identity(shared, tmp_path):
    """21-fdd-template: a FLAME identity 5.6 mm from the mean face, brows half as lively: 1.06 mm², not 4.20."""
    folder = shared / "flame2023open"
    mean = np.load(folder / "flame2023open_v_template_5023x3_f64.npy")
    known = np.load(folder / "flame2023open_identities_head_only.npz")["verts"][4]
    own = np.where(np.isfinite(known), known, mean)
    brows = np.zeros_like(own)
    brows[index_lists()["regions"]["upper_face"], 1] = 0.002
    frames = load_benchmark("openhead-20").clip("eng-05").frames
    lively = np.clip(np.sin(np.arange(frames) * 0.4), 0, 1)[:, None, None]
    corpus = record(tmp_path / "in", {"clip": own + lively * brows})
    entry = make_submission(tmp_path, clips={"clip": ("eng", 1)}, benchmark="b@1")
    np.savez(entry / "motion" / "clip.npz", vertices=(own + 0.5 * lively * brows).astype(np.float32))
    np.save(tmp_path / "clip.npy", own)
    for folder, templates, expected in (("a/b", tmp_path / "clip.npy", 1.06), ("b/b", None, None)):
        create_benchmark(tmp_path / folder, corpus, language="eng", templates=templates)
        run = score(entry, tmp_path / folder, recognizer=None, out=None, cache=tmp_path / "cache")
        found = run.estimate("fdd_m2", language="all", aggregation="clip")
        assert (None if found is None else round(1e6 * found, 2)) == expected
        templated = "template:speaker#" in str(run.signatures["fdd_m2"])
        assert templated == (expected is not None)


def test_parameters_need_no_model_to_be_imported(tmp_path, monkeypatch):
    """Their shape tells the speaker: whether there is a template is known before any model is installed."""
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "none"))
    corpus = record(tmp_path / "in", {"a": np.repeat(face()[None], 25, axis=0)})
    (corpus / "a.npy").unlink()
    np.savez(corpus / "a.npz", exp=np.zeros((25, 50), np.float32), jaw=np.zeros((25, 3), np.float32))
    made = create_benchmark(tmp_path / "b", corpus, language="eng")
    assert find_untemplated(made.clips) == []
