"""Plots of a meta-evaluation's report, as SVG.

Conventions
-----------
Every plot is a function of the report alone and is drawn without a display. Bytes depend on the report and
matplotlib's version only: no dates, no random ids, letters as outlines. Error rates are in per cent; bands and
whiskers are 95 % intervals. Blue is sound and video together, orange video alone, grey everything else.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.meta.nuisances import TOLERANCE
from mtbench.meta.plot_insights import (
    draw_conditions,
    draw_confusions,
    draw_correlates,
    draw_languages,
    draw_sensitivity,
)
from mtbench.meta.report_data import Report
from mtbench.meta.systems import FAMILIES
from mtbench.results import (
    BLUE,
    DARK,
    GREY,
    LIME,
    ORANGE,
    SERIES,
    STYLE,
    draw_band,
    draw_whisker,
    ends_of,
    estimate_of,
    make_handle,
    place_legend,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_plots(report: Report) -> dict[str, bytes]:
    """Return the plots of *report* as SVG, by name, in the order of the page.

    Parameters
    ----------
    report : Report
        Made by :func:`mtbench.meta.report.make_report`. A plot without anything to show is left out.

    Raises
    ------
    PrerequisiteError
        Without matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PrerequisiteError(
            f"the report's plots need matplotlib ({error}); install it with 'pip install multitalk-bench[report]'"
        ) from None
    plots: dict[str, Callable[[Figure, Report], bool]] = {
        "ordering": _draw_ordering,
        "families": _draw_families,
        "curves": _draw_curves,
        "noise": _draw_noise,
        "nuisances": _draw_nuisances,
        "sensitivity": draw_sensitivity,
        "conditions": draw_conditions,
        "confusions": draw_confusions,
        "languages": draw_languages,
        "correlates": draw_correlates,
    }
    out = {}
    with matplotlib.rc_context(STYLE):
        for name, draw in plots.items():
            figure = Figure(layout="constrained")
            if draw(figure, report):
                buffer = io.BytesIO()
                FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
                out[name] = buffer.getvalue()
    return out


def _draw_ordering(figure: Figure, report: Report) -> bool:
    """Rank correlation and pairwise accuracy of every metric, at both levels."""
    panels = [
        ("Spearman,\nsystem level", report.spearman_system.measures),
        ("Spearman,\nclip level", report.spearman_clip.measures),
    ]
    for level in ("system", "clip"):
        found = getattr(report.pairwise_accuracy, level)
        if found is not None:
            panels.append((f"pairwise accuracy,\n{level} level", found.measures))
    titles = report.titles
    figure.set_size_inches(10.5, 1.1 + 0.27 * len(titles))
    all_axes = figure.subplots(1, len(panels), sharey=True)
    for axes, (title, found) in zip(all_axes, panels, strict=True):
        names = [name for name in titles if name in found]
        for place, name in enumerate(names):
            draw_whisker(axes, found[name], place, _color(name))
        axes.set_title(title)
        axes.set_yticks(range(len(names)), [titles[name] for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        ends = [ends_of(found[name])[0] for name in names] + [estimate_of(found[name]) for name in names]
        low = float(np.nanmin([0.0, *ends]))
        axes.set_xlim(min(-0.05, low - 0.05), 1.03)
    return True


def _draw_families(figure: Figure, report: Report) -> bool:
    """System-level Spearman of every metric in every family, as a map."""
    found = report.spearman_system.measures
    titles = report.titles
    families = list(dict.fromkeys(f for row in found.values() for f in row.families))
    if not families:
        return False
    names = [name for name in titles if name in found]
    table = np.array([[estimate_of(found[n].families.get(f)) for f in families] for n in names])
    figure.set_size_inches(10.5, 1.5 + 0.3 * len(found))
    axes = figure.subplots()
    image = axes.imshow(table, cmap="RdYlBu", vmin=-1, vmax=1, aspect="auto")
    axes.grid(False)
    axes.set_xticks(range(len(families)), [_family_title(f) for f in families], rotation=25, ha="right")
    axes.set_yticks(range(len(found)), [titles[name] for name in names])
    for i, j in np.ndindex(table.shape):
        text = "–" if np.isnan(table[i, j]) else f"{table[i, j]:.2f}"
        dark = abs(table[i, j]) > 0.7
        axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else DARK)
    axes.set_title("Spearman with the known order within each family, system level")
    figure.colorbar(image, ax=axes, shrink=0.9, pad=0.01)
    return True


def _draw_curves(figure: Figure, report: Report) -> bool:
    """Error rates over the strength of every degradation, all languages in grey."""
    curves = {name: c for name, c in report.curves.items() if len(c.points) > 1}
    if not curves:
        return False
    columns = min(4, len(curves))
    rows = -(-len(curves) // columns)
    figure.set_size_inches(2.75 * columns, 2.45 * rows + 0.4)
    all_axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes in all_axes[len(curves) :]:
        axes.set_visible(False)
    for axes, (name, curve) in zip(all_axes, curves.items(), strict=False):
        points = curve.points
        even = any(p.strength is None for p in points) or curve.unit in ("seed", "step", "Hz")
        x = np.arange(len(points)) if even else np.array([p.strength for p in points], dtype=float)
        for language in report.languages:
            y = [estimate_of(p.languages.get(language, {}).get("avlr")) for p in points]
            axes.plot(x, y, color=GREY, linewidth=0.5, alpha=0.7, zorder=1)
        for measure, color in (("vsr", ORANGE), ("avlr", BLUE)):
            numbers = [p.scores.get(measure) for p in points]
            if any(number is not None for number in numbers):
                draw_band(axes, x, numbers, color)
        if even:
            labels = ["none" if p.strength is None else f"{p.strength:g}" for p in points]
            axes.set_xticks(
                x,
                [
                    "0" if p.system == "ground-truth" and label != "none" else label
                    for p, label in zip(points, labels, strict=True)
                ],
            )
        if curve.unit == "x":
            axes.invert_xaxis()
        unit = {"x": "of the true movement", "step": "step", "seed": "other face"}.get(curve.unit, curve.unit)
        axes.set_xlabel(unit)
        axes.set_title(
            name.replace("-", " ") + {"nuisance": " (nuisance)", "free": " (view)"}.get(curve.kind, "")
        )
        axes.set_ylim(bottom=0)
    for row in range(rows):
        all_axes[row * columns].set_ylabel("error, %")
    handles = [
        make_handle(BLUE, f"AVLR ({report.condition})"),
        make_handle(ORANGE, "video only"),
        make_handle(GREY, "AVLR of one language"),
    ]
    place_legend(figure, handles)
    return True


def _draw_noise(figure: Figure, report: Report) -> bool:
    """Error rates over the signal-to-noise ratio, a panel a noise."""
    noises = report.noise.words
    if not noises:
        return False
    figure.set_size_inches(min(10.5, 1.2 + 3.4 * len(noises)), 3.5)
    all_axes = figure.subplots(1, len(noises), sharey=True, squeeze=False).ravel()
    systems = list(dict.fromkeys(c.system for g in noises.values() for c in g.curves if c.modality == "av"))
    colors = dict(zip(systems, SERIES, strict=False))
    levels = sorted(
        {p.snr_db for g in noises.values() for c in g.curves for p in c.points if p.snr_db is not None},
        reverse=True,
    )
    for axes, (noise, group) in zip(all_axes, noises.items(), strict=True):
        for curve in group.curves:
            x = np.array([0 if p.snr_db is None else 1 + levels.index(p.snr_db) for p in curve.points])
            alone = curve.modality == "a"
            color = DARK if alone else colors.get(curve.system, GREY)
            draw_band(axes, x, curve.points, color, dashed=alone)
        axes.set_xticks(range(len(levels) + 1), ["clean", *(f"{level:g}" for level in levels)])
        axes.set_title(noise)
        axes.set_xlabel("signal-to-noise ratio, dB")
        axes.set_ylim(bottom=0)
    all_axes[0].set_ylabel("error, %")
    handles = [make_handle(colors[s], s) for s in systems if s in colors]
    place_legend(figure, [*handles, make_handle(DARK, "sound only", dashed=True)])
    return True


def _draw_nuisances(figure: Figure, report: Report) -> bool:
    """Show how far nuisances differ from the ground truth, with the tolerance as a band."""
    rows = [row for row in report.nuisances if row.measure in ("avlr", "avlr_phones")]
    if not rows:
        return False
    names = list(dict.fromkeys(row.system for row in rows))
    figure.set_size_inches(7.5, 1.3 + 0.4 * len(names))
    axes = figure.subplots()
    axes.axvspan(-TOLERANCE, TOLERANCE, color="#e3efe6", zorder=0)
    axes.axvline(0, color=DARK, linewidth=0.8)
    for row in rows:
        words = row.measure == "avlr"
        place = names.index(row.system) + (-0.13 if words else 0.13)
        draw_whisker(axes, row.difference, place, BLUE if words else LIME)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("AVLR against the ground truth, points")
    handles = [
        make_handle(BLUE, "headline rate"),
        make_handle(LIME, "phones"),
        make_handle("#cfe3d5", f"±{TOLERANCE:g} points"),
    ]
    place_legend(figure, handles)
    return True


def _color(measure: str) -> str:
    return (
        BLUE
        if measure.startswith(("avlr", "readability"))
        else ORANGE
        if measure.startswith("vsr")
        else "#6a737d"
    )


def _family_title(family: str) -> str:
    return FAMILIES[family].title if family in FAMILIES else family
