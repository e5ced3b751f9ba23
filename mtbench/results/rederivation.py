"""Deriving a result's numbers from its rows again: whether ``run.json`` says what ``clips.jsonl`` holds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mtbench.results.aggregation import aggregate
from mtbench.results.rows import Row
from mtbench.results.run_files import Run, round_floats
from mtbench.results.summary import SignatureContext, SummaryRow


@dataclass(frozen=True)
class RowClip:
    """What rows say of their clip: id, language and source."""

    id: str
    language: str
    source: str


def clips_of(rows: Iterable[Row]) -> list[RowClip]:
    """Return the clips that *rows* are of, in their order."""
    return list(dict.fromkeys(RowClip(row.clip, row.language, row.source) for row in rows))


def context_of(run: Run) -> SignatureContext:
    """Return what *run* was made with, as its settings tell."""
    names = {f.name for f in dataclasses.fields(SignatureContext)}
    return SignatureContext(**{key: value for key, value in run.settings.items() if key in names})


def find_contradictions(run: Run, rows: Sequence[Row]) -> list[str]:
    """Return in what the numbers of *run* are not those of its *rows*, a line each.

    Of files of older versions only the numbers that they hold are compared, without their signatures.
    """
    from mtbench.version import __version__

    again = {_key(row): row for row in aggregate(rows, clips_of(rows), context_of(run))}
    same_version = run.environment.get("mtbench") == __version__ and run.rows_digest is not None
    fields = _NUMBERS + (("signature", "reason") if same_version else ())
    lines = []
    for row in run.summary:
        name = " ".join(str(part) for part in _key(row) if part is not None)
        derived = again.pop(_key(row), None)
        if derived is None:
            lines.append(f"{name}: the rows give no such number")
            continue
        for field in fields:
            mine, theirs = _plain(getattr(row, field)), _plain(getattr(derived, field))
            if mine != theirs:
                lines.append(f"{name}: {field} is {mine} in run.json and {theirs} by the rows")
    if same_version:
        lines += [
            f"{' '.join(str(part) for part in key if part is not None)}: not in run.json" for key in again
        ]
    return lines


_NUMBERS = ("estimate", "ci95", "n_clips", "n_expected", "unit", "higher_is_better")


def _key(row: SummaryRow) -> tuple:
    return row.metric, row.modality, row.snr_db, row.noise, row.language, row.aggregation


def _plain(value: object) -> object:
    """Return *value* as it would be read back from a file."""
    return json.loads(json.dumps(round_floats(value)))
