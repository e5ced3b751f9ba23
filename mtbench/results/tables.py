"""Results as text: one table over entries, one over languages.

Conventions
-----------
Error rates are per cent; ``±`` is half the width of the 95 % interval. The headline rate is WER, and CER for
Japanese, Mandarin and Thai (marked ``*``), unless the run's profile says otherwise; tables of another profile than
``recommended`` name it. What was not measured is ``n/a``; a number over fewer clips than the
benchmark has says so: ``[1/4]``. Nothing here computes: every number is in ``run.json``. Every title names the
recognizer with its digest, and a table holds only runs that :func:`mtbench.compare` would compare, with the same
columns: the numbers of two recognizers, noises or normalizers do not stand in one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtbench.pages import markdown_cell
from mtbench.results.averaging import MEANS, RATES, Averaging
from mtbench.results.columns import BITS, BITS_NOTE, Column, choose_columns, list_snrs, number_of
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
    strong : frozenset of (int, int)
        Row and column of cells that Markdown shows in bold.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    strong: frozenset[tuple[int, int]] = frozenset()

    def to_text(self) -> str:
        """Return the table as lines of aligned plain text."""
        lines = [self.header, *self.rows]
        widths = [max(_width(line[i]) for line in lines) for i in range(len(self.header))]
        rule = "  ".join("-" * width for width in widths)
        body = [_align(line, widths) for line in lines]
        return "\n".join([self.title, "", body[0], rule, *body[1:], "", *self.notes]).rstrip() + "\n"

    def to_markdown(self) -> str:
        """Return the table in Markdown; names that hold markup are shown as they are."""
        notes = (f"{_mark_note(note)}  " for note in self.notes)
        lines = [f"**{markdown_cell(self.title)}**", "", *self.markdown_lines(), "", *notes]
        return "\n".join(lines).rstrip() + "\n"

    def markdown_lines(self) -> list[str]:
        """Return header, rule and rows in Markdown, without title and notes."""
        rows = [
            tuple(f"**{markdown_cell(cell)}**" if (i, j) in self.strong else markdown_cell(cell)
                  for j, cell in enumerate(row))
            for i, row in enumerate(self.rows)
        ]  # fmt: skip
        rule = ("---", *("---:" for _ in self.header[1:]))
        return [
            "| " + " | ".join(row) + " |" for row in (tuple(map(markdown_cell, self.header)), rule, *rows)
        ]

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from mtbench.results.notebook import table_html

        return table_html(self)


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
    notes = [*_notes(runs, columns), *name_others(runs[0], others)]
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
    snr = (list_snrs(runs) or (None,))[0]
    seen, heard = Column("", "headline", "av", snr), Column("", "headline", "a", snr)
    header = ["language", *(run.system.name for run in runs), "audio only"]
    rows = [
        (_name(language, runs[0]), *(seen.cell(run, language) for run in runs), heard.cell(runs[0], language))
        for language in languages
    ]
    where = "clean" if snr is None else f"{snr:g} dB"
    return Table(
        _title(f"audio-visual errors at {where} by language", runs[0]),
        tuple(header),
        tuple(rows),
        _explain_stars(runs[0]),
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
    # Of runs that were scored alike one stands for all: a board of hundreds has few kinds.
    kinds: list[dict[tuple, Run]] = []
    for item in sorted(enumerate(runs), key=place):
        kind = _kind(item[1])
        for group, known in zip(groups, kinds, strict=True):
            if kind in known or all(_fit(item[1], other) for other in known.values()):
                group.append(item)
                known.setdefault(kind, item[1])
                break
        else:
            groups.append([item])
            kinds.append({kind: item[1]})
    return [[run for _, run in sorted(group, key=lambda item: item[0])] for group in groups]


def _kind(run: Run) -> tuple:
    """Return all that :func:`_fit` looks at."""
    recognizer = None if run.recognizer is None else (run.recognizer.name, run.recognizer.digest)
    benchmark = (run.benchmark.name, run.benchmark.version, run.benchmark.digest)
    signatures = tuple(sorted(run.signatures.items()))
    return benchmark, recognizer, run.system.topology, signatures, tuple(list_snrs([run]))


def _fit(a: Run, b: Run) -> bool:
    from mtbench.results.comparability import find_conflicts

    return list_snrs([a]) == list_snrs([b]) and not find_conflicts(a, b)


def name_others(run: Run, others: Sequence[Run]) -> list[str]:
    """Return which of *others* on the benchmark of *run* stand elsewhere and why, a line for each reason."""
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
        rows.append((_name(language, run), str(clips), *(column.cell(run, language) for column in columns)))
    return Table(_title(f"{run.system.name} by language", run), header, tuple(rows), _explain_stars(run))


_STAR = "* character error rate; ** also: synthetic speech that only approximates the language"


def _explain_stars(run: Run) -> tuple[str, ...]:
    return (
        _STAR if run.averaging.rate == RATES[0] else "* synthetic speech that only approximates the language",
    )


def _name(language: str, run: Run) -> str:
    from mtbench.speech import LANGUAGES

    known = LANGUAGES.get(language)
    mark = "*" if run.averaging.rate == RATES[0] and headline_rate(language) == "cer" else ""
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
    profile = str(run.settings.get("recognition", {}).get("profile") or _PLAIN)
    if profile.partition("+")[0] != _PLAIN:
        told += f", profile {profile}"
    return f"{run.benchmark.name}@{run.benchmark.version}, {what}: {told}"


#: The profile that goes without saying.
_PLAIN = "recommended"


def _notes(runs: Sequence[Run], columns: Sequence[Column]) -> tuple[str, ...]:
    from mtbench.results.comparability import name_own_choices

    unit = "CER" if runs[0].averaging.rate == "cer" else "WER"
    notes = [
        f"AV: sound in noise and rendered mouth (AVLR); A: the same sound alone; gain: points of {unit} against "
        f"a face that does not move; V: mouth alone. {_describe_rates(runs[0].averaging)}; ±: half of the 95 % "
        "interval."
    ]
    bits = [column for column in columns if column.metric == BITS][:1]
    if bits:
        notes.append(BITS_NOTE)
    cells = [column.cell(run) for run in runs for column in columns]
    if any(cell.endswith("]") for cell in cells):
        notes.append("[1/4]: over 1 clip of 4 only; run.json says why.")
    first = runs[0]
    for column in dict.fromkeys((columns[0], *bits, next(c for c in columns if c.modality is None))):
        number = number_of(first, column.metric, column.modality, column.snr_db)
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


def _describe_rates(averaging: Averaging) -> str:
    rate = "WER (CER for Japanese, Mandarin, Thai)" if averaging.rate == RATES[0] else averaging.rate.upper()
    if averaging.mean == MEANS[0]:
        return f"Rates are means over languages of {rate}"
    return f"Rates are means over clips, then over noises, of each clip's {rate}, and so is the gain"


def _explain_absence(runs: Sequence[Run], columns: Sequence[Column]) -> list[str]:
    """Return why numbers are n/a, a line for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for column in columns:
        for run in runs:
            row = number_of(run, column.metric, column.modality, column.snr_db)
            if row is not None and row.estimate is None and row.reason:
                reasons.setdefault(row.reason, {})[column.header] = None
    return [f"n/a in {', '.join(headers)}: {reason}." for reason, headers in reasons.items()]


def _mark_note(note: str) -> str:
    """Return a note in Markdown; signatures are code, so that they can be copied from the text of the file."""
    what, colon, text = note.partition(": ")
    if what == "Signature" and colon and "`" not in text:
        return f"{what}: `{text}`"
    return markdown_cell(note)


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
