"""What the board's script knows: the numbers of a section by language and noise, with their signatures.

Conventions
-----------
A view is one language (or all) under one noise (or all). Its ``cells`` are three whole numbers a cell, entry by entry
and column by column: the value and how far its interval reaches below and above; null for no number, null as reach
for no interval. Views of a single noise hold the columns that depend on noise only. Single noises by language are left
out where a board has so many numbers that its page would become slow (:data:`MOST_NUMBERS`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtbench.leaderboard.site.columns import BoardColumn
from mtbench.leaderboard.site.sections import Section
from mtbench.pages import csv_text, latex_text, markdown_cell

#: Most numbers in one section's views by noise and language.
MOST_NUMBERS = 30_000


def make_views(section: Section) -> dict[str, Any]:
    """Return the views of a section by ``noise/language``."""
    languages = ("all", *section.languages)
    noisy = [column for column in section.columns if column.noise is not None]
    views = {f"all/{lang}": _make_view(section, section.columns, lang) for lang in languages}
    several = len(section.noises) > 1
    size = len(section.all) * len(noisy) * len(section.noises) * len(languages)
    for noise in section.noises if several and noisy else ():
        for lang in languages if size <= MOST_NUMBERS else ("all",):
            columns = [column.with_noise(noise) for column in noisy]
            views[f"{noise}/{lang}"] = _make_view(section, columns, lang)
    return views


def _make_view(section: Section, columns: Sequence[BoardColumn], language: str) -> dict[str, Any]:
    cells: list[int | None] = []
    few: dict[str, str] = {}
    kinds = section.kinds
    signatures: list[list[str | None]] = [[None] * len(columns) for _ in set(kinds)]
    own: dict[str, str] = {}
    for i, entry in enumerate(section.all):
        for j, column in enumerate(columns):
            cell = column.cell(entry.run, language)
            if cell is None:
                cells += (None, None, None)
                continue
            reach = (cell.below, cell.above) if cell.has_interval else (None, None)
            cells += (cell.value, *reach)
            if cell.few is not None:
                few[f"{i},{j}"] = f"{cell.few[0]}/{cell.few[1]}"
            row = column.find(entry.run, language)
            assert row is not None
            usual = signatures[kinds[i]]
            usual[j] = usual[j] or row.signature
            if usual[j] != row.signature:
                own[f"{i},{j}"] = row.signature
    return {"cells": cells, "few": few, "signatures": signatures, "own": own}


def make_data(section: Section) -> dict[str, Any]:
    """Return everything that the script knows of a section, as JSON."""
    kinds = section.kinds
    return {
        "id": section.id,
        "title": _spell(section.name),
        "columns": [
            {
                "id": c.id,
                "kind": kind_of(c),
                "label": _spell(c.label),
                "unit": _spell(c.unit),
                "about": c.about,
                "digits": c.number.digits,
                "sign": c.number.sign,
                "better": c.better,
                "snr": c.number.snr_db,
                "noisy": c.noise is not None,
            }
            for c in section.columns
        ],
        "entries": [
            {
                "name": _spell(entry.run.system.name),
                "open": entry.is_open,
                "control": entry.role == "control",
                "rank": "" if entry.rank is None else str(entry.rank),
                "kind": kind,
            }
            for entry, kind in zip(section.all, kinds, strict=True)
        ],
        "views": make_views(section),
    }


def kind_of(column: BoardColumn) -> str:
    """Return what the column is called in the list of metrics."""
    n = column.number
    return column.label.split(" ")[0] if n.modality is not None else n.metric


def _spell(text: str) -> list[str]:
    """Return *text* as it is, and for CSV, Markdown and LaTeX; what is the same is left out."""
    forms = [csv_text([[text]]).removesuffix("\n"), markdown_cell(text), latex_text(text)]
    return [text] if forms == [text] * 3 else [text, *forms]
