"""Projects that write vertices, an array or a folder of meshes a clip: what they have in common.

A project is a :class:`VertexLayout` in a file of its own: what its files are called, at which rates its frames
come, what its positions are, and who says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import BIWI, FLAME, describe_resampling, list_vertex_counts, name_topology
from mtbench.importers.base import FoundMotion, ImportOptions
from mtbench.importers.clip_files import ClipFile, find_clip_files
from mtbench.importers.flame_meshes import DOUBLED, EXTENDED, describe_count, reduce_to_flame
from mtbench.importers.mesh_frames import count_mesh_vertices, read_mesh_frames
from mtbench.importers.positions import Positions, read_faces, read_positions
from mtbench.timing import FPS

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

#: Metres of a unit of BIWI's positions, nominally: they are scaled speaker by speaker. UniTalker's factor; people
#: fitted 0.174 to 0.201 (EvelynFan/FaceFormer#45).
BIWI_UNIT = 0.2
_FLAMES = (*EXTENDED, DOUBLED)


@dataclass(frozen=True)
class VertexLayout:
    """How a project leaves vertices on disk; an importer, see :data:`mtbench.importers.base.Importer`.

    Attributes
    ----------
    project : str
        Its name, for messages.
    summary : str
        What its files are, in a line.
    endings : tuple of str
        What follows a clip's id in their names, see :func:`mtbench.importers.clip_files.find_clip_files`.
    expected : str
        What they are called, for messages.
    fps : float
        Frames a second.
    conventions : tuple of str
        What is taken for granted, and who says so; told after every import.
    biwi_fps : float
        Frames a second of motion in BIWI's mesh.
    """

    project: str
    summary: str
    endings: tuple[str, ...]
    expected: str
    fps: float
    conventions: tuple[str, ...] = ()
    biwi_fps: float = 25.0

    def __call__(
        self,
        folder: Path,
        benchmark: Benchmark,
        fps: float | None,
        options: ImportOptions | None = None,
    ) -> FoundMotion:
        """Find the project's motion of a benchmark's clips.

        Raises
        ------
        UsageError
            Where no file is a clip's, a clip has several, the mesh is unknown, or a resting face is needed.
        """
        options = options or ImportOptions()
        if given := options.list_given("rotations"):
            raise UsageError(f"{self.project} writes vertices, which have no {given[0]}")
        found = find_clip_files(folder, benchmark, self.endings, options, self.expected)
        reader = _Reader(self.project, {clip.id: clip for clip in benchmark.clips}, found.files, options)
        count = reader.count_vertices()
        rate = fps or (self.biwi_fps if count == BIWI.n_vertices else self.fps)
        topology = name_topology(FLAME.n_vertices if count in _FLAMES else count)
        if topology is None:
            raise UsageError(
                f"{folder}: {count} vertices belong to no topology of mtbench: {list_vertex_counts()}{_hint(count)}"
            )
        return FoundMotion(
            topology,
            "vertices",
            rate,
            {clip: file.path for clip, file in found.files.items()},
            reader.read,
            found.unknown,
            found.notes,
            (describe_rate(rate, given=fps is not None), *self.conventions, *reader.assumed),
            reader.tell,
        )


def describe_rate(fps: float, given: bool) -> str:
    """Return in a line at how many frames a second motion is taken to be, and how it is brought to 25."""
    method = describe_resampling(fps)
    how = f", brought to {FPS} when scored: resample:{method}" if method else ""
    return f"{fps:g} frames a second{' (--fps)' if given else ''}{how}"


def _hint(count: int) -> str:
    if count == 3931:
        return "; FLAME without its eyeballs: export the whole mesh"
    return "; an exporter that merged or split vertices, or another mesh?"


class _Reader:
    """Reads the clips of a layout, and gathers what they have against what is taken for granted."""

    def __init__(
        self, project: str, clips: Mapping, files: Mapping[str, ClipFile], options: ImportOptions
    ) -> None:
        self._project, self._clips, self._options = project, clips, options
        self._files = {file.path: file for file in files.values()}
        self._positions: Positions | None = None
        self.told: list[str] = []
        self.assumed: list[str] = []
        self._counts: dict[int, list[str]] = {}

    def count_vertices(self) -> int:
        """Return how many vertices the first clip's mesh has, and prepare for all."""
        count = self._count_first()
        options, biwi = self._options, count == BIWI.n_vertices
        flame = describe_count(count, options.uv_mesh)
        scale = options.scale or (BIWI_UNIT if biwi else 1.0)
        unit = f"positions times {scale:g} are metres" if scale != 1 else "positions are metres"
        if biwi and options.scale is None:
            unit += ", nominally: BIWI's are scaled speaker by speaker (0.2 is UniTalker's factor)"
        faces = read_faces(options.template, FLAME.n_vertices if count in _FLAMES else count)
        displaced = {"absolute": False, "displacements": True, "auto": None if faces else False}
        if options.positions == "displacements" and not faces:
            raise UsageError("--positions displacements: give what they are measured from, --template FILE")
        self._positions = Positions(
            self._project, scale, displaced[options.positions], faces, options.speaker
        )
        self.assumed = [unit, *([flame] if flame else [])]
        if options.positions == "displacements":
            self.assumed.append(
                f"displacements from the resting faces of {Path(options.template or '').name}"
            )
        return count

    def _count_first(self) -> int:
        """Return how many vertices the first clip has that can be read; the others are named when they are read."""
        errors: list[UsageError] = []
        for file in self._files.values():
            try:
                return count_mesh_vertices(file.path) if file.path.is_dir() else self._load(file).shape[1]
            except UsageError as error:
                errors.append(error)
        raise errors[0]

    def _load(self, file: ClipFile) -> np.ndarray:
        seconds = self._clips[file.clip].frames / FPS
        if file.path.is_dir():
            return read_mesh_frames(file.path, seconds)
        return read_positions(file.path, seconds)

    def read(self, path: Path) -> Mapping[str, np.ndarray]:
        """Return the vertices of a clip, (T, V, 3) float32 metres."""
        assert self._positions is not None
        file = self._files[path]
        vertices = self._load(file)
        self._counts.setdefault(vertices.shape[1], []).append(file.clip)
        before = len(self.told)
        if vertices.shape[1] in _FLAMES:
            vertices = reduce_to_flame(vertices, self._options.uv_mesh, file.clip, self.told)
        if before and len(self.told) > before:
            del self.told[before:]  # one clip tells it for all
        speaker = file.subject or (self._clips[file.clip].speaker or "")
        return {
            "vertices": np.ascontiguousarray(
                self._positions.convert(vertices, file.clip, speaker), np.float32
            )
        }

    def tell(self) -> list[str]:
        """Return what the clips that were read have against what is taken for granted."""
        lines = list(self.told)
        if len(self._counts) > 1:
            named = ", ".join(f"{count} ({clips[0]})" for count, clips in sorted(self._counts.items()))
            lines.append(f"meshes of several vertex counts: {named}; results of several systems?")
        return lines + (self._positions.tell() if self._positions is not None else [])
