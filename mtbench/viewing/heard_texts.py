"""What the recognizer made of a clip: its hypotheses beside what was said, the errors marked.

Conventions
-----------
Rows are found by the system's name and the benchmark's; where the result is of another version of the submission, a
line says so. Hypotheses with the entry's face come first, then those of its sound alone, which are the same for
every entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.conditions import ENTRY
from mtbench.errors import UsageError, list_some
from mtbench.results import AlignedUnit, RecognitionRow, Run, align_row, find_runs, read_results, read_run
from mtbench.speech import DEFAULT_NORMALIZER, headline_rate

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark
    from mtbench.submissions import Submission


@dataclass(frozen=True)
class HeardText:
    """One hypothesis.

    Attributes
    ----------
    condition : str
        In words: ``"sound and face, babble at -7.5 dB"``.
    with_face : bool
    units : tuple of AlignedUnit
        Words, or characters where those are counted.
    wrong, said : int
        Errors, and units of the reference.
    reason : str
        Why there is nothing, else empty.
    """

    condition: str
    with_face: bool
    units: tuple[AlignedUnit, ...]
    wrong: int
    said: int
    reason: str = ""


@dataclass(frozen=True)
class HeardEntry:
    """What one recognizer made of one entry's clip.

    Attributes
    ----------
    system, recognizer : str
    unit : str
        ``"words"`` or ``"characters"``.
    texts : tuple of HeardText
    remark : str
        What a reader has to know, else empty.
    """

    system: str
    recognizer: str
    unit: str
    texts: tuple[HeardText, ...]
    remark: str = ""

    @property
    def with_face(self) -> tuple[HeardText, ...]:
        """What was made of the entry's face, with sound or without."""
        return tuple(text for text in self.texts if text.with_face)

    @property
    def alone(self) -> tuple[HeardText, ...]:
        """What was made of the sound alone, the same for every entry."""
        return tuple(text for text in self.texts if not text.with_face)

    @property
    def joint(self) -> str:
        """What stands between units."""
        return " " if self.unit == "words" else ""


@dataclass(frozen=True)
class Scores:
    """Results of one submission, with what every clip was taken for."""

    run: Run
    rows: dict[str, tuple[RecognitionRow, ...]]
    remark: str

    def heard(self, clip: str, language: str) -> HeardEntry | None:
        """Return what was made of *clip*, None where nothing was recognized."""
        rows = [row for row in self.rows.get(clip, ()) if row.face in (ENTRY, None)]
        if not rows or self.run.recognizer is None:
            return None
        rate = headline_rate(language)
        normalizer = str(self.run.settings.get("normalizer") or DEFAULT_NORMALIZER)
        rows.sort(key=lambda row: row.condition.order)
        recognizer = f"{self.run.recognizer.name}#{self.run.recognizer.digest[:8]}"
        texts = tuple(_read_row(row, rate, normalizer) for row in rows)
        unit = "characters" if rate == "cer" else "words"
        return HeardEntry(self.run.system.name, recognizer, unit, texts, self.remark)


def find_scores(root: Path | str, submissions: Sequence[Submission], benchmark: Benchmark) -> list[Scores]:
    """Return the results of *submissions* below *root*: for each, one for every recognizer that heard it.

    Parameters
    ----------
    root : path
        Result folder, or folder of results.
    submissions : sequence of Submission
    benchmark : Benchmark

    Raises
    ------
    UsageError
        Where the folder is none, a result in it cannot be read, or none is of any of these submissions.
    """
    runs = [(folder, read_run(folder)) for folder in find_runs(root)]
    found = []
    for submission in submissions:
        for folder, run in runs:
            same = (run.benchmark.name, run.benchmark.version) == (benchmark.name, benchmark.version)
            if same and run.recognizer is not None and run.system.name == submission.system:
                found.append(_read_scores(folder, run, submission))
    if found:
        return found
    there = sorted({run.system.name for _, run in runs})
    raise UsageError(
        f"{root}: no recognizer's result of {list_some([repr(s.system) for s in submissions])} on {benchmark.ref}; "
        f"there are results of {list_some([repr(name) for name in there]) or 'nothing'}; score first, or leave "
        "--results out"
    )


def _read_scores(folder: Path, run: Run, submission: Submission) -> Scores:
    _, rows = read_results(folder)
    by_clip: dict[str, list[RecognitionRow]] = {}
    for row in rows:
        if isinstance(row, RecognitionRow):
            by_clip.setdefault(row.clip, []).append(row)
    other = run.system.digest != submission.digest
    remark = "The result is of another version of this submission than the one shown." if other else ""
    return Scores(run, {clip: tuple(its) for clip, its in by_clip.items()}, remark)


def _read_row(row: RecognitionRow, rate: str, normalizer: str) -> HeardText:
    units = align_row(row, rate, normalizer)
    condition, with_face = _describe(row), row.modality != "a"
    if units is None:
        return HeardText(condition, with_face, (), 0, 0, row.reason or "nothing was recognized")
    wrong = sum(unit.kind != "hit" for unit in units)
    return HeardText(condition, with_face, units, wrong, sum(unit.said is not None for unit in units))


def _describe(row: RecognitionRow) -> str:
    if row.modality == "v":
        return "face alone"
    given = "sound and face" if row.modality == "av" else "sound alone"
    if row.snr_db is None:
        return f"{given}, clean"
    return f"{given}, {row.noise} at " + f"{row.snr_db:+g} dB".replace("-", "\N{MINUS SIGN}")
