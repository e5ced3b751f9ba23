"""Commands on the reference model: what they print, what they refuse, and one reproduction from nothing."""

import json
import re

import fakes
import numpy as np
import pytest
import soundfile
from test_reference_predict import make_model
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.errors import MtbenchError, PrerequisiteError, UsageError

pytest.importorskip("torch")

TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "jpn-01")}


def call(*arguments: object):
    """Run in this process; return exit code (errors keep theirs), standard output, and the error's text or notes."""
    result = CliRunner().invoke(app, ["reference", *map(str, arguments)])
    if isinstance(result.exception, MtbenchError):
        return result.exception.exit_code, result.stdout, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def tiny(monkeypatch):
    """Make the bundled model a tiny one."""
    from mtbench.reference_model import model_files

    asked = []

    def load(path=None):
        asked.append(path)
        return make_model(languages=("Italian", "English"))

    monkeypatch.setattr(model_files, "load_model", load)
    return asked


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "sound" / "talk.wav"
    path.parent.mkdir()
    soundfile.write(path, np.tile(0.3 * np.sin(np.arange(4000) * 0.05)[:, None], (1, 2)), 8000)
    return path


@pytest.mark.parametrize(
    "command",
    [
        "",
        "import",
        "predict",
        "data",
        "train",
        "train stage1",
        "train stage2",
        "reproduce",
        "ablate",
        "baseline",
    ],
)
def test_every_command_explains_itself(command):
    code, text, _ = call(*command.split(), "--help")
    assert code == 0
    assert "Usage:" in text


def test_predict_a_file(tiny, wav, tmp_path):
    out = tmp_path / "out"
    code, text, notes = call("predict", "--audio", wav, "--language", "Italian", "--out", out)
    assert (code, text) == (0, f"{out / 'talk.npz'}\n")
    lines = notes.splitlines()
    assert lines[:2] == [
        f"{wav}: 2 channels were averaged; expected mono",
        f"{wav}: resampled from 8000 to 16000 Hz; polyphase filter; there is nothing above 4 kHz in it",
    ]
    assert re.fullmatch(
        r"1 recording, 0\.5 s of sound in [\d.]+ s: real-time factor [\d.]+, peak memory [\d,]+ MB", lines[2]
    )
    assert len(lines) == 3
    assert np.load(out / "talk.npz")["vertices"].shape == (13, 4801, 3)
    assert tiny == [None]
    code, text, _ = call(
        "predict", "--audio", wav, "--blend", "it:0.7,en:0.3", "--out", tmp_path / "blend.npz"
    )
    assert (code, text) == (0, f"{tmp_path / 'blend.npz'}\n")


def test_predict_a_folder_with_videos(tiny, wav, tmp_path):
    pytest.importorskip("av")
    out = tmp_path / "out"
    arguments = [
        "--audio",
        wav.parent,
        "--language",
        "en",
        "--out",
        out,
        "--video",
        "--size",
        64,
        "--model",
        "m.safetensors",
    ]
    code, text, _ = call("predict", *arguments)
    assert (code, text.split()) == (0, [str(out / "talk.npz"), str(out / "talk.mp4")])
    assert (out / "talk.mp4").stat().st_size > 500
    assert str(tiny[0]) == "m.safetensors"


def test_predict_a_benchmark(tiny, tmp_path):
    bench = fakes.make_benchmark(tmp_path / "small", TWO)
    out = tmp_path / "submission"
    code, _, error = call("predict", "--benchmark", bench, "--out", out)
    assert code == 2
    assert "Japanese" in error
    assert "--language-fallback" in error
    code, text, notes = call("predict", "--benchmark", bench, "--out", out, "--language-map", "jpn=English")
    assert (code, text) == (0, f"{out}\n")
    cost, hint = notes.splitlines()
    assert cost.startswith("2 recordings, ")
    assert hint == f"score it: mtbench score {out} --benchmark {bench}"
    assert "English for Japanese" in (out / "submission.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either --audio"),
        (["--audio", "a.wav", "--benchmark", "openhead-20"], "either --audio"),
        (["--audio", "a.wav", "--language", "it", "--blend", "it:1"], "either --language or --blend"),
        (["--audio", "a.wav", "--language", "it"], "there is no such sound file or folder"),
        # A file that is there: what is wrong with the rest is told before it is read.
        (["--audio", __file__], "name the language"),
        (["--audio", __file__, "--language", "Klingon"], "no language 'Klingon'; it knows Italian, English"),
        (["--audio", "a.wav", "--language", "it", "--system", "mine"], "only with --benchmark"),
        (
            ["--audio", __file__, "--language", "it", "--language-map", "spa=it"],
            "no recording speaks Spanish, but It",
        ),
        (["--audio", __file__, "--blend", "it:1", "--language-map", "spa=it"], "leaves nothing to map"),
        (["--audio", __file__, "--language", "it", "--template", "face.npy"], "no such file"),
        (["--benchmark", "openhead-20", "--video"], "mtbench render"),
        (["--benchmark", "openhead-20", "--language-map", "cat"], "CODE=NAME"),
        (["--benchmark", "no-such"], "no benchmark called"),
    ],
)
def test_predict_refuses(tiny, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text, error = call("predict", *arguments)
    assert (code, text) == (2, "")
    assert words in error
    assert list(tmp_path.iterdir()) == []


def test_a_missing_model_and_a_missing_encoder(wav, tmp_path):
    code, _, error = call(
        "predict", "--audio", wav, "--language", "it", "--model", tmp_path / "absent.safetensors"
    )
    assert code in (UsageError.exit_code, PrerequisiteError.exit_code)
    assert "absent.safetensors" in error


def test_settings_and_sizes_are_checked_before_anything_is_done(tmp_path):
    code, _, error = call("reproduce", "--size", "huge", "--out", tmp_path / "run")
    assert code == 2
    assert "mini" in error
    code, _, error = call(
        "reproduce", "--size", "smoke", "--out", tmp_path / "run", "--set", "stage2.stepz=3"
    )
    assert code == 2
    assert "stepz" in error
    code, _, error = call("train", "stage1", "--data", tmp_path, "--out", tmp_path / "run")
    assert code == 2
    assert "none of the known layouts" in error
    assert not (tmp_path / "run").exists()


def test_released_checkpoints_become_a_model(shared, wav, tmp_path):
    pytest.importorskip("transformers")
    golden, out = shared / "golden" / "multitalk_a", tmp_path / "tiny.safetensors"
    stages = [golden / "stage1.pth.tar", golden / "stage2.pth.tar"]
    more = ["--speech-encoder", golden / "wav2vec2", "--config", golden / "config.json", "--out", out]
    code, text, notes = call("import", *stages, *more)
    assert (code, text) == (0, f"{out}\n")
    assert f"--model {out}" in notes
    assert out.with_suffix(".json").is_file()
    code, _, error = call("import", *reversed(stages), *more)
    assert code == 2
    assert "missing" in error
    np.save(tmp_path / "face.npy", np.linspace(-0.1, 0.1, 30))
    spoken = ["--model", out, "--audio", wav, "--template", tmp_path / "face.npy"]
    assert call("predict", *spoken, "--blend", "it:0.7,English:0.3", "--out", tmp_path / "a")[0] == 0
    assert np.load(tmp_path / "a" / "talk.npz")["vertices"].shape == (12, 10, 3)
    code, _, error = call("predict", *spoken, "--language", "Catalan", "--out", tmp_path / "b")
    assert code == 2
    assert "'Catalan'; it knows Arabic, English" in error
    code, _, error = call("predict", *spoken[:-2], "--language", "it", "--out", tmp_path / "b")
    assert code == PrerequisiteError.exit_code
    assert "--template FILE" in error
    code, _, error = call("predict", *spoken, "--language", "it", "--video", "--out", tmp_path / "b")
    assert code == 2
    assert "leave out --video" in error


def test_baselines_need_a_name_and_data(tmp_path):
    code, _, error = call("baseline", "guess", "--out", tmp_path / "out")
    assert code == 2
    assert "retrieval, linear-map, phone-rules" in error
    code, _, error = call("baseline", "linear-map", "--out", tmp_path / "out")
    assert code == 2
    assert "mtbench reference data" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.synth
def test_from_nothing_to_a_scored_entry(tmp_path, monkeypatch):
    pytest.importorskip("espeakng_loader")
    from mtbench.reference_model.corpora import generated as generated_corpus

    monkeypatch.setattr(generated_corpus, "PART", 20)
    bench = fakes.make_benchmark(tmp_path / "small", TWO)
    out = tmp_path / "run"
    arguments = [
        "--size", "smoke", "--out", out, "--hours", 0.005, "--benchmark", bench, "--recognizer", fakes.ONE_EAR,
        "--workers", 1, "--threads", 1, "--cache", tmp_path / "cache", "--set", "stage2.steps=16",
    ]  # fmt: skip
    # What is needed last is looked for first, and a slip of the pen costs nothing.
    for wrong in (("--recognizer", "openhed-av"), ("--set", "encoder=no/such")):
        code, _, error = call("reproduce", *arguments, *wrong)
        assert code != 0
        assert wrong[1].removeprefix("encoder=") in error
        assert not out.exists()
    code, text, _ = call("reproduce", *arguments)
    assert code == 0
    assert "multitalk-smoke" in text
    assert "Italian" in text
    run = json.loads((out / "results" / "multitalk-smoke" / "small" / "run.json").read_text("utf-8"))
    assert run["status"] == "complete"
    files = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and p.name != ".request.json"}
    # All steps are finished: the tables come again, nothing is made again.
    assert call("reproduce", *arguments)[:2] == (0, text)
    assert files == {p: p.stat().st_mtime_ns for p in files}
    code, _, error = call("reproduce", *arguments, "--seed", 2)
    assert code == 2
    assert "begun with" in error
    # Each step has a command of its own.
    model = out / "multitalk-smoke.safetensors"
    code, text, _ = call("predict", "--benchmark", bench, "--model", model, "--out", tmp_path / "again")
    assert code == 0
    for file in (out / "submission" / "motion").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / "motion" / file.name).read_bytes()
