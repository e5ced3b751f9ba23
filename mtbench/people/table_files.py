"""Tables that people bring, CSV or JSON lines: cells as text with their line, and every problem at once.

Conventions
-----------
CSV is separated by commas, semicolons or tabs, as its first line tells; lines before that which begin with ``#`` are
remarks and are printed with the numbers. JSON lines hold an object each. A cell that a spreadsheet would compute may
have an apostrophe before it, which is not part of it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mtbench.errors import UsageError, did_you_mean
from mtbench.files import read_text_file

_MAX_BYTES, _MAX_CELL, _MAX_COLUMNS = 64 << 20, 10_000, 200
_SHOWN = 20
_FORMULA = ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class TableRow:
    """One row.

    Attributes
    ----------
    where : str
        File and line.
    cells : dict of str to str
        Text by column, without blanks around it.
    """

    where: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class TableFile:
    """A table as it was read.

    Attributes
    ----------
    path : Path
    columns : tuple of str
        In lower case.
    rows : tuple of TableRow
    remarks : tuple of str
        Lines before the header that began with ``#``.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    remarks: tuple[str, ...]


@dataclass
class Problems:
    """Problems of some files, collected so that all are told at once."""

    lines: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Note a problem at *where*."""
        self.lines.append(f"{where}: {message}")

    def raise_any(self, what: str) -> None:
        """Raise ``UsageError`` with all problems, if there are any."""
        if self.lines:
            shown = "".join(f"\n  - {line}" for line in self.lines[:_SHOWN])
            more = f"\n  - and {len(self.lines) - _SHOWN} more" if len(self.lines) > _SHOWN else ""
            raise UsageError(f"{len(self.lines)} problem(s) in {what}:{shown}{more}\nNothing was computed.")


def read_table(path: Path | str) -> TableFile:
    """Return the table in a file.

    Raises
    ------
    UsageError
        For a file that is no table: unreadable, too large, not UTF-8, without a header.
    """
    path = Path(path)
    text = read_text_file(
        path, _MAX_BYTES, kind="such table", expected="a CSV file", mend="save it as 'CSV UTF-8'"
    )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_json_lines(path, text)
    lines = text.split("\n")
    start = 0
    while start < len(lines) and (lines[start].startswith("#") or not lines[start].strip()):
        start += 1
    remarks = tuple(r for line in lines[:start] if (r := line.lstrip("#").strip()))
    if start == len(lines):
        raise UsageError(f"{path}: no table in it; expected a line of column names and rows below")
    separator = max(",;\t", key=lines[start].count)
    reader = csv.reader(iter(lines[start:]), delimiter=separator, strict=True)
    try:
        header = next(reader)
        columns = _check_header(path, [cell.strip().lower() for cell in header])
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}:{start + reader.line_num}"
            if len(cells) != len(columns):
                raise UsageError(
                    f"{where}: {len(cells)} cells under {len(columns)} columns; is a comma inside a name that has no "
                    "quotes around it?"
                )
            rows.append(TableRow(where, dict(zip(columns, map(_clean, cells), strict=True))))
    except csv.Error as error:
        raise UsageError(
            f"{path}:{start + reader.line_num}: not CSV ({error}); a quote is missing or too many"
        ) from error
    return TableFile(path, tuple(columns), tuple(rows), remarks)


def require_columns(
    table: TableFile, needed: Iterable[str], known: Collection[str], problems: Problems
) -> bool:
    """Return whether *table* has the columns *needed*; add a problem for each that is missing."""
    there = True
    for column in needed:
        if column not in table.columns:
            strangers = [c for c in table.columns if c not in known]
            near = did_you_mean(column, strangers)
            problems.add(
                str(table.path),
                f"no column {column!r}{near}; there are {', '.join(table.columns) or 'none'}",
            )
            there = False
    return there


def _check_header(path: Path, columns: list[str]) -> list[str]:
    double = sorted({c for c in columns if columns.count(c) > 1})
    if double or len(columns) > _MAX_COLUMNS:
        what = f"columns named twice: {', '.join(map(repr, double[:5]))}" if double else "too many columns"
        raise UsageError(f"{path}: {what}; the first line has to name each column once")
    return columns


def _clean(cell: str) -> str:
    cell = cell.strip()
    if cell.startswith("'") and cell[1:].startswith(_FORMULA):
        cell = cell[1:]
    return cell[:_MAX_CELL]


def _read_json_lines(path: Path, text: str) -> TableFile:
    rows: list[TableRow] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}:{number}: not JSON ({error}); expected one object a line") from error
        if not isinstance(value, dict) or len(value) > _MAX_COLUMNS:
            raise UsageError(f"{path}:{number}: not an object; expected one object a line")
        cells = {k.strip().lower(): "" if v is None else str(v).strip()[:_MAX_CELL] for k, v in value.items()}
        columns |= dict.fromkeys(cells)
        rows.append(TableRow(f"{path}:{number}", cells))
    if not rows:
        raise UsageError(f"{path}: no rows in it; expected one JSON object a line")
    return TableFile(path, tuple(columns), tuple(rows), ())
