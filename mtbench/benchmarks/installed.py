"""Benchmarks in the user's data folder: built on demand there, and found by name as the bundled ones are.

Conventions
-----------
The folder is ``benchmarks`` in the user's data folder (``$MTBENCH_DATA``, else the platform's place), one folder a
benchmark, called by its name. A bundled benchmark of the same name goes first.
"""

from __future__ import annotations

from pathlib import Path

from mtbench.benchmarks.manifest import MANIFEST
from mtbench.errors import PrerequisiteError
from mtbench.faces import data_folder

#: Benchmarks that are not shipped but can be built, and the command that does it.
ON_DEMAND: dict[str, str] = {"openhead-engines-all": "mtbench benchmark build openhead-engines --all"}


def installed_folder(name: str) -> Path:
    """Return where a benchmark of that name lies, or would lie, in the user's data folder.

    Raises
    ------
    PrerequisiteError
        Where the user has no data folder.
    """
    return data_folder() / "benchmarks" / name


def installed_benchmarks() -> dict[str, Path]:
    """Return the folders of the benchmarks in the user's data folder, by name; none where there is no such folder."""
    try:
        folder = data_folder() / "benchmarks"
        return {p.parent.name: p.parent for p in sorted(folder.glob(f"*/{MANIFEST}"))}
    except (PrerequisiteError, OSError):
        return {}
