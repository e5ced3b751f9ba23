"""Which file is which clip's: projects write a clip's name, and more, into the names of files and folders.

Conventions
-----------
A file's path below the folder, without its ending, is read from its end: the first part
that begins with a clip's id names the clip, and what follows, ``_condition_F2`` or ``/meshes/00000``, has to be
what the project writes there. Of several ids the longest counts. Most projects cut a sound's name at its first dot:
so may a file's be. Where a clip has several files, the user's condition and sample choose; nothing is chosen in
silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.errors import UsageError, did_you_mean, list_some
from mtbench.importers.base import ImportOptions

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

#: Most files that are looked at below a folder; a benchmark of 1,000 clips as meshes has half a million.
MAX_FILES = 2_000_000
#: What follows a clip's id in the name of its sound.
_SOUND = re.compile(r"(?:\.(?:wav|flac|mp3|ogg|m4a))?", re.IGNORECASE)


@dataclass(frozen=True)
class ClipFile:
    """A file that is a clip's by its name.

    Attributes
    ----------
    path : Path
        The file; of meshes, a file a frame, the folder that they lie in.
    clip : str
        Id.
    condition, subject : str
        Speaker, style or emotion that the motion was made under, and whose face it moves; ``""`` where none is named.
    sample : int or None
        Number among several of one condition.
    """

    path: Path
    clip: str
    condition: str = ""
    subject: str = ""
    sample: int | None = None


@dataclass(frozen=True)
class ClipFiles:
    """The clips' files: one each, those that are no clip's, and what has to be said about the choice."""

    files: Mapping[str, ClipFile]
    unknown: tuple[Path, ...]
    notes: tuple[str, ...]


def find_clip_files(
    folder: Path,
    benchmark: Benchmark,
    endings: Sequence[str],
    options: ImportOptions,
    expected: str,
) -> ClipFiles:
    """Find the file of each clip below a folder.

    Parameters
    ----------
    folder : Path
    benchmark : Benchmark
        Whose clips are looked for.
    endings : sequence of str
        What may follow a clip's id in a path: regular expressions, the file's ending included, with the groups
        ``condition``, ``subject``, ``sample`` and ``frame``. Files with a ``frame`` are taken together, as their
        folder.
    options : ImportOptions
        Its condition and sample choose.
    expected : str
        What the project's files are called, for messages: ``"<clip>_condition_<speaker>.npy"``.

    Raises
    ------
    UsageError
        Where no file is a clip's, and where a clip has several.
    """
    names = _Names(clip.id for clip in benchmark.clips)
    patterns = [re.compile(ending) for ending in endings]
    found: dict[str, dict[Path, ClipFile]] = {}
    unknown: list[Path] = []
    suffixes = {part for ending in endings for part in re.findall(r"\\\.(\w+)$", ending)}
    for path in _list_files(folder, suffixes):
        file = names.match(path, path.relative_to(folder), patterns)
        if file is None:
            unknown.append(path)
        else:
            found.setdefault(file.clip, {})[file.path] = file
    if not found:
        there = list_some([path.relative_to(folder).as_posix() for path in unknown]) or (
            f"no file of {' or '.join(sorted('.' + suffix for suffix in suffixes))}"
        )
        first = benchmark.clips[0].id
        raise UsageError(
            f"{folder}: no file is named after a clip of {benchmark.ref}: found {there}; expected {expected}, where "
            f"<clip> is e.g. {first}: run the system on the benchmark's sound, {benchmark.clips[0].audio_path.name}"
        )
    chosen, notes = _choose({clip: list(files.values()) for clip, files in found.items()}, folder, options)
    return ClipFiles(chosen, tuple(unknown), tuple(notes))


def match_names(names: Mapping[str, str], benchmark: Benchmark) -> tuple[dict[str, str], list[str]]:
    """Find which of several things is called as which clip.

    Parameters
    ----------
    names : mapping of str to str
        Thing -> what it is called: a sound's path, whose name may end in a sound's ending.
    benchmark : Benchmark

    Returns
    -------
    found : dict of str to str
        Clip's id -> thing.
    unknown : list of str
        Things that are called as no clip.

    Raises
    ------
    UsageError
        Where two are called as one clip.
    """
    known = _Names(clip.id for clip in benchmark.clips)
    found: dict[str, str] = {}
    unknown: list[str] = []
    for thing, name in names.items():
        file = known.match(Path(name), Path(name), [_SOUND])
        if file is None:
            unknown.append(thing)
        elif file.clip in found:
            raise UsageError(f"clip {file.clip} is there twice, {found[file.clip]} and {thing}; keep one")
        else:
            found[file.clip] = thing
    return found, unknown


class _Names:
    """The ids of a benchmark, also as far as their first dot where that is one's alone."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = {name: name for name in ids}
        cut: dict[str, list[str]] = {}
        for name in self._ids:
            cut.setdefault(name.split(".")[0], []).append(name)
        self._ids |= {
            stem: names[0] for stem, names in cut.items() if len(names) == 1 and stem not in self._ids
        }

    def match(self, path: Path, relative: Path, patterns: Sequence[re.Pattern[str]]) -> ClipFile | None:
        parts = relative.parts
        for index in reversed(range(len(parts))):
            for clip, rest in self._begin(parts[index]):
                rest = "/".join((rest, *parts[index + 1 :]))
                for pattern in patterns:
                    if (found := pattern.fullmatch(rest)) is not None:
                        told = {key: value for key, value in found.groupdict().items() if value is not None}
                        sample = int(told["sample"]) if "sample" in told else None
                        place = path.parent if "frame" in told else path
                        return ClipFile(
                            place, clip, told.get("condition", ""), told.get("subject", ""), sample
                        )
        return None

    def _begin(self, part: str) -> list[tuple[str, str]]:
        """Return the clips whose ids *part* begins with, longest first, and what follows."""
        ends = {len(part), *(found.start() for found in re.finditer(r"[_.]", part))}
        return [
            (self._ids[part[:end]], part[end:])
            for end in sorted(ends, reverse=True)
            if part[:end] in self._ids
        ]


def _list_files(folder: Path, suffixes: set[str]) -> list[Path]:
    paths: list[Path] = []
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix[1:].lower() in suffixes and path.is_file():
            paths.append(path)
        if len(paths) > MAX_FILES:
            raise UsageError(
                f"{folder}: more than {MAX_FILES} files; give the folder of one system's results"
            )
    return sorted(paths)


def _choose(
    found: Mapping[str, list[ClipFile]], folder: Path, options: ImportOptions
) -> tuple[dict[str, ClipFile], list[str]]:
    """Return one file a clip, and what has to be said about clips that have none of the wanted condition."""
    every = [file for files in found.values() for file in files]
    conditions = sorted({file.condition for file in every if file.condition})
    samples = sorted({file.sample for file in every if file.sample is not None})
    if options.condition is not None and options.condition not in conditions:
        raise UsageError(
            f"{folder}: no file of condition {options.condition!r}{did_you_mean(options.condition, conditions)}; "
            f"found {list_some(conditions, 12) or 'no conditions in the names'}"
        )
    if options.sample is not None and options.sample not in samples:
        raise UsageError(
            f"{folder}: no file of sample {options.sample}; found {list_some([str(n) for n in samples], 12) or 'none'}"
        )
    chosen: dict[str, ClipFile] = {}
    lacking: list[str] = []
    for clip, files in found.items():
        left = [f for f in files if options.condition in (None, f.condition)]
        left = [f for f in left if options.sample in (None, f.sample)]
        if len(left) > 1:
            raise UsageError(_tell_several(clip, left, folder))
        if left:
            chosen[clip] = left[0]
        else:
            lacking.append(clip)
    notes = [f"no file of the chosen condition or sample for {list_some(lacking)}"] if lacking else []
    taken = sorted({file.condition for file in chosen.values() if file.condition})
    if len(taken) == 1:
        notes.append(f"condition {taken[0]}, of {len(conditions)}: another one has another LVE")
    elif taken:
        notes.append(
            f"one condition a clip, {len(taken)} in all: {list_some(taken)}; LVE differs by condition"
        )
    return chosen, notes


def _tell_several(clip: str, files: Sequence[ClipFile], folder: Path) -> str:
    conditions = sorted({file.condition for file in files})
    samples = sorted({file.sample for file in files if file.sample is not None})
    shown = list_some([file.path.relative_to(folder).as_posix() for file in files])
    if len(conditions) > 1:
        cure = f"choose one: --condition {conditions[-1]}; there are {list_some(conditions, 12)}"
    elif len(samples) > 1:
        cure = f"choose one: --sample {samples[0]}; there are {list_some([str(n) for n in samples], 12)}"
    else:
        cure = "results of several runs? Give the folder of one, or remove the others"
    return f"clip {clip} has {len(files)} files ({shown}), and a submission has one; {cure}"
