"""Plots of sensitivity, conditions, confusions and languages.

Conventions
-----------
As in :mod:`mtbench.meta.plots`. Every function fills a figure and returns whether there was anything to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.conditions import Condition
from mtbench.meta.report_data import Report
from mtbench.meta.systems import GROUND_TRUTH
from mtbench.results import (
    BLUE,
    DARK,
    GREEN,
    GREY,
    LIME,
    OCHRE,
    ORANGE,
    PURPLE,
    SERIES,
    draw_bars,
    draw_whisker,
    estimate_of,
    make_handle,
    place_legend,
)
from mtbench.speech import display_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Colors of words, phones and bits, seen and heard before seen alone.
_LINES = (BLUE, LIME, ORANGE, OCHRE, PURPLE, GREEN, DARK, GREY)


def draw_sensitivity(figure: Figure, report: Report) -> bool:
    """Clips that each measure of recognition needs to tell an amplitude from the ground truth."""
    found = report.sensitivity.amplitudes
    strengths = {s.name: s.strength for s in report.systems}
    titles = report.titles
    lines = {
        name: [
            (strengths[row.worse], row.clips_needed, row.clips_ci95)
            for row in rows
            if row.better == GROUND_TRUTH and row.clips_needed is not None
        ]
        for name, rows in found.items()
    }
    if not any(lines.values()):
        return False
    figure.set_size_inches(7.5, 3.7)
    axes = figure.subplots()
    places = sorted({strength for rows in lines.values() for strength, *_ in rows}, reverse=True)
    for (name, rows), color in zip(lines.items(), _LINES, strict=False):
        x = [places.index(strength) for strength, *_ in rows]
        needed = [clips for _, clips, _ in rows]
        axes.plot(x, needed, "o-", color=color, label=titles[name], markersize=4)
        if name == "avlr":
            low = [ends[0] if ends else np.nan for *_, ends in rows]
            high = [(ends[1] or 1e6) if ends else np.nan for *_, ends in rows]
            axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
    top = max(clips for rows in lines.values() for _, clips, _ in rows)
    axes.axhline(report.n_clips, color=DARK, linewidth=0.8, linestyle=":")
    axes.text(
        len(places) - 1,
        report.n_clips * 1.06,
        f"this benchmark: {report.n_clips}",
        ha="right",
        fontsize=8,
    )
    axes.set_yscale("log")
    axes.set_ylim(1.5, 3 * max(top, report.n_clips))
    axes.set_xticks(range(len(places)), [f"{place:g}" for place in places])
    axes.set_xlabel("amplitude that is told from the ground truth's")
    axes.set_ylabel("clips needed (95 %, power 80 %)")
    axes.legend()
    return True


def draw_conditions(figure: Figure, report: Report) -> bool:
    """Size of the effect in one clip under every condition."""
    rows = report.sensitivity.conditions["words"].conditions
    contrasts = list(dict.fromkeys((row.better, row.worse) for row in rows))
    if not contrasts:
        return False
    figure.set_size_inches(min(10.5, 1 + 4.7 * len(contrasts)), 3.6)
    all_axes = figure.subplots(1, len(contrasts), squeeze=False).ravel()
    handles: list[Any] = []
    for axes, pair in zip(all_axes, contrasts, strict=True):
        inside = [row for row in rows if (row.better, row.worse) == pair]
        parsed = [(Condition.parse(row.condition or "v"), row.effect) for row in inside]
        noisy = [(c, effect) for c, effect in parsed if c.modality == "av" and c.snr_db is not None]
        levels = sorted({c.snr_db for c, _ in noisy if c.snr_db is not None}, reverse=True)
        noises = sorted({c.noise for c, _ in parsed if c.noise})
        for noise, color in zip(noises, SERIES, strict=False):
            line = sorted((levels.index(c.snr_db or 0.0), e) for c, e in noisy if c.noise == noise)
            offset = 0.12 * (noises.index(noise) - (len(noises) - 1) / 2)
            draw_bars(axes, [x + 1 + offset for x, _ in line], [e for _, e in line], color)
        for place, key in ((0, Condition("av")), (len(levels) + 1, Condition("v"))):
            lone = [effect for found, effect in parsed if found == key]
            draw_bars(axes, [place] * len(lone), lone, DARK)
        axes.set_xticks(range(len(levels) + 2), ["clean", *(f"{level:g}" for level in levels), "no sound"])
        axes.set_title(f"{pair[0]} against {pair[1]}")
        axes.set_xlabel("signal-to-noise ratio, dB")
        axes.set_ylabel("difference / spread in one clip")
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        handles = [make_handle(color, noise) for noise, color in zip(noises, SERIES, strict=False)]
    place_legend(figure, handles)
    return True


def draw_confusions(figure: Figure, report: Report) -> bool:
    """Viseme classes said against recognized, video only."""
    found = report.confusions
    if found is None:
        return False
    counts = np.array(found.counts[:-1], dtype=float)
    keep = counts.sum(axis=1) > 0
    total = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts[keep] / total[keep]
    names = [row for row, kept in zip(found.rows[:-1], keep, strict=True) if kept]
    figure.set_size_inches(9.2, 7.2)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    axes.grid(False)
    labels = [f"{name}  {found.classes[name].phones}" for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.set_xticks(range(len(found.columns)), found.columns, rotation=60, ha="right")
    for i, j in np.ndindex(shares.shape):
        if shares[i, j] >= 0.5:
            color = "white" if shares[i, j] > 55 else DARK
            axes.text(j, i, f"{shares[i, j]:.0f}", ha="center", va="center", fontsize=7.5, color=color)
    axes.axvline(len(found.columns) - 1.5, color=DARK, linewidth=0.8)
    axes.set_ylabel("said")
    axes.set_xlabel("recognized from video alone")
    axes.set_title("per cent of each class's phones")
    figure.colorbar(image, ax=axes, shrink=0.7, pad=0.01)
    return True


def draw_languages(figure: Figure, report: Report) -> bool:
    """Show the ground truth's AVLR, and what it gains, in every language."""
    found = report.fairness["words"]
    if not found.languages:
        return False
    scores = [
        ("avlr", "AVLR of the ground truth, %", BLUE),
        ("gain_over_static", "gain over a static face, points", GREEN),
        ("gain_over_sound", "gain over sound alone, points", PURPLE),
    ]
    scores = [item for item in scores if item[0] in found.spread]
    order = sorted(found.languages, key=lambda code: estimate_of(found.languages[code].avlr))
    labels = [display_name(code) + ("*" if found.languages[code].rate == "cer" else "") for code in order]
    figure.set_size_inches(10.5, 0.9 + 0.23 * len(order))
    all_axes = figure.subplots(1, len(scores), sharey=True, squeeze=False).ravel()
    for axes, (name, title, color) in zip(all_axes, scores, strict=True):
        for place, code in enumerate(order):
            draw_whisker(axes, found.languages[code].score(name), place, color)
        axes.axvline(found.spread[name].mean, color=DARK, linewidth=0.8, linestyle=":")
        axes.set_title(title)
        axes.set_yticks(range(len(order)), labels)
        axes.set_ylim(len(order) - 0.4, -0.6)
    return True


def draw_correlates(figure: Figure, report: Report) -> bool:
    """Show the ground truth's AVLR against the traits of languages."""
    found = report.fairness["words"]
    rows = [row for row in found.correlates if row.score == "avlr"]
    if not rows:
        return False
    columns = min(3, len(rows))
    lines = -(-len(rows) // columns)
    figure.set_size_inches(3.5 * columns, 2.9 * lines)
    all_axes = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for axes in all_axes[len(rows) :]:
        axes.set_visible(False)
    for axes, row in zip(all_axes, rows, strict=False):
        for code, language in found.languages.items():
            if row.trait in language.traits:
                x, y = language.traits[row.trait], estimate_of(language.avlr)
                axes.plot(x, y, "o", color=BLUE, markersize=3.5)
                axes.annotate(
                    code, (x, y), xytext=(3, 3), textcoords="offset points", fontsize=7, color="#57606a"
                )
        axes.margins(x=0.12)  # room for the last code
        axes.set_xlabel(row.title)
        axes.set_title(
            f"ρ = {row.spearman:.2f}, corrected p = {row.p_holm:.2g}", fontweight="normal", fontsize=9
        )
    for line in range(lines):
        all_axes[line * columns].set_ylabel("AVLR, %")
    return True
