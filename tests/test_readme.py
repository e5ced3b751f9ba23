"""The README is true: its Python runs, its commands exist, its files are there."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from mtbench.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    lines = [line for kind, text in BLOCKS if kind == "" for line in text.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.startswith("mtbench ")]


def test_python_block_runs(capsys):
    blocks = [text for kind, text in BLOCKS if kind == "python"]
    assert blocks
    for text in blocks:
        exec(compile(text, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "4801, 3)" in printed
    assert "25" in printed


@pytest.mark.parametrize("line", commands())
def test_commands_and_options_exist(line):
    words = shlex.split(line)[1:]
    command = get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line}: no such command"
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    assert {w.split("=")[0] for w in words if w.startswith("-")} <= known


def test_linked_files_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?<!study )`?make (\w[\w-]*)", README):
        assert f"\n{target}:" in makefile
