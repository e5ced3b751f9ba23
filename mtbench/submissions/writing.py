"""Writing submissions: the one writer of manifests and motion files.

Conventions
-----------
The manifest is written first where all motion follows at once (:func:`begin_submission`), or last where an interrupted
run goes on (:func:`write_manifest`); either way by the same lines, so that a submission's digest follows from what
it holds.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.files import format_toml, make_folder, read_toml, write_atomically
from mtbench.submissions.submission import MANIFEST, MOTION_FOLDER, SubmissionManifest

_MAX_MANIFEST = 64 * 1024


def format_manifest(manifest: SubmissionManifest) -> str:
    """Return *manifest* as the text of a ``submission.toml``; tables hold what was set.

    Examples
    --------
    >>> print(format_manifest(SubmissionManifest(
    ...     schema=1, system="mine", benchmark="openhead-20@1", fps=25.0, unit="m", topology="openhead-1", kind="units",
    ... )), end="")
    schema = 1
    system = "mine"
    benchmark = "openhead-20@1"
    fps = 25
    unit = "m"
    topology = "openhead-1"
    kind = "units"
    """
    values = manifest.model_dump(exclude_unset=True, by_alias=True)
    tables = {name: values.pop(name) for name in ("model", "generation") if name in values}
    values["fps"] = int(manifest.fps) if manifest.fps == int(manifest.fps) else manifest.fps
    blocks = [
        format_toml(values),
        *(f"[{name}]\n{format_toml(table)}" for name, table in tables.items() if table),
    ]
    return "\n".join(blocks)


def write_manifest(folder: Path, manifest: SubmissionManifest) -> None:
    """Write ``submission.toml``."""
    write_atomically(folder / MANIFEST, format_manifest(manifest).encode())


def begin_submission(folder: Path, manifest: SubmissionManifest, what: str) -> None:
    """Write the manifest of a submission whose motion is about to be written; motion that was there is removed.

    Parameters
    ----------
    folder : Path
        Empty, absent, or holding an earlier submission of the same system.
    manifest : SubmissionManifest
    what : str
        What the submission is, for messages: ``"the control static"``.

    Raises
    ------
    UsageError
        Where the folder holds something else.
    """
    require_own_folder(folder, manifest.system, what)
    shutil.rmtree(folder / MOTION_FOLDER, ignore_errors=True)
    make_folder(folder / MOTION_FOLDER)
    write_manifest(folder, manifest)


def require_own_folder(folder: Path, system: str, what: str) -> None:
    """Refuse a folder that holds something else than a submission of *system*."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        found = read_toml(folder / MANIFEST, _MAX_MANIFEST).get("system")
    except (ValueError, OSError):
        found = None
    if found != system:
        raise UsageError(f"{folder}: holds something else than {what}; choose another folder")


def write_motion(folder: Path, clip: str, **arrays: np.ndarray) -> None:
    """Write the motion of one clip.

    Parameters
    ----------
    folder : Path
        The submission's.
    clip : str
        Id.
    **arrays : array
        As :mod:`mtbench.faces.motion_files` reads them: ``vertices``, or ``units`` and ``identity``, or FLAME
        parameters.
    """
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    write_atomically(folder / MOTION_FOLDER / f"{clip}.npz", stream.getvalue(), durable=False)
