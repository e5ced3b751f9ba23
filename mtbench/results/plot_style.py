"""What all plots share: colors on light and dark ground, type, marks with intervals, and their files.

Conventions
-----------
Blue is sound and video together, orange video alone, grey everything else. Bands and whiskers are 95 %
intervals; a number without estimate draws nothing. A figure's SVG has the colors of light ground, and those of dark
ground where its reader prefers that; its PNG is on white. Bytes depend on the figure and matplotlib's version alone.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.statistics import Number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, LIME, ORANGE, OCHRE = "#2260a6", "#5f9e3f", "#d0661a", "#a88512"
GREEN, PURPLE, GREY, DARK = "#2e7d4f", "#8a4fa3", "#b4bac2", "#30363d"
SERIES = (BLUE, LIME, PURPLE, ORANGE, "#1a9ba1", OCHRE)
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#6a737d",
    "axes.labelcolor": DARK,
    "xtick.color": "#57606a",
    "ytick.color": "#57606a",
    "axes.grid": True,
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "mtbench",
    "figure.dpi": 100,
    "savefig.bbox": None,
}
#: :data:`STYLE` for figures with names in them: every color is one of :data:`_ON_DARK`, and no name is a formula.
FIGURE_STYLE: Any = {**STYLE, "text.color": DARK, "axes.titlecolor": DARK, "text.parse_math": False}
#: What a color becomes on dark ground.
_ON_DARK = {
    BLUE: "#7fb2ee", LIME: "#9bd37a", PURPLE: "#cf9ae6", ORANGE: "#f3a367", "#1a9ba1": "#5fd3d8", OCHRE: "#e0c25a",
    GREEN: "#7fd1a0", GREY: "#5d6772", DARK: "#e8ebef", "#6a737d": "#97a1ad", "#57606a": "#a9b3bf",
    "#e6e8eb": "#2b323a", "#ffffff": "#14171b", "#b0357a": "#f08fc4", "#7a5230": "#c9a27e",
}  # fmt: skip
#: Longest name in a figure.
_LONGEST = 26


def estimate_of(number: Number | None) -> float:
    """Return the estimate of *number*, NaN where there is none."""
    return np.nan if number is None or number.estimate is None else float(number.estimate)


def ends_of(number: Number | None) -> tuple[float, float]:
    """Return the ends of the interval of *number*, NaN where there is none."""
    if number is None or number.ci95 is None:
        return np.nan, np.nan
    low, high = number.ci95
    return float(low), float(high)


def draw_band(
    axes: Axes, x: np.ndarray, numbers: Sequence[Number | None], color: str, dashed: bool = False
) -> None:
    """Draw a line of *numbers* over *x* with their intervals as a band."""
    y = [estimate_of(number) for number in numbers]
    low, high = zip(*(ends_of(number) for number in numbers), strict=True)
    axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0, zorder=2)
    axes.plot(x, y, "--" if dashed else "o-", color=color, markersize=3, linewidth=1.5, zorder=3)


def draw_bars(axes: Axes, x: list[float], numbers: Sequence[Number], color: str) -> None:
    """Draw points with upright intervals."""
    for place, number in zip(x, numbers, strict=True):
        if number.estimate is not None:
            axes.plot([place, place], ends_of(number), color=color, linewidth=1.2)
            axes.plot(place, number.estimate, "o", color=color, markersize=4)


def draw_whisker(axes: Axes, number: Number | None, place: float, color: str) -> None:
    """Draw a point with a level interval at height *place*."""
    if number is not None and number.estimate is not None:
        axes.plot(ends_of(number), [place, place], color=color, linewidth=1.5)
        axes.plot(number.estimate, place, "o", color=color, markersize=4.5)


def place_legend(figure: Figure, handles: list[Any]) -> None:
    """Put a legend above all axes, in as many columns as the figure is wide enough for."""
    longest = max(len(handle.get_label()) for handle in handles)
    # At 9 points a letter is 0.08 inches wide on average; line, gaps and margin take about 0.7.
    columns = int(figure.get_size_inches()[0] / (0.7 + 0.08 * longest))
    figure.legend(handles=handles, loc="outside upper center", ncols=max(1, min(columns, len(handles))))


def make_handle(color: str, label: str, dashed: bool = False) -> Any:
    """Return an entry of a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=color, label=label, linewidth=2, linestyle="--" if dashed else "-")


def to_svg(figure: Figure) -> bytes:
    """Return *figure* as SVG: no dates, no random ids, letters as outlines; readable on light and on dark ground.

    Draw it, and call this, within ``matplotlib.rc_context(FIGURE_STYLE)``.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    rules = "".join(
        f'[style*="fill: {light}"]{{fill:{dark}!important}}[style*="stroke: {light}"]{{stroke:{dark}!important}}'
        for light, dark in _ON_DARK.items()
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>\n "
    head, mark, rest = buffer.getvalue().decode().partition("<defs>")
    return (head + style + mark + rest).encode()


def to_png(figure: Figure) -> bytes:
    """Return *figure* as PNG on white, 200 dots an inch; after :func:`to_svg`, which puts everything in its place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_layout_engine("none")
    figure.dpi = 200
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def name_for_figure(name: str, otherwise: str) -> str:
    """Return *name* cut to what fits into a figure, or *otherwise* where the figures' font cannot show it.

    Examples
    --------
    >>> name_for_figure("VOCA", "entry 1"), name_for_figure("حديث", "entry 2")
    ('VOCA', 'entry 2')
    """
    name = " ".join(name.split())
    strange = any(
        unicodedata.bidirectional(letter) in ("R", "AL", "AN", "RLE", "RLO", "RLI", "LRO", "LRE", "PDF")
        or not letter.isprintable()
        or ord(letter) not in _known_letters()
        for letter in name
    )
    if strange or not name:
        return otherwise
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


@cache
def _known_letters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())
