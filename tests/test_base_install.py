"""The base installation: what works without torch, numba and the other extras, and what is said of the rest.

A folder on ``PYTHONPATH`` with a ``sitecustomize`` makes the packages of all extras unimportable, in workers too; the
slow test installs the wheel where they really are not.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import fakes
import numpy as np
import pytest
from test_packaging import wheel  # noqa: F401  (a fixture)

from mtbench.extras import EXTRAS, explain_missing, require_extra
from mtbench.faces import head_arrays, head_kernels
from mtbench.faces.head import load_head

EXTRA_MODULES = sorted({name for modules in EXTRAS.values() for name in modules})
TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "jpn-01")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("base")
    fakes.make_benchmark(root / "small", TWO)
    fakes.make_entry(root / "quiet", TWO, amplitude=0.5)
    fakes.make_entry(root / "lively", TWO, amplitude=1.2)
    (root / "blocked").mkdir()
    (root / "blocked" / "sitecustomize.py").write_text(
        f"import sys\nsys.modules.update(dict.fromkeys({EXTRA_MODULES!r}))\n"
    )
    return root


@pytest.fixture(scope="module")
def run(place):
    environment = {**os.environ, "MTBENCH_CACHE": str(place / "cache"), "MTBENCH_DATA": str(place / "data")}
    environment["PYTHONPATH"] = os.pathsep.join([str(place / "blocked"), str(Path(__file__).parent)])

    def call(code: str, *arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=300, cwd=place, env=environment
        )

    return call


@pytest.fixture(scope="module")
def mtbench(run):
    return lambda *arguments: run("from mtbench.cli import main; main()", *arguments)


@pytest.fixture(scope="module")
def results(place, mtbench):
    for entry, workers in (("quiet", 1), ("lively", 2)):
        done = mtbench("score", entry, "-b", "small", "--recognizer", "none", "--workers", workers)
        assert done.returncode == 0, done.stderr
        assert "LVE mm" in done.stdout
    return place / "results"


def test_the_packages_of_all_extras_are_out_of_reach(run):
    done = run(f"import importlib.util; print([n for n in {EXTRA_MODULES!r} if importlib.util.find_spec(n)])")
    assert done.stdout.strip() == "[]", done.stderr


def test_every_command_that_needs_no_extra_works(place, mtbench, results):
    for words in (
        ("--help",),
        ("ls",),
        ("benchmark", "show", "small"),
        ("validate", "quiet", "-b", "small"),
        ("show", "results"),
        ("compare", "results/quiet/small", "results/lively/small"),
        ("rescore", "results/quiet/small"),
        ("leaderboard", "build", "results", "--out", "board"),
        ("controls", "make", "small", "--out", "controls", "--only", "static"),
        ("cache",),
        ("view", "quiet", "-b", "small", "--clip", "ita-01"),
    ):
        done = mtbench(*words)
        assert done.returncode == 0, (words, done.stderr)
    assert "lve_mm" in mtbench("compare", "results/quiet/small", "results/lively/small").stdout


ONE_LINERS = """
import json, mtbench, numpy
bench = mtbench.load_benchmark("small")
truth = bench["ita-01"].motion.vertices
moved = truth + numpy.float32([0, 0.003, 0.004])
print(json.dumps([
    mtbench.lve(moved, truth),
    mtbench.fdd(truth, truth, truth[0]),
    mtbench.wer("uno due tre quattro", "uno due tre", "ita"),
    mtbench.cer("ab", "a", "eng"),
    mtbench.validate("quiet", "small"),
    len(bench),
]))
try:
    mtbench.render(truth)
except mtbench.errors.PrerequisiteError as error:
    print(error)
try:
    mtbench.transcribe(None, bench["ita-01"].audio, "ita")
except mtbench.errors.PrerequisiteError as error:
    print(error)
"""


def check_one_liners(done: subprocess.CompletedProcess) -> None:
    assert done.returncode == 0, done.stderr
    numbers, pictures, judge = done.stdout.splitlines()
    assert json.loads(numbers) == [pytest.approx(5.0, rel=1e-4), 0.0, 25.0, 50.0, [], 2]
    assert "pip install 'multitalk-bench[render]'" in pictures
    assert "pip install 'multitalk-bench[judge]'" in judge


def test_one_liners_work_or_name_their_extra(run):
    check_one_liners(run(ONE_LINERS))


def test_numbers_are_those_of_the_whole_installation(place, results, tmp_path):
    from mtbench import score

    score(place / "quiet", place / "small", recognizer=None, workers=1, cache=tmp_path / "c", out=tmp_path)
    whole, base = (
        json.loads((folder / "quiet" / "small" / "run.json").read_text()) for folder in (tmp_path, results)
    )
    assert whole["summary"] == base["summary"]


def test_score_says_which_extra_it_wants(mtbench):
    done = mtbench("score", "quiet", "-b", "small")
    assert done.returncode == 4
    assert done.stderr == (
        "error: the recognizer openhead-av (vertex errors alone: --recognizer none) needs torch, torchaudio, numba and "
        "safetensors, not installed here: pip install 'multitalk-bench[judge]'\n"
    )


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("demo",), "judge"),
        (("score", "quiet", "-b", "small", "--recognizer", fakes.ONE_EAR), "judge"),
        (
            (
                "score",
                "quiet",
                "-b",
                "small",
                "--recognizer",
                "mtbench.avsr.openhead:load_beam_search",
            ),
            "judge",
        ),
        (("render", "quiet", "-b", "small"), "render"),
        (("render", "quiet", "-b", "small", "--renderer", "pyrender"), "pyrender"),
        (
            ("reference", "predict", "--audio", "small/audio/ita-01.flac", "--language", "Italian"),
            "reference",
        ),
        (("export", "quiet", "ita-01", "--glb", "-b", "small"), "glb"),
        (("avsr", "evaluate"), "judge"),
        (("avsr", "train", "--config", "openhead-av", "--out", "x"), "judge"),
        (("reference", "train", "stage1", "--size", "mini", "--data", "d", "--out", "r"), "reference"),
        (("benchmark", "lexicon", "small"), "synth"),
        (("validate-metric", "--quick", "--out", "report"), "judge"),
    ],
)
def test_what_needs_an_extra_names_it(mtbench, words, extra):
    done = mtbench(*words)
    assert (done.returncode, "Traceback" in done.stderr) == (4, False), done.stderr
    assert f"pip install 'multitalk-bench[{extra}]'" in done.stderr


def test_doctor_calls_extras_absent_and_the_base_sound(mtbench):
    done = mtbench("doctor", "--json")
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    for extra in EXTRAS:
        assert found[f"extra [{extra}]"]["status"] == "absent"
        assert f"multitalk-bench[{extra}]" in found[f"extra [{extra}]"]["detail"]
    assert found["recognizer openhead-av"]["status"] == "absent"
    assert found["head openhead-1"]["status"] == "ok"


def test_posing_without_numba_gives_the_same_bytes():
    head = load_head()
    rng = np.random.Generator(np.random.PCG64(3))
    names = rng.permutation(head.topology.n_vertices)[:500]
    for vertices in (None, names):
        subset, count, tables = head._tables(vertices)
        for frames in (1, 33, 70):
            curves = rng.uniform(-0.3, 1.3, (frames, len(head.unit_names))).astype(np.float32)
            curves[rng.random(curves.shape) < 0.4] = 0
            curves[rng.random(frames) < 0.4, head.unit_index("lipSeal")] = 1
            base = np.ascontiguousarray(head.random_identity(rng)[subset])
            compiled, plain = np.empty((2, frames, count, 3), np.float32)
            head_kernels.pose_frames(curves, base, *tables, compiled)
            head_arrays.pose_frames(curves, base, *tables, plain)
            assert compiled.tobytes() == plain.tobytes()


def test_an_import_that_fails_names_the_extra_of_the_part_that_wanted_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "mtbench.reference_model.encoders.speech", raising=False)
    with pytest.raises(ImportError) as caught:
        import mtbench.reference_model.encoders.speech  # noqa: F401
    assert "multitalk-bench[reference]" in str(explain_missing(caught.value))
    assert explain_missing(ImportError("torch itself is broken", name="numpy")) is None


def test_torch_and_torchaudio_that_do_not_fit_are_told(monkeypatch):
    """What torchaudio 2.11 of PyPI does beside a CPU build of torch."""
    import importlib

    from mtbench.errors import PrerequisiteError

    def load(name):
        if name == "torchaudio":
            raise OSError("libc10_cuda.so: cannot open shared object file\nand more")

    monkeypatch.setattr("mtbench.extras.torch_releases", lambda: ("2.13.0+cpu", "2.11.0"))
    monkeypatch.setattr(importlib, "import_module", load)
    with pytest.raises(PrerequisiteError) as caught:
        require_extra("judge", "the judge")
    assert str(caught.value) == (
        "the judge cannot run: torch 2.13.0+cpu and torchaudio 2.11.0 do not work together (libc10_cuda.so: cannot "
        "open shared object file); torch 2.13 goes with torchaudio 2.11, and a CPU build with a CPU build: "
        "pip install 'torchaudio==2.11.*' --index-url https://download.pytorch.org/whl/cpu"
    )


@pytest.mark.slow
def test_the_wheel_alone_in_a_fresh_environment(place, wheel, tmp_path):  # noqa: F811
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    subprocess.run(install, check=True, capture_output=True)
    listing = subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert not {line.split()[0].lower() for line in listing.splitlines()[2:]} & {
        "torch",
        "torchaudio",
        "numba",
    }
    environment = {
        **os.environ,
        "MTBENCH_CACHE": str(tmp_path / "cache"),
        "MTBENCH_DATA": str(tmp_path / "data"),
    }

    def run(*words: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [python, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=600,
            cwd=tmp_path,
            env=environment,
        )

    for entry in ("quiet", "lively"):
        words = ("score", place / entry, "-b", place / "small", "--recognizer", "none")
        done = run("-m", "mtbench", *words)
        assert done.returncode == 0, done.stderr
    code = ONE_LINERS.replace('"small"', repr(str(place / "small"))).replace(
        '"quiet"', repr(str(place / "quiet"))
    )
    check_one_liners(run("-c", code))
    for words in (
        ("validate", place / "quiet", "-b", place / "small"),
        ("show", "results"),
        ("compare", "results/quiet/small", "results/lively/small"),
    ):
        assert run("-m", "mtbench", *words).returncode == 0
    done = run("-m", "mtbench", "score", place / "quiet", "-b", place / "small")
    assert done.returncode == 4
    assert "pip install 'multitalk-bench[judge]'" in done.stderr
