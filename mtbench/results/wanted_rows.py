"""Rows of one condition, without reading the others: what a board of many entries needs of ``clips.jsonl``."""

from __future__ import annotations

import hashlib
import json

from mtbench.conditions import Condition
from mtbench.results.checks import RowKeeper
from mtbench.results.result_text import read_text
from mtbench.results.rows import GeometryRow, Row
from mtbench.results.run_files import Run, read_results, read_row


def read_rows_under(run: Run, condition: Condition | None, *, geometry: bool = False) -> list[Row] | None:
    """Return the rows of *run* under one condition.

    Where the file is, byte for byte, what ``run.json`` was made of, lines that are not wanted are not read; else, and
    for files of older versions, everything is read and checked.

    Parameters
    ----------
    run : Run
        As read from a file.
    condition : Condition or None
        Of the rows of recognition that are wanted, with any noise; None: none are.
    geometry : bool
        Whether rows of geometry are wanted, too.

    Returns
    -------
    list of Row or None
        None where there is no ``clips.jsonl`` beside ``run.json``.

    Raises
    ------
    UsageError
        As :func:`mtbench.results.run_files.read_results`.
    """
    if run.folder is None or not (file := run.folder / "clips.jsonl").exists():
        return None
    text = read_text(file)
    if hashlib.blake2b(text.encode(), digest_size=16).hexdigest() != run.rows_digest:
        rows = read_results(run.folder)[1]
    else:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line]
        rows, keeper = [], RowKeeper()
        for number, line in _choose(lines, condition, geometry):
            rows.append(read_row(file, line, number, keeper))
    return [row for row in rows if _is_wanted(row, condition, geometry)]


def _choose(
    lines: list[tuple[int, str]], condition: Condition | None, geometry: bool
) -> list[tuple[int, str]]:
    """Return the lines of wanted rows, by what is written in every one of them."""
    measured = [item for item in lines if '"kind": "geometry"' in item[1]] if geometry else []
    if condition is None:
        return measured
    told = {"snr_db": condition.snr_db, "face": condition.face, "modality": condition.modality}
    for key, value in told.items():
        mark = f'"{key}": {json.dumps(value)}'
        lines = [item for item in lines if mark in item[1]]
    return sorted(measured + [item for item in lines if '"kind": "geometry"' not in item[1]])


def _is_wanted(row: Row, condition: Condition | None, geometry: bool) -> bool:
    if isinstance(row, GeometryRow):
        return geometry
    if condition is None:
        return False
    mine, wanted = row.condition, condition
    return (mine.modality, mine.snr_db, mine.face) == (wanted.modality, wanted.snr_db, wanted.face)
