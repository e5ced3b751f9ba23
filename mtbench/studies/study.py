"""A study out of submissions: planned and packed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtbench.benchmarks import Benchmark, as_benchmark
from mtbench.errors import UsageError
from mtbench.faces import load_topology, require_renderable
from mtbench.speech import any_code
from mtbench.studies.design import Design
from mtbench.studies.folder import require_study_folder
from mtbench.studies.page import describe_plan, describe_study, format_page, format_record
from mtbench.studies.plan import MIXED, MOVING, STILL, Group, list_pairs, plan_groups
from mtbench.studies.power import LEAST, SHARE, measure_plan
from mtbench.studies.stimuli import make_stimuli
from mtbench.submissions import Submission, load_submission
from mtbench.work import Progress

#: Most letters of a consent text.
LONGEST_CONSENT = 20_000


@dataclass(frozen=True)
class Study:
    """A study in memory.

    Attributes
    ----------
    record : dict
        What ``study.json`` holds, see :func:`mtbench.studies.page.describe_study`.
    files : dict of str to str
        Text by path below the study's folder: ``study.json``, ``page/index.html``, ``page/media/…``.
    groups : tuple of Group
    """

    record: dict[str, Any]
    files: dict[str, str]
    groups: tuple[Group, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(text.encode()) for text in self.files.values())

    def describe(self) -> list[str]:
        """Return what the study asks of its raters, and how large it is, a line each."""
        design, loudness = self.record["design"], self.record["loudness"]
        plans = [plan for group in self.groups for plan in group.schedules]
        shown = [[s.item for s in plan if s.item.kind == "pair"] for plan in plans]
        pairs = {(item.a, item.b) for items in shown for item in items}
        clips = {item.clip for items in shown for item in items}
        groups = ", ".join("all languages" if group.name == MIXED else group.name for group in self.groups)
        limit, power = loudness["limited_by"], measure_plan(self.groups)
        least, most = min(map(len, shown)), max(map(len, shown))
        trials = _count(shown[0], "trial") if least == most else f"{least} to {most} trials"
        return [
            f"{_count(self.record['systems'], 'system')}, {_count(pairs, 'pair')} of them, {_count(clips, 'clip')} "
            f"({groups})",
            f"{_count(plans, 'schedule')}, each with {trials} and "
            f"{_count(range(design['checks']), 'attention check')}, and {_count(design['aspects'], 'question')} "
            "about each",
            f"all schedules once: {sum(map(len, shown)) / len(pairs):g} judgements of each pair on each question",
            f"a preference of {SHARE:.0%} would be found with a power of {power.raters:.0%} over raters, "
            f"{power.clips:.0%} over clips ('mtbench study plan' says what others need)",
            f"sound at {loudness['lufs']:.1f} LUFS"
            + (f", as loud as the peaks of {limit} allow" if limit is not None else ""),
            f"faces within {self.record['largest_error_mm']:.3f} mm of the submitted motion",
            f"{_count(self.files, 'file')}, {self.size / 1e6:.1f} MB",
        ]


def make_study(
    submissions: Sequence[Path | str],
    benchmark: Benchmark | str | Path,
    design: Design | None = None,
    languages: Iterable[str] | None = None,
    consent: str | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> Study:
    """Return a study that compares *submissions*.

    Parameters
    ----------
    submissions : sequence of path
        Two folders at least; clips that one of them lacks are left out for all.
    benchmark : Benchmark, str or Path
    design : Design, optional
    languages : iterable of str, optional
        Clips of these only, in any habit of naming languages.
    consent : str, optional
        Text that raters agree to, in place of the page's own; paragraphs are parted by empty lines.
    out : path, optional
        Folder that the study is going to be written to; one that holds something else is refused at once.
    progress : Progress, optional

    Returns
    -------
    Study

    Raises
    ------
    UsageError
        For fewer than two systems or equal names, unknown languages, clips that no two share, a silent clip, a consent
        text that is empty or too long, a study too large for a browser, or a folder
        *out* that holds something else.
    SubmissionError
        For a submission that cannot be shown.
    PrerequisiteError
        For a topology whose triangles are not here.
    """
    design = Design() if design is None else design
    benchmark = as_benchmark(benchmark)
    loaded = [load_submission(path, benchmark, allow_partial=True) for path in submissions]
    pairs = list_pairs([found.system for found in loaded], design.against)
    by_name = {found.system: found for found in loaded}
    _check_systems(by_name)
    paragraphs = None if consent is None else _read_consent(consent)
    groups = plan_groups(design, pairs, _find_clips(benchmark, loaded, languages))
    plan = describe_plan(design, benchmark, by_name, groups, paragraphs)
    if out is not None:
        require_study_folder(out, plan)
    progress = Progress() if progress is None else progress
    progress.title = "study"
    for weakness in _find_weaknesses(groups, loaded):
        progress.warn(weakness)
    stimuli = make_stimuli(benchmark, by_name, groups, design.seed, progress)
    record = describe_study(plan, benchmark, stimuli)
    files = {
        "study.json": format_record(record),
        "page/index.html": format_page(design, record, groups, stimuli),
        **{f"page/{name}": text for name, text in stimuli.files.items()},
    }
    return Study(record, files, tuple(groups))


def _check_systems(submissions: Mapping[str, Submission]) -> None:
    for name, found in submissions.items():
        if name in (MOVING, STILL):
            raise UsageError(
                f"{found.path}: attention checks are called {name!r}; give the system another name"
            )
        require_renderable(load_topology(found.topology))


def _find_clips(
    benchmark: Benchmark, submissions: Sequence[Submission], languages: Iterable[str] | None
) -> dict[str, list[str]]:
    """Return the ids of the clips that all have, by language."""
    there = set.intersection(*(set(found.clips) for found in submissions))
    wanted = None if languages is None else [any_code(name) for name in languages]
    unknown = sorted(set(wanted or ()) - set(benchmark.languages))
    if unknown:
        raise UsageError(f"benchmark {benchmark.ref} has no clips of {', '.join(unknown)}")
    found: dict[str, list[str]] = {}
    for clip in benchmark.clips:
        if clip.id in there and (wanted is None or clip.language in wanted):
            found.setdefault(clip.language, []).append(clip.id)
    return found


def _find_weaknesses(groups: Sequence[Group], submissions: Sequence[Submission]) -> list[str]:
    """Return why the judgements may be worth little, a line each."""
    found = []
    power = measure_plan(groups)
    if power.raters < LEAST:
        found.append("with so few raters, or so many pairs for them, most such studies find nothing")
    if power.clips < LEAST:
        found.append("so few clips say little about other sentences: take more clips or languages")
    meshes = sorted({submission.topology for submission in submissions})
    if len(meshes) > 1:
        found.append(f"the systems have different heads ({', '.join(meshes)}): raters judge those, too")
    if partial := [submission.system for submission in submissions if submission.partial]:
        found.append(f"{', '.join(map(repr, partial))} lacks clips, which are left out for all")
    return found


def _read_consent(text: str) -> list[str]:
    paragraphs = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    if not paragraphs or len(text) > LONGEST_CONSENT:
        raise UsageError(
            f"the consent text has {len(text)} letters in {len(paragraphs)} paragraph(s), expected at least one "
            f"and at most {LONGEST_CONSENT} letters"
        )
    return paragraphs


def _count(things: Sized, word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
