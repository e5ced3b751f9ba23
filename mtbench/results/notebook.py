"""What a notebook shows of benchmarks, runs, tables and comparisons: HTML without styles of its own.

Conventions
-----------
Everything that comes from a file (names, transcripts, notes) is escaped: a manifest is written by strangers, and a
notebook runs what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark
    from mtbench.results.comparison import Comparison
    from mtbench.results.tables import Table

#: Most clips; how many more there are is said.
MOST_ROWS = 20


def table_html(table: Table) -> str:
    """Return *table* with its title above and its notes below.

    Examples
    --------
    >>> from mtbench.results.tables import Table
    >>> print(table_html(Table("A & B", ("entry", "LVE mm"), (("<b>", "1.0"),), ("a note",))))
    <p><b>A &amp; B</b></p>
    <table>
    <thead><tr><th style="text-align:left">entry</th><th>LVE mm</th></tr></thead>
    <tbody>
    <tr><td style="text-align:left">&lt;b&gt;</td><td>1.0</td></tr>
    </tbody>
    </table>
    <p>a note</p>
    """
    return _lay_out(table.title, table.header, table.rows, table.notes)


def comparison_html(comparison: Comparison) -> str:
    """Return the differences of *comparison* over all languages."""
    header, *rows = comparison.rows()
    title = f"a = {comparison.system_a}, b = {comparison.system_b}, on {comparison.benchmark}"
    return _lay_out(title, header, rows, comparison.notes)


def benchmark_html(benchmark: Benchmark) -> str:
    """Return what *benchmark* is, and its first clips."""
    seconds = sum(clip.frames for clip in benchmark.clips) / benchmark.fps
    title = (
        f"{benchmark.ref}: {len(benchmark.clips)} clips, {seconds:.0f} s, {len(benchmark.languages)} languages, "
        f"topology {benchmark.topology or 'none'}"
    )
    rows = [
        (clip.id, clip.language, str(clip.frames), clip.transcript) for clip in benchmark.clips[:MOST_ROWS]
    ]
    more = len(benchmark.clips) - len(rows)
    notes = (f"and {more} more clips",) if more else ()
    return _lay_out(title, ("id", "language", "frames", "transcript"), rows, notes)


def _lay_out(title: str, header: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str]) -> str:
    lines = [f"<p><b>{escape(title)}</b></p>", "<table>", f"<thead>{_line('th', header)}</thead>", "<tbody>"]
    lines += [_line("td", row) for row in rows]
    lines += ["</tbody>", "</table>", *(f"<p>{escape(note)}</p>" for note in notes)]
    return "\n".join(lines)


def _line(tag: str, cells: Sequence[str]) -> str:
    first, *others = (escape(cell) for cell in cells)
    left = f'<{tag} style="text-align:left">{first}</{tag}>'
    return f"<tr>{left}{''.join(f'<{tag}>{cell}</{tag}>' for cell in others)}</tr>"
