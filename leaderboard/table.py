"""A leaderboard as Markdown, JSON and CSV.

Conventions
-----------
Read from result folders alone (``run.json``): no benchmark, submission or recognizer is loaded. Entries that
:func:`mtbench.compare` would compare stand in one table, best audio-visual headline rate at the loudest speech first;
partial runs are listed last and never ranked. Where the recognizer does not understand the speech, or none was asked,
the order is that of LVE. Equal inputs give equal bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.files import write_atomically
from mtbench.results import (
    Run,
    entries_table,
    find_number,
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
    parts = []
    for group in groups:
        others = [run for other in groups if other is not group for run in other]
        parts += [entries_table(group, others).to_markdown(), languages_table(group).to_markdown()]
    files = {
        "leaderboard.md": "# Leaderboard\n\n" + "\n".join(parts),
        "leaderboard.json": json.dumps(
            round_floats([_group_to_json(group) for group in groups]),
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


def order_entries(runs: Sequence[Run]) -> list[Run]:
    """Return *runs* best first: rankable before partial, then by rate, then by name."""

    def place(run: Run) -> tuple[bool, float, str]:
        value = _ranking_value(run)
        return not run.rankable, float("inf") if value is None else value, run.system.name

    return sorted(runs, key=place)


def _ranking_value(run: Run) -> float | None:
    snrs = [row.snr_db for row in run.summary if row.modality == "av" and row.snr_db is not None]
    deaf = run.understanding is not None and not run.understanding.understood
    if not snrs or deaf:
        row = find_number(run.summary, "lve_mm")
    else:
        row = find_number(run.summary, "headline", modality="av", snr_db=max(snrs), noise="all")
    return None if row is None else row.estimate


def _group_to_json(runs: Sequence[Run]) -> dict[str, Any]:
    first = runs[0]
    return {
        "benchmark": first.benchmark.model_dump(),
        "recognizer": None if first.recognizer is None else first.recognizer.model_dump(),
        "understanding": None if first.understanding is None else first.understanding.model_dump(),
        "entries": [
            {
                "system": run.system.model_dump(),
                "rankable": run.rankable,
                "warnings": list(run.warnings),
                "signatures": run.signatures,
                "summary": [row.to_json() for row in run.summary],
            }
            for run in runs
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
    writer.writerow(("system", "benchmark", "recognizer", "understood", "rankable", *fields, *extra))
    for run in (run for group in groups for run in group):
        # One recognizer with other weights is another recognizer.
        judge = "" if run.recognizer is None else f"{run.recognizer.name}#{run.recognizer.digest[:8]}"
        verdict = None if run.understanding is None else run.understanding.understood
        understood = "" if verdict is None else verdict
        head = (
            run.system.name,
            f"{run.benchmark.name}@{run.benchmark.version}",
            judge,
            understood,
            run.rankable,
        )
        for row in run.summary:
            data = round_floats(row.to_json())
            data["ci95_low"], data["ci95_high"] = data["ci95"] or (None, None)
            writer.writerow((*head, *(data[key] for key in (*fields, *extra))))
    return buffer.getvalue()
