"""Pieces of the report's page: tables, numbers, the style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from mtbench.statistics import Number

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #24292f; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.4rem; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; text-align: right; border-bottom: 1px solid #e1e4e8; }
th:first-child, td:first-child { text-align: left; } th { background: #f6f8fa; }
td.yes { color: #1a6b37; font-weight: 600; } td.no { color: #a3271c; font-weight: 600; }
img { max-width: 100%; height: auto; } .wide { overflow-x: auto; } .verdict { font-size: 1.05rem; }
/* On a phone plots and tables keep a readable size and are moved sideways. */
@media (max-width: 760px) { .wide img { max-width: none; width: 720px; } } .note { color: #57606a; font-size: 13px; }
details { margin: 0.6rem 0; } summary { cursor: pointer; }
"""


def make_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; cells are text, escaped here, but one that is a tuple ``("yes",)`` or ``("no",)`` is colored."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for row in rows:
        cells = [
            f'<td class="{cell[0]}">{cell[0]}</td>'
            if isinstance(cell, tuple)
            else f"<td>{escape(str(cell))}</td>"
            for cell in row
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = "".join(lines)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>\n'


def fold(title: str, text: str) -> str:
    """Return *text* behind a line that opens it."""
    return f"<details><summary>{escape(title)}</summary>{text}</details>\n"


def mark(value: bool | None) -> Any:
    """Return the colored cell of a decision."""
    return "n/a" if value is None else ("yes",) if value else ("no",)


def format_number(number: Number | None, digits: int) -> str:
    """Return a number of the report with its interval, e.g. ``12.3 [10.1, 14.2]``."""
    if number is None or number.estimate is None:
        return "n/a"
    text = f"{number.estimate:.{digits}f}"
    if number.ci95 is not None:
        low, high = number.ci95
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return text


def format_plain(value: float | None) -> str:
    """Return a bare number, four digits at most."""
    return "n/a" if value is None else f"{value:.4g}"


def format_p(value: float | None) -> str:
    """Return a p-value."""
    if value is None:
        return "n/a"
    return "< 1e-12" if value < 1e-12 else f"{value:.2g}"


def format_range(ends: Sequence[float | None] | None) -> str:
    """Return an interval; an open upper end has no bound."""
    if ends is None:
        return "n/a"
    low, high = ends
    return f"{format_plain(low)} to {'no bound' if high is None else format_plain(high)}"
