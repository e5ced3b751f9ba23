"""Finding everything wrong with a submission at once.

Conventions
-----------
A problem names the file relative to the submission folder. Checks go from cheap to dear (manifest, names,
array headers, values); each later check runs only for files that passed the earlier ones, so nothing is
allocated that a clip cannot need. Symbolic links are refused even when they stay inside the folder: a
submission is copied, packed and digested as files.

Codes of problems: ``no-manifest bad-toml bad-manifest wrong-schema wrong-fps wrong-unit wrong-kind
unknown-topology unknown-benchmark wrong-benchmark no-motion-folder no-clips link-or-special-file
unexpected-file wrong-case extra-clip duplicate-clip missing-clip`` here, those of
:mod:`mtbench.faces.motion_files`, :mod:`mtbench.faces.motion_geometry`, :mod:`mtbench.faces.parameter_values` and
:mod:`mtbench.files.arrays` for single files.
"""

from __future__ import annotations

import difflib
import os
import stat
from pathlib import Path

from pydantic import ValidationError

from mtbench.benchmarks import (
    ON_DEMAND,
    Benchmark,
    as_benchmark,
    find_truth,
    known_benchmarks,
    load_benchmark,
    measure_seconds,
)
from mtbench.errors import BenchmarkError, Note, Problem, SubmissionError, UsageError, did_you_mean
from mtbench.faces import (
    KINDS,
    MAX_FPS,
    MIN_FPS,
    Topology,
    find_mismatch,
    is_topology,
    load_topology,
    read_motion_file,
    topology_names,
    topology_of_kind,
)
from mtbench.files import explain_no_folder, read_toml, validation_lines
from mtbench.submissions.submission import MANIFEST, MOTION_FOLDER, Submission, SubmissionManifest, clip_spec
from mtbench.timing import FPS

_SUFFIXES = (".npz", ".npy")
#: What Windows leaves in folders that it shows, lower case.
_LEFT_BY_WINDOWS = ("thumbs.db", "ehthumbs.db", "desktop.ini")
#: Most bytes of a submission.toml.
MAX_MANIFEST = 64 * 1024
#: Codes of problems that ``allow_partial`` tolerates; everything else always blocks.
TOLERATED = frozenset({"missing-clip"})


def inspect_submission(
    path: str | Path, benchmark: Benchmark | str | Path | None = None, values: bool = True
) -> tuple[Submission | None, list[Problem]]:
    """Read a submission as far as it can be read and list its problems.

    Parameters
    ----------
    path : str or Path
        The submission folder.
    benchmark : Benchmark, str or Path, optional
        What to validate against; by default the benchmark that the manifest names, if it is bundled.
    values : bool
        Whether to read and check the arrays' values, not their headers only.

    Returns
    -------
    submission : Submission or None
        None where the manifest cannot be used.
    problems : list of Problem

    Raises
    ------
    UsageError
        Where there is no folder *path*, or *benchmark* is unknown.
    """
    root = Path(path)
    if not root.is_dir():
        raise UsageError(f"{explain_no_folder(root)}; a submission is a folder with a {MANIFEST}")
    if benchmark is not None:
        benchmark = as_benchmark(benchmark)
    problems: list[Problem] = []
    notes: list[Note] = []
    manifest = _read_manifest(root, problems)
    if benchmark is None and manifest is not None:
        benchmark = _named_benchmark(manifest, problems)
    topology = _check_manifest(manifest, benchmark, problems) if manifest is not None else None
    files = _find_files(root, benchmark, problems)
    missing: tuple[str, ...] = ()
    if benchmark is not None and files is not None:
        missing = tuple(clip.id for clip in benchmark.clips if clip.id not in files)
        problems += _missing(benchmark, missing, len(files), problems)
    frames = {clip.id: clip.frames for clip in benchmark.clips} if benchmark is not None else {}
    clips = {clip.id: clip for clip in benchmark.clips} if benchmark is not None else {}
    seconds: dict[str, float] = {}
    if benchmark is not None and manifest is not None and manifest.fps != FPS:
        seconds = {clip.id: measure_seconds(clip) for clip in benchmark.clips if clip.id in (files or {})}
    if manifest is not None and topology is not None and manifest.kind in KINDS:
        order = [clip for clip in frames if clip in (files or {})] if frames else sorted(files or {})
        for clip in order:
            file = (files or {})[clip]
            spec = clip_spec(manifest.kind, topology, manifest.fps, frames.get(clip), seconds.get(clip))
            where = f"{MOTION_FOLDER}/{file.name}"
            found = read_motion_file(file, where, spec, clip, values, truth=find_truth(clips.get(clip)))
            problems += found.problems
            notes += found.notes
    if manifest is None or files is None:
        return None, problems
    present = tuple(clip for clip in frames if clip in files) if frames else tuple(sorted(files))
    submission = Submission(
        system=manifest.system,
        benchmark_ref=manifest.benchmark,
        topology=manifest.topology,
        kind=manifest.kind,
        path=root,
        clips=present,
        missing=missing,
        manifest=manifest,
        notes=tuple(notes),
        _files={clip: files[clip] for clip in present},
        _frames=frames,
        _seconds=seconds,
        _clips=clips,
    )
    return submission, problems


def _read_manifest(root: Path, problems: list[Problem]) -> SubmissionManifest | None:
    path = root / MANIFEST
    if not os.path.lexists(path):
        hint = "write one: schema, system, benchmark, fps, unit, topology, kind"
        near = [p.name for p in sorted(root.iterdir()) if p.suffix in (".toml", ".json", ".yaml", ".yml")]
        if near:
            hint = f"did you mean to call {near[0]} {MANIFEST}? It is TOML"
        elif any(p.suffix in _SUFFIXES for p in root.iterdir()):
            hint += f"; and move the arrays into {MOTION_FOLDER}/"
        problems.append(Problem("no-manifest", MANIFEST, "there is no manifest", hint))
        return None
    try:
        table = read_toml(path, MAX_MANIFEST)
    except ValueError as error:
        problems.append(Problem("bad-toml", MANIFEST, str(error), "see https://toml.io; text needs quotes"))
        return None
    try:
        return SubmissionManifest.model_validate(table)
    except ValidationError as error:
        known = [info.alias or name for name, info in SubmissionManifest.model_fields.items()]
        for name, message in validation_lines(error):
            hint = f"fields: {', '.join(known)}"
            if message == "unknown field":
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else hint
            elif name == "benchmark" and message != "missing":
                hint = 'write name@version, e.g. "openhead-20@3"'
            elif name == "schema":
                hint = "this version reads schema = 1"
            code = "wrong-schema" if name == "schema" else "bad-manifest"
            problems.append(Problem(code, f"{MANIFEST}: {name}", message, hint))
        return None


def _named_benchmark(manifest: SubmissionManifest, problems: list[Problem]) -> Benchmark | None:
    where = f"{MANIFEST}: benchmark"
    try:
        return load_benchmark(manifest.benchmark)
    except (UsageError, BenchmarkError) as error:
        name = manifest.benchmark.partition("@")[0]
        known = known_benchmarks()
        message = f"unknown benchmark {manifest.benchmark!r}{did_you_mean(name, known)}"
        if name in known or name in ON_DEMAND:
            message = str(error)
        hint = f"known: {', '.join(known) or 'none'}; for a folder of your own give --benchmark DIR"
        problems.append(Problem("unknown-benchmark", where, message, hint))
        return None


def _check_manifest(
    manifest: SubmissionManifest, benchmark: Benchmark | None, problems: list[Problem]
) -> Topology | None:
    """Check what the manifest's types cannot say; return the topology where it is known."""

    def add(code: str, name: str, message: str, hint: str) -> None:
        problems.append(Problem(code, f"{MANIFEST}: {name}", message, hint))

    if benchmark is not None and manifest.benchmark != benchmark.ref:
        add(
            "wrong-benchmark",
            "benchmark",
            f"made for {manifest.benchmark}, validated against {benchmark.ref}",
            "generate motion for this benchmark's clips, or give the other benchmark",
        )
    if not MIN_FPS <= manifest.fps <= MAX_FPS:
        hint = (
            "frames per second of the motion in the files, which is resampled to 25; usual are 25, 30 and 60"
        )
        if 1 / MAX_FPS <= manifest.fps <= 1 / MIN_FPS:
            hint = f"seconds per frame? Then fps = {1 / manifest.fps:g}"
        add("wrong-fps", "fps", f"fps = {manifest.fps:g}, expected {MIN_FPS:g} to {MAX_FPS:g}", hint)
    if manifest.unit != "m":
        cure = {"mm": "divide by 1000", "cm": "divide by 100"}.get(manifest.unit, "convert the vertices")
        add(
            "wrong-unit",
            "unit",
            f"unit = {manifest.unit!r}, expected 'm'",
            f"positions are in metres: {cure}",
        )
    if manifest.kind not in KINDS:
        hint = f"known kinds: {', '.join(KINDS)}{did_you_mean(manifest.kind, KINDS)}"
        add("wrong-kind", "kind", f"unknown kind {manifest.kind!r}", hint)
    if not is_topology(manifest.topology):
        known = topology_names()
        hint = f"known topologies: {', '.join(known)}{did_you_mean(manifest.topology, known)}"
        add("unknown-topology", "topology", f"unknown topology {manifest.topology!r}", hint)
        return None
    try:
        topology = load_topology(manifest.topology)
    except UsageError as error:
        add("unknown-topology", "topology", str(error), "install its package again, or leave it out")
        return None
    if (mismatch := find_mismatch(manifest.kind, topology.name)) is not None:
        cure = f'set topology = "{topology_of_kind(manifest.kind)}", or kind = "vertices"'
        add("wrong-kind", "kind", mismatch, cure)
        return None
    return topology


def _find_files(root: Path, benchmark: Benchmark | None, problems: list[Problem]) -> dict[str, Path] | None:
    """Return the motion file of each clip, listing stray, extra and duplicate ones."""
    folder = root / MOTION_FOLDER
    try:
        mode = folder.lstat().st_mode
    except FileNotFoundError:
        hint = f"put one file per clip into {MOTION_FOLDER}/"
        stray = sum(p.suffix in _SUFFIXES for p in root.iterdir())
        if stray:
            hint = f"{stray} array file(s) lie beside the manifest; move them into {MOTION_FOLDER}/"
        problems.append(Problem("no-motion-folder", f"{MOTION_FOLDER}/", "there is no such folder", hint))
        return None
    if not stat.S_ISDIR(mode):
        what = "is a symbolic link" if stat.S_ISLNK(mode) else "is not a folder"
        problems.append(
            Problem(
                "link-or-special-file",
                f"{MOTION_FOLDER}/",
                what,
                "make it a folder and copy the files into it",
            )
        )
        return None
    known = {clip.id for clip in benchmark.clips} if benchmark is not None else None
    by_lower = {clip.lower(): clip for clip in known or ()}
    files: dict[str, Path] = {}
    folded: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        where = f"{MOTION_FOLDER}/{path.name}"
        if path.name.startswith(".") or path.name.lower() in _LEFT_BY_WINDOWS:
            continue
        if path.suffix not in _SUFFIXES:
            hint = "save arrays as <clip>.npz or <clip>.npy"
            if path.suffix in (".pkl", ".pickle", ".pt", ".pth"):
                hint = "pickles are never read; save the array with numpy.savez_compressed"
            elif path.suffix.lower() in _SUFFIXES:
                hint = "write the ending in lower case"
            what = "a folder" if path.is_dir() and not path.is_symlink() else "not an .npz or .npy file"
            problems.append(Problem("unexpected-file", where, f"is {what}", hint))
            continue
        clip = path.stem
        if clip.lower() in folded:
            message = f"clip {clip!r} is also in {MOTION_FOLDER}/{folded[clip.lower()]}"
            hint = "which one counts is undefined; keep one file per clip, names may not differ in case only"
            problems.append(Problem("duplicate-clip", where, message, hint, clip))
            continue
        folded[clip.lower()] = path.name
        if known is not None and clip not in known:
            assert benchmark is not None
            if clip.lower() in by_lower:
                message = f"clip ids are case-sensitive: the clip is {by_lower[clip.lower()]!r}"
                problems.append(Problem("wrong-case", where, message, "rename the file", clip))
                continue
            hint = f"remove it{did_you_mean(clip, known)}"
            message = f"benchmark {benchmark.ref} has no clip {clip!r}"
            problems.append(Problem("extra-clip", where, message, hint, clip))
            continue
        files[clip] = path
    return files


def _missing(
    benchmark: Benchmark, missing: tuple[str, ...], present: int, problems: list[Problem]
) -> list[Problem]:
    if not present:
        message = f"holds none of the {len(benchmark.clips)} clips of {benchmark.ref}"
        hint = f"one file per clip, e.g. {MOTION_FOLDER}/{benchmark.clips[0].id}.npz"
        return [Problem("no-clips", f"{MOTION_FOLDER}/", message, hint)]
    hint = "generate it; --allow-partial scores the rest, but the result is not rankable"
    return [
        Problem("missing-clip", f"{MOTION_FOLDER}/{clip}.npz", f"clip {clip!r} is missing", hint, clip)
        for clip in missing
    ]


def blocking(problems: list[Problem], allow_partial: bool = False) -> list[Problem]:
    """Return the problems that forbid scoring; *allow_partial* tolerates missing clips, nothing else."""
    return [p for p in problems if not (allow_partial and p.code in TOLERATED)]


def validate(path: str | Path, benchmark: Benchmark | str | Path | None = None) -> list[Problem]:
    """List everything wrong with a submission; an empty list means that it can be scored.

    Parameters
    ----------
    path : str or Path
        The submission folder.
    benchmark : Benchmark, str or Path, optional
        What to validate against; by default the benchmark that the manifest names, if it is bundled.

    Returns
    -------
    list of Problem
        Manifest first, then clips in the benchmark's order.

    Raises
    ------
    UsageError
        Where there is no folder *path*.
    """
    return inspect_submission(path, benchmark)[1]


def load_submission(
    path: str | Path, benchmark: Benchmark | str | Path | None = None, allow_partial: bool = False
) -> Submission:
    """Load a submission after checking its manifest and the header of every file.

    Values are checked by :func:`validate`, and again as :meth:`Submission.motion` reads them.

    Parameters
    ----------
    path : str or Path
        The submission folder.
    benchmark : Benchmark, str or Path, optional
        As for :func:`validate`.
    allow_partial : bool
        Tolerate missing clips; the result is marked :attr:`Submission.partial`.

    Raises
    ------
    UsageError
        Where there is no folder *path*.
    SubmissionError
        With every problem found.
    """
    submission, problems = inspect_submission(path, benchmark, values=False)
    problems = blocking(problems, allow_partial)
    if problems or submission is None:
        raise SubmissionError(path, problems)
    return submission
