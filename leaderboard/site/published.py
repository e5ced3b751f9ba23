"""Numbers that a paper printed, as it printed them: shown apart from everything that was measured here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "published.toml"


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper.

    Attributes
    ----------
    name, title, source : str
        Its number there, what it is about, and the paper.
    unit : str
        As printed.
    columns : tuple of str
        Heads of the columns of numbers.
    rows : tuple of tuple of str
        Name, then numbers as printed.
    notes : tuple of str
        What has to be known of them.
    """

    name: str
    title: str
    source: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


@cache
def read_published() -> tuple[PublishedTable, ...]:
    """Return the tables of the paper that AVLR comes from.

    Examples
    --------
    >>> [table.name for table in read_published()]
    ['Table 2', 'Table 3', 'Table 5']
    """
    with _FILE.open("rb") as file:
        data = tomllib.load(file)
    return tuple(
        PublishedTable(
            table["name"],
            table["title"],
            data["source"],
            table["unit"],
            tuple(table["columns"]),
            tuple(map(tuple, table["rows"])),
            tuple(table["notes"]),
        )
        for table in data["tables"]
    )
