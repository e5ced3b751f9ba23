"""A corpus as VOCASET is laid out, made up: 60 fps, three speakers with faces of their own, ``templates.pkl``.

Its motion is analytic, so the right numbers are computed here from the formula, at the centers of 25 fps frames,
without any code of the toolkit.
"""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from factories import face
from typer.testing import CliRunner

from mtbench import load_benchmark, load_submission, score, validate
from mtbench.cli.app import app
from mtbench.errors import BenchmarkError
from mtbench.faces.flame_lists import index_lists

SPEAKERS = ("FaceTalk_170725_00137_TA", "FaceTalk_170728_03272_TA", "FaceTalk_170811_03274_TA")
SECONDS = {"sentence01": 3.31, "sentence02": 2.437}
CLIPS = {f"{speaker}_{sentence}": s for speaker in SPEAKERS for sentence, s in SECONDS.items()}
REGIONS = index_lists()["regions"]
LIPS, UPPER = REGIONS["lips"], REGIONS["upper_face"]
TEMPLATES = {speaker: face(seed=10 + i).astype(np.float64) for i, speaker in enumerate(SPEAKERS)}


def position(clip: str, times: np.ndarray, gain: float = 1.0, late: float = 0.0) -> np.ndarray:
    """(len(times), V, 3) float64: where the vertices of *clip* are at *times*, in metres."""
    rng = np.random.default_rng(sorted(CLIPS).index(clip))
    at = (times - late)[:, None]
    moved = np.zeros((len(times), 5023, 3))
    open_, wide, brow = (
        rng.uniform(0.001, 0.006, len(LIPS)),
        rng.uniform(0, 0.002, len(LIPS)),
        rng.uniform(0, 3e-3),
    )
    moved[:, LIPS, 1] = open_ * (1 - np.cos(2 * np.pi * 2.0 * at)) / 2
    moved[:, LIPS, 2] = wide * np.sin(2 * np.pi * 3.0 * at)
    moved[:, UPPER, 1] = (0.001 + brow) * np.sin(2 * np.pi * 0.7 * at + rng.uniform(0, 6))
    return TEMPLATES[clip.rsplit("_", 1)[0]] + gain * moved


def centers(frames: int, fps: float) -> np.ndarray:
    return (np.arange(frames) + 0.5) / fps


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("vocaset")
    (root / "wav").mkdir()
    (root / "vertices_npy").mkdir()
    rng = np.random.default_rng(0)
    for clip, seconds in CLIPS.items():
        samples = round(seconds * 22050)
        soundfile.write(root / "wav" / f"{clip}.wav", 0.1 * rng.standard_normal(samples), 22050)
        (root / "wav" / f"{clip}.txt").write_text("She had your dark suit in greasy wash water all year.")
        frames = int(seconds * 60)
        np.save(
            root / "vertices_npy" / f"{clip}.npy",
            position(clip, centers(frames, 60)).reshape(frames, -1).astype(np.float32),
        )
    absent = {"FaceTalk_170904_00128_TA": TEMPLATES[SPEAKERS[0]]}
    (root / "templates.pkl").write_bytes(pickle.dumps(TEMPLATES | absent, protocol=2))
    return root


@pytest.fixture(scope="module")
def imported(corpus):
    """The command line's answer, and the benchmark."""
    result = CliRunner().invoke(
        app,
        ["benchmark", "new", str(corpus / "bench"), "--audio", str(corpus / "wav"), "--language", "eng",
         "--motion", str(corpus / "vertices_npy"), "--motion-fps", "60",
         "--templates", str(corpus / "templates.pkl")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return result.output, load_benchmark(corpus / "bench")


def submit(folder: Path, benchmark, fps: float, shift: int = 0) -> Path:
    """An entry that moves 0.7 times as much, 20 ms late, at *fps*."""
    (folder / "motion").mkdir(parents=True)
    (folder / "submission.toml").write_text(
        f'schema = 1\nsystem = "late"\nbenchmark = "{benchmark.ref}"\nfps = {fps}\nunit = "m"\n'
        'topology = "flame-5023"\nkind = "vertices"\n'
    )
    for clip, seconds in CLIPS.items():
        frames = int(np.ceil(seconds * fps)) + shift
        vertices = position(clip, centers(frames, fps), 0.7, 0.02)
        np.savez(folder / "motion" / f"{clip}.npz", vertices=vertices.astype(np.float32))
    return folder


def by_hand(frames: dict[str, int]) -> tuple[float, float]:
    """LVE in mm and FDD in m² of the entry, from the formula."""
    errors, deviations = [], []
    for clip, count in frames.items():
        times = centers(count, 25)
        truth, entry = position(clip, times), position(clip, times, 0.7, 0.02)
        errors.append(1000 * np.linalg.norm(truth[:, LIPS] - entry[:, LIPS], axis=2).max(axis=1))
        rest = TEMPLATES[clip.rsplit("_", 1)[0]][UPPER]
        spread = [((x[:, UPPER] - rest) ** 2).sum(axis=2).std(axis=0).mean() for x in (truth, entry)]
        deviations.append(spread[0] - spread[1])
    return float(np.concatenate(errors).mean()), float(np.mean(deviations))


def test_the_corpus_is_imported(imported):
    said, benchmark = imported
    assert "ground truth: resampled from 60 to 25 frames per second" in said
    assert "templates: of speakers without a clip: FaceTalk_170904_00128_TA" in said
    assert benchmark.manifest.motion_fps == 60
    assert benchmark.manifest.motion_resampling == "60>25/spline-1"
    assert [clip.id for clip in benchmark.clips] == sorted(CLIPS)
    for clip in benchmark.clips:
        assert clip.speaker == clip.id.rsplit("_", 1)[0]
        expected = position(clip.id, centers(clip.frames, 25))
        assert clip.frames == len(clip.motion) == round(CLIPS[clip.id] * 25)
        np.testing.assert_allclose(clip.motion.vertices, expected, atol=3e-5)
    assert (benchmark.root / "templates" / f"{SPEAKERS[0]}.npz").is_file()


@pytest.mark.parametrize("fps", [25, 30, 60, 100])
def test_lve_and_fdd_are_those_of_the_formula(imported, tmp_path, fps):
    _, benchmark = imported
    entry = submit(tmp_path / "entry", benchmark, fps)
    assert validate(entry, benchmark) == []
    run = score(entry, benchmark.root, recognizer=None, out=None, cache=tmp_path / "cache")
    lve, fdd = by_hand({clip.id: clip.frames for clip in benchmark.clips})
    assert run.estimate("lve_mm", language="all", aggregation="frame") == pytest.approx(lve, rel=0.005)
    assert run.estimate("fdd_m2", language="all", aggregation="clip") == pytest.approx(fdd, rel=0.005)
    assert not any("FDD" in warning for warning in run.warnings)
    signature = next(text for key, text in run.signatures.items() if key == "lve_mm")
    assert ("spline-1" in signature) == (fps != 25)


def test_a_frame_too_many_is_noted_and_two_are_refused(imported, tmp_path):
    _, benchmark = imported
    noted = load_submission(submit(tmp_path / "a", benchmark, 25, shift=-1), benchmark)
    assert [note.code for note in noted.notes] == ["frame-too-few"] * 6
    assert noted.resampling == "-1(6)"
    problems = validate(submit(tmp_path / "b", benchmark, 60, shift=4), benchmark)
    assert {problem.code for problem in problems} == {"wrong-frame-count"}


def test_without_templates_fdd_is_not_available(corpus, tmp_path):
    """21-fdd-template: a speaker's vertices were measured from the mean face, and the signature said otherwise."""
    result = CliRunner().invoke(
        app,
        ["benchmark", "new", str(tmp_path / "bench"), "--audio", str(corpus / "wav"), "--language", "eng",
         "--motion", str(corpus / "vertices_npy"), "--motion-fps", "60"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    benchmark = load_benchmark(tmp_path / "bench")
    run = score(
        submit(tmp_path / "entry", benchmark, 30),
        benchmark.root,
        recognizer=None,
        out=None,
        cache=tmp_path / "c",
    )
    assert run.estimate("fdd_m2", language="all", aggregation="clip") is None
    assert any(warning.startswith("FDD is n/a for 6 of 6 clips: no template") for warning in run.warnings)


def test_the_rate_has_to_be_given(corpus, tmp_path):
    result = CliRunner().invoke(
        app,
        ["benchmark", "new", str(tmp_path / "bench"), "--audio", str(corpus / "wav"), "--language", "eng",
         "--motion", str(corpus / "vertices_npy")],
    )  # fmt: skip
    assert isinstance(result.exception, BenchmarkError)
    assert str(result.exception).count("that is 60 fps: give --motion-fps 60") == 6
    assert not (tmp_path / "bench").exists()
