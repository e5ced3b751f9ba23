"""Plots of an entry's page: SVG from Python, readable in light and dark, with a text that says what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup


@dataclass(frozen=True)
class Mark:
    """A number with its interval: value, low end, high end (both None without interval)."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class DotRow:
    """A row of a dot plot: its name, the entry's number, and the one that it is compared with."""

    name: str
    own: Mark | None
    other: Mark | None = None


_ROW, _TOP, _LEFT, _WIDTH, _RIGHT = 22, 8, 96, 500, 52


def draw_dots(rows: Sequence[DotRow], title: str, unit: str) -> Markup:
    """Return a plot with one row a name: a filled dot for the entry, a hollow diamond for the other.

    Examples
    --------
    >>> "<svg" in draw_dots([DotRow("Italian", Mark(40, 35, 45), Mark(60))], "errors", "%")
    True
    """
    low, high, step = _choose_scale([m for row in rows for m in (row.own, row.other) if m is not None])
    height = _TOP + _ROW * len(rows) + 26
    parts = [*_draw_grid(low, high, step, _TOP, height - 22, unit)]
    for i, row in enumerate(rows):
        y = _TOP + _ROW * i + _ROW // 2
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(row.name)}</text>')
        if row.other is not None:
            parts.append(_draw_mark(row.other, y + 3 * (row.own is not None), low, high, "other"))
        if row.own is not None:
            parts.append(_draw_mark(row.own, y - 3 * (row.other is not None), low, high, "mark"))
            told = f"{row.own.value:.1f}".replace("-", "−")
            parts.append(f'<text x="{_WIDTH - 4}" y="{y + 4}" text-anchor="end">{told}</text>')
    return _wrap(title, height, parts)


def _draw_grid(low: float, high: float, step: float, top: int, bottom: int, unit: str) -> list[str]:
    parts = []
    count = round((high - low) / step)
    for k in range(count + 1):
        value = low + k * step
        x = _place(value, low, high)
        told = f"{value:g}".replace("-", "−") + (f" {escape(unit)}" if k == count else "")
        parts.append(f'<path class="axis" d="M{x} {top}V{bottom}"/>')
        parts.append(f'<text class="quiet" x="{x}" y="{bottom + 15}" text-anchor="middle">{told}</text>')
    return parts


def _draw_mark(mark: Mark, y: int, low: float, high: float, css: str) -> str:
    x = _place(mark.value, low, high)
    path = ""
    if mark.low is not None and mark.high is not None:
        a, b = _place(mark.low, low, high), _place(mark.high, low, high)
        path = f"M{a} {y}H{b}M{a} {y - 3}v6M{b} {y - 3}v6"
    if css == "mark":
        path += f"M{x - 4} {y}a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
    else:
        path += f"M{x} {y - 5}l5 5l-5 5l-5-5z"
    return f'<path class="{css}" d="{path}"/>'


def _choose_scale(marks: Sequence[Mark]) -> tuple[float, float, float]:
    """Return both ends of the axis, and the step between its lines."""
    ends = [v for m in marks for v in (m.value, m.low, m.high) if v is not None] or [0.0, 1.0]
    low, high = min(0.0, *ends), max(*ends, 1e-9)
    step = next(
        (s * 10**e for e in range(-3, 7) for s in (1, 2, 5) if (high - low) / (s * 10**e) <= 8), high - low
    )
    return -(-low // -step) * step if low < 0 else 0.0, -(-high // step) * step, step


def _place(value: float, low: float, high: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - low) / (high - low), 1)


def _wrap(title: str, height: int, parts: Sequence[str]) -> Markup:
    name = escape(title, quote=True)
    return Markup(
        f'<svg role="img" aria-label="{name}" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
        f"{''.join(parts)}</svg>"
    )
