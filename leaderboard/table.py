"""A leaderboard as Markdown, JSON and CSV.

Conventions
-----------
Made from result folders alone: no benchmark, submission or recognizer is loaded. Entries that
:func:`mtbench.compare` would compare stand in one table, best audio-visual headline rate at the least noise first;
partial runs are listed last and never ranked. Where the recognizer does not understand the speech or cannot read the
motion, or none was asked, the order is that of LVE. Where rows lie beside ``run.json``, ranks say which entries are
told apart (:mod:`mtbench.leaderboard.ranks`). JSON and CSV hold the numbers of tables: each run's own average, all
noises together; single noises and other averages are in ``run.json``. Equal inputs give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mtbench.leaderboard.groups import Group
from mtbench.pages import csv_text
from mtbench.results import Run, SummaryRow, entries_table, languages_table


def make_tables(groups: Sequence[Group]) -> dict[str, str]:
    """Return ``leaderboard.md``, ``leaderboard.json`` and ``leaderboard.csv`` by name."""
    parts = []
    for group in groups:
        others = [run for other in groups if other is not group for run in other.runs]
        parts += [
            entries_table(group.runs, others, group.ranks, group.ranked_by).to_markdown(),
            languages_table(group.runs).to_markdown(),
        ]
    data = [_group_to_json(group) for group in groups]
    return {
        "leaderboard.md": "# Leaderboard\n\n" + "\n".join(parts),
        "leaderboard.json": json.dumps(data, sort_keys=True, ensure_ascii=False) + "\n",
        "leaderboard.csv": _to_csv(groups),
    }


def _group_to_json(group: Group) -> dict[str, Any]:
    first = group.runs[0]
    return {
        "benchmark": first.benchmark.model_dump(),
        "recognizer": None if first.recognizer is None else first.recognizer.model_dump(),
        "understanding": None if first.understanding is None else first.understanding.model_dump(),
        "sight": None if first.sight is None else first.sight.model_dump(),
        "entries": [
            {
                "system": run.system.model_dump(),
                "rankable": run.rankable,
                "rank": None if rank is None else asdict(rank),
                "warnings": list(run.warnings),
                "signatures": run.signatures,
                "summary": [row.to_json() for row in _choose_rows(run)],
            }
            for run, rank in zip(group.runs, group.ranks or [None] * len(group.runs), strict=True)
        ],
    }


def _choose_rows(run: Run) -> list[SummaryRow]:
    return [row for row in run.numbers.list_own() if row.noise in (None, "all")]


_FIELDS = (
    "metric",
    "modality",
    "snr_db",
    "noise",
    "language",
    "aggregation",
    "estimate",
    "ci95_low",
    "ci95_high",
    "n_clips",
    "unit",
    "signature",
)


def _to_csv(groups: Sequence[Group]) -> str:
    lines: list[Sequence[object]] = [
        ("system", "benchmark", "recognizer", "understood", "reads", "rankable", *_FIELDS)
    ]
    for run in (run for group in groups for run in group.runs):
        # One recognizer with other weights is another recognizer.
        recognizer = "" if run.recognizer is None else f"{run.recognizer.name}#{run.recognizer.digest[:8]}"
        verdict = None if run.understanding is None else run.understanding.understood
        understood = "" if verdict is None else verdict
        seen = None if run.sight is None else run.sight.reads
        head = (
            run.system.name,
            f"{run.benchmark.name}@{run.benchmark.version}",
            recognizer,
            understood,
            "" if seen is None else seen,
            run.rankable,
        )
        for row in _choose_rows(run):
            data = row.to_json()
            data["ci95_low"], data["ci95_high"] = data["ci95"] or (None, None)
            lines.append((*head, *(data[key] for key in _FIELDS)))
    return csv_text(lines)
