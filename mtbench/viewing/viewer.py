"""The viewer: a page a clip with its faces side by side, in one folder that works from disk.

Conventions
-----------
Every page is whole: sound, motion, player and curves are inside, so that it can be sent to somebody by itself.
``index.html`` lists the clips. Pages follow from their inputs alone, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mtbench.benchmarks import Benchmark, Clip, as_benchmark
from mtbench.errors import UsageError
from mtbench.faces import load_topology, require_renderable
from mtbench.files import check_output_folder
from mtbench.pages import write_site
from mtbench.submissions import Submission, load_submission
from mtbench.viewing.clip_pages import ListedClip, name_page, render_clip, render_index
from mtbench.viewing.heard_texts import HeardEntry, Scores, find_scores
from mtbench.viewing.shown_faces import ShownFace, show_entry, show_truth

#: Clips that are shown where none is named: at most so many, one a language.
FIRST_CLIPS = 8
#: Entries that a page has room for.
MOST_ENTRIES = 3


def write_viewer(
    out: Path | str,
    submissions: Sequence[Submission | str | Path],
    benchmark: Benchmark | str | Path | None = None,
    *,
    clips: Iterable[str] | None = None,
    results: Path | str | None = None,
    truth: bool = True,
    home: tuple[str, str] | None = None,
    told: Callable[[str, int], None] | None = None,
) -> dict[str, str]:
    """Write pages on which entries of a benchmark are looked at side by side.

    Parameters
    ----------
    out : path
        Folder; gets ``index.html`` and ``<clip>.html`` for every clip. Other files in it are left alone.
    submissions : sequence of Submission, str or Path
        One to three; clips may be missing from them.
    benchmark : Benchmark, str or Path, optional
        By default the one that the submissions name.
    clips : iterable of str, optional
        Ids, or ``"all"``; by default the first of each language that every entry has, :data:`FIRST_CLIPS` at most.
    results : path, optional
        Folder of results: what was recognized is shown, its errors marked.
    truth : bool
        Whether the ground truth is shown where there is some. Errors are measured against it in either case.
    home : tuple of two str, optional
        Address, relative to *out*, and name of the page that these belong to.
    told : callable, optional
        Is told each clip and the bytes of its page as it is written.

    Returns
    -------
    dict of str to str
        Address of each clip's page relative to *out*.

    Raises
    ------
    UsageError
        For no entries or too many, of several benchmarks, unknown clips, clips that no entry has, or results that
        are not there.
    SubmissionError, BenchmarkError, PrerequisiteError
        Where motion cannot be read, or a topology cannot be drawn.
    """
    entries, found = _open_entries(submissions, benchmark)
    chosen = choose_clips(found, entries, clips)
    check_output_folder(Path(out))
    scores = [] if results is None else find_scores(results, entries, found)
    rows = []
    for number, clip in enumerate(chosen):
        faces = gather_faces(entries, clip, truth)
        around = (chosen[number - 1] if number else None, (*chosen, None)[number + 1])
        page = ListedClip(clip, name_page(clip), _list_errors(entries, faces))
        text = render_clip(found.ref, clip, faces, _gather_heard(scores, clip), around, home)
        write_site(out, {page.address: text})
        rows.append(page)
        if told is not None:
            told(clip.id, len(text.encode()))
    write_site(out, {"index.html": render_index(found.ref, [entry.system for entry in entries], rows, home)})
    return {row.clip.id: row.address for row in rows}


def choose_clips(
    benchmark: Benchmark, entries: Sequence[Submission], wanted: Iterable[str] | None = None
) -> list[Clip]:
    """Return the clips that are shown.

    Parameters
    ----------
    benchmark : Benchmark
    entries : sequence of Submission
    wanted : iterable of str, optional
        Ids, or ``"all"`` for all that any entry has; by default the first of each language that every entry has,
        :data:`FIRST_CLIPS` at most.

    Raises
    ------
    UsageError
        For unknown clips, clips that no entry has, and entries without a clip in common.
    """
    if wanted is None:
        common = set.intersection(*(set(entry.clips) for entry in entries))
        first: dict[str, Clip] = {}
        for clip in benchmark.clips:
            if clip.id in common:
                first.setdefault(clip.language, clip)
        if not first:
            raise UsageError("the entries have no clip in common; name the clips to look at (--clip)")
        return list(first.values())[:FIRST_CLIPS]
    asked = list(dict.fromkeys(wanted))
    there = {clip for entry in entries for clip in entry.clips}
    if asked == ["all"]:
        return [clip for clip in benchmark.clips if clip.id in there]
    for name in asked:
        if benchmark.clip(name).id not in there:
            raise UsageError(f"clip {name} is in none of the entries; leave it out")
    if not asked:
        raise UsageError("no clips to look at")
    return [benchmark.clip(name) for name in asked]


def gather_faces(entries: Sequence[Submission], clip: Clip, truth: bool = True) -> list[ShownFace]:
    """Return the faces of a clip's page: the ground truth, where there is some and it is wanted, then the entries'.

    A ground truth that is not wanted but that errors are measured against comes last.
    """
    motion = clip.load_motion()
    faces = [show_entry(entry, clip.id, motion) for entry in entries if clip.id in entry.clips]
    if motion is None:
        return faces
    if truth and load_topology(motion.topology).renderable:
        return [show_truth(motion), *faces]
    return [*faces, show_truth(motion)] if any(face.error is not None for face in faces) else faces


def _open_entries(
    submissions: Sequence[Submission | str | Path], benchmark: Benchmark | str | Path | None
) -> tuple[list[Submission], Benchmark]:
    if not 1 <= len(submissions) <= MOST_ENTRIES:
        raise UsageError(f"{len(submissions)} entries to look at, expected 1 to {MOST_ENTRIES}")
    given = None if benchmark is None else as_benchmark(benchmark)
    entries = [
        one if isinstance(one, Submission) else load_submission(one, given, allow_partial=True)
        for one in submissions
    ]
    first = entries[0]
    for entry in entries:
        require_renderable(load_topology(entry.topology))
        if given is None and entry.benchmark_ref != first.benchmark_ref:
            raise UsageError(
                f"{entry.path} is for benchmark {entry.benchmark_ref}, {first.path} for {first.benchmark_ref}; side by "
                "side stand entries of one benchmark: name it (--benchmark) if it is the same after all"
            )
    return entries, as_benchmark(first.benchmark_ref) if given is None else given


def _gather_heard(scores: Sequence[Scores], clip: Clip) -> list[HeardEntry]:
    found = (one.heard(clip.id, clip.language) for one in scores)
    return [entry for entry in found if entry is not None]


def _list_errors(entries: Sequence[Submission], faces: Sequence[ShownFace]) -> tuple[float | None, ...]:
    """Return the error of every entry, None for one that has not this clip, too."""
    shown = iter(face.mean_error for face in faces if not face.is_truth)
    clip_errors = list(shown)
    if len(clip_errors) == len(entries):
        return tuple(clip_errors)
    by_name = {face.name: face.mean_error for face in faces if not face.is_truth}
    return tuple(by_name.get(entry.system) for entry in entries)
