"""The scripts that look for a Python that ESPnet takes, and that let its environment share files with ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "find_python.py"


@pytest.fixture
def pretend(tmp_path):
    """Make a program that says it is some Python, or fails as pyenv's shims do."""

    def make(path: str, release: str | None) -> Path:
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        answer = f"echo {release} {program}" if release else "echo no such version >&2; exit 127"
        program.write_text(f"#!/bin/sh\n{answer}\n")
        program.chmod(0o755)
        return program

    return make


def find(tmp_path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path / "pyenv")}
    return subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, env=environment)


def test_the_path_comes_before_pyenv_and_shims_that_lead_nowhere_are_passed_over(tmp_path, pretend):
    pretend("bin/python3", "3 11")
    pretend("bin/python3.12", None)
    pretend("pyenv/versions/3.9.18/bin/python3", "3 9")
    later = pretend("pyenv/versions/3.13.0/bin/python3", "3 13")
    assert find(tmp_path).stdout == f"{later}\n"
    better = pretend("pyenv/versions/3.12.10/bin/python3", "3 12")
    assert find(tmp_path).stdout == f"{better}\n"
    first = pretend("bin/python3.12", "3 12")
    assert find(tmp_path).stdout == f"{first}\n"


def test_none_is_told_by_the_exit_status(tmp_path, pretend):
    pretend("bin/python3", "3 14")
    pretend("bin/python3.13", None)
    done = find(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")


def test_environments_share_what_is_large_and_the_same(tmp_path):
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        from share_files import LARGE, share_files
    finally:
        sys.path.remove(str(SCRIPT.parent))
    contents = {"same": b"a" * LARGE, "small": b"a", "other": b"b" * LARGE}
    one, two = (tmp_path / name / "lib" / "python3.12" / "site-packages" for name in ("one", "two"))
    for folder in (one, two):
        folder.mkdir(parents=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    (two / "other").write_bytes(b"c" * LARGE)
    (two / "more").write_bytes(contents["same"])
    assert share_files(tmp_path / "one", tmp_path / "two") == LARGE
    assert sorted(p.name for p in two.iterdir()) == ["more", "other", "same", "small"]
    assert [(two / name).samefile(one / name) for name in contents] == [True, False, False]
    assert (two / "other").read_bytes() == b"c" * LARGE
    assert share_files(tmp_path / "one", tmp_path / "two") == 0
