"""The table of optional metrics: one line a metric, one column an entry.

There are too many of them to stand as columns of the tables over entries; those who ask for them get them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtbench.metrics import METRICS, describe_direction
from mtbench.results.tables import Column, Table, entries_table, languages_table

if TYPE_CHECKING:
    from mtbench.results.run_files import Run

#: Digits after the point by unit, and of all others.
_DIGITS = {"r": 3, "fraction": 3, "%": 1, "ms": 1}
_OTHERS = 2


def optional_table(runs: Sequence[Run]) -> Table | None:
    """Return the table of the optional metrics that *runs* of one benchmark have, None where they have none.

    Parameters
    ----------
    runs : sequence of Run
        That may be compared, see :func:`mtbench.results.tables.group_runs`; those without any are left out.
    """
    optional = set(METRICS.optional())
    runs = [run for run in runs if optional & {row.metric for row in run.summary}]
    present = {row.metric for run in runs for row in run.summary}
    metrics = [metric for metric in METRICS.values() if metric.name in optional & present]
    if not metrics:
        return None
    rows: list[tuple[str, ...]] = []
    reasons: dict[str, dict[str, None]] = {}
    for metric in metrics:
        column = Column(metric.name, metric.name, digits=_DIGITS.get(metric.unit, _OTHERS))
        cells = [column.cell(run) for run in runs]
        rows.append((metric.name, metric.unit.replace("m2", "m²"), describe_direction(metric), *cells))
        for run in runs:
            for row in run.summary:
                if (
                    row.metric == metric.name
                    and row.language == "all"
                    and row.estimate is None
                    and row.reason
                ):
                    reasons.setdefault(row.reason, {})[metric.name] = None
    first = runs[0]
    notes = [
        "Definitions, sources and known failures: docs/metrics.md, 'mtbench ls metrics --markdown'. "
        "±: half of the 95 % interval."
    ]
    if any(cell.endswith("]") for row in rows for cell in row):
        notes.append("[1/4]: over 1 clip of 4 only; run.json says why.")
    notes += [f"n/a in {', '.join(names)}: {reason}." for reason, names in reasons.items()]
    title = f"{first.benchmark.name}@{first.benchmark.version}, metrics on request, all languages"
    header = ("metric", "unit", "better", *(run.system.name for run in runs))
    return Table(title, header, tuple(rows), tuple(notes))


def run_html(run: Run) -> str:
    """Return what a notebook shows of *run*: its tables over all languages, by language, and of optional metrics."""
    from mtbench.results.notebook import table_html

    tables = (entries_table([run]), languages_table([run]), optional_table([run]))
    return "\n".join(table_html(table) for table in tables if table is not None)
