"""The command line: outputs, exit codes, clean errors, a quick --help."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import fakes
import pytest
from typer.testing import CliRunner

from mtbench.cli.app import app
from mtbench.errors import MtbenchError

TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "ita-02")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("cli")
    fakes.make_benchmark(root / "small", TWO)
    fakes.make_entry(root / "entry", TWO)
    return root


def call(*arguments: object) -> tuple[int, str]:
    """Run in this process; return exit code and standard output. Errors keep their exit code."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(result.exception, MtbenchError):
        return result.exception.exit_code, result.stdout
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def process(*arguments: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from mtbench.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def score(place, *more: object) -> tuple[int, str]:
    return call(
        "score", place / "entry", "--benchmark", place / "small", "--recognizer", fakes.ONE_EAR, "--workers", 1,
        "--out", place / "results", "--cache", place / "cache", *more,
    )  # fmt: skip


def test_help_is_quick_and_imports_nothing_heavy():
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = process("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0
        # Processor time: what the command costs, however busy the machine is.
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.3
    command = [sys.executable, "-X", "importtime", "-c", "from mtbench.cli import main; main()", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "numba", "scipy", "pandas", "numpy", "rich", "pydantic"}
    for command in (
        "validate",
        "score",
        "rescore",
        "compare",
        "render",
        "controls",
        "demo",
        "doctor",
        "cache",
    ):
        assert command in done.stdout


@pytest.mark.parametrize(
    "command",
    ["validate", "score", "rescore", "compare", "show", "render", "demo", "ls", "doctor", "cache", "controls make",
     "benchmark new", "benchmark build", "benchmark show", "assets add", "assets list", "avsr train",
     "avsr evaluate", "leaderboard build"],
)  # fmt: skip
def test_every_command_explains_itself(command):
    code, text = call(*command.split(), "--help")
    assert code == 0
    assert "Usage:" in text


def test_version():
    from mtbench import __version__

    assert call("--version") == (0, f"mtbench {__version__}\n")


def test_validate(place, tmp_path):
    assert call("validate", place / "entry", "-b", place / "small")[0] == 0
    code, text = call("validate", place / "entry", "-b", place / "small", "--json")
    assert json.loads(text) == {"valid": True, "problems": [], "warnings": []}
    entry = fakes.make_entry(tmp_path / "bad", TWO)
    (entry / "motion" / "ita-01.npz").unlink()
    (entry / "motion" / "ita-02.npz").write_bytes(b"\x80\x04.")
    code, text = call("validate", entry, "-b", place / "small")
    assert code == 3
    assert "2 problem(s)" in text
    code, text = call("validate", entry, "-b", place / "small", "--json")
    assert code == 3
    assert {p["clip"] for p in json.loads(text)["problems"]} == {"ita-01", "ita-02"}
    assert all(p["hint"] and p["where"] for p in json.loads(text)["problems"])


def test_score_prints_tables_and_writes_results(place):
    code, text = score(place)
    assert code == 0
    assert "Italian" in text
    assert "WARNING" in text
    assert "one-ear" in text
    assert str(place / "results" / "entry" / "small") in text
    code, text = score(place, "--json", "--snr", "-7.5,-10")
    assert json.loads(text)["system"]["name"] == "entry"
    folder = place / "results" / "entry" / "small"
    assert json.loads((folder / "run.json").read_text())["summary"] == json.loads(text)["summary"]
    code, text = call("show", place / "results", "--markdown")
    assert code == 0
    assert "| entry |" in text
    code, text = call("rescore", folder, "--json", "--out", place / "again")
    assert code == 0
    assert json.loads(text)["status"] == "complete"
    code, text = call("compare", folder, folder)
    assert code == 0
    assert "headline" in text
    assert json.loads(call("compare", folder, folder, "--json")[1])["system_a"] == "entry"


def test_leaderboard(place, tmp_path):
    score(place)
    fakes.make_entry(tmp_path / "weaker", TWO, amplitude=0.1)
    call(
        "score", tmp_path / "weaker", "-b", place / "small", "--recognizer", fakes.ONE_EAR, "--workers", 1,
        "--out", tmp_path / "results", "--cache", place / "cache",
    )  # fmt: skip
    (tmp_path / "results" / "entry").symlink_to(place / "results" / "entry")
    assert call("leaderboard", "build", tmp_path / "results", "--out", tmp_path / "board")[0] == 0
    files = {p.name: p.read_bytes() for p in (tmp_path / "board").rglob("*") if p.is_file()}
    pages = {"index.html", "judge.html", "methods.html", "entry.html", "weaker.html"}
    assert set(files) == {"leaderboard.md", "leaderboard.json", "leaderboard.csv", *pages}
    entries = json.loads(files["leaderboard.json"])[0]["entries"]
    assert [e["system"]["name"] for e in entries] == ["entry", "weaker"]
    assert files["leaderboard.csv"].count(b"\n") == 1 + sum(len(e["summary"]) for e in entries)
    call("leaderboard", "build", tmp_path / "results", "--out", tmp_path / "board")
    assert files == {p.name: p.read_bytes() for p in (tmp_path / "board").rglob("*") if p.is_file()}
    assert call("leaderboard", "build", tmp_path / "absent")[0] == 2


def test_exit_codes(place, tmp_path):
    assert call("score")[0] == 2
    assert call("score", tmp_path / "absent", "-b", place / "small")[0] == 2
    assert call("score", place / "entry", "-b", "no-such-benchmark")[0] == 2
    assert score(place, "--snr", "loud")[0] == 2
    assert score(place, "--recognizer", "nobody")[0] == 2
    entry = fakes.make_entry(tmp_path / "part", {"ita-01": TWO["ita-01"]})
    options = [
        "-b",
        place / "small",
        "--recognizer",
        fakes.ONE_EAR,
        "--workers",
        1,
        "--cache",
        place / "cache",
    ]
    options += ["--out", tmp_path / "out"]
    assert call("score", entry, *options)[0] == 3
    assert call("score", entry, *options, "--allow-partial")[0] == 5
    assert call("assets", "add", "smpl", tmp_path / "x")[0] == 2
    assert call("benchmark", "build", "other")[0] == 2


def test_errors_are_printed_without_a_traceback(place, tmp_path):
    done = process("score", tmp_path / "absent", "-b", place / "small")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    done = process("no-such-command")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_quiet_when_not_on_a_terminal(place, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = process(
        "score", place / "entry", "-b", place / "small", "--recognizer", fakes.ONE_EAR, "--workers", 1, "--cache",
        tmp_path / "cache", "--out", tmp_path / "out", "--json", env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # No progress; only that this judge, a fake, does not understand the speech, and cannot be asked what it sees.
    assert [line.split(":")[:2] for line in done.stderr.splitlines()] == [["entry", " WARNING"]] * 2, (
        done.stderr
    )
    json.loads(done.stdout)
    done = process(
        "-v", "score", place / "entry", "-b", place / "small", "--recognizer", fakes.ONE_EAR, "--workers", 1,
        "--cache", tmp_path / "cache2", "--out", tmp_path / "out", "--json", env=environment,
    )  # fmt: skip
    said = [line.removeprefix("entry: ").split(",")[0].split(":")[0] for line in done.stderr.splitlines()]
    assert said == [
        "mixing",
        "listening to clean sound",
        "WARNING",
        "WARNING",
        "rendering mouths",
        "recognizing",
    ], done.stderr


def test_controls_and_demo(place):
    code, text = call("controls", "make", place / "small", "--out", place / "controls")
    assert code == 0
    assert len(text.split()) == 5
    code, text = call(
        "demo", "--benchmark", place / "small", "--recognizer", fakes.ONE_EAR, "--workers", 1, "--out", place / "demo",
        "--cache", place / "cache",
    )  # fmt: skip
    assert code == 0
    for name in ("ground-truth", "half-amplitude", "lag-200ms", "shuffled", "static"):
        assert (place / "demo" / "results" / name / "small" / "run.json").is_file()
        assert f"\n{name}" in text


def test_render_writes_mouth_crops(place, tmp_path):
    import numpy as np

    assert (
        call("render", place / "entry", "-b", place / "small", "--clip", "ita-02", "--out", tmp_path)[0] == 0
    )
    crops = np.load(tmp_path / "ita-02.npy")
    assert crops.shape == (26, 96, 96)
    assert crops.dtype == np.uint8
    assert (
        call("render", place / "entry", "-b", place / "small", "--clip", "ita-99", "--out", tmp_path)[0] == 2
    )


def test_render_shows_the_ground_truth_beside_an_entry(place, tmp_path):
    av = pytest.importorskip("av")
    arguments = (
        "render",
        place / "entry",
        "-b",
        place / "small",
        "--clip",
        "ita-02",
        "--size",
        64,
        "--truth",
    )
    assert call(*arguments, "--out", tmp_path)[0] == 2
    assert not list(tmp_path.iterdir())
    assert call(*arguments, "--video", "--out", tmp_path)[0] == 0
    with av.open(str(tmp_path / "ita-02.mp4")) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == 26
    assert pictures[0].shape == (64, 128)
    assert min(pictures[0][:, :64].max(), pictures[0][:, 64:].max()) > 100


def test_looking_around(place):
    code, text = call("ls")
    assert code == 0
    assert "openhead-av" in text
    assert set(json.loads(call("ls", "--json")[1])) == {
        "benchmarks", "recognizers", "renderers", "topologies", "formats", "profiles", "metrics", "languages"
    }  # fmt: skip
    code, text = call("benchmark", "show", place / "small")
    assert code == 0
    assert "2 clips" in text
    shown = json.loads(call("benchmark", "show", place / "small", "--json")[1])
    assert [c["id"] for c in shown["clips"]] == list(TWO)
    assert call("assets", "list")[0] == 0
    code, text = call("cache", "--cache", place / "cache", "--json")
    assert {s["stage"] for s in json.loads(text)["stages"]} >= {"crops"}


def test_cache_can_be_cleared(place, tmp_path):
    score(place, "--cache", tmp_path / "c")
    assert call("cache", "--cache", tmp_path / "c", "--clear", "--stage", "crops")[0] == 0
    assert not (tmp_path / "c" / "crops").exists()
    assert (tmp_path / "c" / "mixtures").exists()
    assert call("cache", "--cache", tmp_path / "c", "--clear")[0] == 0
    assert list((tmp_path / "c").iterdir()) == []


def test_doctor_lists_what_it_looked_at():
    code, text = call("doctor", "--json")
    found = {f["name"]: f for f in json.loads(text)}
    assert code == (4 if any(f["status"] == "broken" for f in found.values()) else 0)
    assert found["torch and torchaudio match"]["status"] == "ok"
    assert found["head openhead-1"]["status"] == "ok"
    assert all(f["detail"] for f in found.values())
