"""The figures of a language: the curve over noise levels, single noises, kinds of edits, classes of phones, clips.

Conventions
-----------
An entry has one color and one mark in all figures of a report: circles are systems, diamonds reference models, squares
controls; sound alone is grey. Whiskers and bands are 95 %
intervals. Every figure returns False where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.conditions import Condition
from mtbench.leaderboard.report.clips import ClipRate
from mtbench.leaderboard.report.edits import KINDS, Decomposition
from mtbench.leaderboard.report.numbers import find_cell
from mtbench.leaderboard.report.pairs import Pair, main_difference
from mtbench.leaderboard.report.phones import Heard
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.results import BLUE, DARK, LIME, OCHRE, ORANGE, PURPLE, SummaryRow, name_for_figure
from mtbench.statistics import least_difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = (BLUE, ORANGE, LIME, PURPLE, "#1a9ba1", OCHRE, "#b0357a", "#7a5230")
#: Marks by role; the next one where colors begin again.
MARKS = {"system": "o^P", "reference": "D*", "control": "svX"}
#: Most entries in figures whose lines would cover each other.
MOST_LINES = 12
#: Most entries whose intervals are drawn where there are twenty languages.
MOST_WHISKERS = 4
ALONE = "sound alone"
#: Width of figures, inches.
_WIDTH = 7.6


def color_of(entry: Entry | None) -> str:
    """Return an entry's color; grey for sound alone."""
    return "#6a737d" if entry is None else COLORS[(entry.number - 1) % len(COLORS)]


def mark_of(entry: Entry | None) -> str:
    """Return an entry's mark, which tells its role."""
    if entry is None:
        return "_"
    marks = MARKS[entry.role]
    return marks[(entry.number - 1) // len(COLORS) % len(marks)]


def label_of(entry: Entry | None) -> str:
    """Return an entry's label."""
    return ALONE if entry is None else entry.label


def draw_levels(figure: Figure, group: Group, language: str) -> bool:
    """Draw the headline rate over noise levels."""
    levels: list[float | None] = [*reversed(group.snrs), None]
    cases: list[tuple[Entry | None, str]] = [
        (None, "a"),
        *((entry, "av") for entry in group.entries[:MOST_LINES]),
    ]
    found = []
    for entry, modality in cases:
        conditions = [Condition(modality, snr, None if snr is None else "all") for snr in levels]
        numbers = [find_cell(entry or group.entries[0], "headline", c, language) for c in conditions]
        if any(number is not None and number.estimate is not None for number in numbers):
            found.append((entry, numbers))
    if not found:
        return False
    figure.set_size_inches(_WIDTH, 3.9)
    axes = figure.subplots()
    for place, (entry, numbers) in enumerate(found):
        x = np.arange(len(levels)) + _shift(place, len(found), 0.035, 0.34)
        y = [np.nan if n is None or n.estimate is None else n.estimate for n in numbers]
        style = ":" if entry is None else "--" if entry.role == "control" else "-"
        axes.plot(x, y, style, color=color_of(entry), linewidth=1.4, alpha=0.9, zorder=2)
        for where, number in zip(x, numbers, strict=True):
            draw_point(axes, where, number, entry, upright=True)
    axes.set_xticks(range(len(levels)), ["clean" if snr is None else f"{snr:g} dB" for snr in levels])
    axes.set_xlabel("signal-to-noise ratio")
    axes.set_ylabel("error rate, %")
    axes.set_ylim(bottom=0)
    axes.grid(axis="x", visible=False)
    set_legend(figure, [entry for entry, _ in found])
    return True


def draw_noises(figure: Figure, group: Group, language: str, noises: Sequence[str]) -> bool:
    """Draw the headline rate in each noise, a panel for each level."""
    shown = list(group.entries[:MOST_LINES])
    if not noises or not group.snrs:
        return False
    figure.set_size_inches(_WIDTH, 3.7)
    all_axes = figure.subplots(1, len(group.snrs), sharey=True, squeeze=False)[0]
    drawn = False
    cases: list[tuple[Entry | None, str]] = [(None, "a"), *((entry, "av") for entry in shown)]
    for axes, snr in zip(all_axes, group.snrs, strict=True):
        for place, (entry, modality) in enumerate(cases):
            for i, noise in enumerate(noises):
                number = find_cell(
                    entry or group.entries[0], "headline", Condition(modality, snr, noise), language
                )
                where = i + _shift(place, len(cases), 0.09, 0.7)
                drawn |= draw_point(axes, where, number, entry, upright=True)
        labels = [name_for_figure(noise, f"noise {i}") for i, noise in enumerate(noises, start=1)]
        axes.set_xticks(range(len(noises)), labels)
        axes.set_title(f"{snr:g} dB")
        axes.set_xlim(-0.6, len(noises) - 0.4)
        axes.set_ylim(bottom=0)
        axes.grid(axis="x", visible=False)
    all_axes[0].set_ylabel("error rate, %")
    set_legend(figure, [entry for entry, _ in cases])
    return drawn


def draw_edits(figure: Figure, parts: Sequence[Decomposition]) -> bool:
    """Draw kinds of edits as bars, one an entry."""
    if not parts:
        return False
    figure.set_size_inches(_WIDTH, 1.15 + 0.33 * len(parts))
    axes = figure.subplots()
    colors = dict(zip(KINDS, (BLUE, OCHRE, "#b0357a"), strict=True))
    names = {"substitutions": "substituted", "deletions": "left out", "insertions": "added"}
    for place, part in enumerate(parts):
        left = 0.0
        for kind in KINDS:
            share = part.share(kind)
            axes.barh(place, share, left=left, height=0.62, color=colors[kind], linewidth=0)
            left += share
        axes.text(left + 0.8, place, f"{left:.0f}", va="center", color=DARK, fontsize=8)
    axes.set_yticks(range(len(parts)), [label_of(part.entry) for part in parts])
    axes.set_ylim(len(parts) - 0.4, -0.6)
    axes.set_xlabel("% of what was said")
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    handles = [_patch(colors[kind], names[kind]) for kind in KINDS]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return True


def draw_classes(figure: Figure, heard: Sequence[Heard], kind: str) -> bool:
    """Draw what share of each class of phones came back, by entry."""
    heard = list(heard)[: MOST_LINES + 1]
    counted = [part.confusions(kind).classes for part in heard]
    names = [
        name
        for name in (counted[0] if counted else ())
        if any(found[name].n for found in counted if name in found)
    ]
    if not names:
        return False
    figure.set_size_inches(_WIDTH, 1.2 + 0.29 * len(names))
    axes = figure.subplots()
    for i, (part, found) in enumerate(zip(heard, counted, strict=True)):
        for place, name in enumerate(names):
            one = found.get(name)
            if one is not None and one.right is not None:
                y = place + _shift(i, len(heard), 0.12, 0.6)
                mark = "|" if part.entry is None else mark_of(part.entry)
                size = 9 if part.entry is None else 5
                axes.plot(
                    100 * one.right, y, mark, color=color_of(part.entry), markersize=size, markeredgewidth=1.6
                )
    for place in range(1, len(names)):
        axes.axhline(place - 0.5, color="#e6e8eb", linewidth=0.7)
    labels = [f"{name}  {counted[0][name].phones.replace(' ', '')}"[:34] for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("recognized as the same class, %")
    axes.grid(axis="y", visible=False)
    set_legend(figure, [part.entry for part in heard])
    return True


def draw_clips(figure: Figure, rates: Sequence[tuple[Entry, Sequence[ClipRate]]]) -> bool:
    """Draw every clip's rate, with quartiles."""
    rates = [(entry, found) for entry, found in rates if found]
    if not rates:
        return False
    figure.set_size_inches(_WIDTH, 0.9 + 0.4 * len(rates))
    axes = figure.subplots()
    for place, (entry, found) in enumerate(rates):
        values = np.array([one.rate for one in found])
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        axes.barh(place, high - low, left=low, height=0.56, color=color_of(entry), alpha=0.22, linewidth=0)
        axes.plot([middle, middle], [place - 0.28, place + 0.28], color=color_of(entry), linewidth=2)
        # Clips of one rate lie above each other.
        axes.plot(values, place + _stack(values), "o", color=color_of(entry), markersize=3.6, alpha=0.85)
    axes.set_yticks(range(len(rates)), [entry.label for entry, _ in rates])
    axes.set_ylim(len(rates) - 0.4, -0.6)
    axes.set_xlim(left=min(-2.0, axes.get_xlim()[0]))
    axes.set_xlabel("error rate of a clip, %")
    axes.grid(axis="y", visible=False)
    return True


def draw_differences(figure: Figure, group: Group, language: str, pairs: Sequence[Pair]) -> bool:
    """Draw the paired differences of the main number with their intervals."""
    found = [(pair, d) for pair in pairs if (d := main_difference(group, pair, language)) is not None]
    if not found:
        return False
    figure.set_size_inches(_WIDTH, 0.95 + 0.3 * len(found))
    axes = figure.subplots()
    axes.axvline(0, color=DARK, linewidth=0.9)
    for place, (pair, d) in enumerate(found):
        color = color_of(pair.entry)
        if d.ci95 is not None:
            axes.plot(d.ci95, [place, place], color=color, linewidth=1.6)
        told = d.better is not None
        face = color if told else "#ffffff"
        axes.plot(
            d.difference, place, "o", color=color, markersize=5.5, markerfacecolor=face, markeredgewidth=1.5
        )
    axes.set_yticks(range(len(found)), [f"{pair.entry.label} − {pair.other.label}" for pair, _ in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    unit = found[0][1].unit
    axes.set_xlabel(
        f"difference, {'points of error rate' if unit == '%' else unit}; left of 0: the first is better"
    )
    axes.grid(axis="y", visible=False)
    return True


def draw_sensitivity(figure: Figure, spread: float, clips: int, unit: str) -> bool:
    """Draw the smallest difference that numbers of clips tell."""
    figure.set_size_inches(_WIDTH, 3.0)
    axes = figure.subplots()
    most = max(1000, 2 * clips)
    numbers = np.unique(np.round(np.geomspace(2, most, 200)).astype(int))
    axes.plot(numbers, [least_difference(spread, int(n)) for n in numbers], color=BLUE, linewidth=1.8)
    here = least_difference(spread, clips)
    axes.plot(clips, here, "o", color=ORANGE, markersize=7)
    axes.annotate(
        f"{clips} clip{'s' if clips != 1 else ''}: {here:.{1 if unit == 'points' else 2}f} {unit}",
        (clips, here), xytext=(9, 7), textcoords="offset points", color=DARK,
    )  # fmt: skip
    axes.set_xscale("log")
    ticks = [n for n in (2, 6, 20, 60, 120, 300, 1000, 3000, 10000) if n <= most]
    axes.set_xticks(ticks, [f"{n}" for n in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("clips")
    axes.set_ylabel(f"least difference, {unit}")
    return True


def draw_languages(figure: Figure, group: Group, languages: Sequence[tuple[str, str]]) -> bool:
    """Draw the main number of every entry in every language (code and title)."""
    metric, condition = group.ordered_by
    shown = list(group.entries[:MOST_LINES])
    if not languages:
        return False
    figure.set_size_inches(_WIDTH, 1.3 + 0.27 * len(languages))
    axes = figure.subplots()
    drawn = False
    cases: list[Entry | None] = [None, *shown] if condition.sound is not None else [*shown]
    for i, entry in enumerate(cases):
        wanted = condition.sound if entry is None and condition.sound is not None else condition
        for place, (code, _) in enumerate(languages):
            number = find_cell(entry or group.entries[0], metric, wanted, code)
            if number is not None and len(shown) > MOST_WHISKERS:
                number = replace(number, ci95=None)
            drawn |= draw_point(axes, place + _shift(i, len(cases), 0.12, 0.6), number, entry, upright=False)
    for place in range(1, len(languages)):
        axes.axhline(place - 0.5, color="#e6e8eb", linewidth=0.7)
    axes.set_yticks(range(len(languages)), [title for _, title in languages])
    axes.set_ylim(len(languages) - 0.5, -0.5)
    axes.set_xlabel("error rate, %" if metric == "headline" else "LVE, mm")
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    set_legend(figure, cases)
    return drawn


def draw_point(
    axes: Axes, place: float, number: SummaryRow | None, entry: Entry | None, *, upright: bool
) -> bool:
    """Draw an estimate with its interval; False where there is none."""
    if number is None or number.estimate is None:
        return False
    color = color_of(entry)
    if number.ci95 is not None:
        ends, beside = number.ci95, (place, place)
        axes.plot(
            *((beside, ends) if upright else (ends, beside)), color=color, linewidth=1.1, alpha=0.8, zorder=3
        )
    mark: Any = mark_of(entry)
    if entry is None:
        mark = "_" if upright else "|"
    x, y = (place, number.estimate) if upright else (number.estimate, place)
    axes.plot(x, y, mark, color=color, markersize=9 if entry is None else 4.6, markeredgewidth=1.6, zorder=4)
    return True


def set_legend(figure: Figure, entries: Sequence[Entry | None]) -> None:
    """Put the entries' colors and marks above all axes; nothing where there is one only."""
    from matplotlib.lines import Line2D

    handles: list[Any] = []
    for entry in entries:
        mark = "_" if entry is None else mark_of(entry)
        size = 9 if entry is None else 5
        handles.append(
            Line2D(
                [],
                [],
                color=color_of(entry),
                marker=mark,
                markersize=size,
                linestyle="",
                label=label_of(entry),
            )
        )
    if len(handles) < 2:
        return
    longest = max(len(handle.get_label()) for handle in handles)
    columns = int(figure.get_size_inches()[0] / (0.42 + 0.08 * longest))
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=max(1, min(columns, len(handles))),
        handletextpad=0.2,
    )


def _shift(place: int, n: int, step: float, most: float) -> float:
    """Offset of one of *n* neighbors, *step* apart, or closer where they would take more than *most*."""
    width = min(most, step * (n - 1))
    return 0.0 if n < 2 else width * (place / (n - 1) - 0.5)


def _stack(values: np.ndarray) -> np.ndarray:
    """Offsets that set equal values side by side."""
    out = np.zeros(len(values))
    seen: dict[float, int] = {}
    for i, value in enumerate(np.round(values / 1.5)):
        k = seen.get(value, 0)
        seen[value] = k + 1
        step = (k + 1) // 2 * (1 if k % 2 else -1)
        out[i] = np.clip(0.07 * step, -0.28, 0.28)
    return out


def _patch(color: str, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(color=color, label=label, linewidth=0)
