"""Commands that a document shows with their output: finding them, running them, and writing the output anew.

A block begins with a line of three backticks and ``console``; in it, a line that begins with ``$ `` is a command, and
what follows up to the next one is what it prints. All commands of a document run in one empty folder, in order, with
nothing of the user's: ``python tests/console_blocks.py docs/questions.md`` writes into the document what they print
today.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_BLOCK = re.compile(r"```console\n(.*?)```\n", re.S)
#: Seconds that a command may take.
_PATIENCE = 600


def find_commands(text: str) -> list[tuple[str, str]]:
    """Return every command with the output that the document shows."""
    found = []
    for block in _BLOCK.findall(text):
        found += [
            (command, output) for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
        ]
    return found


def run_command(command: str, folder: Path) -> str:
    """Return what *command* prints in *folder*, both streams together, whether it fails or not."""
    own = {"MTBENCH_DATA": str(folder / ".data"), "MTBENCH_CACHE": str(folder / ".cache"), "COLUMNS": "100"}
    own |= {
        "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    tools = folder / ".bin"
    tools.mkdir(exist_ok=True)
    for name, what in (("python", ""), ("mtbench", "-m mtbench ")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {what}"$@"\n', "utf-8")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env={**os.environ, **own}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=_PATIENCE,
    )  # fmt: skip
    return done.stdout


def write_outputs(document: Path) -> None:
    """Write into *document* what its commands print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)

        def answer(block: re.Match[str]) -> str:
            commands = [command for command, _ in find_commands(block[0])]
            return "```console\n" + "".join(f"$ {c}\n{run_command(c, folder)}" for c in commands) + "```\n"

        document.write_text(_BLOCK.sub(answer, document.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write_outputs(Path(sys.argv[1]))
