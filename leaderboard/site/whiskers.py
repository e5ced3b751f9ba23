"""Small drawings in table cells: an interval with its estimate, as SVG of some sixty bytes."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from mtbench.leaderboard.site.columns import Cell

#: Width that whiskers are drawn on, pixels.
WIDTH = 60


def span_of(cells: Iterable[Cell | None]) -> tuple[int, int]:
    """Return the ends of the scale that a column's whiskers share.

    Examples
    --------
    >>> span_of([Cell(424, 40, 45), None, Cell(380, 10, 10)])
    (370, 469)
    """
    there = [cell for cell in cells if cell is not None]
    if not there:
        return 0, 1
    low, high = min(c.value - c.below for c in there), max(c.value + c.above for c in there)
    return low, max(high, low + 1)


def draw_whisker(cell: Cell, span: tuple[int, int]) -> Markup:
    """Return the drawing of one cell; an empty one without an interval.

    Examples
    --------
    >>> str(draw_whisker(Cell(50, 25, 25), (0, 100)))
    '<svg aria-hidden="true"><path d="M16 4H44M16 2v4M44 2v4M28 4a2 2 0 1 0 4 0a2 2 0 1 0-4 0"/></svg>'
    """
    if not cell.has_interval:
        return Markup("")
    a, b, m = (place(value, span) for value in (cell.value - cell.below, cell.value + cell.above, cell.value))
    path = f"M{a} 4H{b}M{a} 2v4M{b} 2v4M{m - 2} 4a2 2 0 1 0 4 0a2 2 0 1 0-4 0"
    return Markup(f'<svg aria-hidden="true"><path d="{path}"/></svg>')


def place(value: int, span: tuple[int, int]) -> int:
    """Return where *value* lies on the drawing, pixels from its left; whole numbers only, as in the page's script."""
    low, high = span
    return 2 + (2 * (WIDTH - 4) * (value - low) + (high - low)) // (2 * (high - low))
