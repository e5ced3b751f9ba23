"""Files that mtbench may not ship: checked copies in the user's data folder.

Conventions
-----------
The data folder is ``$MTBENCH_DATA``, else the platform's place for user data. An asset is an ``.npz`` of
plain arrays with a ``.json`` beside it that records digest, origin and license; an asset whose digest does
not match is refused. Users' files are read by :mod:`mtbench.faces.flame_files`.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.faces.flame_files import MAX_ASSET_BYTES, read_flame_file
from mtbench.faces.flame_lists import NAME, WHERE_TO_GET
from mtbench.files import (
    choose_folder,
    open_arrays,
    write_atomically,
)

_MAX_RECORD = 1 << 16
_EDITIONS = {
    "e75a0990728ba038c7da2a420ae4396f7ddd7781366c13026066c5b24f127623": ("FLAME 2023 Open", "CC-BY-4.0"),
}


@dataclass(frozen=True)
class AssetRecord:
    """What is known about an installed asset.

    Attributes
    ----------
    name : str
    kind : str
        ``"model"`` or ``"template"`` (triangles and a neutral face, no expressions).
    digest : str
        blake2b-128 of the ``.npz``.
    source : str
        Name of the file it was made from.
    source_sha256 : str
    edition, license : str
        Where the source is a known file; else what the user has to find out.
    triangles : int
        9,976 with eyeballs, 7,800 without.
    """

    name: str
    kind: str
    digest: str
    source: str
    source_sha256: str
    edition: str
    license: str
    triangles: int


def data_folder() -> Path:
    """Return the folder of user data: ``$MTBENCH_DATA``, else the platform's.

    Raises
    ------
    PrerequisiteError
        Where nothing is set and the user has no home folder.
    """
    return choose_folder(
        "MTBENCH_DATA",
        mac="Library/Application Support/mtbench",
        windows="mtbench",
        xdg="XDG_DATA_HOME",
        otherwise=".local/share",
    )


def _paths() -> tuple[Path, Path]:
    folder = data_folder() / "assets"
    return folder / f"{NAME}.npz", folder / f"{NAME}.json"


def _installed() -> tuple[Path, Path] | None:
    """Return asset and record where both are there; a user without a home has none."""
    try:
        target, record_path = _paths()
    except PrerequisiteError:
        return None
    try:
        return (target, record_path) if target.is_file() and record_path.is_file() else None
    except OSError as error:
        raise PrerequisiteError(
            f"{target} cannot be looked at ({error.strerror}): let this user read it, or set MTBENCH_DATA to "
            "a folder of its own"
        ) from None


def add_flame(file: str | Path) -> AssetRecord:
    """Check a FLAME model or template and keep it as an asset.

    Parameters
    ----------
    file : str or Path
        A FLAME model (``.pkl`` of 2017 to 2023, with or without chumpy objects, or ``.npz`` with the
        same names) or a template mesh with FLAME's vertex order (``.ply``, ``.obj``, or ``.npz`` with
        ``v_template`` and ``f``). The eyeballs' triangles may be absent.

    Returns
    -------
    AssetRecord

    Raises
    ------
    UsageError
        Where the file is not FLAME's topology, is damaged, or holds anything but arrays.

    Examples
    --------
    >>> add_flame("flame2023_Open.pkl").edition  # doctest: +SKIP
    'FLAME 2023 Open'
    """
    path = Path(file)
    arrays = read_flame_file(path)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    edition, license_ = _EDITIONS.get(sha256, ("unknown", "see the file's own license"))
    target, record_path = _paths()
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    record = AssetRecord(
        name=NAME,
        kind="model" if "directions" in arrays else "template",
        digest=hashlib.blake2b(content.getbuffer(), digest_size=16).hexdigest(),
        source=path.name,
        source_sha256=sha256,
        edition=edition,
        license=license_,
        triangles=len(arrays["triangles"]),
    )
    advice = "give another folder (MTBENCH_DATA)"
    write_atomically(target, content.getvalue(), advice=advice)
    text = json.dumps(asdict(record), indent=1) + "\n"
    write_atomically(record_path, text.encode(), advice=advice)
    return record


def flame_record() -> AssetRecord | None:
    """Return what is known about the installed FLAME asset, or None.

    Raises
    ------
    PrerequisiteError
        Where the record is damaged.
    """
    found = _installed()
    if found is None:
        return None
    record_path = found[1]
    try:
        if record_path.stat().st_size > _MAX_RECORD:
            raise ValueError(f"{record_path.stat().st_size} bytes")
        record = AssetRecord(**json.loads(record_path.read_text(encoding="utf-8")))
        if any(
            not isinstance(value, int if name == "triangles" else str) for name, value in vars(record).items()
        ):
            raise ValueError("values of another type")
        return record
    except (ValueError, TypeError, OSError, RecursionError) as error:
        raise PrerequisiteError(
            f"the asset's record {record_path} is damaged ({error}); {WHERE_TO_GET}"
        ) from None


def flame_asset_stamp() -> tuple:
    """Return a value that changes whenever the installed FLAME asset does."""
    found = _installed()
    return () if found is None else tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in found)


def read_flame_asset(names: Iterable[str]) -> dict[str, np.ndarray] | None:
    """Return those of the arrays *names* that the installed FLAME asset has, or None where none is installed.

    Raises
    ------
    PrerequisiteError
        Where the asset does not match its recorded digest.
    """
    return _read_asset(flame_asset_stamp(), tuple(names))


@lru_cache(maxsize=4)
def _read_asset(stamp: tuple, names: tuple[str, ...]) -> dict[str, np.ndarray] | None:
    record = flame_record()
    if record is None:
        return None
    target = _paths()[0]
    if _file_digest(target) != record.digest:
        raise PrerequisiteError(f"the asset {target} is not what was installed; add it again. {WHERE_TO_GET}")
    with open_arrays(target, MAX_ASSET_BYTES) as file:
        arrays = {name: file.read(name, MAX_ASSET_BYTES) for name in names if name in file.headers}
    for array in arrays.values():
        array.setflags(write=False)  # one copy is handed to everyone
    return arrays


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
