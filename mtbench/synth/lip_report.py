"""Lip statistics side by side: a table in Markdown, a file of numbers, a plot.

Conventions
-----------
A report has one column for each source: captured motion, a benchmark, a style of the model. Shares are written in per
cent, everything else in the unit that stands beside its name. The plot needs matplotlib (extra ``[report]``).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.files import make_folder, write_atomically
from mtbench.synth.lip_measures import LipMeasures
from mtbench.synth.lip_statistics import FAST, STATISTICS, LipStatistics, find_speech, summarize_lips

log = logging.getLogger(__name__)

#: What the rows are called, with unit, factor and number of decimals.
_ROWS: dict[str, tuple[str, float, int]] = {
    "clips": ("clips", 1, 0),
    "seconds": ("speech, s", 1, 0),
    "gap_median": ("gap: median, mm", 1, 1),
    **{
        f"{name}_{what}": (f"{name}: {label}", scale, digits)
        for name in ("gap", "width", "protrusion")
        for what, label, scale, digits in (
            ("sd", "sd, mm", 1, 1),
            ("range", "p2 to p98, mm", 1, 1),
            ("speed", "mean speed, mm/s", 1, 0),
            ("fast", f"variance above {FAST:g} Hz, %", 100, 0),
        )
    },
    "gap_width": ("r(gap, width)", 1, 2),
    "gap_protrusion": ("r(gap, protrusion)", 1, 2),
    "width_protrusion": ("r(width, protrusion)", 1, 2),
    "full": ("closures, full, /s", 1, 2),
    "partial": ("closures, partial, /s", 1, 2),
    "labiodental": ("lip at teeth, /s", 1, 2),
}
#: What is drawn of each measure: from where to where, in millimetres, and up to which speed.
_SHOWN = (("gap", (-2, 25), 200), ("width", (-15, 15), 100), ("protrusion", (-10, 8), 60))
#: Seconds of a window of the spectrum, and the highest frequency that is shown.
_WINDOW, _HIGHEST = 2.0, 10.0


def format_statistics(columns: Mapping[str, LipStatistics]) -> str:
    """Return the statistics of several sources as a Markdown table.

    Parameters
    ----------
    columns : mapping of str to LipStatistics

    Examples
    --------
    >>> from mtbench.synth.lip_statistics import STATISTICS, LipStatistics
    >>> print(format_statistics({"a": LipStatistics(*(0.5 for _ in STATISTICS))}).splitlines()[10])
    | width: p2 to p98, mm | 0.5 |
    """
    names = [label.replace("|", "\\|") for label in columns]
    lines = [f"| | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for key in STATISTICS:
        label, scale, digits = _ROWS[key]
        cells = [f"{getattr(one, key) * scale:.{digits}f}" for one in columns.values()]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write_lip_report(sources: Mapping[str, Sequence[LipMeasures]], out: Path) -> list[Path]:
    """Write ``lip-statistics.md``, ``.json`` and, with matplotlib, ``.png``.

    Parameters
    ----------
    sources : mapping of str to sequence of LipMeasures
        The measures of each source's clips.
    out : Path
        Folder; made where it is missing.

    Returns
    -------
    list of Path
        What was written.
    """
    columns = {label: summarize_lips(clips) for label, clips in sources.items()}
    make_folder(out)
    table, numbers = out / "lip-statistics.md", out / "lip-statistics.json"
    write_atomically(table, format_statistics(columns).encode("utf8"))
    rows = {label: asdict(one) for label, one in columns.items()}
    write_atomically(numbers, (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode("utf8"))
    picture = draw_statistics(sources, columns, out / "lip-statistics.png")
    return [table, numbers] + ([picture] if picture else [])


def draw_statistics(
    sources: Mapping[str, Sequence[LipMeasures]], columns: Mapping[str, LipStatistics], path: Path
) -> Path | None:
    """Draw distributions of the measures and their speeds, the spectrum of the gap, and contacts per second.

    Parameters
    ----------
    sources, columns : mapping
        Measures and statistics of each source.
    path : Path
        The picture.

    Returns
    -------
    Path or None
        None, with a line in the log, without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        log.info(
            "no plot of lip statistics: matplotlib is not installed (pip install 'multitalk-bench[report]')"
        )
        return None
    figure = Figure(figsize=(14, 6.5), dpi=110, layout="constrained")
    axes = figure.subplots(2, 4)
    colors = [f"C{k % 10}" for k in range(len(sources))]
    lines = ["-" if k < 10 else "--" for k in range(len(sources))]
    for column, (name, edges, fastest) in enumerate(_SHOWN):
        for (label, clips), color, line in zip(sources.items(), colors, lines, strict=True):
            position, speed = _pool(clips, name)
            for axis, values, bins in (
                (axes[0, column], position, np.linspace(*edges, 46)),
                (axes[1, column], speed, np.linspace(0, fastest, 31)),
            ):
                density, _ = np.histogram(values, bins, density=True)
                axis.plot((bins[1:] + bins[:-1]) / 2, density, line, color=color, linewidth=1.4, label=label)
        axes[0, column].set_xlabel(f"{name} away from rest (mm)")
        axes[0, column].set_ylim(bottom=0)
        axes[1, column].set_xlabel(f"speed of {name} (mm/s)")
        axes[1, column].set_yscale("log")
    for clips, color, line in zip(sources.values(), colors, lines, strict=True):
        axes[0, 3].plot(*measure_spectrum(clips), line, color=color, linewidth=1.4)
    axes[0, 3].set_xlabel("frequency of the gap's motion (Hz)")
    axes[0, 3].set_ylabel("share of variance per Hz")
    axes[0, 3].set_ylim(bottom=0)
    _draw_contacts(axes[1, 3], columns, colors)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6, fontsize=8)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure).print_png(str(path), metadata={"Software": None})
    return path


def measure_spectrum(clips: Sequence[LipMeasures]) -> tuple[np.ndarray, np.ndarray]:
    """Measure how the gap's variance is spread over frequencies, pauses between words and all.

    Parameters
    ----------
    clips : sequence of LipMeasures
        Of one frame rate.

    Returns
    -------
    frequency, density : (n,) float64
        Hz from 0 to 10, and the share of the variance per Hz; NaN where no clip lasts for a window of 2 s.
    """
    from scipy.signal import welch

    fps = clips[0].fps
    window = round(_WINDOW * fps)
    frequency = np.arange(window // 2 + 1) / _WINDOW
    total = np.zeros(window // 2 + 1)
    for clip in clips:
        if len(clip.gap) >= window:
            total += len(clip.gap) * welch(clip.gap, fps, nperseg=window)[1]
    kept = frequency <= _HIGHEST
    share = total / (total.sum() / _WINDOW) if total.any() else np.full_like(total, np.nan)
    return frequency[kept], share[kept]


def _pool(clips: Sequence[LipMeasures], name: str) -> tuple[np.ndarray, np.ndarray]:
    """One measure of all frames of speech, and its absolute speeds between two of them."""
    positions, speeds = [], []
    for clip in clips:
        mask, track = find_speech(clip.gap, clip.fps), getattr(clip, name)
        positions.append(track[mask])
        speeds.append(np.abs(np.diff(track))[mask[1:] & mask[:-1]] * clip.fps)
    return np.concatenate(positions), np.concatenate(speeds)


def _draw_contacts(axes: Any, columns: Mapping[str, LipStatistics], colors: Sequence[str]) -> None:
    """Draw bars of contacts per second, one group for each kind."""
    kinds = ("full", "partial", "labiodental")
    width = 0.8 / len(columns)
    for k, (one, color) in enumerate(zip(columns.values(), colors, strict=True)):
        places = np.arange(len(kinds)) + (k + 0.5) * width - 0.4
        axes.bar(places, [getattr(one, kind) for kind in kinds], width, color=color)
    axes.set_xticks(range(len(kinds)), ["full", "partial", "at teeth"])
    axes.set_ylabel("contacts per second")
