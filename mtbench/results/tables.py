"""Results as text: one table over entries, one over languages.

Conventions
-----------
Error rates are per cent; ``±`` is half the width of the 95 % interval. The headline rate is WER, and CER for
Japanese, Mandarin and Thai (marked ``*``). What was not measured is ``n/a``; a number over fewer clips than the
benchmark has says so: ``[1/4]``. Nothing here computes: every number is in ``run.json``. Every title names the
recognizer with its digest, and a table holds only runs that :func:`mtbench.compare` would compare, with the same
columns: the numbers of two recognizers, noises or normalizers do not stand in one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mtbench.metrics import METRICS
from mtbench.results.summary import SummaryRow, find_number
from mtbench.results.understanding import Understanding
from mtbench.speech import display_name, headline_rate

if TYPE_CHECKING:
    from mtbench.results.ranking import Rank
    from mtbench.results.run_files import Run


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    title : str
        Line above it.
    header : tuple of str
        Column names; the first column is left-aligned, the others right.
    rows : tuple of tuple of str
        Cells.
    notes : tuple of str
        Lines below it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the table as lines of aligned plain text."""
        lines = [self.header, *self.rows]
        widths = [max(_width(line[i]) for line in lines) for i in range(len(self.header))]
        rule = "  ".join("-" * width for width in widths)
        body = [_align(line, widths) for line in lines]
        return "\n".join([self.title, "", body[0], rule, *body[1:], "", *self.notes]).rstrip() + "\n"

    def to_markdown(self) -> str:
        """Return the table in Markdown."""
        escape = [tuple(cell.replace("|", "\\|") for cell in row) for row in (self.header, *self.rows)]
        rule = ("---", *("---:" for _ in self.header[1:]))
        lines = ["| " + " | ".join(row) + " |" for row in (escape[0], rule, *escape[1:])]
        return (
            "\n".join([f"**{self.title}**", "", *lines, "", *(f"{note}  " for note in self.notes)]).rstrip()
            + "\n"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from mtbench.results.notebook import table_html

        return table_html(self)


@dataclass(frozen=True)
class Column:
    """A column of numbers: what it shows and how.

    Attributes
    ----------
    header : str
    metric, modality, snr_db
        As in :class:`mtbench.results.summary.SummaryRow`.
    digits : int
        After the point.
    scale : float
        From the metric's unit to the column's.
    sign : bool
        Whether a plus is written.
    """

    header: str
    metric: str
    modality: str | None = None
    snr_db: float | None = None
    digits: int = 1
    scale: float = 1.0
    sign: bool = False

    def cell(self, run: Run, language: str = "all") -> str:
        """Return the column's number of *run* in *language* as text."""
        row = _number(run, self.metric, self.modality, self.snr_db, language)
        if row is None or row.estimate is None:
            return "n/a"
        text = f"{self.scale * row.estimate:{'+' if self.sign else ''}.{self.digits}f}"
        if row.ci95 is not None:
            text += f" ±{self.scale * (row.ci95[1] - row.ci95[0]) / 2:.{self.digits}f}"
        few = row.n_clips < row.n_expected
        return text + (f" [{row.n_clips}/{row.n_expected}]" if few else "")


#: The metric that only some recognizers have, and what tables say of it.
_BITS = "readability_bits"
_BITS_NOTE = (
    "bits: by how many bits a phone (token) the face makes what was said more probable to the recognizer than a face "
    "that does not move, in the same sound; higher is better, below 0 the face misleads."
)


def choose_columns(runs: Sequence[Run]) -> tuple[Column, ...]:
    """Return the columns of numbers that tables over *runs* have."""
    columns = []
    tells = any(row.metric == _BITS and row.estimate is not None for run in runs for row in run.summary)
    for snr in _snrs(runs):
        columns += [
            Column(f"AV {snr:g} dB", "headline", "av", snr),
            Column(f"A {snr:g} dB", "headline", "a", snr),
            Column(f"gain {snr:g} dB", "avlr_gain", "av", snr, sign=True),
        ]
        if tells:
            columns.append(Column(f"bits {snr:g} dB", _BITS, "av", snr, digits=2, sign=True))
    columns += [
        Column("AV clean", "headline", "av"),
        Column("A clean", "headline", "a"),
        Column("V only", "headline", "v"),
    ]
    if all(run.recognizer is None for run in runs):
        columns = []
    present = {row.metric for run in runs for row in run.summary}
    for metric in METRICS.every_geometric():
        if metric.column is not None and (metric.required or metric.name in present):
            columns.append(Column(metric=metric.name, **asdict(metric.column)))
    return tuple(columns)


def entries_table(
    runs: Sequence[Run], others: Sequence[Run] = (), ranks: Sequence[Rank | None] = (), ranked_by: str = ""
) -> Table:
    """Return the overall table of *runs* on one benchmark: one line per entry.

    Parameters
    ----------
    runs : sequence of Run
        That may be compared, see :func:`group_runs`.
    others : sequence of Run
        Runs that stand in tables of their own; those on the same benchmark are named below with what differs.
    ranks : sequence of (Rank or None)
        Rank of each run, None for one that is not ranked; none at all leave the column out.
    ranked_by : str
        What they are ranked by, for the line below that explains ranks.

    Raises
    ------
    ValueError
        If they may not.
    """
    _require_one_group(runs)
    columns = choose_columns(runs)
    header = ["entry", *(column.header for column in columns)]
    rows = [
        [run.system.name + ("" if run.rankable else " (partial)"), *(column.cell(run) for column in columns)]
        for run in runs
    ]
    notes = [*_notes(runs, columns), *_name_others(runs[0], others)]
    if ranks:
        header.insert(1, "rank")
        for row, rank in zip(rows, ranks, strict=True):
            row.insert(1, "n/a" if rank is None else str(rank))
        notes.insert(1, _RANK.format(ranked_by))
    return Table(_title("all languages", runs[0]), tuple(header), tuple(map(tuple, rows)), tuple(notes))


_RANK = (
    "rank: one plus the number of entries that are significantly better by {} (paired, corrected over all pairs, 5 %); "
    "in parentheses, with it, the ranks in 95 % of the bootstrap's samples. Entries of one rank are not told apart."
)


def languages_table(runs: Sequence[Run]) -> Table:
    """Return the table per language: one run with all its numbers, or several with one rate.

    Parameters and errors are those of :func:`entries_table`.
    """
    _require_one_group(runs)
    languages = sorted({row.language for run in runs for row in run.summary} - {"all"}, key=display_name)
    if len(runs) == 1:
        return _one_run_by_language(runs[0], languages)
    snr = (_snrs(runs) or (None,))[0]
    seen, heard = Column("", "headline", "av", snr), Column("", "headline", "a", snr)
    header = ["language", *(run.system.name for run in runs), "audio only"]
    rows = [
        (_name(language), *(seen.cell(run, language) for run in runs), heard.cell(runs[0], language))
        for language in languages
    ]
    where = "clean" if snr is None else f"{snr:g} dB"
    return Table(
        _title(f"audio-visual errors at {where} by language", runs[0]), tuple(header), tuple(rows), (_STAR,)
    )


def group_runs(runs: Sequence[Run]) -> list[list[Run]]:
    """Return *runs* grouped by what may stand in one table: comparable runs with the same columns.

    Within a group runs keep their order.
    """

    def place(item: tuple[int, Run]) -> tuple:
        _, run = item
        recognizer = None if run.recognizer is None else (run.recognizer.name, run.recognizer.digest)
        benchmark = (run.benchmark.name, run.benchmark.version, run.benchmark.digest)
        # What may differ or be absent comes last, and fuller signatures first: they decide what fits.
        settings = sorted(run.signatures.items())
        return benchmark, recognizer or ("", ""), -sum(len(text) for _, text in settings), settings

    groups: list[list[tuple[int, Run]]] = []
    for item in sorted(enumerate(runs), key=place):
        for group in groups:
            if all(_fit(item[1], other) for _, other in group):
                group.append(item)
                break
        else:
            groups.append([item])
    return [[run for _, run in sorted(group, key=lambda item: item[0])] for group in groups]


def _fit(a: Run, b: Run) -> bool:
    from mtbench.results.comparability import find_conflicts

    return _snrs([a]) == _snrs([b]) and not find_conflicts(a, b)


def _name_others(run: Run, others: Sequence[Run]) -> list[str]:
    """Return which runs on the same benchmark stand elsewhere and why, a line for each reason."""
    from mtbench.results.comparability import find_conflicts

    reasons: dict[str, list[str]] = {}
    for other in others:
        if other.benchmark.name != run.benchmark.name:
            continue
        found = [line.partition(": ")[2] if "|" in line else line for line in find_conflicts(run, other)]
        found = list(dict.fromkeys(found)) or ["other signal-to-noise ratios"]
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        reasons.setdefault("; ".join(found[:3]) + more, []).append(other.system.name)
    return [
        f"In a table of its own, scored under other conditions: {', '.join(dict.fromkeys(names))} ({reason})"
        for reason, names in reasons.items()
    ]


def _require_one_group(runs: Sequence[Run]) -> None:
    if len(groups := group_runs(runs)) != 1:
        names = ", ".join(_title("scores", group[0]) for group in groups)
        raise ValueError(f"{len(groups)} tables' worth of runs, which are not comparable: {names or 'none'}")


def _one_run_by_language(run: Run, languages: Sequence[str]) -> Table:
    columns = choose_columns([run])
    header = ("language", "clips", *(column.header for column in columns))
    rows = []
    for language in languages:
        clips = max((row.n_expected for row in run.summary if row.language == language), default=0)
        rows.append((_name(language), str(clips), *(column.cell(run, language) for column in columns)))
    return Table(_title(f"{run.system.name} by language", run), header, tuple(rows), (_STAR,))


_STAR = "* character error rate; ** also: synthetic speech that only approximates the language"


def _name(language: str) -> str:
    from mtbench.speech import LANGUAGES

    known = LANGUAGES.get(language)
    mark = "*" if headline_rate(language) == "cer" else ""
    return display_name(language) + mark + ("*" if known is not None and known.approximate else "")


def _title(what: str, run: Run) -> str:
    if run.recognizer is None:
        told = "no recognizer"
    else:
        told = f"error rates of {run.recognizer.name}#{run.recognizer.digest[:8]} in %"
        if run.understanding is not None and run.understanding.no_words:
            told += f", WITHOUT A WORD LIST FOR {', '.join(map(display_name, run.understanding.no_words))}"
        if run.understanding is not None and run.understanding.understood is False:
            told += ", WHICH DOES NOT UNDERSTAND THIS SPEECH"
        if run.sight is not None and run.sight.reads is False:
            told += ", WHICH CANNOT READ THIS MOTION"
    return f"{run.benchmark.name}@{run.benchmark.version}, {what}: {told}"


def _notes(runs: Sequence[Run], columns: Sequence[Column]) -> tuple[str, ...]:
    from mtbench.results.comparability import name_own_choices

    notes = [
        "AV: sound in noise and rendered mouth (AVLR); A: the same sound alone; gain: points of WER against "
        "a face that does not move; V: mouth alone. Rates are means over languages of WER (CER for Japanese, "
        "Mandarin, Thai); ±: half of the 95 % interval."
    ]
    bits = [column for column in columns if column.metric == _BITS][:1]
    if bits:
        notes.append(_BITS_NOTE)
    cells = [column.cell(run) for run in runs for column in columns]
    if any(cell.endswith("]") for cell in cells):
        notes.append("[1/4]: over 1 clip of 4 only; run.json says why.")
    first = runs[0]
    for column in dict.fromkeys((columns[0], *bits, next(c for c in columns if c.modality is None))):
        number = _number(first, column.metric, column.modality, column.snr_db)
        if number is not None and number.estimate is not None:
            notes.append(f"Signature: {number.signature}")
    if first.understanding is not None:
        notes.append(f"{Understanding(**first.understanding.model_dump(exclude={'understood'})).describe()}.")
    notes += [f"{line[0].upper()}{line[1:]}." for line in name_own_choices(runs)]
    notes += _explain_absence(runs, columns)
    seen: dict[str, list[str]] = {}
    for run in runs:
        for warning in run.warnings:
            seen.setdefault(warning, []).append(run.system.name)
    for warning, names in seen.items():
        who = "" if len(names) == len(runs) else f" ({', '.join(names)})"
        notes.append(f"WARNING{who}: {warning}")
    return tuple(notes)


def _explain_absence(runs: Sequence[Run], columns: Sequence[Column]) -> list[str]:
    """Return why numbers are n/a, a line for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for column in columns:
        for run in runs:
            row = _number(run, column.metric, column.modality, column.snr_db)
            if row is not None and row.estimate is None and row.reason:
                reasons.setdefault(row.reason, {})[column.header] = None
    return [f"n/a in {', '.join(headers)}: {reason}." for reason, headers in reasons.items()]


def _snrs(runs: Sequence[Run]) -> tuple[float, ...]:
    """Return the SNRs of the runs' audio-visual numbers, least noise first."""
    found = {
        row.snr_db for run in runs for row in run.summary if row.modality == "av" and row.snr_db is not None
    }
    return tuple(sorted(found, reverse=True))


def _number(
    run: Run, metric: str, modality: str | None, snr: float | None, language: str = "all"
) -> SummaryRow | None:
    noise = None if snr is None else "all"
    return find_number(run.summary, metric, language, modality=modality, snr_db=snr, noise=noise)


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _align(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - _width(cell)) if i == 0 else " " * (width - _width(cell)) + cell
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


if TYPE_CHECKING:
    from mtbench.results.ranking import Rank
    from mtbench.results.run_files import Run
    from mtbench.results.tables import Table


def run_html(run: Run) -> str:
    """Return the tables of *run*, over all languages and by language."""
    from mtbench.results.notebook import table_html

    return "\n".join(table_html(table([run])) for table in (entries_table, languages_table))
