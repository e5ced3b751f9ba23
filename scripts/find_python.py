"""Find a Python that ESPnet takes, among those of the path and of pyenv, and print where it is.

Looked at are ``python3.12``, ``python3.13`` and ``python3`` as they are found on the path, and all of pyenv's, 3.12
before 3.13. A shim of pyenv that leads nowhere is passed over, and so is a Python that cannot make an environment.
Nothing is printed, and the exit status is 1, where there is none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

#: Releases that ESPnet takes, the better tested first.
RELEASES = ((3, 12), (3, 13))
_ASK = "import ensurepip, venv, sys; print(*sys.version_info[:2], sys.executable)"
_PATIENCE = 30


def list_candidates() -> list[str]:
    """Return programs that may be one, in the order in which they are asked."""
    found = [shutil.which(f"python{major}.{minor}") for major, minor in RELEASES]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    versions = sorted((root / "versions").glob("*/bin/python3"), key=_by_release)
    return [*filter(None, found), *map(str, versions), *filter(None, [shutil.which("python3")])]


def _by_release(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.parts[-3])]


def ask(program: str) -> tuple[tuple[int, int], str] | None:
    """Return the release and the path that *program* says of itself, None where it says nothing."""
    try:
        done = subprocess.run(
            [program, "-c", _ASK], capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
        major, minor, path = done.stdout.strip().split(" ", 2)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return (int(major), int(minor)), path


def find_python() -> str | None:
    """Return the path of the best one, None where there is none."""
    answers = [answer for answer in map(ask, list_candidates()) if answer is not None]
    for release in RELEASES:
        for found, path in answers:
            if found == release:
                return path
    return None


if __name__ == "__main__":
    python = find_python()
    if python is None:
        sys.exit(1)
    print(python)
