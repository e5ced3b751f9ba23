"""What an importer is: it finds other projects' motion on disk and reads it, clip by clip.

An importer is one file: a function, listed in :data:`mtbench.importers.registry.IMPORTERS` or named by an entry
point of another package in the group ``mtbench.importers``. It reads and names; writing a submission and checking
it is done for all of them alike (:mod:`mtbench.importers.importing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError

#: What positions may be, for :attr:`ImportOptions.positions`; ``"auto"`` is what the project writes.
POSITIONS = ("auto", "absolute", "displacements")
#: How rotations may be written, for :attr:`ImportOptions.rotations`.
ROTATIONS = ("axis-angle", "6d-rows", "6d-columns", "6d-interleaved")


@dataclass(frozen=True)
class ImportOptions:
    """What the user says about the files; None and ``"auto"`` leave it to the project's conventions.

    Attributes
    ----------
    fps : float or None
        Frames a second.
    scale : float or None
        What positions are multiplied by to be metres.
    positions : str
        One of :data:`POSITIONS`.
    template : Path or None
        Resting faces, see :func:`mtbench.faces.read_templates`: what displacements are added to.
    speaker : str or None
        Whose of the resting faces is everyone's; None: by the clips' names.
    condition : str or None
        Which of a clip's files is taken where there are several: the speaker, style or emotion in its name.
    sample : int or None
        Which of a clip's files is taken where there are several of one condition: its number.
    rotations : str
        One of :data:`ROTATIONS`.
    uv_mesh : Path or None
        ``head_template.obj``, for FLAME meshes whose vertices are doubled at the seams of the texture.

    Raises
    ------
    UsageError
        For positions or rotations of no known kind.
    """

    fps: float | None = None
    scale: float | None = None
    positions: str = "auto"
    template: Path | None = None
    speaker: str | None = None
    condition: str | None = None
    sample: int | None = None
    rotations: str = "axis-angle"
    uv_mesh: Path | None = None

    def __post_init__(self) -> None:
        for name, known in (("positions", POSITIONS), ("rotations", ROTATIONS)):
            if getattr(self, name) not in known:
                raise UsageError(f"--{name} {getattr(self, name)}: expected one of {', '.join(known)}")

    def list_given(self, *names: str) -> list[str]:
        """Return, as options of the command, those of the fields *names* that the user set.

        Examples
        --------
        >>> ImportOptions(scale=0.001).list_given("scale", "uv_mesh")
        ['--scale']
        """
        set_ = [
            name for name in names if getattr(self, name) != type(self).__dataclass_fields__[name].default
        ]
        return [f"--{name.replace('_', '-')}" for name in set_]


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
        File, or folder, of each clip, by the benchmark's ids.
    read : function of Path to mapping
        The arrays of a file, as :func:`mtbench.submissions.writing.write_motion` writes them: ``vertices`` (T, V,
        3) in metres, or what a model poses them from. It raises ``UsageError`` where the file cannot be read.
    unknown : tuple of Path
        Files that belong to no clip of the benchmark.
    notes : tuple of str
        What a reader of the numbers has to know, e.g. which speaker was chosen.
    assumed : tuple of str
        What is taken for granted about the files: the project's conventions, and who says so.
    tell_contradictions : function to sequence of str
        What the files have against that; called once they are read.
    """

    topology: str
    kind: str
    fps: float
    files: Mapping[str, Path]
    read: Callable[[Path], Mapping[str, np.ndarray]]
    unknown: tuple[Path, ...] = field(default=())
    notes: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    tell_contradictions: Callable[[], Sequence[str]] = tuple


#: From a folder, the benchmark and the frame rate that the user gives (None: the format knows it) to what is found. One
#: that has a fourth parameter called ``options`` is given :class:`ImportOptions` too.
Importer = Callable[..., FoundMotion]
