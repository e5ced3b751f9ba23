"""The command line of a program that recognizes: which file is meant, and whether it can be run."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from mtbench.errors import UsageError

#: What a recognizer's name begins with where it is a program.
PREFIX = "program:"


def split_command(command: str) -> tuple[str, ...]:
    """Return the path of a program and its arguments.

    Raises
    ------
    UsageError
        Where there is no such program, or it is not executable.
    """
    if Path(command).is_file():  # its path may have blanks
        words = [command]
    else:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise UsageError(
                f"recognizer {PREFIX}{command}: {error}; quote arguments as in a shell"
            ) from None
    if not words:
        raise UsageError(
            f"recognizer {PREFIX} names no program; expected {PREFIX}PATH, such as {PREFIX}./recognize.py"
        )
    path = Path(words[0]).expanduser()
    if not path.exists() and os.sep not in words[0]:
        path = Path(shutil.which(words[0]) or path)
    about = f"recognizer {PREFIX}{command}: {path}"
    if not path.exists():
        raise UsageError(
            f"{about} does not exist (looked for from {Path.cwd()}); expected an executable file"
        )
    if not path.is_file():
        raise UsageError(f"{about} is no file; expected an executable file")
    if not os.access(path, os.X_OK):
        raise UsageError(
            f"{about} is not executable; run 'chmod +x {shlex.quote(str(path))}', and let a script begin with a line "
            "such as '#!/usr/bin/env python3'"
        )
    return (str(path.absolute()), *words[1:])
