"""A leaderboard as Markdown, JSON and CSV.

Conventions
-----------
Read from result folders alone: no benchmark, submission or recognizer is loaded. Entries that
:func:`mtbench.compare` would compare stand in one table, best audio-visual headline rate at the least noise first;
partial runs are listed last and never ranked. Where the recognizer does not understand the speech or cannot read the
motion, or none was asked, the order is that of LVE. Where rows lie beside ``run.json``, ranks say which entries are
told apart (:mod:`mtbench.leaderboard.ranks`). Equal inputs give equal bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.files import write_atomically
from mtbench.leaderboard.ranks import order_entries, rank_group
from mtbench.results import (
    Rank,
    Run,
    entries_table,
    find_runs,
    group_runs,
    languages_table,
    read_run,
    round_floats,
)


def build_leaderboard(results: Path | str, out: Path | str) -> list[Path]:
    """Write ``leaderboard.md``, ``leaderboard.json`` and ``leaderboard.csv``.

    Parameters
    ----------
    results : Path or str
        Folder with ``<system>/<benchmark>/run.json`` below it.
    out : Path or str
        Folder to write to.

    Returns
    -------
    list of Path
        The written files.

    Raises
    ------
    UsageError
        Where there is no result, or one that cannot be read.
    """
    folders = find_runs(results)
    if not folders:
        raise UsageError(f"{results}: no run.json below it; 'mtbench score --out {results}' writes some")
    groups = [order_entries(group) for group in group_runs([read_run(folder) for folder in folders])]
    out = Path(out)
    ranked = [rank_group(group) for group in groups]
    parts = []
    for group, (ranks, ranked_by) in zip(groups, ranked, strict=True):
        others = [run for other in groups if other is not group for run in other]
        parts += [
            entries_table(group, others, ranks, ranked_by).to_markdown(),
            languages_table(group).to_markdown(),
        ]
    files = {
        "leaderboard.md": "# Leaderboard\n\n" + "\n".join(parts),
        "leaderboard.json": json.dumps(
            round_floats([_group_to_json(g, ranks) for g, (ranks, _) in zip(groups, ranked, strict=True)]),
            indent=1,
            sort_keys=True,
            ensure_ascii=False,
        )
        + "\n",
        "leaderboard.csv": _to_csv(groups),
    }
    for name, text in files.items():
        write_atomically(out / name, text.encode())
    return [out / name for name in files]


def _group_to_json(runs: Sequence[Run], ranks: Sequence[Rank | None]) -> dict[str, Any]:
    first = runs[0]
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
                "summary": [row.to_json() for row in run.summary],
            }
            for run, rank in zip(runs, ranks or [None] * len(runs), strict=True)
        ],
    }


def _to_csv(groups: Sequence[Sequence[Run]]) -> str:
    fields = (
        "metric",
        "modality",
        "snr_db",
        "noise",
        "language",
        "aggregation",
        "estimate",
        "ci95_low",
        "ci95_high",
    )
    extra = ("n_clips", "unit", "signature")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("system", "benchmark", "recognizer", "understood", "reads", "rankable", *fields, *extra))
    for run in (run for group in groups for run in group):
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
        for row in run.summary:
            data = round_floats(row.to_json())
            data["ci95_low"], data["ci95_high"] = data["ci95"] or (None, None)
            writer.writerow((*head, *(data[key] for key in (*fields, *extra))))
    return buffer.getvalue()
