"""The lexicon sweep for readers: Markdown, CSV and a plot.

What they show is measured by :mod:`mtbench.avsr.evaluation.lexicon_sweep`.

Conventions
-----------
Rates are shown in per cent and written to the CSV as fractions. Equal rows give equal bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mtbench.avsr.evaluation.lexicon_sweep import SweepRow
from mtbench.speech import LANGUAGES, display_name


def format_sweep(rows: Sequence[SweepRow]) -> str:
    """Return *rows* as Markdown: the means by lexicon, then word errors by language, in per cent."""
    conditions = list(dict.fromkeys(r.condition for r in rows))
    lexicons = list(dict.fromkeys(r.lexicon for r in rows))
    found = {(r.condition, r.language, r.lexicon): r for r in rows}
    lines = [
        "# The lexicon's share in the word error",
        "",
        "Mean over the languages, per cent. `PER`: phones ",
    ]
    lines[-1] += (
        "without a lexicon; `broken`: words with a wrong phone, without a lexicon; `WER`: words found in the "
        "lexicon\n(characters in Japanese, Mandarin and Thai); `unknown`: reference words that the lexicon lacks."
    )
    for condition in conditions:
        first = found[condition, "all", lexicons[0]]
        lines += ["", f"## {condition}: PER {_percent(first.per)}, broken words {_percent(first.broken)}", ""]
        lines += ["| lexicon | words | unknown | WER |", "|---|---:|---:|---:|"]
        for name in lexicons:
            r = found[condition, "all", name]
            lines.append(f"| {name} | {r.words:.0f} | {_percent(r.unknown)} | {_percent(r.headline)} |")
        lines += ["", f"| language | PER | broken | {' | '.join(lexicons)} |"]
        lines.append("|---|---:|---:|" + "---:|" * len(lexicons))
        for code in (c for c in LANGUAGES if (condition, c, lexicons[0]) in found):
            own = [found[condition, code, name] for name in lexicons]
            cells = [own[0].per, own[0].broken, *(r.headline for r in own)]
            lines.append(f"| {display_name(code)} | " + " | ".join(_percent(c) for c in cells) + " |")
    return "\n".join(lines) + "\n"


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.1f}"


def write_sweep(rows: Sequence[SweepRow], out: Path) -> list[Path]:
    """Write ``lexicon.md``, ``lexicon.csv`` and, where matplotlib is installed, ``lexicon.png`` into *out*."""
    from mtbench.files import write_atomically

    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(SweepRow.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{v:.10g}" if isinstance(v, float) else v for k, v in asdict(row).items()})
    files = {"lexicon.md": format_sweep(rows).encode(), "lexicon.csv": buffer.getvalue().encode()}
    if (picture := draw_sweep(rows)) is not None:
        files["lexicon.png"] = picture
    for name, data in files.items():
        write_atomically(out / name, data)
    return [out / name for name in files]


def draw_sweep(rows: Sequence[SweepRow]) -> bytes | None:
    """Return a PNG of word error over lexicon size, None without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    figure = Figure(figsize=(7.2, 4.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    colors = ("#2260a6", "#d0661a", "#2e7d4f", "#8a4fa3", "#a88512", "#57606a")
    overall = [r for r in rows if r.language == "all"]
    sizes = sorted({r.words for r in overall})
    for color, condition in zip(colors * len(rows), dict.fromkeys(r.condition for r in overall)):
        line = [r for r in overall if r.condition == condition]
        axes.plot(
            [r.words for r in line], [100 * r.headline for r in line], "o-", color=color, label=condition
        )
        if line[0].broken is not None:
            axes.axhline(100 * line[0].broken, color=color, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{s:,.0f}" for s in sizes], rotation=30)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("words in the lexicon, mean over languages")
    axes.set_ylabel("word error, %  (dotted: words broken without a lexicon)")
    axes.set_title("Word error by size of the lexicon", loc="left", fontweight="bold")
    axes.grid(color="#e6e8eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
