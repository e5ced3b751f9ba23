"""Projects that write FLAME's parameters: coefficients of expression, rotations of jaw and head.

Conventions
-----------
A project names the columns of its arrays; expression has 50 or 100 coefficients, which mtbench takes as they are.
Rotations are axis-angle vectors in radians, or, where the user says so, six numbers: two axes of a rotation matrix,
as its first two rows (``6d-rows``, pytorch3d), as its first two columns one after the other (``6d-columns``, Zhou
et al., CVPR 2019) or number by number in turn (``6d-interleaved``, SPIN). Rows and columns of one matrix turn the
opposite way: a jaw that opens upwards was read by the wrong one, and is told. Coefficients belong to the FLAME
model that they were made with; which one that was stands in no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError, list_some
from mtbench.faces import FLAME, WHERE_TO_GET, flame_record
from mtbench.importers.base import FoundMotion, ImportOptions
from mtbench.importers.clip_files import find_clip_files
from mtbench.importers.vertex_layouts import describe_rate

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

#: Reads a file: its arrays by the project's names.
ReadArrays = Callable[[Path], Mapping[str, np.ndarray]]
#: Radians by which a jaw turns upwards on average where its rotations are read the wrong way.
_UPWARDS = -0.02
#: How far the two axes of a rotation may be from upright and of length 1.
_SKEW = 0.2
_NO_MODEL = f"no FLAME model is installed, which parameters are posed with. {WHERE_TO_GET}"
_PARAMETERS = ("exp", "jaw", "shape", "neck", "eyes", "rotation")


@dataclass(frozen=True)
class ParameterLayout:
    """How a project leaves FLAME's parameters on disk; an importer, see :data:`mtbench.importers.base.Importer`.

    Attributes
    ----------
    project, summary, endings, expected, fps, conventions
        As :class:`mtbench.importers.vertex_layouts.VertexLayout` has them.
    read : function of Path to mapping
        The arrays of a file by the project's names; ``UsageError`` where it cannot be read.
    split : function of mapping and int to mapping
        FLAME's parameters of these arrays, where a rotation has so many numbers (3 or 6).
    model : str
        Which FLAME the project poses with, as far as it is known.
    """

    project: str
    summary: str
    endings: tuple[str, ...]
    expected: str
    fps: float
    read: ReadArrays
    split: Callable[[Mapping[str, np.ndarray], int], Mapping[str, np.ndarray]]
    model: str
    conventions: tuple[str, ...] = ()

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
            Where no file is a clip's, or a clip has several; for options that only vertices have.
        """
        options = options or ImportOptions()
        if given := options.list_given("scale", "positions", "template", "speaker", "uv_mesh"):
            raise UsageError(f"{self.project} writes FLAME's parameters, which have no {', '.join(given)}")
        found = find_clip_files(folder, benchmark, self.endings, options, self.expected)
        upwards: list[str] = []
        skewed: list[str] = []

        def read(path: Path) -> Mapping[str, np.ndarray]:
            width = 3 if options.rotations == "axis-angle" else 6
            try:
                parameters = dict(self.split(self.read(path), width))
            except UsageError as error:
                raise UsageError(f"{path}: {error}") from None
            return _finish(parameters, options.rotations, path, upwards, skewed)

        def tell() -> list[str]:
            return _contradict(self.model, options.rotations, upwards, skewed)

        return FoundMotion(
            FLAME.name,
            "flame-params",
            fps or self.fps,
            {clip: file.path for clip, file in found.files.items()},
            read,
            found.unknown,
            (*found.notes, *([] if flame_record() else [_NO_MODEL])),
            (
                describe_rate(fps or self.fps, given=fps is not None),
                f"rotations are {options.rotations}{', in radians' if options.rotations == 'axis-angle' else ''}",
                f"made with {self.model}",
                *self.conventions,
            ),
            tell,
        )


def cut(array: np.ndarray, widths: Mapping[str, int], name: str) -> dict[str, np.ndarray]:
    """Return the parts of a (T, n) array by name, in order.

    Raises
    ------
    UsageError
        Where it has another number of columns.
    """
    total = sum(widths.values())
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or array.shape[1] != total or not len(array):
        parts = " + ".join(f"{width} {part}" for part, width in widths.items())
        raise UsageError(
            f"{name} has shape {array.shape}, expected (T, {total}): {parts}; rotations of six numbers? give "
            "--rotations 6d-rows (pytorch3d's), 6d-columns or 6d-interleaved; of three? leave --rotations out"
        )
    ends = np.cumsum(list(widths.values()))[:-1]
    return dict(zip(widths, np.split(array, ends, axis=1), strict=True))


def _finish(
    parameters: dict[str, np.ndarray], rotations: str, path: Path, upwards: list[str], skewed: list[str]
) -> dict[str, np.ndarray]:
    """Return parameters as submissions hold them: rotations as vectors, float32, one shape where all frames have it."""
    out: dict[str, np.ndarray] = {}
    for name in _PARAMETERS:
        array = parameters.get(name)
        if array is None:
            continue
        if array.dtype.kind != "f":
            raise UsageError(f"{path}: {name} holds {array.dtype}, expected floating point")
        if name == "shape":
            array = array.reshape(-1, array.shape[-1])
            array = array[:1] if np.array_equal(array, np.broadcast_to(array[:1], array.shape)) else array
        elif name != "exp" and rotations != "axis-angle":
            array, skew = to_vectors(array.reshape(len(array), -1, 6), rotations)
            if skew > _SKEW:
                skewed.append(path.name)
        out[name] = np.ascontiguousarray(array, np.float32)
    if "jaw" in out and np.isfinite(out["jaw"]).all() and out["jaw"][:, 0].mean() < _UPWARDS:
        upwards.append(path.name)
    return out


def to_vectors(numbers: np.ndarray, rotations: str) -> tuple[np.ndarray, float]:
    """Return rotations of six numbers as axis-angle vectors.

    Parameters
    ----------
    numbers : (T, n, 6) floating point
    rotations : str
        Which of :data:`mtbench.importers.base.ROTATIONS` they are.

    Returns
    -------
    vectors : (T, 3 n) float64
        Radians.
    skew : float
        How far the two axes are from what axes are: a length other than 1, or an angle between them.
    """
    from scipy.spatial.transform import Rotation

    numbers = numbers.astype(np.float64)
    if rotations == "6d-interleaved":
        numbers = numbers.reshape(*numbers.shape[:2], 3, 2).swapaxes(2, 3).reshape(numbers.shape)
    first, second = numbers[..., :3], numbers[..., 3:]
    lengths = np.linalg.norm(first, axis=-1, keepdims=True)
    skew = max(
        float(np.abs(lengths - 1).max()),
        float(np.abs(np.linalg.norm(second, axis=-1) - 1).max()),
        float(np.abs((first * second).sum(axis=-1)).max()),
    )
    a = first / np.maximum(lengths, 1e-12)
    b = second - (a * second).sum(axis=-1, keepdims=True) * a
    b = b / np.maximum(np.linalg.norm(b, axis=-1, keepdims=True), 1e-12)
    axis = -2 if rotations == "6d-rows" else -1
    matrices = np.stack([a, b, np.cross(a, b)], axis=axis)
    return Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_rotvec().reshape(len(numbers), -1), skew


def _contradict(model: str, rotations: str, upwards: list[str], skewed: list[str]) -> list[str]:
    """Return what files and the installed model have against what was taken for granted."""
    lines = []
    if upwards:
        cure = {
            "6d-rows": "give --rotations 6d-columns",
            "6d-columns": "give --rotations 6d-rows, or 6d-interleaved",
            "6d-interleaved": "give --rotations 6d-rows, or 6d-columns",
        }.get(rotations, "another sign or order of angles?")
        lines.append(f"the jaw opens upwards ({list_some(upwards)}): {cure}")
    if skewed:
        lines.append(
            f"six numbers that are no two axes of a rotation ({list_some(skewed)}): another order of them? See "
            "--rotations"
        )
    record = flame_record()
    if record is not None and "2023" in record.edition and "2023" not in model:
        lines.append(
            f"they are posed with {record.edition}, which is installed, and were made with {model}: coefficients of "
            "one model give other faces in another"
        )
    return lines
