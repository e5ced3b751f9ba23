"""Scores of systems from a table that somebody else printed: one row a system and metric.

Conventions
-----------
Columns ``system,metric,score,better``, the last one ``lower`` or ``higher``; further columns are allowed, and
``printed_spearman`` is shown beside what can be computed. Such scores are known by system only: no clips, no intervals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mtbench.people.table_files import Problems, TableFile, TableRow, read_table, require_columns

COLUMNS = ("system", "metric", "score", "better")
PRINTED = "printed_spearman"
_LIMIT = 1e12


@dataclass(frozen=True)
class PublishedScores:
    """Scores as somebody printed them.

    Attributes
    ----------
    scores : mapping of str to mapping of str to float
        By metric and system, as printed.
    higher_is_better : mapping of str to bool
        By metric.
    printed : mapping of str to float
        Correlation that was printed with a metric, where one was.
    remarks : tuple of str
        What the file says about itself.
    """

    scores: Mapping[str, Mapping[str, float]]
    higher_is_better: Mapping[str, bool]
    printed: Mapping[str, float]
    remarks: tuple[str, ...]


def looks_published(table: TableFile) -> bool:
    """Return whether *table* has the columns of published scores."""
    return {"system", "metric", "score"} <= set(table.columns)


def read_published(path: Path | str) -> PublishedScores:
    """Return published scores; ``UsageError`` with every problem of the file."""
    table, problems = read_table(path), Problems()
    scores: dict[str, dict[str, float]] = {}
    higher: dict[str, bool] = {}
    printed: dict[str, float] = {}
    if require_columns(table, COLUMNS, (*COLUMNS, PRINTED), problems):
        for row in table.rows:
            _read_row(row, scores, higher, printed, problems)
    problems.raise_any("published scores")
    return PublishedScores(scores, higher, printed, table.remarks)


def _read_row(
    row: TableRow,
    scores: dict[str, dict[str, float]],
    higher: dict[str, bool],
    printed: dict[str, float],
    problems: Problems,
) -> None:
    system, metric, better = row["system"], row["metric"], row["better"].lower()
    score = read_number(row, "score", problems)
    if not system or not metric:
        problems.add(row.where, "system or metric is empty")
    elif better not in ("lower", "higher") or higher.get(metric, better == "higher") != (better == "higher"):
        problems.add(
            row.where, f"better is {row['better']!r}; expected 'lower' or 'higher', one for each metric"
        )
    elif system in scores.get(metric, {}):
        problems.add(row.where, f"{system!r} has two scores of {metric!r}")
    elif score is not None:
        scores.setdefault(metric, {})[system] = score
        higher[metric] = better == "higher"
        if row[PRINTED]:
            found = read_number(row, PRINTED, problems)
            if found is not None:
                printed[metric] = found


def read_number(row: TableRow, column: str, problems: Problems) -> float | None:
    """Return the number in a cell, or None and a problem."""
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if math.isfinite(value) and abs(value) < _LIMIT:
        return value
    problems.add(
        row.where,
        f"{column} is {row[column]!r}; expected a number below {_LIMIT:.0e} in size, with a point as decimal sign",
    )
    return None
