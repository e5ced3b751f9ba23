"""The mesh of the BIWI corpus: 23,370 vertices, whose lips and upper face the user's own lists name.

Conventions
-----------
Topology ``biwi-23370``. Its lists are those of CodeTalker's repository, ``BIWI/regions/lve.txt`` (lips, 4,996
vertices) and ``fdd.txt`` (upper face, 7,784): numbers with commas between, counted from 0. They are not shipped;
``mtbench assets add biwi FOLDER`` keeps a copy in the user's data folder. Neither triangles nor landmarks are
known, so that geometry is measured and nothing rendered. The corpus's positions are scaled speaker by speaker:
whatever their unit is called, it is nominal.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces.flame_asset import data_folder
from mtbench.faces.topology import Topology
from mtbench.files import ArrayFileError, read_arrays, write_atomically

NAME = "biwi-23370"
N_VERTICES = 23_370
#: Region -> the file that lists it.
LISTS = {"lips": "lve.txt", "upper_face": "fdd.txt"}
NO_LANDMARKS = f"the landmarks of {NAME} are not known, so nothing can be rendered"
_WHERE = (
    f"{NAME} needs the lists of its lips and upper face, lve.txt and fdd.txt of CodeTalker's repository "
    "(Doubiiu/CodeTalker, BIWI/regions): mtbench assets add biwi FOLDER"
)
_MAX_BYTES = 1 << 20


def add_biwi(folder: str | Path) -> dict[str, int]:
    """Check the lists of BIWI's regions and keep them as an asset.

    Parameters
    ----------
    folder : str or Path
        Holds ``lve.txt`` and ``fdd.txt``.

    Returns
    -------
    dict of str to int
        How many vertices each region has.

    Raises
    ------
    UsageError
        Where a list is absent or names vertices that BIWI does not have.
    """
    regions = {region: _read_list(Path(folder) / name) for region, name in LISTS.items()}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **regions)  # type: ignore[arg-type]
    write_atomically(_asset(), content.getvalue(), advice="give another folder (MTBENCH_DATA)")
    return {region: len(indices) for region, indices in regions.items()}


def load_biwi() -> Topology:
    """Return the topology, whose regions are those that were added.

    Raises
    ------
    PrerequisiteError
        Where none were.
    """
    path = _asset()
    try:
        return _load(path, path.stat().st_mtime_ns)
    except OSError:
        raise PrerequisiteError(_WHERE) from None


@lru_cache(maxsize=2)
def _load(path: Path, stamp: int) -> Topology:
    try:
        arrays = read_arrays(path, _MAX_BYTES)
        regions = {region: _check(arrays[region], str(path)) for region in LISTS}
    except (ArrayFileError, KeyError, UsageError) as error:
        raise PrerequisiteError(f"the asset {path} is damaged ({error}); {_WHERE}") from None
    regions |= {"mouth": regions["lips"], "inner_lips": np.zeros(0, np.int32)}
    return Topology(NAME, N_VERTICES, np.zeros((0, 3), np.int32), regions)


def _asset() -> Path:
    return data_folder() / "assets" / f"{NAME}.npz"


def _read_list(path: Path) -> np.ndarray:
    expected = f"expected numbers from 0 to {N_VERTICES - 1} with commas between"
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: more than {_MAX_BYTES} bytes, {expected}")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); {expected}") from None
    words = re.split(r"[\s,]+", text.strip().strip("[]"))
    if not all(re.fullmatch(r"\d{1,6}", word) for word in words):
        raise UsageError(f"{path}: holds something else than numbers, {expected}")
    return _check(np.array(words, np.int64), f"{path}, {expected}")


def _check(indices: np.ndarray, where: str) -> np.ndarray:
    if indices.ndim != 1 or indices.dtype.kind != "i" or not indices.size:
        raise UsageError(f"{where}: no list of vertices")
    if not 0 <= indices.min() <= indices.max() < N_VERTICES:
        raise UsageError(f"{where}: vertex {indices.max()}, of another mesh?")
    return np.unique(indices).astype(np.int32)
