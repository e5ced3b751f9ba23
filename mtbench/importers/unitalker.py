"""UniTalker: one ``.npz`` of all clips, a dictionary of meshes each, 30 frames a second.

Conventions
-----------
``python -m main.demo test_out_path results.npz`` writes one archive: under each sound's path within the folder of
sounds, ending included, a pickled dictionary from data sets (``D0`` … ``D7``) to (T, V, 3) tensors. FLAME's is the
one with 5,023 vertices (VOCASET: ``D1``, in an earlier version ``D2``; another name is chosen by ``--condition``);
of ``flame_params_from_dadhead`` a part of the face is written only, and others are other meshes. Positions are
absolute. Of a benchmark in BIWI's mesh the one with 23,370 is taken, at 25 frames a second; its scale of 0.2 is in
it already. The dictionary is read without torch and without running anything.

Read in X-niper/UniTalker: ``main/demo.py``, ``dataset/dataset_config.py``, ``loss/loss.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import UsageError, list_some
from mtbench.faces import BIWI, FLAME
from mtbench.files import UnsafePickleError, list_archive, read_tensor_dictionary
from mtbench.importers.base import FoundMotion, ImportOptions
from mtbench.importers.clip_files import match_names
from mtbench.importers.positions import Positions, read_faces
from mtbench.importers.vertex_layouts import describe_rate

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

#: Most bytes of what an archive holds of one sound: eight data sets of two minutes have 1.8 GB.
_MAX_MEMBER = 4 << 30


class _UniTalker:
    """UniTalker's archive; an importer, see :data:`mtbench.importers.base.Importer`."""

    summary = "one .npz of all clips, as main/demo.py writes it; 30 fps, BIWI 25"

    def __call__(
        self, folder: Path, benchmark: Benchmark, fps: float | None, options: ImportOptions | None = None
    ) -> FoundMotion:
        options = options or ImportOptions()
        if given := options.list_given("rotations", "uv_mesh", "sample"):
            raise UsageError(f"UniTalker writes one mesh a clip, which has no {', '.join(given)}")
        archive = _find_archive(folder)
        try:
            members = list_archive(archive)
        except UnsafePickleError as error:
            raise UsageError(f"{archive}: {error}; was it cut off?") from None
        names = {member: PurePosixPath(member).with_suffix("").as_posix() for member in members}
        found, unknown = match_names(names, benchmark)
        if not found:
            raise UsageError(
                f"{archive}: no sound in it is called as a clip of {benchmark.ref}: found "
                f"{list_some(list(names.values()))}; expected e.g. {benchmark.clips[0].audio_path.name}"
            )
        surface = BIWI if benchmark.topology == BIWI.name else FLAME
        rate = fps or (25.0 if surface is BIWI else 30.0)
        faces = read_faces(options.template, surface.n_vertices)
        displaced = options.positions == "displacements"
        positions = Positions("UniTalker", options.scale or 1.0, displaced, faces, options.speaker)
        clips = {archive / member: clip for clip, member in found.items()}
        taken: set[str] = set()

        def read(path: Path) -> Mapping[str, np.ndarray]:
            sets = _read_member(archive, path.relative_to(archive).as_posix())
            name = _choose(sets, surface.n_vertices, options.condition, path)
            taken.add(name)
            return {"vertices": positions.convert(sets[name], clips[path])}

        def tell() -> list[str]:
            several = [f"meshes of several data sets: {', '.join(sorted(taken))}"] if len(taken) > 1 else []
            return [*several, *positions.tell()]

        return FoundMotion(
            surface.name,
            "vertices",
            rate,
            {clip: path for path, clip in clips.items()},
            read,
            tuple(archive / member for member in unknown),
            (),
            (
                describe_rate(rate, given=fps is not None),
                f"the mesh with {surface.n_vertices} vertices is the system's (read in UniTalker's dataset_config.py)",
                "positions are absolute and metres (read in UniTalker's main/demo.py and loss/loss.py)",
            ),
            tell,
        )


def _find_archive(folder: Path) -> Path:
    archives = sorted(p for p in folder.rglob("*.npz") if p.is_file() and not p.is_symlink())
    if len(archives) == 1:
        return archives[0]
    there = list_some([p.relative_to(folder).as_posix() for p in archives]) or "none"
    raise UsageError(
        f"{folder}: expected one .npz, what main/demo.py writes, found {there}; give a folder with one"
    )


def _read_member(archive: Path, member: str) -> dict[str, np.ndarray]:
    """Return the (T, V, 3) meshes of one sound by data set."""
    try:
        return read_tensor_dictionary(archive, member, _MAX_MEMBER)
    except UnsafePickleError as error:
        raise UsageError(
            f"{archive}, {member}: {error}; expected what main/demo.py writes; was it cut off?"
        ) from None


def _choose(sets: Mapping[str, np.ndarray], vertices: int, condition: str | None, path: Path) -> str:
    """Return the data set whose mesh is the system's."""
    shapes = ", ".join(f"{name} {array.shape}" for name, array in sets.items()) or "nothing"
    fitting = [
        name
        for name, array in sets.items()
        if array.ndim == 3 and array.shape[1:] == (vertices, 3) and condition in (None, name)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(
            f"{path}: {' and '.join(fitting)} have {vertices} vertices; choose: --condition {fitting[0]}"
        )
    raise UsageError(
        f"{path}: no mesh of {vertices} vertices{f' called {condition}' if condition else ''}: it has {shapes}; "
        "give demo_dataset D1 (VOCASET) to main/demo.py"
    )


#: What this file adds to the formats.
FORMATS = {"unitalker": _UniTalker()}
