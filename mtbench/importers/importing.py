"""From motion that an importer found to a submission.

Conventions
-----------
All motion is read before an earlier submission in the folder gives way: a damaged file loses nothing. The submission is
then looked at as ``mtbench validate`` does, with the same words.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.benchmarks import Benchmark, as_benchmark
from mtbench.errors import Note, Problem, UsageError
from mtbench.files import make_folder
from mtbench.importers.base import FoundMotion, Importer
from mtbench.importers.registry import load_importer
from mtbench.submissions import (
    MOTION_FOLDER,
    SubmissionManifest,
    begin_submission,
    inspect_submission,
    require_own_folder,
    write_motion,
)


@dataclass(frozen=True)
class Imported:
    """A submission that was made of other people's files.

    Attributes
    ----------
    folder : Path
        The submission.
    clips : tuple of str
        Ids of the clips that it has, in the benchmark's order.
    missing : tuple of str
        Ids of the benchmark's clips that no file was found for.
    unknown : tuple of Path
        Files that belong to no clip.
    problems : tuple of Problem
        Everything wrong with the submission, a missing clip included.
    notes : tuple of (Note or str)
        What a reader of its numbers has to know.
    """

    folder: Path
    clips: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[Path, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note | str, ...]


def import_submission(
    source: str | Path,
    benchmark: Benchmark | str | Path,
    out: str | Path,
    *,
    format: str | Importer = "vertices",
    system: str | None = None,
    fps: float | None = None,
) -> Imported:
    """Make a submission of other people's files.

    Parameters
    ----------
    source : str or Path
        Folder that they lie in.
    benchmark : Benchmark, str or Path
        Whose clips they are.
    out : str or Path
        Folder of the submission; empty, absent, or holding an earlier submission of the same system.
    format : str or Importer
        Name of the format (``mtbench ls formats``), or an importer of one's own.
    system : str, optional
        Display name; by default the folder's.
    fps : float, optional
        Frames a second, where the format does not tell it.

    Returns
    -------
    Imported

    Raises
    ------
    UsageError
        For an unknown format, a folder without a clip's file, a file that cannot be read, or an *out* that holds
        something else or lies in *source*.
    """
    folder, bench = Path(source), as_benchmark(benchmark)
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: no such folder; expected one with a motion file for each clip of {bench.ref}"
        )
    target = Path(out)
    if target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{target}: lies in {folder}, so that the next import would take the submission's own files for the "
            "source's; choose a folder outside of it"
        )
    importer = load_importer(format) if isinstance(format, str) else format
    found = importer(folder, bench, fps)
    order = [clip.id for clip in bench.clips]
    if strangers := sorted(set(found.files) - set(order)):
        raise UsageError(
            f"the importer found clips that {bench.ref} does not have: {', '.join(strangers[:5])}"
        )
    clips = [clip for clip in order if clip in found.files]
    _write(target, found, clips, system or folder.resolve().name, bench)
    submission, problems = inspect_submission(target, bench)
    notes = () if submission is None else submission.notes
    return Imported(
        target,
        tuple(clips),
        tuple(clip for clip in order if clip not in found.files),
        found.unknown,
        tuple(problems),
        (*found.notes, *notes),
    )


def _write(folder: Path, found: FoundMotion, clips: Sequence[str], system: str, bench: Benchmark) -> None:
    manifest = SubmissionManifest(
        schema=1,
        system=system,
        benchmark=bench.ref,
        fps=found.fps,
        unit="m",
        topology=found.topology,
        kind=found.kind,
    )
    require_own_folder(folder, system, f"a submission of {system}")
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.resolve().parent) as name:
        parts = Path(name)
        make_folder(parts / MOTION_FOLDER)
        for clip in clips:
            write_motion(parts, clip, **found.read(found.files[clip]))
        begin_submission(folder, manifest, f"a submission of {system}")
        for file in sorted((parts / MOTION_FOLDER).iterdir()):
            file.replace(folder / MOTION_FOLDER / file.name)
