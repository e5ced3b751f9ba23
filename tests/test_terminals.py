"""Terminals, pipes and users: output that is not UTF-8, closed streams, no home, nothing that can be written to."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import fakes
import pytest

from mtbench.cli.doctor import examine
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces.flame_asset import data_folder, flame_record
from mtbench.files.user_folders import expand_home
from mtbench.work.cache import default_cache_dir
from mtbench.work.compilation import kernel_folder, njit_cached

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-c", "from mtbench.cli import main; main()"]
JAPANESE = "すべて 人 は 自由"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("terminals")
    clips = {name: fakes.CLIPS[name] for name in ("eng-01", "jpn-01")}
    fakes.make_benchmark(root / "small", clips)
    entry = fakes.make_entry(root / "entry", clips)
    (entry / "motion" / "eng-01.npz").unlink()
    return root


def call(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Run the command and return what it printed as bytes."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=120, env={**os.environ, **environment})


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "cp1252", "cp437", "latin-1", "gbk"])
def test_characters_that_an_encoding_lacks_are_escaped(place, encoding):
    """Case 23-stdout-not-utf-8: UnicodeEncodeError for any problem ("—") and any non-Latin transcript."""
    done = call("benchmark", "show", place / "small", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding.partition(":")[0])
    shown = JAPANESE.encode("ascii", "backslashreplace").decode()
    assert shown in text or JAPANESE in text.replace("\\u3059", "す")
    done = call("validate", place / "entry", "-b", place / "small", PYTHONIOENCODING=encoding)
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    assert b"eng-01" in done.stdout


def test_json_stays_json_in_any_encoding(place):
    """Case 23-stdout-not-utf-8: escapes are those of JSON, so nothing is lost."""
    for encoding in ("ascii", "cp1252", "utf-8"):
        done = call("benchmark", "show", place / "small", "--json", PYTHONIOENCODING=encoding)
        clips = json.loads(done.stdout.decode(encoding))["clips"]
        assert [clip["transcript"] for clip in clips][1] == JAPANESE


def test_errors_and_help_in_ascii(place):
    for arguments in (("--help",), ("score", "--help"), ("nonsense",), ("score", "é—", "-b", "日本")):
        done = call(*arguments, PYTHONIOENCODING="ascii:strict")
        assert done.returncode == (0 if "--help" in arguments else 2)
        assert b"Traceback" not in done.stderr


def test_control_characters_of_file_names_do_not_reach_the_terminal(place, tmp_path):
    entry = shutil.copytree(place / "entry", tmp_path / "entry")
    (entry / "motion" / "\x1b[31mred.txt").touch()
    (entry / "motion" / "b\udcff.txt").touch()
    done = call("validate", entry, "-b", place / "small")
    assert done.returncode == 3
    assert b"\\u001b[31mred.txt" in done.stdout
    assert b"\x1b" not in done.stdout
    assert b"b\\udcff.txt" in done.stdout


def shell(line: str, **environment: str) -> subprocess.CompletedProcess:
    """Run *line* in bash, where ``$M`` is the command."""
    script = f"M() {{ '{sys.executable}' -c 'from mtbench.cli import main; main()' \"$@\"; }}; {line}"
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )


def test_a_pipe_that_is_closed_ends_the_command_quietly(place):
    done = shell("M benchmark show openhead-20 | head -1; echo ${PIPESTATUS[0]}")
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == ["141"]
    done = shell("{ sleep 1; M --help; echo $? >&2; } | true")
    assert done.stderr == "141\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">&- 2>&-"])
def test_closed_standard_streams_are_no_traceback(place, closed):
    done = shell(f"M validate '{place}/entry' -b '{place}/small' {closed}; echo $?")
    assert done.stdout.splitlines()[-1] == "3"
    assert done.stderr == ""
    done = shell(f"M cache --cache '{place}/none' {closed}; echo $?")
    assert done.stdout.splitlines()[-1] == "0"
    done = shell(f"M validate nowhere {closed}; echo $?")
    assert done.stdout.splitlines()[-1] == "2"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_that_is_full_is_a_line(place):
    done = shell("M ls > /dev/full; echo $?")
    text = "error: standard output cannot be written: No space left on device\n"
    assert (done.stdout, done.stderr) == ("1\n", text)
    done = shell("M validate nowhere 2> /dev/full; echo $?")
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_bare_environments(place):
    """No TERM, no LANG, one column; PATH alone."""
    for environment in (
        {},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
    ):
        done = subprocess.run(
            [*COMMAND, "benchmark", "show", str(place / "small")], capture_output=True, timeout=120,
            env={"PATH": os.environ["PATH"], "MTBENCH_CACHE": str(place / "cache"), **environment},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"2 clips" in done.stdout


@pytest.fixture
def homeless(monkeypatch):
    """A user without a home folder."""
    for name in ("MTBENCH_CACHE", "MTBENCH_DATA", "XDG_CACHE_HOME", "XDG_DATA_HOME", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)


def test_without_a_home_the_message_names_the_variable(homeless):
    """Case 24-home-and-read-only: 'Could not determine home directory' was a traceback."""
    with pytest.raises(PrerequisiteError, match=r"no home folder .* set MTBENCH_CACHE to a folder"):
        default_cache_dir()
    with pytest.raises(PrerequisiteError, match=r"no home folder .* set MTBENCH_DATA to a folder"):
        data_folder()
    assert flame_record() is None  # such a user has installed none
    with pytest.raises(UsageError, match=r"no home folder is known"):
        expand_home("~no-such-user-here/x")


@pytest.mark.parametrize(
    ("platform", "environment", "cache", "data"),
    [
        ("linux", {}, "/h/.cache/mtbench", "/h/.local/share/mtbench"),
        ("linux", {"XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "/d"}, "/c/mtbench", "/d/mtbench"),
        ("linux", {"MTBENCH_CACHE": "/c", "MTBENCH_DATA": "/d"}, "/c", "/d"),
        ("darwin", {}, "/h/Library/Caches/mtbench", "/h/Library/Application Support/mtbench"),
        ("win32", {}, "/h/AppData/Local/mtbench/Cache", "/h/AppData/Local/mtbench"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/mtbench/Cache", "/l/mtbench"),
    ],
)
def test_folders_are_where_each_platform_keeps_such(
    homeless, monkeypatch, platform, environment, cache, data
):
    monkeypatch.setattr(Path, "home", lambda: Path("/h"))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (default_cache_dir(), data_folder()) == (Path(cache), Path(data))


def test_kernels_compile_without_a_place_to_keep_them(homeless, monkeypatch, tmp_path):
    """Case 24-home-and-read-only: 'cannot cache function …: no locator available'."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert kernel_folder() is None
    assert njit_cached(nogil=True)(add)(1, 2) == 3
    assert list(tmp_path.iterdir()) == []  # numba would make a folder named "~"


def test_kernels_of_a_read_only_installation_are_kept_in_the_cache_folder(monkeypatch, tmp_path):
    """Case 24-home-and-read-only."""
    sources = (Path(__file__).parent, Path(__file__).parent / "__pycache__")
    original = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) not in sources and original(path, mode))
    monkeypatch.setenv("MTBENCH_CACHE", str(tmp_path))
    assert njit_cached(nogil=True)(add)(1, 2) == 3
    assert len(list((tmp_path / "numba").rglob("*.nbc"))) == 1
    for path in (tmp_path / "numba").rglob("*.nb*"):
        path.write_bytes(b"damaged")
    assert njit_cached(nogil=True)(add)(1, 2) == 3


def add(a, b):
    return a + b


def test_doctor_tells_the_truth_about_the_cache(monkeypatch, homeless, tmp_path):
    """A cache at /dev/null/x was 'ok'."""
    found = {}
    for place in ("", "/dev/null/x", str(tmp_path / "new")):
        monkeypatch.setenv("MTBENCH_CACHE", place)
        found[place] = next(finding for finding in examine() if finding.name == "cache")
    assert found[""].status == "broken"
    assert "set MTBENCH_CACHE" in found[""].detail
    assert found["/dev/null/x"].status == "broken"
    assert found["/dev/null/x"].detail.startswith("cannot write /dev/null/x: a part of that path is a file")
    assert found[str(tmp_path / "new")].status == "ok"
    assert not (tmp_path / "new").exists()


def other_user(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Run the command as a user without an entry, a home or a group."""
    paths = os.pathsep.join(
        [str(ROOT), str(Path(__file__).parent), *(p for p in sys.path if "site-packages" in p)]
    )
    for python in (sys.executable, "/usr/bin/python3"):
        command = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", python]
        found = str(Path(__file__).parent) if python == sys.executable else paths
        basic = {"PATH": os.environ["PATH"], "PYTHONPATH": found}
        probe = subprocess.run(
            [*command, "-c", "import mtbench.cli, numpy, numba"], env=basic, capture_output=True
        )
        if probe.returncode == 0:
            return subprocess.run(
                [*command, "-c", "from mtbench.cli import main; main()", *map(str, arguments)],
                env={**basic, **environment}, capture_output=True, text=True, timeout=200,
            )  # fmt: skip
    pytest.skip("no Python here that another user may run")


as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="needs root and setpriv",
)


@pytest.fixture
def readable(tmp_path_factory):
    """A folder that every user can enter."""
    root = Path("/tmp") / f"mtbench-test-{os.getpid()}"
    root.mkdir(mode=0o755)
    yield root
    shutil.rmtree(root)


@as_root
def test_a_user_without_home_gets_a_line_and_can_score_with_a_cache(readable):
    """Case 24-home-and-read-only, as in a container of another user: nothing but the cache can be written to."""
    done = other_user("cache")
    assert done.returncode == 4
    assert done.stderr.startswith("error: this user has no home folder")
    assert done.stderr.count("\n") == 1
    clips = {"eng-01": fakes.CLIPS["eng-01"]}
    fakes.make_benchmark(readable / "small", clips)
    fakes.make_entry(readable / "entry", clips)
    (readable / "open").mkdir()
    (readable / "open").chmod(0o777)
    score = (
        "score",
        readable / "entry",
        "-b",
        readable / "small",
        "--recognizer",
        fakes.ONE_EAR,
        "--workers",
        "1",
    )
    out = readable / "open" / "results"
    done = other_user(*score, "--out", out, "--cache", readable / "open" / "cache", HOME="/")
    assert done.returncode == 0, done.stderr
    assert next(out.rglob("run.json")).is_file()
    done = other_user(*score, "--out", readable / "results", MTBENCH_CACHE=str(readable / "open" / "cache"))
    assert done.returncode == 2
    assert done.stderr == (
        f"error: cannot write {readable}/results: you may not write there: give another folder (--out)\n"
    )


@as_root
def test_a_submission_that_may_not_be_read_is_told_as_such(readable):
    """Case 32-unreadable-submission: 'free space there or give another folder' about a folder that is read."""
    clips = {"eng-01": fakes.CLIPS["eng-01"]}
    fakes.make_benchmark(readable / "small", clips)
    entry = fakes.make_entry(readable / "entry", clips)
    (entry / "motion").chmod(0o700)
    done = other_user("validate", entry, "-b", readable / "small", HOME="/tmp")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {entry}/motion cannot be read: you may not read it: ask its owner to let you (chmod)\n"
    )
    (entry / "motion").chmod(0o755)
    (entry / "motion" / "eng-01.npz").chmod(0o600)
    done = other_user("validate", entry, "-b", readable / "small", HOME="/tmp")
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
    assert "free space" not in done.stdout + done.stderr
