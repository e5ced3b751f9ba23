"""Positions as projects leave them, read within bounds and brought to mtbench's: metres, absolute, one topology.

Conventions
-----------
Arrays are (T, V, 3) or (T, 3 V), in a ``.npy`` or as ``vertices`` or ``verts`` of an
``.npz``; nothing is unpickled. They are multiplied by the scale, displacements are added to the speaker's resting
face, and what others added to FLAME's vertices is taken off (:mod:`mtbench.importers.flame_meshes`). What the user
or the project says is done, never more: a face that looks like millimetres stays one, and a line says so and what
to give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError, list_some
from mtbench.faces import match_speaker, read_templates
from mtbench.files import ArrayFileError, open_arrays

#: Most vertices of a mesh that is read.
MAX_VERTICES = 40_000
#: Most frames a second for which there is room in memory.
MAX_RATE = 130
_NAMES = ("", "vertices", "verts")
#: Sides in metres of the box around a face: FLAME's template, the bundled head and people lie well within.
_SMALLEST, _LARGEST = 0.16, 0.64
#: A face that is smaller than this part of a face is none: displacements.
_FLAT = 0.1
_UNITS = {
    1e-3: "millimetres",
    1e-2: "centimetres",
    1e-1: "decimetres",
    1e2: "metres / 100",
    1e3: "metres / 1000",
}
#: Metres from the resting face that no vertex of it reaches: jaws open by some 50 mm.
_FARTHEST = 0.15


def read_positions(path: Path, seconds: float) -> np.ndarray:
    """Return the (T, V, 3) positions of a file, of whatever floating-point type they are stored in.

    Parameters
    ----------
    path : Path
    seconds : float
        Length of the clip: no more is read than twice as long a motion at :data:`MAX_RATE` needs.

    Raises
    ------
    UsageError
        Where the file cannot be read, is larger than any motion of the clip, or holds something else.
    """
    frames = int(2 * seconds * MAX_RATE) + MAX_RATE
    most = frames * MAX_VERTICES * 3 * 8
    try:
        with open_arrays(path, most + (1 << 16)) as file:
            name = next((name for name in _NAMES if name in file.headers), None)
            if name is None and len(file.headers) == 1:
                name = next(iter(file.headers))
            if name is None:
                raise UsageError(
                    f"{path}: has arrays {sorted(file.headers)}, expected one called 'vertices' or 'verts'"
                )
            header = file.headers[name]
            count = _count_vertices(path, header.shape, header.dtype.kind)
            array = file.read(name, frames * count * 3 * 8)
    except ArrayFileError as error:
        raise UsageError(f"{path}: {error} — {error.hint}") from None
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from None
    return array.reshape(-1, count, 3)


def _count_vertices(path: Path, shape: tuple[int, ...], kind: str) -> int:
    if kind != "f":
        raise UsageError(f"{path}: numbers of kind {kind!r}, expected floating point: positions")
    expected = "expected (T, V, 3) or (T, 3 V)"
    if len(shape) == 4 and shape[0] == 1:
        raise UsageError(f"{path}: shape {shape}, {expected}: a batch axis is left; save array[0]")
    if 0 in shape or not (
        (len(shape) == 3 and shape[2] == 3) or (len(shape) == 2 and shape[1] % 3 == 0 and shape[1] > 3)
    ):
        hint = "frames in one axis?" if len(shape) < 2 else "the last axis holds x, y, z"
        raise UsageError(f"{path}: shape {shape}, {expected}: {hint}")
    count = shape[1] if len(shape) == 3 else shape[1] // 3
    if count > MAX_VERTICES:
        raise UsageError(f"{path}: {count} vertices, expected at most {MAX_VERTICES}: flattened wrongly?")
    return count


@dataclass
class Positions:
    """How a project's positions become mtbench's, and what its files have against that.

    Attributes
    ----------
    project : str
        For messages.
    scale : float
        What positions are multiplied by.
    displacements : bool or None
        Whether they are displacements from a resting face; None: they are what they look like.
    faces : mapping of str to (V, 3) float32
        Resting faces by speaker, ``""`` everyone's; empty where none were given.
    speaker : str or None
        Whose face is everyone's.
    """

    project: str
    scale: float = 1.0
    displacements: bool | None = False
    faces: Mapping[str, np.ndarray] = field(default_factory=dict)
    speaker: str | None = None
    _small: list[str] = field(default_factory=list)
    _added: list[str] = field(default_factory=list)
    _unit: dict[str, list[str]] = field(default_factory=dict)
    _absolute: list[str] = field(default_factory=list)
    _strays: list[tuple[str, str, float]] = field(default_factory=list)

    def convert(self, vertices: np.ndarray, clip: str, speaker: str = "") -> np.ndarray:
        """Return (T, V, 3) float32 metres of a clip's positions as they were read.

        Parameters
        ----------
        vertices : (T, V, 3) floating point
        clip : str
            Id.
        speaker : str
            Whose face it is, where the file or the benchmark says so.

        Raises
        ------
        UsageError
            Where a resting face is needed and there is none of the speaker.
        """
        vertices = (
            vertices.astype(np.float32) if self.scale == 1 else (vertices * self.scale).astype(np.float32)
        )
        size = _measure(vertices)
        flat = size < _FLAT * _SMALLEST * 2
        if self.displacements or (self.displacements is None and flat):
            if self.displacements and not flat:
                self._absolute.append(clip)
            elif not self.displacements:
                self._added.append(clip)
            return vertices + self.face_of(clip, speaker)
        if flat:
            self._small.append(clip)
        elif not _SMALLEST < size < _LARGEST:
            for factor, unit in _UNITS.items():
                if _SMALLEST < size * factor < _LARGEST:
                    self._unit.setdefault(f"{unit}: give --scale {self.scale * factor:g}", []).append(clip)
                    break
        elif self.faces and self.known(clip, speaker) is not None:
            self._compare(vertices, clip, speaker)
        return vertices

    def face_of(self, clip: str, speaker: str) -> np.ndarray:
        """Return the resting face of a clip's speaker; ``UsageError`` where there is none."""
        name = self.known(clip, speaker)
        if name is None:
            known = list_some([name or "everyone's" for name in self.faces], 12) or "none"
            raise UsageError(
                f"clip {clip}: displacements, and no resting face of its speaker; the faces are {known}: give "
                "them with --template FILE, and --speaker NAME where one is everyone's"
            )
        return self.faces[name]

    def known(self, clip: str, speaker: str) -> str | None:
        """Return under which name there is a resting face for a clip, None where there is none."""
        for name in (self.speaker, speaker):
            if name and name in self.faces:
                return name
        found = match_speaker(Path(f"{clip}.npy"), self.faces)
        return next(iter(self.faces)) if found is None and len(self.faces) == 1 else found

    def _compare(self, vertices: np.ndarray, clip: str, speaker: str) -> None:
        """Note where absolute positions are not those of the resting face that was given."""
        name = self.known(clip, speaker)
        assert name is not None
        face = self.faces[name]
        if face.shape == vertices.shape[1:]:
            off = np.linalg.norm(vertices[:: max(1, len(vertices) // 8)] - face, axis=2).max()
            if off > _FARTHEST:
                self._strays.append((clip, name or "everyone", float(off)))

    def tell(self) -> list[str]:
        """Return a line for everything that the files have against what was taken for granted."""
        lines = []
        if self._small:
            lines.append(
                f"positions look like displacements ({list_some(self._small)}), and {self.project} writes absolute "
                "ones: give the resting faces, --template templates.pkl, or --scale if they are only small"
            )
        if self._added:
            lines.append(
                f"positions look like displacements ({list_some(self._added)}), and {self.project} writes absolute "
                "ones: the resting faces were added; --positions displacements says that this is right"
            )
        for cure, clips in self._unit.items():
            lines.append(f"positions look like {cure} ({list_some(clips)})")
        if self._absolute:
            lines.append(
                f"positions look absolute ({list_some(self._absolute)}), and displacements were announced: leave "
                "--positions displacements out"
            )
        for clip, name, off in self._strays[:3]:
            lines.append(
                f"clip {clip} strays {off:.2f} m from the resting face of {name}: another speaker's, or a moving head"
            )
        return lines


def _measure(vertices: np.ndarray) -> float:
    """Return the largest side of the box around the face, of the median frame."""
    with np.errstate(over="ignore", invalid="ignore"):
        some = vertices[:: max(1, len(vertices) // 8)]
        sizes = np.ptp(some, axis=1).max(axis=1)
    finite = sizes[np.isfinite(sizes)]
    return float(np.median(finite)) if len(finite) else float("nan")


def read_faces(path: Path | None, vertices: int) -> dict[str, np.ndarray]:
    """Return the resting faces of a file or folder by speaker; empty without one."""
    return {} if path is None else read_templates(path, vertices)
