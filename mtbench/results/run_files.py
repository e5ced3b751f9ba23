"""Result folders: ``run.json`` and ``clips.jsonl``, written so that equal runs give equal bytes.

Conventions
-----------
``results/<system>/<benchmark>/run.json`` (folders: :mod:`mtbench.results.folders`) holds what was measured and how,
``clips.jsonl`` the per-clip rows (:mod:`mtbench.results.rows`) from which every number in it follows. Keys are
sorted, rows come in the benchmark's order, floats carry at most ten significant digits; whatever depends on the
clock or on what was cached is in ``run.json["timings"]`` and nowhere else. Both files are written whole and renamed.
``docs/results.md`` describes the fields; readers accept :data:`SCHEMA_VERSION` and everything older.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError, model_validator

from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.files import explain_no_folder, validation_lines, write_atomically
from mtbench.results.averaging import Averaging
from mtbench.results.checks import (
    RowKeeper,
    check_depth,
    check_settings,
    check_signatures,
    check_summary,
)
from mtbench.results.result_text import parse_text, read_text
from mtbench.results.rows import Row, row_from_json
from mtbench.results.sight import SightRef
from mtbench.results.summary import NumberIndex, SummaryRow

#: Version of the layout of both files.
SCHEMA_VERSION = 3
_DIGITS = 10


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BenchmarkRef(_Model):
    """Which benchmark: name, version, and digest of every file in it."""

    name: str
    version: str
    digest: str


class RecognizerRef(_Model):
    """Which recognizer: name, and digest of weights, code and decoding settings."""

    name: str
    digest: str


class SystemRef(_Model):
    """Which system: display name, and digest of the submission folder."""

    name: str
    digest: str
    topology: str
    kind: str
    model: dict[str, Any] = {}
    generation: dict[str, Any] = {}


class UnderstandingRef(_Model):
    """The recognizer's error on clean sound alone, see :class:`mtbench.results.understanding.Understanding`."""

    recognizer: str
    unit: Literal["phones", "words", "characters"]
    error: float | None
    by_language: dict[str, float]
    n_clips: int
    limit: float
    understood: bool | None
    no_words: tuple[str, ...] = ()
    open_words: tuple[str, ...] = ()


class Run(_Model):
    """A scored submission: the content of ``run.json``.

    Attributes
    ----------
    schema_version : int
    status : "complete" or "partial"
        Partial: clips were missing and ``--allow-partial`` was given.
    rankable : bool
        Whether the run may stand in a ranking.
    system, benchmark, recognizer
        What was scored, on what, by whom (None: geometry only).
    understanding : UnderstandingRef or None
        How well the recognizer understands the benchmark's clean sound alone; None where nothing was recognized,
        and in files of schema version 1.
    sight : SightRef or None
        Whether the recognizer reads the benchmark's ground truth; None where nothing was recognized, and in files of
        schema versions 1 and 2.
    warnings : tuple of str
        What a reader of the numbers has to know.
    warning_codes : tuple of str
        A stable name for each of *warnings*; empty in files of older versions.
    signatures : dict of str to str
        ``metric|modality`` -> how its numbers were computed (:mod:`mtbench.results.signature`).
    settings : dict
        What the signatures are made of (:class:`mtbench.results.summary.SignatureContext`), and the normalizer.
    summary : tuple of SummaryRow
    timings : dict
        Seconds and counts per stage; the only part that differs between identical runs.
    environment : dict
        Versions of what computed the numbers.
    rows_digest : str or None
        Of the rows that the numbers follow from (:func:`digest_rows`); None in files of older versions.
    """

    schema_version: int = SCHEMA_VERSION
    status: Literal["complete", "partial"]
    rankable: bool
    system: SystemRef
    benchmark: BenchmarkRef
    recognizer: RecognizerRef | None
    understanding: UnderstandingRef | None = None
    sight: SightRef | None = None
    warnings: tuple[str, ...] = ()
    warning_codes: tuple[str, ...] = ()
    signatures: dict[str, str]
    settings: dict[str, Any]
    summary: tuple[SummaryRow, ...]
    timings: dict[str, Any]
    environment: dict[str, Any]
    rows_digest: str | None = None
    _folder: Path | None = PrivateAttr(default=None)
    _numbers: NumberIndex | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _check_codes(self) -> Run:
        if self.warning_codes and len(self.warning_codes) != len(self.warnings):
            raise ValueError(
                f"warning_codes has {len(self.warning_codes)} entries, expected {len(self.warnings)}, one for each "
                "warning"
            )
        return self

    @property
    def folder(self) -> Path | None:
        """Where the run was written to or read from; None where it was neither. Not part of the file."""
        return self._folder

    @property
    def numbers(self) -> NumberIndex:
        """Its numbers by their coordinates. Not part of the file."""
        if (
            self._numbers is None or self._numbers.summary is not self.summary
        ):  # a copy may have another summary
            self._numbers = NumberIndex(self.summary)
        return self._numbers

    @property
    def averaging(self) -> Averaging:
        """How its error rates are put together."""
        return Averaging.of(self.settings.get("recognition", {}))

    def find(self, metric: str, **where: Any) -> list[SummaryRow]:
        """Return the summary rows of *metric* whose fields equal *where*.

        Examples
        --------
        ``run.find("wer", modality="av", snr_db=-7.5, noise="all", language="ita")``
        """
        return [
            row
            for row in self.summary
            if row.metric == metric and all(getattr(row, key) == value for key, value in where.items())
        ]

    def estimate(self, metric: str, **where: Any) -> float | None:
        """Return the estimate of the one row that fits; None where it is ``n/a`` or absent.

        Raises
        ------
        UsageError
            Where several rows fit: name more fields.
        """
        rows = self.find(metric, **where)
        if len(rows) > 1:
            raise UsageError(
                f"{len(rows)} numbers fit {metric} {where}; name language, snr_db, noise, aggregation, …"
            )
        return rows[0].estimate if rows else None

    def to_pandas(self) -> Any:
        """Return the summary as a ``pandas.DataFrame``, a line a number (extra ``[report]``).

        Columns are the fields of :class:`mtbench.results.summary.SummaryRow`, ``ci95`` in two (``low``, ``high``),
        and the ``system``. What was not measured is NaN, with its ``reason``.

        Raises
        ------
        PrerequisiteError
            Without pandas.
        """
        require_extra("report", "Run.to_pandas", "pandas")
        import pandas

        lines = []
        for row in self.summary:
            line = {"system": self.system.name, **asdict(row)}
            line["low"], line["high"] = line.pop("ci95") or (None, None)
            lines.append(line)
        return pandas.DataFrame(lines).astype(dict.fromkeys(("estimate", "low", "high", "snr_db"), float))

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from mtbench.results.metric_table import run_html

        return run_html(self)


def round_floats(value: Any) -> Any:
    """Return a JSON *value* with floats cut to ten significant digits; NaN and infinities become None."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: round_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_floats(item) for item in value]
    return value


def row_to_line(row: Row) -> str:
    """Return *row* as one line of ``clips.jsonl``, without the line break."""
    return json.dumps(round_floats(row.to_json()), sort_keys=True, ensure_ascii=False, allow_nan=False)


def canonical_rows(rows: Iterable[Row]) -> list[Row]:
    """Return *rows* as they will be read back, so that scoring and re-scoring see the same numbers."""
    return [row_from_json(json.loads(row_to_line(row))) for row in rows]


def digest_rows(rows: Iterable[Row]) -> str:
    """Return 32 hex digits over the text of ``clips.jsonl``."""
    return hashlib.blake2b(_rows_to_text(rows).encode(), digest_size=16).hexdigest()


def _rows_to_text(rows: Iterable[Row]) -> str:
    return "".join(row_to_line(row) + "\n" for row in rows)


def write_results(folder: Path, run: Run, rows: Sequence[Row]) -> None:
    """Write ``clips.jsonl``, then ``run.json``, each atomically.

    Parameters
    ----------
    folder : Path
        Created where needed.
    run : Run
        The content of ``run.json``.
    rows : sequence of Row
        In the benchmark's order.
    """
    write_atomically(folder / "clips.jsonl", _rows_to_text(rows).encode())
    write_run(folder, run)


def write_run(folder: Path, run: Run) -> None:
    """Write ``run.json`` atomically, and note in *run* where it lies."""
    write_atomically(folder / "run.json", run_to_text(run).encode())
    run._folder = folder


def run_to_text(run: Run) -> str:
    """Return *run* as the text of ``run.json``."""
    data = round_floats(run.model_dump(mode="json"))
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def read_run(path: Path | str) -> Run:
    """Return the run in *path*, a result folder or its ``run.json``.

    Raises
    ------
    UsageError
        Where there is none (naming one below), it is not JSON, has another layout, or a newer schema version.
    """
    path = Path(path)
    file = path / "run.json" if path.is_dir() else path
    if path.is_dir() and not file.exists() and (below := find_runs(path)):
        more = f" ({len(below)} are below it)" if len(below) > 1 else ""
        raise UsageError(f"{path}: no run.json here; name the result folder below it: {below[0]}{more}")
    text = read_text(file)
    data = parse_text(file, text)
    if not isinstance(data, dict) or type(data.get("schema_version")) is not int:
        raise UsageError(f"{file}: no schema_version; expected the run.json of a result folder")
    if data["schema_version"] > SCHEMA_VERSION:
        raise UsageError(
            f"{file}: schema version {str(data['schema_version'])[:20]}, this mtbench reads up to {SCHEMA_VERSION}; "
            "a newer mtbench wrote it: upgrade"
        )
    try:
        check_depth({key: value for key, value in data.items() if key != "summary"})  # whose rows are flat
        run = Run.model_validate_json(text, strict=True)
        check_summary(run.summary)
        check_signatures(run.signatures)
        check_settings(run.settings)
    except ValidationError as error:
        field, message = validation_lines(error)[0]
        raise UsageError(
            f"{file}: {field}: {message} ({error.error_count()} problem(s)); was it edited by hand?"
        ) from error
    except ValueError as error:
        raise UsageError(f"{file}: {error}; was it edited by hand?") from error
    run._folder = file.parent
    return run


def read_rows(path: Path | str) -> list[Row]:
    """Return the per-clip rows in *path*, a result folder or its ``clips.jsonl``.

    Raises
    ------
    UsageError
        Naming file and line of what cannot be read.
    """
    path = Path(path)
    file = path / "clips.jsonl" if path.is_dir() else path
    rows: list[Row] = []
    keeper = RowKeeper()
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            rows.append(read_row(file, line, number, keeper))
    return rows


def read_row(file: Path, line: str, number: int, keeper: RowKeeper) -> Row:
    """Return the row in line *number* of *file*, checked beside those before it; errors as :func:`read_rows`."""
    try:
        row = row_from_json(parse_text(file, line, number))
        keeper.check(row)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{file}, line {number}: {error}; score the submission again") from error
    return row


def read_results(folder: Path | str) -> tuple[Run, list[Row]]:
    """Return the run and the per-clip rows of a result folder.

    Raises
    ------
    UsageError
        As :func:`read_run` and :func:`read_rows`, and where ``run.json`` was made of other rows.
    """
    run, rows = read_run(folder), read_rows(folder)
    found = len({row.clip for row in rows})
    expected = max((row.n_expected for row in run.summary if row.language == "all"), default=found)
    if found != expected:
        raise UsageError(
            f"{folder}: clips.jsonl has rows of {found} clips, run.json was made of {expected}; was one of the two "
            "edited, cut off or copied alone?"
        )
    if run.rows_digest is not None and run.rows_digest != digest_rows(rows):
        raise UsageError(
            f"{folder}: run.json was made of other rows than clips.jsonl holds; was one of the two edited or copied "
            "alone, or a score ended between writing one and the other? Score the submission again"
        )
    return run, rows


def find_runs(root: Path | str) -> list[Path]:
    """Return the result folders below *root* (``<system>/<benchmark>/run.json``), sorted."""
    root = Path(root)
    if not root.is_dir():
        raise UsageError(
            f"{explain_no_folder(root)}; expected results/<system>/<benchmark>/run.json below it"
        )
    return sorted(
        path.parent for pattern in ("run.json", "*/run.json", "*/*/run.json") for path in root.glob(pattern)
    )
