"""Let two virtual environments share the large files that both have: torch's libraries are most of either.

``python scripts/share_files.py .venv .venv-espnet`` replaces what is large in the second and the same, byte by byte, at
the same place of the first by hard links. pip takes files away before it writes others, so that neither environment
changes with the other.
"""

from __future__ import annotations

import filecmp
import os
import sys
from pathlib import Path

#: Fewest bytes of a file that is worth it.
LARGE = 1 << 20


def share_files(first: Path, second: Path) -> int:
    """Return how many bytes were freed by linking large files of *second* to the same ones of *first*."""
    freed = 0
    (to,) = first.glob("lib/python3*/site-packages")
    (of,) = second.glob("lib/python3*/site-packages")
    for path in sorted(of.rglob("*")):
        twin = to / path.relative_to(of)
        if path.is_symlink() or not path.is_file() or not twin.is_file() or path.samefile(twin):
            continue
        size, place = path.stat().st_size, path.stat().st_dev
        if size < LARGE or place != twin.stat().st_dev or not filecmp.cmp(path, twin, shallow=False):
            continue
        link = path.with_name(f"{path.name}.shared")
        os.link(twin.resolve(), link)
        link.replace(path)
        freed += size
    return freed


if __name__ == "__main__":
    freed = share_files(*map(Path, sys.argv[1:3]))
    print(f"{freed / 1e9:.1f} GB of {sys.argv[2]} are shared with {sys.argv[1]}")
