"""Ground-truth motion of a benchmark in the making.

Conventions
-----------
Motion has 25 frames per second; up to :data:`TOLERANCE` frames more or fewer than the sound are cut off the
longer of the two, more are an error. What is wrong becomes a line of text, so that all files can be told at
once.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtbench.arrays import ArrayFileError, open_arrays
from mtbench.manifests import FPS
from mtbench.motion_files import motion_kind, read_motion_file
from mtbench.motion_headers import MotionSpec
from mtbench.topology import load_topology

MOTION_SUFFIXES = (".npz", ".npy")
#: Frames by which motion and sound may differ.
TOLERANCE = 2
#: Largest motion file: two minutes of FLAME vertices in double precision.
MAX_MOTION_BYTES = 512 << 20

_VERTEX_COUNTS = {5023: "flame-5023", 4801: "openhead-1"}


def find_topology(files: Iterable[Path], topology: str | None, findings: list[str]) -> str | None:
    """Return the topology that all ground truth has.

    Parameters
    ----------
    files : iterable of Path
        Motion files.
    topology : str or None
        Its name where it is given; else array names and vertex counts tell it.
    findings : list of str
        Gets a line for every file that cannot be used.
    """
    if topology is not None:
        load_topology(topology)  # an unknown name is a usage error
    told: dict[str, str] = {}
    for path in files:
        try:
            with open_arrays(path, MAX_MOTION_BYTES) as file:
                shapes = {key: header.shape for key, header in file.headers.items()}
        except (ArrayFileError, OSError) as error:
            findings.append(f"{path.name}: {error}; {getattr(error, 'hint', 'check the file')}")
            continue
        if "units" in shapes or "exp" in shapes:
            guess = "openhead-1" if "units" in shapes else "flame-5023"
        else:
            shape = next(iter(shapes.values()), ())
            count = shape[1] if len(shape) == 3 else shape[1] // 3 if len(shape) == 2 else 0
            guess = _VERTEX_COUNTS.get(count, "")
            if not guess and topology is None:
                findings.append(f"{path.name}: array of shape {shape} tells no topology; give --topology")
                continue
        told.setdefault(topology or guess, path.name)
    if len(told) > 1:
        names = ", ".join(f"{name} ({file})" for name, file in told.items())
        findings.append(f"motion of several topologies: {names}; a benchmark has one")
    return next(iter(told), None)


def write_truth(source: Path, clip: str, topology: str, frames: int, work: Path, findings: list[str]) -> int:
    """Write the ground truth of one clip and return how many frames sound and motion share.

    Parameters
    ----------
    source : Path
        The motion file.
    clip : str
        Id.
    topology : str
        Name.
    frames : int
        Of the clip's sound.
    work : Path
        The benchmark's folder; gets ``motion/<clip>.npz``.
    findings : list of str
        Gets a line for everything that is wrong with the file.
    """
    try:
        kind = motion_kind(source, MAX_MOTION_BYTES)
        with open_arrays(source, MAX_MOTION_BYTES) as file:
            headers = file.headers
            key = next(
                (k for k in ("vertices", "verts", "units", "jaw") if k in headers), next(iter(headers), "")
            )
            found = headers[key].shape[0] if key in headers and headers[key].shape else 0
    except (ArrayFileError, OSError) as error:
        findings.append(f"{source.name}: {error}")
        return frames
    expected = found if abs(found - frames) <= TOLERANCE and found > 0 else frames
    spec = MotionSpec(kind, load_topology(topology), expected, FPS, rate_hint="give --motion-fps {}")
    reading = read_motion_file(source, source.name, spec, clip)
    arrays, problems = reading.arrays, reading.problems
    if problems:
        findings.extend(str(problem) for problem in problems)
        return frames
    shared = min(expected, frames)
    path = work / "motion" / f"{clip}.npz"
    path.parent.mkdir(exist_ok=True)
    kept: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if name == "identity":
            kept[name] = array
        elif name == "shape" and (array.ndim == 1 or len(array) == 1):
            kept[name] = array.astype(np.float32)
        else:
            kept[name] = array[:shared].astype(np.float32)
    np.savez_compressed(path, allow_pickle=False, **kept)
    return shared
