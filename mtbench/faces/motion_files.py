"""Reading and checking the motion of one clip: vertices, FLAME parameters, or curves of the bundled head.

Conventions
-----------
``vertices`` is (T, V, 3) or (T, 3 V) floating point in metres, in a plain ``.npy`` or as ``vertices`` (or
the field's ``verts``) in an ``.npz``. FLAME parameters are the arrays of
:data:`mtbench.faces.motion_headers.FLAME_PARAMETERS`, axis-angle in radians. The bundled head's motion is
``units`` (T, U), columns as in ``load_head().unit_names``, with the name of an ``identity``. What a file
may hold follows from the clip, so it is checked before anything is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mtbench.errors import Note, PrerequisiteError, Problem
from mtbench.faces.motion import Motion
from mtbench.faces.motion_geometry import Finding, check_geometry, note_geometry, sampled_frames
from mtbench.faces.motion_headers import (
    MakeProblem,
    MotionSpec,
    is_given_once,
    measure_frames,
    note_frames,
    select_arrays,
)
from mtbench.faces.parameter_values import check_head_pose, check_parameters
from mtbench.faces.topology import Topology
from mtbench.files import ArrayFileError, PathError, check_regular_file, open_arrays

#: Finds the ground truth that a motion is compared with, in a topology; None where there is none.
FindTruth = Callable[[Topology], np.ndarray | None]
#: Largest facial-unit weight that still is a face.
MAX_UNIT_WEIGHT = 4.0


@dataclass(frozen=True)
class MotionReading:
    """What reading a motion file gave.

    Attributes
    ----------
    arrays : dict of str to numpy.ndarray
        Empty unless values were read and nothing is wrong with them.
    problems : list of Problem
        Why it cannot be used.
    notes : list of Note
        What is odd about it though it can.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read_motion_file(
    path: Path,
    where: str,
    spec: MotionSpec,
    clip: str | None = None,
    values: bool = True,
    truth: FindTruth | None = None,
) -> MotionReading:
    """Read the arrays of a motion file and list everything wrong with them.

    Parameters
    ----------
    path : Path
        The file; links are refused.
    where : str
        How to call it in messages.
    spec : MotionSpec
        What it must hold.
    clip : str, optional
        Clip id for the problems.
    values : bool
        Whether to read and check the values too; False looks at the headers only and returns no arrays.
    truth : callable, optional
        Topology -> (n, V, 3) ground truth at the frames of :func:`mtbench.faces.motion_geometry.sampled_frames`, which
        the vertices are compared with; or None where there is none of that topology.

    Returns
    -------
    MotionReading
        Its arrays are empty unless *values* and the headers are right.
    """

    def problem(code: str, message: str, hint: str) -> Problem:
        return Problem(code, where, message, hint, clip)

    try:
        read = _read_arrays(path, where, spec, clip, values, problem)
    except PathError as error:
        hint = "put the array file itself there, not a link"
        return MotionReading(problems=[problem("link-or-special-file", str(error), hint)])
    except ArrayFileError as error:
        return MotionReading(problems=[problem(error.code, str(error), error.hint)])
    except OSError as error:
        why = f"cannot be opened ({error.strerror})"
        return MotionReading(problems=[problem("unreadable-file", why, "check permissions and the name")])
    if read.problems or not values:
        return read
    arrays, notes = dict(read.arrays), read.notes
    problems = _check_values(arrays, spec, problem)
    if problems:
        return MotionReading(problems=problems)
    if "vertices" in arrays:
        vertices = arrays["vertices"]
        arrays["vertices"] = vertices.reshape(len(vertices), spec.topology.n_vertices, 3)
    problems, odd_values = _look(arrays, spec, problem, truth)
    if problems:
        return MotionReading(problems=problems)
    return MotionReading(
        arrays, notes=notes + [Note(found[0], where, *found[1:], clip) for found in odd_values]
    )


def _read_arrays(
    path: Path, where: str, spec: MotionSpec, clip: str | None, values: bool, problem: MakeProblem
) -> MotionReading:
    """Check the headers of a motion file; read the arrays, not looked at yet, where *values* are wanted.

    Raises
    ------
    PathError, ArrayFileError, OSError
        Where the file is a link or cannot be read.
    """
    notes: list[Note] = []
    check_regular_file(path)
    # Looking at headers costs nothing, and tells another frame rate or kind from a file of another sort.
    with open_arrays(path, 16 * spec.max_vertex_bytes + 64 * 1024) as file:
        wanted, problems = select_arrays(file, spec, problem)
        total = sum(header.nbytes for header in file.headers.values())
        if not problems and total > spec.max_bytes:
            problems.append(
                problem(
                    "array-too-large",
                    f"arrays of {total} bytes together, expected at most {spec.max_bytes}",
                    "keep only the clip's motion in the file; it was not read",
                )
            )
        if not problems and (odd := note_frames(min(measure_frames(file, wanted).values()), spec)):
            notes.append(Note(odd[0], where, odd[1], odd[2], clip))
        if problems or not values:
            return MotionReading(problems=problems, notes=notes)
        arrays = {key: file.read(name, spec.max_bytes) for key, name in wanted.items()}
    return MotionReading(arrays, notes=notes)


def _check_values(arrays: dict[str, np.ndarray], spec: MotionSpec, problem: MakeProblem) -> list[Problem]:
    """Check that all values are finite, and that they are a face in metres or angles in radians."""
    problems: list[Problem] = []
    for key, array in arrays.items():
        if key == "identity":
            problems += _check_identity(str(array), problem)
            continue
        bad = ~np.isfinite(array)
        if bad.any():
            frames = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
            what = "NaN" if np.isnan(array).any() else "infinite"
            problems.append(
                problem(
                    "not-finite",
                    f"{key}: {int(bad.sum())} {what} values in {len(frames)} frames from {frames[0]} on",
                    "the generator or a resampling diverged; every value must be a finite number",
                )
            )
    if spec.kind == "units" and not problems:
        problems += _check_units(arrays["units"], problem)
    if spec.kind == "flame-params" and not problems:
        found = check_parameters(arrays) or check_head_pose(arrays)
        problems += [problem(*one) for one in found]
    return problems


def _look(
    arrays: dict[str, np.ndarray], spec: MotionSpec, problem: MakeProblem, find_truth: FindTruth | None
) -> tuple[list[Problem], list[Finding]]:
    """Look at the vertices, or at some frames of posed parameters: problems, and what is odd only.

    Facial-unit curves move the bundled head, which always is where it belongs.
    """
    if spec.kind == "units":
        return [], []
    vertices = arrays.get("vertices")
    if vertices is None:
        try:
            vertices = pose_motion(sample_frames(arrays), spec).vertices
        except PrerequisiteError:
            return [], []
    truth = None if find_truth is None else find_truth(spec.topology)
    problems = [problem(*found) for found in check_geometry(vertices, spec.topology, truth)]
    return problems, [] if problems else note_geometry(vertices, spec.topology, truth)


def _check_identity(name: str, problem: MakeProblem) -> list[Problem]:
    from mtbench.faces.head import load_head

    known = ("neutral", *load_head().identity_names)
    if name in known:
        return []
    return [problem("unknown-identity", f"identity {name!r}", f"known: {', '.join(known)}")]


def _check_units(units: np.ndarray, problem: MakeProblem) -> list[Problem]:
    """Check that facial-unit curves fit the bundled head and stay where its shapes make sense."""
    from mtbench.faces.head import load_head

    names = load_head().unit_names
    if units.shape[1] != len(names):
        hint = "one column per name in mtbench.faces.head.load_head().unit_names, in that order"
        return [problem("wrong-shape", f"units has {units.shape[1]} columns, expected {len(names)}", hint)]
    largest = float(np.abs(units).max(initial=0.0))
    if largest > MAX_UNIT_WEIGHT:
        hint = "per cent? divide by 100" if largest <= 150 else "unit weights are 0 to 1"
        return [problem("implausible", f"units reaches {largest:.4g}, expected about 0 to 1", hint)]
    return []


def pose_motion(arrays: dict[str, np.ndarray], spec: MotionSpec) -> Motion:
    """Turn the arrays of a motion file into vertex positions.

    Raises
    ------
    PrerequisiteError
        For FLAME parameters without an installed FLAME model.
    """
    if spec.kind == "vertices":
        vertices = np.ascontiguousarray(arrays["vertices"], np.float32)
    elif spec.kind == "flame-params":
        from mtbench.faces.flame import load_flame_model, pose_flame

        vertices = pose_flame(arrays, load_flame_model())
    else:
        from mtbench.faces.head import load_head

        head = load_head()
        identity = head.identity(str(arrays["identity"]) if "identity" in arrays else "neutral")
        vertices = head.pose(np.ascontiguousarray(arrays["units"], np.float32), identity)
    return Motion(vertices, spec.fps, spec.topology.name)


def pose_rest(arrays: dict[str, np.ndarray], spec: MotionSpec) -> np.ndarray:
    """Return the face of a motion file's speaker at rest, (V, 3) float32.

    Vertices tell none; theirs is the first frame.

    Raises
    ------
    PrerequisiteError
        For FLAME parameters without an installed FLAME model.
    """
    still = {name: array[:1] for name, array in arrays.items() if name not in ("shape", "identity")}
    if spec.kind != "vertices":
        still = {name: np.zeros_like(array) for name, array in still.items()}
    still |= {name: arrays[name] for name in ("shape", "identity") if name in arrays}
    if spec.kind == "flame-params" and "shape" in still and still["shape"].ndim == 2:
        still["shape"] = still["shape"][:1]
    return pose_motion(still, spec).vertices[0]


def motion_kind(path: Path, max_bytes: int) -> str:
    """Return the kind of motion that the file's array names tell: see :class:`MotionSpec`."""
    with open_arrays(path, max_bytes) as file:
        return kind_of_arrays(file.headers)


def kind_of_arrays(names: Collection[str]) -> str:
    """Return the kind of motion that arrays of these *names* are.

    Examples
    --------
    >>> kind_of_arrays(["units", "identity"]), kind_of_arrays(["exp", "jaw"]), kind_of_arrays(["verts"])
    ('units', 'flame-params', 'vertices')
    """
    if "units" in names:
        return "units"
    return "flame-params" if "exp" in names or "jaw" in names else "vertices"


def sample_frames(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a motion file at the sampled frames only; what is given once stays."""
    frames = max(len(a) for name, a in arrays.items() if name not in ("shape", "identity"))
    once = {n for n, a in arrays.items() if n == "identity" or is_given_once(n, a.shape)}
    return {n: a if n in once else a[sampled_frames(frames)] for n, a in arrays.items()}
