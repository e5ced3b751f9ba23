"""Paths that are files, too long, unreadable or full: one line with the right cause, and the exit code."""

import errno
import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import fakes
import pytest
import soundfile
from typer.testing import CliRunner

from mtbench import cli
from mtbench.cli.app import app
from mtbench.errors import MtbenchError
from mtbench.files.file_errors import WriteError, check_output_folder, explain_os_error, make_folder, writing
from mtbench.files.paths import explain_no_folder
from mtbench.submissions.validation import validate

TWO = {name: fakes.CLIPS[name] for name in ("ita-01", "eng-01")}
LONG = "x" * 300


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with a benchmark, an entry, recordings, and things that are no folders."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_CACHE", str(tmp_path / "cache"))
    fakes.make_benchmark(tmp_path / "small", TWO)
    fakes.make_entry(tmp_path / "entry", TWO)
    (tmp_path / "rec").mkdir()
    soundfile.write(tmp_path / "rec" / "x.wav", [0.1, -0.1] * 8000, 16000)
    (tmp_path / "rec" / "x.txt").write_text("one two")
    (tmp_path / "afile").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    shutil.make_archive("entry", "zip", "entry")
    return tmp_path


def run(capsys, *arguments: str) -> tuple[int, str]:
    """Return exit code and standard error of the command, run in this process as ``main`` runs it."""
    capsys.readouterr()
    argv, sys.argv = sys.argv, ["mtbench", *arguments]
    try:
        code = cli._run()
    finally:
        sys.argv = argv
    return code, capsys.readouterr().err


WRITERS = [
    "score entry -b small --recognizer none --workers 1 --out",
    "render entry -b small --out",
    "render entry -b small --video --out",
    "controls make small --out",
    "demo --benchmark small --recognizer none --workers 1 --out",
    "leaderboard build empty --out",
    "rescore empty --out",
    "benchmark new --audio rec --language eng",
    "benchmark build --out",
    "avsr train --config smoke --out",
    "reference data --hours 0.01 --out",
    "reference train stage1 --data rec --out",
    "reference reproduce --out",
    "reference ablate --out",
    "reference baseline phone-rules --out",
    "validate-metric --out",
]


@pytest.mark.parametrize("command", WRITERS)
def test_every_command_says_why_it_cannot_write(place, capsys, command):
    """Case 25-file-system-errors: NotADirectoryError, FileExistsError and 'File name too long' were tracebacks."""
    for path, cause in {
        "afile": "cannot write afile: a part of that path is a file where a folder is meant",
        "afile/x": "cannot write afile/x: a part of that path is a file where a folder is meant",
        "dangling": "cannot write dangling: a folder of that path is missing or is a link that leads nowhere",
        "loop": "cannot write loop: that path is a circle of links",
        LONG: f"cannot write {LONG[:60]}…{LONG[:60]}: that name is too long for the file system",
    }.items():
        code, text = run(capsys, *command.split(), path)
        assert (code, text) == (2, f"error: {cause}: give another folder (--out)\n")
    assert not (place / "nowhere").exists()


def test_a_cache_that_is_a_file_is_told_before_anything_is_scored(place, capsys):
    """Case 25-file-system-errors: ``--cache afile``."""
    advice = "give another folder for the cache (--cache or MTBENCH_CACHE)"
    score = ("score", "entry", "-b", "small", "--recognizer", "none", "--out", "results", "--cache", "afile")
    text = f"error: cannot write afile: a part of that path is a file where a folder is meant: {advice}\n"
    assert run(capsys, *score) == (2, text)
    assert not (place / "results").exists()
    text = "error: afile: a file, not a folder; the folder of a stage cache is meant\n"
    assert run(capsys, "cache", "--cache", "afile") == (2, text)


@pytest.mark.parametrize(
    "command",
    ["validate", "score", "render", "show", "rescore", "compare entry", "leaderboard build", "benchmark show",
     "validate entry -b", "benchmark new n --language eng --audio", "benchmark new n --audio rec --noise",
     "score entry -b small --recognizer none --noise", "assets add flame", "reference train stage1 --out o --data",
     "reference predict --language Italian --audio", "reference predict --language ita --audio rec/x.wav --model",
     "avsr evaluate --weights", "avsr train --config smoke --out o --initial"],
)  # fmt: skip
def test_every_command_says_what_it_cannot_read(place, capsys, command):
    """Case 25-file-system-errors: ``validate`` of a 300-character name and others; never a traceback."""
    for path in ("afile", "missing", "dangling", "loop", "afile/x", "empty", "/dev/null", LONG, ""):
        code, text = run(capsys, *command.split(), path)
        if path == "" and code == 0:  # this folder, which "reference predict" can animate
            continue
        assert code in (2, 3, 4), (path, code, text)
        assert text.startswith("error: ") or code == 3
        assert len(text) < 2000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("afile", "afile: a file, not a folder"),
        ("entry.zip", "entry.zip: an archive, not a folder; unpack it first"),
        ("dangling", "dangling: a link to nothing, not a folder"),
        ("loop", "loop: a circle of links, not a folder"),
        ("/dev/null", "/dev/null: a pipe, socket or device, not a folder"),
        ("missing", "missing: no such folder"),
    ],
)
def test_what_lies_where_a_folder_is_meant_is_told(place, capsys, name, text):
    """``validate sub.zip`` said 'there is no submission folder sub.zip'."""
    assert explain_no_folder(name) == text
    code, said = run(capsys, "validate", name)
    assert (code, said) == (2, f"error: {text}; a submission is a folder with a submission.toml\n")


def test_show_of_a_folder_without_results_is_an_error(place, capsys):
    """It printed nothing and returned 0."""
    text = "error: empty: no run.json below it; 'mtbench score --out empty' writes some\n"
    assert run(capsys, "show", "empty") == (2, text)


def test_files_that_windows_leaves_in_folders_do_not_block_a_submission(place):
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (place / "entry" / "motion" / name).write_bytes(b"\0")
    assert validate("entry", "small") == []
    (place / "entry" / "motion" / "notes.txt").touch()
    assert [p.code for p in validate("entry", "small")] == ["unexpected-file"]


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (errno.ENOSPC, 1, "cannot write p: the disk is full: free space there or go elsewhere"),
        (errno.EDQUOT, 1, "cannot write p: your quota there is used up: free space or go elsewhere"),
        (errno.EFBIG, 1, "cannot write p: larger than files may be: raise the limit (ulimit -f) or go elsewhere"),
        (errno.EROFS, 2, "cannot write p: that file system can only be read: go elsewhere"),
        (errno.EACCES, 2, "cannot write p: you may not write there: go elsewhere"),
        (errno.EMFILE, 1,
         "cannot write p: too many files are open: raise the limit (ulimit -n) or use fewer --workers"),
    ],
)  # fmt: skip
def test_errors_of_writing_name_cause_and_way_out(number, code, text):
    with pytest.raises(WriteError) as caught, writing("p", "go elsewhere"):
        raise OSError(number, os.strerror(number), "p/part")
    assert (str(caught.value), caught.value.exit_code, caught.value.errno) == (text, code, number)
    copy = pickle.loads(pickle.dumps(caught.value))  # as between processes
    assert (str(copy), copy.exit_code, copy.errno) == (text, code, number)
    assert isinstance(copy, MtbenchError)
    assert isinstance(copy, OSError)


@pytest.mark.parametrize(
    ("number", "text", "code"),
    [
        (errno.EACCES, "motion cannot be read: you may not read it: ask its owner to let you (chmod)", 2),
        (errno.ENOTDIR, "motion cannot be read: a part of that path is a file, not a folder", 2),
        (errno.EIO, "motion cannot be read: the disk or the network folder fails", 1),
        (errno.ENOSPC, "cannot write motion: the disk is full: free space there or give another folder "
         "(--out, --cache or MTBENCH_CACHE)", 1),
        (errno.EOVERFLOW, f"motion cannot be read: {os.strerror(errno.EOVERFLOW)}", 2),
    ],
)  # fmt: skip
def test_errors_of_reading_name_the_cause(number, text, code):
    """Case 32-unreadable-submission: 'free space there or give another folder' about a folder that is read."""
    assert explain_os_error(OSError(number, os.strerror(number), "motion")) == (text, code)


def test_folders_are_checked_without_making_them(tmp_path):
    check_output_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    make_folder(tmp_path / "a" / "b")
    check_output_folder(tmp_path / "a")
    assert (tmp_path / "a" / "b").is_dir()


def test_results_that_exceed_the_limit_on_file_size_keep_the_old_ones(place):
    """``ulimit -f``: the kernel's EFBIG is a line, exit code 1, and what was there stays."""
    command = [
        sys.executable, "-c", "from mtbench.cli import main; main()", "controls", "make", "small", "--only", "static",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    before = {path: path.read_bytes() for path in sorted((place / "controls").rglob("*.toml"))}
    limited = subprocess.run(
        [*command[:-1], "ground-truth"], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)),
    )  # fmt: skip
    assert limited.returncode == 1
    assert limited.stderr.count("\n") == 1
    assert "larger than files may be: raise the limit (ulimit -f)" in limited.stderr
    assert before == {path: path.read_bytes() for path in before}
    assert list(place.rglob("*.tmp")) == []


def test_faults_of_our_own_keep_their_traceback(monkeypatch, capsys):
    def fail() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(cli, "_call", fail)
    with pytest.raises(ZeroDivisionError):
        cli._run()
    assert "please report it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (MemoryError(), 1, "error: memory ran out: use fewer --workers, or a machine with more\n"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), 1,
         "error: memory ran out: use fewer --workers, or a machine with more\n"),
        (RuntimeError("can't start new thread"), 1,
         "error: no more threads are allowed: use fewer --workers or raise the limit (ulimit -u)\n"),
        (RuntimeError("Symlink loop from '/a'"), 2, "error: a path is a circle of links: '/a'\n"),
    ],
)  # fmt: skip
def test_failures_of_the_machine_are_one_line(monkeypatch, capsys, error, code, text):
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "_call", fail)
    assert cli._run() == code
    assert capsys.readouterr().err == text
    monkeypatch.setenv("MTBENCH_DEBUG", "1")
    cli._run()
    assert "Traceback" in capsys.readouterr().err


def test_wrong_usage_is_told_without_a_traceback():
    for arguments in (["score"], ["score", "--nonsense"], ["nonsense"], ["score", "x", "--workers", "many"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2
        assert "Error" in result.stderr
        assert "Traceback" not in result.stderr


def test_umask_that_allows_nothing_still_ends_in_a_line(place):
    """Folders that the command makes and may then not enter (root may: then it simply works)."""
    command = [
        sys.executable, "-c", "from mtbench.cli import main; main()", "controls", "make", "small", "--only", "static",
        "--out", "masked",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.umask(0o777))
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert Path("masked").exists()
