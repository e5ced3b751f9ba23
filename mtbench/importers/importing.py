"""From motion that an importer found to a submission.

Conventions
-----------
All motion is read before an earlier submission in the folder gives way: a damaged file loses nothing. The submission is
then looked at as ``mtbench validate`` does, with the same words.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtbench.benchmarks import Benchmark, as_benchmark
from mtbench.errors import Note, Problem, UsageError
from mtbench.files import make_folder
from mtbench.importers.base import FoundMotion, Importer, ImportOptions
from mtbench.importers.frame_rates import contradict_rate
from mtbench.importers.registry import load_importer
from mtbench.submissions import (
    MOTION_FOLDER,
    Generation,
    SubmissionManifest,
    begin_submission,
    inspect_submission,
    require_own_folder,
    write_motion,
)

#: Files that cannot be read which an error names.
_SHOWN = 20


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
    assumed : tuple of str
        What was taken for granted about the files.
    contradicted : tuple of str
        What the files have against that, and what to give instead.
    """

    folder: Path
    clips: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[Path, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note | str, ...]
    assumed: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()


def import_submission(
    source: str | Path,
    benchmark: Benchmark | str | Path,
    out: str | Path,
    *,
    format: str | Importer = "vertices",
    system: str | None = None,
    fps: float | None = None,
    options: ImportOptions | None = None,
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
        Frames a second, where the format does not tell it, or tells it wrongly.
    options : ImportOptions, optional
        What else is known about the files, for formats that ask: condition, resting faces, scale.

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
    found = _find(importer, folder, bench, _merge(options or ImportOptions(), fps))
    order = [clip.id for clip in bench.clips]
    if strangers := sorted(set(found.files) - set(order)):
        raise UsageError(
            f"the importer found clips that {bench.ref} does not have: {', '.join(strangers[:5])}"
        )
    clips = [clip for clip in order if clip in found.files]
    contradicted = _write(target, found, clips, system or folder.resolve().name, bench)
    submission, problems = inspect_submission(target, bench)
    notes = () if submission is None else submission.notes
    return Imported(
        target,
        tuple(clips),
        tuple(clip for clip in order if clip not in found.files),
        found.unknown,
        tuple(problems),
        (*found.notes, *_tell_no_truth(found, bench), *notes),
        found.assumed,
        tuple(contradicted),
    )


def _merge(options: ImportOptions, fps: float | None) -> ImportOptions:
    return options if fps is None else replace(options, fps=fps)


def _find(importer: Importer, folder: Path, bench: Benchmark, options: ImportOptions) -> FoundMotion:
    """Let an importer look; one that takes no options is told the frame rate only, and none of the others is lost."""
    if "options" in inspect.signature(importer).parameters:
        return importer(folder, bench, options.fps, options)
    if given := options.list_given(*(name for name in vars(options) if name != "fps")):
        raise UsageError(
            f"this format takes no {', '.join(given)}; 'mtbench ls formats' lists those of the projects, which do"
        )
    return importer(folder, bench, options.fps)


def _tell_no_truth(found: FoundMotion, bench: Benchmark) -> list[str]:
    """Return a line where there is nothing that the motion could be compared with."""
    if bench.topology in (None, found.topology):
        return []
    return [
        f"the ground truth of {bench.ref} is {bench.topology}, the motion {found.topology}: its lips can be read, "
        "LVE and its relatives are n/a"
    ]


def _write(
    folder: Path, found: FoundMotion, clips: Sequence[str], system: str, bench: Benchmark
) -> list[str]:
    """Write the submission; return what the files have against what was taken for granted."""
    require_own_folder(folder, system, f"a submission of {system}")
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.resolve().parent) as name:
        parts = Path(name)
        make_folder(parts / MOTION_FOLDER)
        frames = _read_all(parts, found, clips)
        contradicted = [*contradict_rate(frames, found, bench), *found.tell_contradictions()]
        manifest = SubmissionManifest(
            schema=1,
            system=system,
            benchmark=bench.ref,
            fps=found.fps,
            unit="m",
            topology=found.topology,
            kind=found.kind,
        )
        if found.assumed:
            told = Generation(notes=_describe(found, contradicted))
            manifest = manifest.model_copy(update={"generation": told})
        begin_submission(folder, manifest, f"a submission of {system}")
        for file in sorted((parts / MOTION_FOLDER).iterdir()):
            file.replace(folder / MOTION_FOLDER / file.name)
    return contradicted


def _read_all(parts: Path, found: FoundMotion, clips: Sequence[str]) -> dict[str, int]:
    """Read and write every clip's motion; return how many frames each has. Files that cannot be read are all named."""
    frames: dict[str, int] = {}
    bad: list[str] = []
    for clip in clips:
        try:
            arrays = found.read(found.files[clip])
        except UsageError as error:
            bad.append(str(error))
            continue
        write_motion(parts, clip, **arrays)
        frames[clip] = max((len(a) for n, a in arrays.items() if n not in ("shape", "identity")), default=0)
    if bad:
        more = f"\n  - and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        lines = "".join(f"\n  - {line}" for line in bad[:_SHOWN])
        raise UsageError(
            bad[0]
            if len(bad) == 1
            else f"{len(bad)} of {len(clips)} clips cannot be read, and nothing was written:{lines}{more}"
        )
    return frames


def _describe(found: FoundMotion, contradicted: Sequence[str]) -> str:
    """Return what the manifest keeps of an import."""
    against = f"; the files contradict: {'; '.join(contradicted)}" if contradicted else ""
    return f"imported; assumed: {'; '.join(found.assumed)}{against}"
