"""A picture of an ablation: paired differences by language, with intervals.

Conventions
-----------
Those of :mod:`mtbench.reference_model.ablation.results`. One panel a measure, one line a language, one color a pair;
right of zero the variant is worse than its reference. The same numbers give the same bytes. Needs matplotlib, from the
extra ``[report]``.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.files import write_atomically
from mtbench.reference_model.ablation.results import Ablation, Effect, Measure
from mtbench.reference_model.ablation.table import name_language
from mtbench.statistics import Number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

log = logging.getLogger(__name__)


def plot_ablation(ablation: Ablation, path: str | Path) -> Path | None:
    """Draw the differences to a PNG file; return it, None (with a line in the log) without matplotlib."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        log.info(
            "no plot of the ablation: matplotlib is not installed (pip install 'multitalk-bench[report]')"
        )
        return None
    from mtbench.results import STYLE

    measures = [m for m in ablation.measures if any(e.measure == m for e in ablation.overall())]
    if not measures:
        return None
    places = ("all", *ablation.languages)
    pairs = max((_pairs(ablation, m) for m in measures), key=len)
    with matplotlib.rc_context(STYLE):
        height = 1.4 + len(places) * (0.12 + 0.11 * len(pairs))
        figure = Figure(figsize=(4.6 * len(measures) + 1.0, height), dpi=120, layout="constrained")
        panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, measure in zip(panels, measures, strict=True):
            _draw(axes, ablation, measure, places)
        panels[0].set_yticks(range(len(places)), [name_language(place) for place in places])
        panels[0].get_yticklabels()[0].set_fontweight("bold")
        panels[0].set_ylim(len(places) - 0.5, -0.5)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        stream = io.BytesIO()
        FigureCanvasAgg(figure).print_png(stream, metadata={"Software": ""})
    write_atomically(Path(path), stream.getvalue())
    return Path(path)


def _pairs(ablation: Ablation, measure: Measure) -> list[Effect]:
    return [e for e in ablation.overall() if e.measure == measure]


def _draw(axes: Axes, ablation: Ablation, measure: Measure, places: tuple[str, ...]) -> None:
    from mtbench.results import DARK, SERIES, draw_whisker

    pairs = _pairs(ablation, measure)
    step = 0.8 / max(1, len(pairs))
    for k, pair in enumerate(pairs):
        label = f"{pair.variant.mark} {pair.variant.title}, against {pair.reference.mark}"
        axes.plot([], [], "o-", color=SERIES[k], markersize=4.5, label=label)
        for row, place in enumerate(places):
            effect = ablation.effect(pair.reference, pair.variant, measure, place)
            if effect is not None:
                draw_whisker(axes, _number(effect), row + (k - (len(pairs) - 1) / 2) * step, SERIES[k])
    axes.axvline(0, color=DARK, linewidth=1, zorder=1)
    axes.axhspan(-0.5, 0.5, color="#f0f2f4", zorder=0)
    axes.grid(axis="y", visible=False)
    axes.set_title(f"{measure.title}: paired difference")
    axes.set_xlabel(f"{measure.unit}, with 95 % interval; right of 0 is worse")


def _number(effect: Effect) -> Number:
    d = effect.difference
    return Number(d.difference, d.ci95, d.unit)
