"""What a report is about: result folders, read and put into groups whose numbers may stand together.

Conventions
-----------
Entries of a group are numbered: systems first, then the reference model, then controls, each best first. Runs that
:func:`mtbench.compare` would refuse to compare are in different groups, and no page shows two groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.files import slugify
from mtbench.leaderboard.ranks import choose_number, order_entries
from mtbench.leaderboard.report.document import Name, Text
from mtbench.results import (
    GeometryRow,
    RecognitionRow,
    Row,
    Run,
    find_runs,
    group_runs,
    list_snrs,
    name_for_figure,
    read_results,
    role_of,
)

#: How roles are called, in the order of entries.
ROLES = {"system": "system", "reference": "reference model", "control": "control"}
#: Most entries of one report: what figures and tables hold.
MOST_ENTRIES = 24


@dataclass(frozen=True)
class Entry:
    """A scored system.

    Attributes
    ----------
    number : int
        From 1, in its group.
    run : Run
    rows : sequence of Row
    """

    number: int
    run: Run
    rows: Sequence[Row]

    @property
    def name(self) -> str:
        """Name as its manifest has it."""
        return self.run.system.name

    @property
    def role(self) -> str:
        """One of :data:`ROLES`."""
        return role_of(self.run)

    @property
    def title(self) -> Text:
        """Name for texts."""
        mark = "" if self.run.rankable else " (partial)"
        return (Name(self.name), mark) if mark else (Name(self.name),)

    @property
    def label(self) -> str:
        """Name for figures."""
        return name_for_figure(self.name, f"entry {self.number}")

    @cached_property
    def _by_language(self) -> dict[str, tuple[list[RecognitionRow], list[GeometryRow]]]:
        out: dict[str, tuple[list[RecognitionRow], list[GeometryRow]]] = {}
        for row in self.rows:
            heard, moved = out.setdefault(row.language, ([], []))
            if isinstance(row, GeometryRow):
                moved.append(row)
            else:
                heard.append(row)
        return out

    def heard(self, language: str, condition: Condition) -> list[RecognitionRow]:
        """Return what was recognized of the entry's own face, or without one; noise ``"all"`` is all of them."""
        return [
            row
            for row in self._by_language.get(language, ([], []))[0]
            if (row.modality, row.snr_db) == (condition.modality, condition.snr_db)
            and row.face != "static"
            and condition.noise in ("all", row.noise)
        ]

    def moved(self, language: str) -> list[GeometryRow]:
        """Return the geometric rows of a language."""
        return self._by_language.get(language, ([], []))[1]


@dataclass(frozen=True)
class Group:
    """Entries whose numbers may stand together.

    Attributes
    ----------
    slug : str
        Folder of its pages, ``""`` where there is one group only.
    entries : tuple of Entry
    """

    slug: str
    entries: tuple[Entry, ...]

    @property
    def first(self) -> Run:
        """The first entry's run."""
        return self.entries[0].run

    @property
    def runs(self) -> list[Run]:
        """All runs."""
        return [entry.run for entry in self.entries]

    @property
    def heard(self) -> bool:
        """Whether a recognizer listened."""
        return self.first.recognizer is not None

    @property
    def recognizer(self) -> str:
        """Name of the recognizer, or what stands for it."""
        return "no recognizer" if self.first.recognizer is None else self.first.recognizer.name

    @property
    def benchmark(self) -> str:
        """``name@version``."""
        return f"{self.first.benchmark.name}@{self.first.benchmark.version}"

    @cached_property
    def snrs(self) -> tuple[float, ...]:
        """Signal-to-noise ratios, least noise first."""
        return list_snrs(self.runs)

    @cached_property
    def main(self) -> Condition | None:
        """The condition that the report looks into: face and sound in the least noise; None without a recognizer."""
        if not self.heard:
            return None
        present = {(row.modality, row.snr_db) for run in self.runs for row in run.summary}
        for condition in (
            *(Condition("av", snr, "all") for snr in self.snrs),
            Condition("av"),
            Condition("v"),
        ):
            if (condition.modality, condition.snr_db) in present:
                return condition
        return None

    @property
    def ordered_by(self) -> tuple[str, Condition]:
        """Metric and condition that entries are ordered by."""
        return choose_number(self.first)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-3 codes of all clips."""
        found = {row.language for run in self.runs for row in run.summary} - {"all"}
        return tuple(sorted(found | {row.language for entry in self.entries for row in entry.rows}))

    @property
    def normalizer(self) -> str:
        """What texts are normalized by."""
        return str(self.first.settings.get("normalizer") or "uni-v1")


def read_sources(results: Sequence[Path | str]) -> list[Group]:
    """Return the results in and below the folders *results*, in groups.

    Raises
    ------
    UsageError
        Where a folder holds no result, one cannot be read, or there are more than :data:`MOST_ENTRIES` in a group.
    """
    folders: dict[Path, Path] = {}
    for root in results:
        found = find_runs(root)
        if not found:
            raise UsageError(f"{root}: no run.json in or below it; 'mtbench score' writes some")
        for folder in found:
            folders.setdefault(folder.resolve(), folder)
    read = [read_results(folder) for folder in folders.values()]
    rows = {id(run): own for run, own in read}
    groups = group_runs([run for run, _ in read])
    out: list[Group] = []
    for group in groups:
        if len(group) > MOST_ENTRIES:
            raise UsageError(
                f"{len(group)} results of {group[0].benchmark.name}: a report holds up to {MOST_ENTRIES}; name those "
                "that it is to compare ('mtbench leaderboard build' makes tables of any number)"
            )
        ordered = sorted(order_entries(group), key=lambda run: list(ROLES).index(role_of(run)))
        entries = tuple(Entry(i, run, rows[id(run)]) for i, run in enumerate(ordered, start=1))
        slug = "" if len(groups) == 1 else _slug(len(out) + 1, ordered[0])
        out.append(Group(slug, entries))
    return out


def _slug(number: int, run: Run) -> str:
    what = "geometry" if run.recognizer is None else run.recognizer.name
    return f"{number}-{slugify(run.benchmark.name)}-{slugify(what)}"
