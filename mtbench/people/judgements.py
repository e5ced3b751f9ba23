"""Judgements of pairs, as they are brought: one row a judgement, or counts.

Conventions
-----------
Rows: ``rater,clip,language,aspect,system_a,system_b,choice,first_shown`` with ``choice`` one of ``a``, ``b``, ``tie``
and ``first_shown`` one of ``a``, ``b`` or empty; further columns are allowed. ``check`` marks an attention check by
its right choice: such a row is never counted. ``trial`` 0 is practice. Counts: ``a,b,aspect,wins_a,ties,n``. The same
answer in two files (a rater saved twice) counts once; two different answers to one question are a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mtbench.errors import UsageError, did_you_mean
from mtbench.people.table_files import Problems, TableFile, TableRow, read_table, require_columns
from mtbench.speech import any_code

ROW_COLUMNS = ("rater", "clip", "language", "aspect", "system_a", "system_b", "choice", "first_shown")
COUNT_COLUMNS = ("a", "b", "aspect", "wins_a", "ties", "n")
_CHOICES = {"a": 1, "b": -1, "tie": 0}
_MOST_VOTES, _MOST_SYSTEMS = 1_000_000, 200


@dataclass(frozen=True)
class Judgement:
    """One rater's answer about two systems on one clip.

    Attributes
    ----------
    rater, clip, language, aspect : str
    a, b : str
        The systems.
    outcome : int
        1 where *a* was preferred, -1 where *b* was, 0 for a tie.
    first : str
        ``"a"`` or ``"b"``: the one shown first; ``""`` where it is not known.
    where : str
        File and line.
    """

    rater: str
    clip: str
    language: str
    aspect: str
    a: str
    b: str
    outcome: int
    first: str
    where: str


@dataclass(frozen=True)
class Count:
    """Votes about two systems that somebody else counted.

    Attributes
    ----------
    aspect, a, b : str
    wins, ties, losses : int
        For *a*, for neither, for *b*.
    """

    aspect: str
    a: str
    b: str
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class AttentionCheck:
    """One rater's answer to a question whose right answer is known."""

    rater: str
    passed: bool


@dataclass(frozen=True)
class Judgements:
    """All judgements of some files; either rows or counts.

    Attributes
    ----------
    rows : tuple of Judgement
    counts : tuple of Count
    checks : tuple of AttentionCheck
    remarks : tuple of str
        What the files say about themselves.
    notes : tuple of str
        What was left out in reading.
    """

    rows: tuple[Judgement, ...]
    counts: tuple[Count, ...]
    checks: tuple[AttentionCheck, ...]
    remarks: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def aspects(self) -> tuple[str, ...]:
        """Aspects, in the order of first occurrence."""
        return tuple(dict.fromkeys([*(r.aspect for r in self.rows), *(c.aspect for c in self.counts)]))

    @property
    def systems(self) -> tuple[str, ...]:
        """Systems, in the order of first occurrence."""
        pairs = [*((r.a, r.b) for r in self.rows), *((c.a, c.b) for c in self.counts)]
        return tuple(dict.fromkeys(name for pair in pairs for name in pair))


def read_judgements(paths: Sequence[Path | str], systems: Iterable[str] | None = None) -> Judgements:
    """Return the judgements in *paths*, all of rows or all of counts.

    Parameters
    ----------
    paths : sequence of path
        Files of judgements.
    systems : iterable of str, optional
        Names that systems may have; any other is a problem.

    Raises
    ------
    UsageError
        With every problem of every file, by file and line.
    """
    tables = [read_table(path) for path in paths]
    kinds = {kind_of(table) for table in tables}
    if len(kinds) > 1:
        raise UsageError("some files hold rows and others counts; read one kind at a time")
    for table in tables:
        _check_layout(table)
    problems, allowed = Problems(), None if systems is None else set(systems)
    reader = _Rows(allowed) if kinds == {"rows"} else _Counts(allowed)
    for table in tables:
        reader.read(table, problems)
    found = reader.finish(tuple(dict.fromkeys(r for table in tables for r in table.remarks)), problems)
    if len(found.systems) > _MOST_SYSTEMS:
        problems.add(str(tables[0].path), f"{len(found.systems)} systems; at most {_MOST_SYSTEMS} are scaled")
    problems.raise_any("the judgements")
    if not found.rows and not found.counts:
        raise UsageError(f"{tables[0].path}: no judgements in it, apart from attention checks and practice")
    return found


def kind_of(table: TableFile) -> str:
    """Return ``"counts"`` or ``"rows"``: what the columns of *table* look most like."""
    has_counts = len({"a", "b", "wins_a", "n"} & set(table.columns))
    return (
        "counts"
        if has_counts > len({"rater", "system_a", "system_b", "choice"} & set(table.columns))
        else "rows"
    )


def _check_layout(table: TableFile) -> None:
    """Refuse a table that has few columns of either layout, so that nobody can know which one is meant."""
    columns = set(table.columns)
    if max(len(columns & set(ROW_COLUMNS)), len(columns & set(COUNT_COLUMNS))) * 2 >= len(COUNT_COLUMNS):
        return
    raise UsageError(
        f"{table.path}: neither judgements one a row nor counts; there are the columns {', '.join(table.columns)}. "
        f"Expected {','.join(ROW_COLUMNS)} (one row a judgement; language and first_shown may be left out), or "
        f"{','.join(COUNT_COLUMNS)} (counts, one row a pair and aspect)"
    )


def _check_names(row: TableRow, names: Sequence[str], allowed: set[str] | None, problems: Problems) -> bool:
    fine = True
    for name in names:
        if not name:
            problems.add(row.where, "a system has no name")
            fine = False
        elif allowed is not None and name not in allowed:
            known = ", ".join(sorted(allowed))
            near = did_you_mean(name, allowed) or f"; there are {known}"
            problems.add(row.where, f"unknown system {name!r}{near}")
            fine = False
    if fine and names[0] == names[1]:
        problems.add(row.where, f"{names[0]!r} is compared with itself")
        fine = False
    return fine


class _Rows:
    """Judgements one by one."""

    def __init__(self, allowed: set[str] | None) -> None:
        self.allowed = allowed
        self.found: dict[tuple[str, ...], Judgement] = {}
        self.checks: dict[tuple[str, ...], AttentionCheck] = {}
        self.again = self.practice = 0

    def read(self, table: TableFile, problems: Problems) -> None:
        known = (*ROW_COLUMNS, "check", "study", "schedule", "trial", "plays", "seconds")
        needed = [c for c in ROW_COLUMNS if c not in ("language", "first_shown")]
        if not require_columns(table, needed, known, problems):
            return
        for row in table.rows:
            self._read_row(row, problems)

    def _read_row(self, row: TableRow, problems: Problems) -> None:
        choice, check, first = (row[c].lower() for c in ("choice", "check", "first_shown"))
        empty = [c for c in ("rater", "clip", "aspect") if not row[c]]
        if empty:
            problems.add(row.where, f"{', '.join(empty)} is empty")
            return
        for name, value, more in (
            ("choice", choice, ()),
            ("check", check, ("",)),
            ("first_shown", first, ("",)),
        ):
            allowed = (*(("a", "b") if name == "first_shown" else _CHOICES), *more)
            if value not in allowed:
                expected = ", ".join(repr(v) for v in allowed if v)
                problems.add(row.where, f"{name} is {row[name]!r}; expected {expected}")
                return
        if row["trial"] == "0":
            self.practice += 1
            return
        key = ("rater", "study", "trial", "clip", "language", "aspect", "system_a", "system_b")
        asked = (*(row[column] for column in key), first)
        if check:
            self.checks[asked] = AttentionCheck(row["rater"], choice == check)
            return
        language = _read_language(row, problems)
        if language is None:
            return
        if not _check_names(row, (row["system_a"], row["system_b"]), self.allowed, problems):
            return
        judgement = Judgement(
            rater=row["rater"],
            clip=row["clip"],
            language=language,
            aspect=row["aspect"],
            a=row["system_a"],
            b=row["system_b"],
            outcome=_CHOICES[choice],
            first=first,
            where=row.where,
        )
        before = self.found.setdefault(asked, judgement)
        if before is judgement:
            return
        if before.outcome != judgement.outcome:
            problems.add(
                row.where,
                f"rater {judgement.rater!r} answered the same question otherwise at {before.where}; remove one, or "
                "give repeated showings different numbers in a column 'trial'",
            )
        self.again += 1

    def finish(self, remarks: tuple[str, ...], problems: Problems) -> Judgements:
        notes = []
        if self.again:
            notes.append(f"{self.again} answer(s) stood in the files more than once and are counted once")
        if self.practice:
            notes.append(f"{self.practice} answer(s) to practice trials are not counted")
        return Judgements(tuple(self.found.values()), (), tuple(self.checks.values()), remarks, tuple(notes))


class _Counts:
    """Judgements that were counted by somebody else."""

    def __init__(self, allowed: set[str] | None) -> None:
        self.allowed = allowed
        self.found: dict[tuple[str, ...], Count] = {}

    def read(self, table: TableFile, problems: Problems) -> None:
        if not require_columns(table, COUNT_COLUMNS, COUNT_COLUMNS, problems):
            return
        for row in table.rows:
            names = row["a"], row["b"]
            if not _check_names(row, names, self.allowed, problems):
                continue
            numbers = [_read_count(row, c, problems) for c in ("wins_a", "ties", "n")]
            if None in numbers:
                continue
            wins, ties, n = (int(v or 0) for v in numbers)
            if wins + ties > n or n < 1:
                problems.add(row.where, f"{wins} wins and {ties} ties of {n} votes cannot be")
            key = (row["aspect"], *sorted(names))
            if key in self.found:
                problems.add(row.where, f"{names[0]} and {names[1]} stand there twice for {row['aspect']!r}")
            self.found[key] = Count(row["aspect"], *names, wins, ties, n - wins - ties)

    def finish(self, remarks: tuple[str, ...], problems: Problems) -> Judgements:
        return Judgements((), tuple(self.found.values()), (), remarks, ())


@lru_cache(maxsize=1024)
def _language_code(name: str) -> str:
    return any_code(name) if name else ""


def _read_language(row: TableRow, problems: Problems) -> str | None:
    """Return the ISO 639-3 code in a row, empty where none is given; None and a problem for what is no language."""
    try:
        return _language_code(row["language"])
    except UsageError as error:
        problems.add(row.where, str(error))
        return None


def _read_count(row: TableRow, column: str, problems: Problems) -> int | None:
    text = row[column]
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= _MOST_VOTES:
        return int(text)
    problems.add(row.where, f"{column} is {text!r}; expected a whole number from 0 to {_MOST_VOTES:,}")
    return None
