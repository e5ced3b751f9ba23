"""Results as text: one table over entries, one over languages.

Conventions
-----------
Error rates are per cent; ``±`` is half the width of the 95 % interval. The headline rate is WER, and CER for
Japanese, Mandarin and Thai (marked ``*``). What was not measured is ``n/a``. Nothing here computes: every
number is in ``run.json``. Every title names the recognizer with its digest, and a table holds the numbers of one
recognizer only: those of two are not comparable.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from mtbench.languages import display_name, headline_rate
from mtbench.results import Run
from mtbench.summary import SummaryRow
from mtbench.understanding import Understanding


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


def entries_table(runs: Sequence[Run]) -> Table:
    """Return the overall table of *runs* on one benchmark: one line per entry.

    Parameters
    ----------
    runs : sequence of Run
        On the same benchmark, by the same recognizer.

    Raises
    ------
    ValueError
        If they are not.
    """
    _require_one_group(runs)
    first = runs[0]
    snrs = _snrs(runs)
    header = ["entry"]
    for snr in snrs:
        header += [f"AV {snr:g} dB", f"A {snr:g} dB", f"gain {snr:g} dB"]
    header += ["AV clean", "V only", "LVE mm", "FDD mm²"]
    rows = []
    for run in runs:
        cells = [run.system.name + ("" if run.rankable else " (partial)")]
        for snr in snrs:
            cells += [
                _cell(_number(run, "headline", "av", snr)),
                _cell(_number(run, "headline", "a", snr)),
                _cell(_number(run, "avlr_gain", "av", snr), sign=True),
            ]
        cells += [
            _cell(_number(run, "headline", "av", None)),
            _cell(_number(run, "headline", "v", None)),
            _cell(_number(run, "lve_mm", None, None), digits=2),
            _cell(_number(run, "fdd_m2", None, None), digits=2, scale=1e6, sign=True),
        ]
        rows.append(tuple(cells))
    return Table(_title("all languages", first), tuple(header), tuple(rows), _notes(runs))


def languages_table(runs: Sequence[Run]) -> Table:
    """Return the table per language: one run with all its numbers, or several with one rate.

    Parameters and errors are those of :func:`entries_table`.
    """
    _require_one_group(runs)
    languages = sorted({row.language for run in runs for row in run.summary} - {"all"}, key=display_name)
    if len(runs) == 1:
        return _one_run_by_language(runs[0], languages)
    snr = (_snrs(runs) or (None,))[0]
    header = ["language", *(run.system.name for run in runs), "audio only"]
    rows = []
    for language in languages:
        cells = [_name(language)]
        cells += [_cell(_number(run, "headline", "av", snr, language)) for run in runs]
        cells.append(_cell(_number(runs[0], "headline", "a", snr, language)))
        rows.append(tuple(cells))
    where = "clean" if snr is None else f"{snr:g} dB"
    return Table(
        _title(f"audio-visual errors at {where} by language", runs[0]), tuple(header), tuple(rows), (_STAR,)
    )


def group_runs(runs: Sequence[Run]) -> list[list[Run]]:
    """Return *runs* grouped by what may stand in one table: benchmark (with digest) and recognizer."""
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        judge = None if run.recognizer is None else (run.recognizer.name, run.recognizer.digest)
        key = (run.benchmark.name, run.benchmark.version, run.benchmark.digest, judge or ("", ""))
        groups.setdefault(key, []).append(run)
    return [groups[key] for key in sorted(groups)]


def _require_one_group(runs: Sequence[Run]) -> None:
    if len(groups := group_runs(runs)) != 1:
        names = ", ".join(_title("scores", group[0]) for group in groups)
        raise ValueError(f"{len(groups)} tables' worth of runs, which are not comparable: {names or 'none'}")


def _one_run_by_language(run: Run, languages: Sequence[str]) -> Table:
    snrs = _snrs([run])
    header = ["language", "clips"]
    for snr in snrs:
        header += [f"AV {snr:g} dB", f"A {snr:g} dB", f"gain {snr:g} dB"]
    header += ["AV clean", "V only", "LVE mm", "FDD mm²"]
    rows = []
    for language in languages:
        lve = _number(run, "lve_mm", None, None, language)
        clips = max((row.n_expected for row in run.summary if row.language == language), default=0)
        cells = [_name(language), str(clips)]
        for snr in snrs:
            cells += [
                _cell(_number(run, "headline", "av", snr, language)),
                _cell(_number(run, "headline", "a", snr, language)),
                _cell(_number(run, "avlr_gain", "av", snr, language), sign=True),
            ]
        cells += [
            _cell(_number(run, "headline", "av", None, language)),
            _cell(_number(run, "headline", "v", None, language)),
            _cell(lve, digits=2),
            _cell(_number(run, "fdd_m2", None, None, language), digits=2, scale=1e6, sign=True),
        ]
        rows.append(tuple(cells))
    return Table(_title(f"{run.system.name} by language", run), tuple(header), tuple(rows), (_STAR,))


_STAR = "* character error rate; ** also: synthetic speech that only approximates the language"


def _name(language: str) -> str:
    from mtbench.languages import LANGUAGES

    known = LANGUAGES.get(language)
    mark = "*" if headline_rate(language) == "cer" else ""
    return display_name(language) + mark + ("*" if known is not None and known.approximate else "")


def _title(what: str, run: Run) -> str:
    if run.recognizer is None:
        judge = "no recognizer"
    else:
        judge = f"error rates of {run.recognizer.name}#{run.recognizer.digest[:8]} in %"
        if run.understanding is not None and run.understanding.no_words:
            judge += f", WITHOUT A WORD LIST FOR {', '.join(map(display_name, run.understanding.no_words))}"
        if run.understanding is not None and run.understanding.understood is False:
            judge += ", WHICH DOES NOT UNDERSTAND THIS SPEECH"
    return f"{run.benchmark.name}@{run.benchmark.version}, {what}: {judge}"


def _notes(runs: Sequence[Run]) -> tuple[str, ...]:
    notes = [
        "AV: sound in noise and rendered mouth (AVLR); A: the same sound alone; gain: points of WER against "
        "a face that does not move; V: mouth alone. Rates are means over languages of WER (CER for Japanese, "
        "Mandarin, Thai); ±: half of the 95 % interval."
    ]
    first = runs[0]
    number = _number(first, "headline", "av", (_snrs(runs) or (None,))[0])
    number = number or _number(first, "lve_mm", None, None)
    if number is not None:
        notes.append(f"Signature: {number.signature}")
    if first.understanding is not None:
        notes.append(f"{Understanding(**first.understanding.model_dump(exclude={'understood'})).describe()}.")
    seen: dict[str, list[str]] = {}
    for run in runs:
        for warning in run.warnings:
            seen.setdefault(warning, []).append(run.system.name)
    for warning, names in seen.items():
        who = "" if len(names) == len(runs) else f" ({', '.join(names)})"
        notes.append(f"WARNING{who}: {warning}")
    return tuple(notes)


def _snrs(runs: Sequence[Run]) -> tuple[float, ...]:
    """Return the SNRs of the runs' audio-visual numbers, least noise first."""
    found = {
        row.snr_db for run in runs for row in run.summary if row.modality == "av" and row.snr_db is not None
    }
    return tuple(sorted(found, reverse=True))


def _number(
    run: Run, metric: str, modality: str | None, snr: float | None, language: str = "all"
) -> SummaryRow | None:
    from mtbench.aggregate import find_number

    noise = None if snr is None else "all"
    return find_number(run.summary, metric, language, modality=modality, snr_db=snr, noise=noise)


def _cell(row: SummaryRow | None, digits: int = 1, scale: float = 1.0, sign: bool = False) -> str:
    if row is None or row.estimate is None:
        return "n/a"
    text = f"{scale * row.estimate:{'+' if sign else ''}.{digits}f}"
    if row.ci95 is not None:
        text += f" ±{scale * (row.ci95[1] - row.ci95[0]) / 2:.{digits}f}"
    return text


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
