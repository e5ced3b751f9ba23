"""What an importer is: it finds other projects' motion on disk and reads it, clip by clip.

An importer is one file: a function, listed in :data:`mtbench.importers.registry.IMPORTERS` or named by an entry point
of another package in the group ``mtbench.importers``. It reads and names; writing a submission and checking it is done
for all of them alike (:mod:`mtbench.importers.importing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark


@dataclass(frozen=True)
class FoundMotion:
    """The motion that an importer found in a folder.

    Attributes
    ----------
    topology : str
        Name of the mesh.
    kind : str
        What a clip's arrays hold: ``"vertices"``, ``"flame-params"`` or ``"units"``.
    fps : float
        Frames a second.
    files : mapping of str to Path
        File of each clip, by the benchmark's ids.
    read : function of Path to mapping
        The arrays of a file, as :func:`mtbench.submissions.writing.write_motion` writes them: ``vertices`` (T, V, 3) in
        metres, or what a model poses them from. It raises ``UsageError`` where the file cannot be read.
    unknown : tuple of Path
        Files that belong to no clip of the benchmark.
    notes : tuple of str
        What a reader of the numbers has to know, e.g. which speaker was chosen.
    """

    topology: str
    kind: str
    fps: float
    files: Mapping[str, Path]
    read: Callable[[Path], Mapping[str, np.ndarray]]
    unknown: tuple[Path, ...] = field(default=())
    notes: tuple[str, ...] = ()


#: From a folder, the benchmark and the frame rate that the user gives (None: the format knows it) to what is found.
Importer = Callable[[Path, "Benchmark", "float | None"], FoundMotion]
