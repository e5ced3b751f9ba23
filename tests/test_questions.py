"""The page of questions: every command on it prints what it says."""

import shutil
from pathlib import Path

import pytest
from console_blocks import find_commands, run_command

PAGE = Path(__file__).resolve().parents[1] / "docs" / "questions.md"
TEXT = PAGE.read_text("utf-8")


def test_every_question_is_answered_by_a_command():
    parts = TEXT.split("\n## ")[1:]
    assert len(parts) >= 10
    assert [part.partition("\n")[0] for part in parts if not find_commands(part)] == [
        "Which metric sees what?"
    ]


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell to type the commands into")
def test_the_commands_print_what_the_page_says(tmp_path):
    commands = find_commands(TEXT)
    assert len(commands) >= 14
    for command, shown in commands:
        assert run_command(command, tmp_path) == shown, command
