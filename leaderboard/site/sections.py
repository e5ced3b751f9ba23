"""Sections of the board: one a table, for entries whose numbers may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mtbench.leaderboard.groups import Group, profile_of
from mtbench.leaderboard.site.columns import BoardColumn, choose_board_columns
from mtbench.results import Rank, Row, Run, Signature, conditions_digest, folder_name, role_of
from mtbench.speech import display_name


@dataclass(frozen=True)
class Entry:
    """An entry of the board.

    Attributes
    ----------
    run : Run
    slug : str
        Name of its page, without the ending; letters, digits, ``-``, ``_`` and ``+``.
    rank : Rank or None
    tied : int
        How many other entries have its rank.
    role : str
        ``"control"``, ``"reference"`` or ``"system"``.
    rows : tuple of Row or None
        Rows under the headline condition.
    viewers : mapping of str to str
        Where its clips can be looked at, by clip; addresses relative to the site's folder.
    """

    run: Run
    slug: str
    rank: Rank | None
    tied: int
    role: str
    rows: tuple[Row, ...] | None
    viewers: Mapping[str, str]

    @property
    def is_open(self) -> bool:
        """Whether its manifest says that its weights are open."""
        return self.run.system.model.get("open_weights") is True

    @property
    def address(self) -> str:
        """Its page, relative to the site's folder."""
        return f"entries/{self.slug}.html"


@dataclass(frozen=True)
class Section:
    """A table of the board.

    Attributes
    ----------
    id : str
        Of its element.
    entries : tuple of Entry
        Ranked ones first, then those without a rank; no controls.
    controls : tuple of Entry
    columns : tuple of BoardColumn
    ranked_by : str
        What ranks are by, ``""`` where there are none.
    part : str
        ``"table 1 of 2"`` where several have the same benchmark, recognizer and profile and differ in other settings.
    """

    id: str
    entries: tuple[Entry, ...]
    controls: tuple[Entry, ...]
    columns: tuple[BoardColumn, ...]
    ranked_by: str
    part: str = ""

    @property
    def name(self) -> str:
        """What tells it from the others."""
        told = (self.benchmark, self.recognizer, f"profile {self.profile}", self.part)
        return ", ".join(filter(None, told))

    @property
    def all(self) -> tuple[Entry, ...]:
        """Entries, then controls: the order of the page."""
        return self.entries + self.controls

    @property
    def first(self) -> Run:
        """A run that says what all have in common."""
        return self.all[0].run

    @property
    def benchmark(self) -> str:
        """Name and version."""
        return f"{self.first.benchmark.name}@{self.first.benchmark.version}"

    @property
    def recognizer(self) -> str:
        """Name and digest, ``"none"`` where only geometry was measured."""
        r = self.first.recognizer
        return "none" if r is None else f"{r.name}#{r.digest[:8]}"

    @property
    def profile(self) -> str:
        """Name of the profile."""
        return profile_of(self.first)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that there are numbers in, by their names."""
        found = {row.language for e in self.all for row in e.run.summary} - {"all"}
        return tuple(sorted(found, key=lambda code: (display_name(code), code)))

    @cached_property
    def kinds(self) -> tuple[int, ...]:
        """A number for each entry; those that chose the same for themselves have the same signatures."""
        known: dict[tuple, int] = {}
        return tuple(known.setdefault(_list_choices(entry.run), len(known)) for entry in self.all)

    @cached_property
    def noises(self) -> tuple[str, ...]:
        """Names of the noise recordings."""
        found = {row.noise for e in self.all for row in e.run.summary if row.noise not in (None, "all")}
        return tuple(sorted(map(str, found)))


def make_sections(groups: Sequence[Group], viewers: Mapping[str, Mapping[str, str]]) -> tuple[Section, ...]:
    """Return the sections of a board.

    Parameters
    ----------
    groups : sequence of Group
    viewers : mapping of str to mapping of str to str
        As for :func:`mtbench.leaderboard.board.build_leaderboard`.
    """
    slugs = _name_pages([run for group in groups for run in group.runs])
    sections = []
    for number, group in enumerate(sorted(groups, key=_place), 1):
        ranks = group.ranks or (None,) * len(group.runs)
        held = [rank.rank for rank in ranks if rank is not None]
        entries = [
            Entry(
                run=run,
                slug=slugs[id(run)],
                rank=rank,
                tied=0 if rank is None else held.count(rank.rank) - 1,
                role=role_of(run),
                rows=rows,
                viewers=viewers.get(folder_name(run.system.name), {}),
            )
            for run, rank, rows in zip(group.runs, ranks, group.rows, strict=True)
        ]
        systems = [e for e in entries if e.role != "control"]
        systems.sort(
            key=lambda e: len(entries) + 1 if e.rank is None else e.rank.rank
        )  # stable: then by rate
        controls = tuple(e for e in entries if e.role == "control")
        columns = choose_board_columns(group.runs)
        sections.append(Section(f"table-{number}", tuple(systems), controls, columns, group.ranked_by))
    return _number_alike(sections)


def _place(group: Group) -> tuple[bool, int]:
    """Return where a group stands: first those whose recognizer can be trusted, then larger ones first."""
    run = group.runs[0]
    doubted = run.understanding is not None and run.understanding.understood is False
    doubted |= run.sight is not None and run.sight.reads is False
    return doubted, -len(group.runs)


def _number_alike(sections: Sequence[Section]) -> tuple[Section, ...]:
    names = [section.name for section in sections]
    return tuple(
        replace(section, part=f"table {names[:i].count(section.name) + 1} of {n}")
        if (n := names.count(section.name)) > 1
        else section
        for i, section in enumerate(sections)
    )


def _list_choices(run: Run) -> tuple:
    keys = ("topology", "posed", "resample", "rest", "truth")
    return tuple(
        sorted(
            (name, *(str(Signature.parse(text).get(k)) for k in keys))
            for name, text in run.signatures.items()
        )
    )


def _name_pages(runs: Sequence[Run]) -> dict[int, str]:
    """Return the name of each run's page: the system's, with digests where two would be called alike."""
    names = [
        (name := folder_name(run.system.name), f"{name}+{conditions_digest(run)}", run.system.digest[:8])
        for run in runs
    ]
    plain = [name for name, _, _ in names]
    fuller = [name for _, name, _ in names]
    out, taken = {}, set()
    for run, (short, long, own) in zip(runs, names, strict=True):
        name = short if plain.count(short) == 1 else long if fuller.count(long) == 1 else f"{long}-{own}"
        while name in taken:  # the same result twice
            name += "-again"
        taken.add(name)
        out[id(run)] = name
    return out
