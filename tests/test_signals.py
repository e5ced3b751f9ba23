"""Killed workers, SIGINT, SIGTERM and SIGHUP: one line, the exit code, no process left, results intact."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fakes
import pytest

from mtbench.errors import MtbenchError
from mtbench.work.executor import Executor

TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "eng-01")}
PROC = Path("/proc")

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="looks for processes in /proc")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A benchmark, an entry, and the results and cache of a score at one SNR."""
    root = tmp_path_factory.mktemp("signals")
    fakes.make_benchmark(root / "small", TWO)
    fakes.make_entry(root / "entry", TWO)
    return root


def hear_signals() -> None:
    """Undo what a child inherits of a suite started with ``nohup`` or in the background, where signals are ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(place, out: Path, workers: int, pause: float = 30, **environment: str) -> subprocess.Popen:
    """Start a score whose recognizer sleeps *pause* seconds in every call, in a session of its own."""
    command = [
        sys.executable, "-c", "from mtbench.cli import main; main()", "score", str(place / "entry"),
        "-b", str(place / "small"), "--recognizer", fakes.ONE_EAR, "--workers", str(workers),
        "--out", str(out / "results"), "--cache", str(out / "cache"),
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "ONE_EAR_PAUSE": str(pause),
        "ONE_EAR_LOG": str(out / "log"),
        **environment,
    }
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_signals,
    )


def wait_for(condition, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def processes(session: int) -> dict[int, str]:
    """Command lines of the live processes of a session, by process id."""
    found = {}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, _, _, of = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            if int(of) == session and state != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text()
        except OSError:
            continue
    return found


def worker_ids(process: subprocess.Popen) -> list[int]:
    return [number for number, command in processes(process.pid).items() if "spawn_main" in command]


def busy(process: subprocess.Popen, out: Path) -> bool:
    """Wait until a worker is in the middle of a task."""
    return wait_for(lambda: (out / "log").exists() or process.poll() is not None) and process.poll() is None


def finish(process: subprocess.Popen, within: float = 20) -> tuple[int, str, float]:
    """Return exit code, standard error and seconds; nothing of the session may be left."""
    began = time.monotonic()
    output, errors = process.communicate(timeout=within)
    seconds = time.monotonic() - began
    assert output == ""
    assert wait_for(lambda: not processes(process.pid), 5), processes(process.pid)
    return process.returncode, errors, seconds


STOPPED = "error: {}; what was finished is kept, and the same command goes on from there\n"
DIED = (
    "error: a worker process died, {}; what was finished is in the cache: run the same command again, "
    "with --workers 1 if it happens twice\n"
)


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("SIGINT", 130, "interrupted"),
        ("SIGTERM", 143, "terminated"),
        ("SIGHUP", 129, "the terminal was closed"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_ends_a_score_with_one_line(place, tmp_path, workers, name, code, word):
    """The recognizer would sleep for 30 s: nobody waits for it, no warning about leaked semaphores is printed."""
    process = start(place, tmp_path, workers)
    assert busy(process, tmp_path), process.communicate()
    process.send_signal(getattr(signal, name))
    returned, errors, seconds = finish(process)
    assert (returned, errors) == (code, STOPPED.format(word))
    assert seconds < 10  # 0.5 s where nothing else runs


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_to_all_processes_of_a_terminal_prints_one_line(place, tmp_path, name, code):
    """As Ctrl-C does it: the workers print no traceback of their own."""
    process = start(place, tmp_path, 2)
    assert busy(process, tmp_path), process.communicate()
    os.killpg(process.pid, getattr(signal, name))
    returned, errors, _ = finish(process)
    assert returned == code
    assert errors.count("\n") == 1


def test_a_signal_while_workers_start_prints_one_line(place, tmp_path):
    """Workers that are still importing are ended too."""
    process = start(place, tmp_path, 2)
    assert wait_for(lambda: worker_ids(process)), process.communicate()
    os.killpg(process.pid, signal.SIGINT)
    returned, errors, _ = finish(process)
    assert (returned, errors) == (130, STOPPED.format("interrupted"))


def test_an_ignored_signal_stays_ignored(place, tmp_path):
    """As under ``nohup``."""
    code = (
        "import signal; from mtbench.work.signals import handle_signals; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "handle_signals(); print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN,"
        " signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


@pytest.mark.parametrize(
    ("name", "cause"),
    [("SIGKILL", "most likely because memory ran out"), ("SIGSEGV", "signal SIGSEGV")],
)
def test_a_killed_worker_ends_the_score_with_one_line(place, tmp_path, name, cause):
    process = start(place, tmp_path, 2)
    assert busy(process, tmp_path), process.communicate()
    os.kill(worker_ids(process)[0], getattr(signal, name))
    returned, errors, seconds = finish(process)
    assert (returned, errors) == (1, DIED.format(cause))
    assert seconds < 10


def test_a_worker_that_dies_at_its_start_ends_the_score_with_one_line(place, tmp_path):
    """The pool's start lay outside the ``try``: a ``BrokenProcessPool`` traceback."""
    process = start(place, tmp_path, 2)
    assert wait_for(lambda: worker_ids(process)), process.communicate()
    os.kill(worker_ids(process)[0], signal.SIGKILL)
    returned, errors, _ = finish(process)
    assert (returned, errors) == (1, DIED.format("most likely because memory ran out"))


def test_results_of_an_earlier_run_survive_and_the_next_run_goes_on(place, tmp_path):
    """Results before an interruption, and of the run after it, are those of runs that nobody interrupted."""
    process = start(place, tmp_path, 1, pause=0)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    folder = next((tmp_path / "results").rglob("run.json")).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in sorted((tmp_path / "cache" / "hypotheses").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "log").unlink()
    process = start(place, tmp_path, 2)
    assert busy(process, tmp_path), process.communicate()
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 143
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    process = start(place, tmp_path, 2, pause=0)
    again, errors = process.communicate(timeout=120)
    assert (process.returncode, again) == (0, output), errors
    assert (folder / "clips.jsonl").read_bytes() == before["clips.jsonl"]
    one, two = json.loads(before["run.json"]), json.loads((folder / "run.json").read_text())
    assert one.pop("timings") != two.pop("timings")
    assert one == two
    assert list(tmp_path.rglob("*.tmp")) == []


class Odd(Exception):
    """An error that cannot travel between processes: it wants two arguments, and pickle gives it one."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def raise_odd(_):
    raise Odd("this", "that")


def exit_quietly(_):
    sys.exit(0)


def exhaust_memory(_):
    raise MemoryError


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (raise_odd, "a worker process failed: test_signals.Odd: this and that"),
        (exit_quietly, "a worker process failed: SystemExit: 0"),
        (exhaust_memory, "memory ran out in a worker process"),
    ],
)
def test_errors_that_cannot_travel_are_still_told(function, text, monkeypatch):
    """They ended as a broken pool, or as the whole command's quiet exit."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with Executor(2) as executor, pytest.raises(MtbenchError) as caught:
        list(executor.run(function, [1]))
    assert str(caught.value).startswith(text)


def test_an_executor_serves_again_after_an_error(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with Executor(2) as executor:
        with pytest.raises(MtbenchError):
            list(executor.run(raise_odd, [1]))
        assert sorted(executor.run(abs, [-1, -2])) == [(0, 1), (1, 2)]


def test_leaving_an_executor_does_not_wait_for_its_tasks():
    began = time.monotonic()
    with Executor(2) as executor:
        results = executor.run(time.sleep, [0.01, 60])
        next(results)
    assert time.monotonic() - began < 30


def test_a_main_thread_that_hears_nothing_ends_all_the_same():
    """As in a training, where it waits inside a library for processes that are gone."""
    code = (
        "import ctypes; from mtbench.work.signals import handle_signals; handle_signals();"
        "lock = ctypes.create_string_buffer(64); wait = ctypes.CDLL(None).pthread_mutex_lock;"
        "print(wait(lock), flush=True); wait(lock)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "0\n"
        time.sleep(1)  # until it waits
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=20)[1]
    assert process.returncode == 143
    assert errors.splitlines() == [
        "error: terminated; what was finished is kept, and the same command goes on from there"
    ]
