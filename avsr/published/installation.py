"""Which published checkpoints a user has: files checked, kept with their digests, verified, removed.

Conventions
-----------
Each checkpoint has a folder ``weights/RECOGNIZER/VARIANT`` in the user's data folder, with its files under the names of
their roles (:data:`~mtbench.avsr.published.catalog.ROLES`) and ``installed.json``. It is made whole beside that place,
in a hidden folder of the command's own, and then put there: what was there before stays until then. Of a command that
was killed such a folder remains; removing the checkpoint deletes it, and so does adding or converting after a day. A
file whose size differs from the record is refused when it is loaded; :func:`verify_checkpoint` reads all of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import Field, ValidationError

from mtbench.avsr.published.catalog import CATALOG, ELSEWHERE, ROLES, PublishedCheckpoint
from mtbench.avsr.published.kinds import KINDS, measure_memory
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.faces import data_folder
from mtbench.files import (
    StrictModel,
    digest_file,
    validation_lines,
    write_atomically,
    writing,
)

_RECORD = "installed.json"
_MAX_RECORD = 1 << 16
#: After so many seconds nobody is still making what lies beside; how often another command may be quicker.
_FORGOTTEN, _TRIES = 86_400.0, 5


class InstalledFile(StrictModel):
    """A file as it is kept.

    Attributes
    ----------
    name : str
        In the folder.
    source : str
        What the user's file was called.
    bytes : int
    digest : str
        blake2b-128, hex.
    """

    name: str
    source: str
    bytes: int = Field(ge=0)
    digest: str


class InstalledCheckpoint(StrictModel):
    """A checkpoint as it is kept.

    Attributes
    ----------
    ref : str
        ``recognizer:variant``.
    license : str
        The terms that were shown when it was added.
    files : dict of str to InstalledFile
        By role.
    parameters : int
        Numbers in its weights.
    memory : int
        Bytes of its weights in memory.
    contents : str
        blake2b-128 hex digest over roles and digests of the files that were added: it stays when they are converted.
    """

    ref: str
    license: str
    files: dict[str, InstalledFile]
    parameters: int = Field(ge=0)
    memory: int = Field(ge=0)
    contents: str

    @property
    def checkpoint(self) -> PublishedCheckpoint:
        """What is known about it."""
        return CATALOG[self.ref]

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return checkpoint_folder(self.checkpoint)

    def paths(self) -> dict[str, Path]:
        """Return the files by role.

        Raises
        ------
        PrerequisiteError
            Where it is no longer what was added.
        """
        found = {}
        for role, file in self.files.items():
            path = self.folder / file.name
            try:
                size = path.stat().st_size
            except OSError:
                size = -1
            if size != file.bytes:
                told = "is gone" if size < 0 else f"has {size:,} bytes, {file.bytes:,} were added"
                raise PrerequisiteError(f"{path} {told}: add {self.ref} again ({self.checkpoint.add_line})")
            found[role] = path
        return found


def checkpoint_folder(checkpoint: PublishedCheckpoint) -> Path:
    """Return the folder that a checkpoint's files are kept in."""
    return data_folder() / "weights" / checkpoint.recognizer / checkpoint.variant


def find_installed(checkpoint: PublishedCheckpoint) -> InstalledCheckpoint | None:
    """Return what is kept of *checkpoint*, None where nothing is.

    Raises
    ------
    PrerequisiteError
        Where the record cannot be read.
    """
    try:
        path = checkpoint_folder(checkpoint) / _RECORD
    except PrerequisiteError:  # a user without a home folder has nothing
        return None
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _MAX_RECORD:
            raise ValueError(f"larger than {_MAX_RECORD >> 10} kB")
        record = InstalledCheckpoint.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        lines = validation_lines(error) if isinstance(error, ValidationError) else [("", str(error))]
        told = "; ".join(f"{where}: {what}" if where else what for where, what in lines)
        raise PrerequisiteError(
            f"{path} cannot be read ({told}); remove {checkpoint.ref} and add it again: {checkpoint.add_line}"
        ) from None
    plain = all(file.name == Path(file.name).name not in ("", "..") for file in record.files.values())
    if record.ref != checkpoint.ref or not plain or not {"weights"} <= set(record.files) <= set(ROLES):
        raise PrerequisiteError(
            f"{path} is not a record of {checkpoint.ref}; add it again: {checkpoint.add_line}"
        )
    return record


def add_checkpoint(checkpoint: PublishedCheckpoint, files: Sequence[Path]) -> InstalledCheckpoint:
    """Check a user's files of *checkpoint* by loading them, and keep copies.

    Parameters
    ----------
    checkpoint : PublishedCheckpoint
    files : sequence of path
        In any order; which is which is told by their names. Settings beside a port's weights (``config.json``) are
        kept, too: without them the same weights would be another network.

    Raises
    ------
    UsageError
        For files that are not those of such a checkpoint, or do not fit each other; nothing is kept then.
    PrerequisiteError
        For a file that is absent, or an extra that is not installed.
    """
    roles = add_settings(checkpoint, assign_roles(checkpoint, files))
    parameters, memory = measure_memory(KINDS[checkpoint.kind].read(checkpoint, roles))
    with _making(checkpoint_folder(checkpoint)) as partial:
        kept = {role: _keep(partial, role, path) for role, path in roles.items()}
        record = InstalledCheckpoint(
            ref=checkpoint.ref,
            license=checkpoint.license,
            files=kept,
            parameters=parameters,
            memory=memory,
            contents=_join_digests({role: file.digest for role, file in kept.items()}),
        )
        _put_in_place(partial, record)
    return record


def convert_checkpoint(record: InstalledCheckpoint) -> InstalledCheckpoint:
    """Write the weights of a kept checkpoint anew as safetensors, once and for all, and forget the pickle.

    The converted weights are read again and compared, number by number, before the pickle goes. Signatures and caches
    know the checkpoint by what was added, so that they stay what they were.

    Returns
    -------
    InstalledCheckpoint
        *record* itself where the weights are safetensors already.
    """
    from mtbench.avsr.published.conversion import write_converted

    roles = record.paths()
    if roles["weights"].suffix == ".safetensors":
        return record
    with _making(record.folder) as partial:
        made = write_converted(record.checkpoint, roles, partial)
        files = {role: _keep(partial, role, path) for role, path in roles.items() if role not in made}
        files |= {role: _describe(path, record.files["weights"].source) for role, path in made.items()}
        converted = record.model_copy(update={"files": files})
        _put_in_place(partial, converted)
    return converted


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """Give the block an empty folder of its own beside *folder*; what the block leaves in it is deleted."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}-{time.monotonic_ns()}.part")
    with writing(partial, ELSEWHERE):
        partial.mkdir(parents=True)
    _sweep(folder, _FORGOTTEN)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(folder: Path, age: float = 0.0) -> None:
    """Delete what commands left beside *folder* that were killed *age* seconds ago or earlier."""
    for path in folder.parent.glob(f".{folder.name}.*.part"):
        with suppress(OSError):
            if path.stat().st_mtime <= time.time() - age:
                _delete(path)


def _delete(path: Path) -> None:
    """Delete a folder, or the link to one."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path)


def _put_in_place(partial: Path, record: InstalledCheckpoint) -> None:
    """Write the record into *partial*, and make that the checkpoint's folder."""
    content = (record.model_dump_json(indent=1) + "\n").encode()
    write_atomically(partial / _RECORD, content, advice=ELSEWHERE)
    before = partial.with_suffix(".before.part")
    with writing(record.folder, ELSEWHERE):
        for left in reversed(range(_TRIES)):
            with suppress(FileNotFoundError):
                record.folder.rename(before)
            try:
                partial.rename(record.folder)
                left = 0
            except OSError:
                there = record.folder.exists()  # another command was quicker
                if not there:
                    with suppress(OSError):
                        before.rename(record.folder)
                if not there or not left:
                    raise
            with suppress(OSError):
                _delete(before)
            if not left:
                return


def _describe(path: Path, source: str) -> InstalledFile:
    digest = digest_file(path).short.hex()
    return InstalledFile(name=path.name, source=source, bytes=path.stat().st_size, digest=digest)


def assign_roles(checkpoint: PublishedCheckpoint, files: Sequence[Path]) -> dict[str, Path]:
    """Return a user's files by what they are for.

    A file plays the role whose published name it bears, else the one that its ending tells; weights may have any name.

    Raises
    ------
    UsageError
        Where two files would play one role, none are the weights, or one is of no use.
    """
    by_name = {file.name: file.role for file in checkpoint.files}
    found: dict[str, Path] = {}
    for path in files:
        role = by_name.get(path.name) or _guess_role(path)
        if role in ("dictionary", "units") and path.name not in by_name:
            raise UsageError(f"{path.name} belongs to another checkpoint; expected {_name_files(checkpoint)}")
        if role in found:
            raise UsageError(
                f"{path.name} and {found[role].name} would both be the {role} of {checkpoint.ref}; expected "
                f"{_name_files(checkpoint)}"
            )
        found[role] = path
    if "weights" not in found:
        raise UsageError(
            f"no weights of {checkpoint.ref} among the files; expected {_name_files(checkpoint)}, published at "
            f"{checkpoint.page}"
        )
    return found


def add_settings(checkpoint: PublishedCheckpoint, roles: dict[str, Path]) -> dict[str, Path]:
    """Return *roles* with the ``config.json`` beside the weights, but for fairseq's ``.pt``, which needs none."""
    beside = roles["weights"].with_name("config.json")
    settled = roles["weights"].suffix == ".pt" and all(file.role != "config" for file in checkpoint.files)
    return roles if settled or "config" in roles or not beside.is_file() else {**roles, "config": beside}


def _guess_role(path: Path) -> str:
    if path.name.startswith("dict.") and path.suffix == ".txt":
        return "dictionary"
    if path.name.endswith("_units.txt"):
        return "units"
    if path.suffix == ".model":
        return "tokenizer"
    if path.suffix == ".json":
        return "vocabulary" if "tokenizer" in path.name else "config"
    if path.suffix in (".yaml", ".yml"):
        return "config"
    return "weights"


def _name_files(checkpoint: PublishedCheckpoint) -> str:
    return ", ".join(f"{file.name} ({file.role})" for file in checkpoint.files)


def _keep(folder: Path, role: str, path: Path) -> InstalledFile:
    """Copy *path* into *folder* under the name of its role, and digest what was copied."""
    target = folder / (ROLES[role] + (path.suffix if role in ("weights", "config") else ""))
    with writing(target, ELSEWHERE):
        shutil.copyfile(path, target)
    return _describe(target, path.name)


def digest_roles(files: Mapping[str, Path]) -> str:
    """Return what :attr:`InstalledCheckpoint.contents` would be, were *files* (by role) installed."""
    return _join_digests({role: digest_file(path).short.hex() for role, path in files.items()})


def _join_digests(digests: Mapping[str, str]) -> str:
    text = "\0".join(f"{role}={digests[role]}" for role in sorted(digests))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def remove_checkpoint(checkpoint: PublishedCheckpoint) -> bool:
    """Delete what is kept of *checkpoint*, and what killed commands left of it; return whether it was kept.

    Raises
    ------
    WriteError
        Where it may not be deleted.
    """
    folder = checkpoint_folder(checkpoint)
    _sweep(folder)
    if not folder.is_dir() and not folder.is_symlink():
        return False
    with writing(folder, f"ask its owner, or {ELSEWHERE}"):
        (folder / _RECORD).unlink(missing_ok=True)
        _delete(folder)
    return True


def verify_checkpoint(record: InstalledCheckpoint) -> None:
    """Read every byte of a kept checkpoint and compare it with what was added.

    Raises
    ------
    PrerequisiteError
        Naming the file that is no longer what was added.
    """
    for role, path in record.paths().items():
        file = record.files[role]
        if (digest := digest_file(path).short.hex()) != file.digest:
            raise PrerequisiteError(
                f"{path} is no longer what was added: digest {digest}, expected {file.digest}; add {record.ref} "
                f"again ({record.checkpoint.add_line})"
            )
