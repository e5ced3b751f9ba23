"""The page of an entry: what it says of itself, its numbers by language, plots, its worst and best clips."""

from __future__ import annotations

from typing import Any

from mtbench.leaderboard.site.clips import choose_clips
from mtbench.leaderboard.site.columns import BoardColumn
from mtbench.leaderboard.site.index_page import draw_cells
from mtbench.leaderboard.site.plots import DotRow, Mark, draw_dots
from mtbench.leaderboard.site.sections import Entry, Section
from mtbench.leaderboard.site.whiskers import span_of
from mtbench.metrics import METRICS
from mtbench.results import BITS, Run, SummaryRow
from mtbench.speech import display_name

_ROLES = {
    "control": "a control: its place is known beforehand, it has no rank",
    "reference": "mtbench's reference model",
    "system": "",
}
_NAMES = {"params_m": "parameters, millions", "open_weights": "open weights", "rtf": "real-time factor"}


def make_entry(section: Section, entry: Entry) -> dict[str, Any]:
    """Return what the template of an entry's page is filled with."""
    run = entry.run
    columns = [c for c in section.columns if c.topology in (None, run.system.topology)]
    worst, best = choose_clips(entry)
    heard = _describe_heard(entry)
    return {
        "title": run.system.name,
        "page": "entry",
        "section": section,
        "entry": entry,
        "role": _ROLES[entry.role],
        "manifest": describe_manifest(run),
        "columns": columns,
        "languages": _make_rows(section, columns, run),
        "plots": _draw_plots(run, columns),
        "worst": worst,
        "best": best,
        "heard": heard,
        "numbers": [(describe_number(row), row) for row in _list_overall(run)],
    }


def describe_manifest(run: Run) -> list[tuple[str, str]]:
    """Return what the manifest says, empty fields left out, and what the entry is made of."""
    told = [("topology", run.system.topology), ("kind of motion", run.system.kind)]
    for table in (run.system.model, run.system.generation):
        for key, value in table.items():
            if value not in (None, "", [], {}):
                text = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else str(value)
                told.append((_NAMES.get(key, key.replace("_", " ")), str(text)))
    told.append(("digest of the submission", run.system.digest))
    told.append(("mtbench", str(run.environment.get("mtbench") or "not told")))
    return told


def _make_rows(section: Section, columns: list[BoardColumn], run: Run) -> list[dict[str, Any]]:
    codes = ["all", *sorted({row.language for row in run.summary} - {"all"}, key=display_name)]
    cells = {code: [column.cell(run, code) for column in columns] for code in codes}
    spans = [span_of(cells[code][j] for code in codes) for j in range(len(columns))]
    narrowed = type(section)(section.id, section.entries, section.controls, tuple(columns), "")
    return [
        {
            "name": "All languages" if code == "all" else display_name(code),
            "clips": max((row.n_expected for row in run.summary if row.language == code), default=0),
            "cells": draw_cells(narrowed, cells[code], spans),
        }
        for code in codes
    ]


def _draw_plots(run: Run, columns: list[BoardColumn]) -> list[tuple[Any, str]]:
    """Return each plot with the text below it."""
    plots = []
    codes = sorted({row.language for row in run.summary} - {"all"}, key=display_name)
    headline = next((c for c in columns if c.number.metric == "headline" and c.number.modality == "av"), None)
    if headline is not None:
        snr = headline.number.snr_db
        noise = headline.noise
        rows = [
            DotRow(
                display_name(code),
                _mark(run, "headline", "av", snr, noise, code),
                _mark(run, "headline", "a", snr, noise, code),
            )
            for code in codes
        ]
        where = "in clean sound" if snr is None else f"at {snr:g} dB".replace("-", "−")
        what = f"Errors by language {where}: with the face (dot), with sound alone (diamond)"
        plots.append((draw_dots(rows, what, "%"), f"{what}. 95 % intervals; further left is better."))
    conditions = sorted(
        {row.snr_db for row in run.summary if row.modality == "av" and row.metric == "headline"},
        key=lambda snr: (snr is not None, -(snr or 0)),
    )
    if len(conditions) > 1:
        rows = [
            DotRow(
                "clean" if snr is None else f"{snr:g} dB".replace("-", "−"),
                _mark(run, "headline", "av", snr, None if snr is None else "all"),
                _mark(run, "headline", "a", snr, None if snr is None else "all"),
            )
            for snr in conditions
        ]
        what = (
            "Errors by signal-to-noise ratio, all languages: with the face (dot), with sound alone (diamond)"
        )
        plots.append((draw_dots(rows, what, "%"), f"{what}."))
    return plots


def _mark(
    run: Run, metric: str, modality: str, snr: float | None, noise: str | None, language: str = "all"
) -> Mark | None:
    row = run.numbers.find(metric, language, modality=modality, snr_db=snr, noise=noise)
    if row is None or row.estimate is None:
        return None
    return Mark(row.estimate, *(row.ci95 or (None, None)))


def _list_overall(run: Run) -> list[SummaryRow]:
    """Return the run's numbers over all languages and noises, in its own averages."""
    return [row for row in run.numbers.list_own() if row.language == "all" and row.noise in (None, "all")]


def describe_number(row: SummaryRow) -> tuple[str, str, str]:
    """Return metric, condition and the number with its interval, as text."""
    where = ""
    if row.modality is not None:
        where = {"av": "AV", "a": "A", "v": "V"}[row.modality]
        where += (
            ""
            if row.modality == "v"
            else " clean"
            if row.snr_db is None
            else f" {row.snr_db:g} dB".replace("-", "−")
        )
    if row.estimate is None:
        return METRICS[row.metric].title, where, f"n/a: {row.reason}"
    unit = row.unit.replace("m2", "m²")
    told = f"{row.estimate:.4g} {'bits' if row.metric == BITS else unit}"
    if row.ci95 is not None:
        told += f" [{row.ci95[0]:.4g}, {row.ci95[1]:.4g}]"
    return METRICS[row.metric].title, where, told.replace("-", "−")


def _describe_heard(entry: Entry) -> str:
    from mtbench.leaderboard.ranks import choose_heard

    condition = choose_heard(entry.run)
    if condition is None:
        return ""
    if condition.modality == "v":
        return "the mouth alone"
    if condition.snr_db is None:
        return "clean sound with the mouth"
    return f"sound in noise at {condition.snr_db:g} dB with the mouth".replace("-", "−")
