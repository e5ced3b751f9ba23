r"""A table as a paper would print it: LaTeX with booktabs, the signature in its caption.

Conventions
-----------
Columns are those that papers print: error rates with face and noise, by the face alone, LVE; CSV files hold the rest.
Numbers are the run's own, ± half of the 95 % interval. Systems stand above the rule, reference model and controls below
it. Everything that people chose is escaped; letters beyond Latin want XeLaTeX or LuaLaTeX and a font that has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mtbench.leaderboard.report.document import to_plain
from mtbench.leaderboard.report.numbers import rate_of, title_of
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.pages import latex_text
from mtbench.results import Column, choose_columns, number_of


def typeset_language(group: Group, language: str) -> str:
    """Return the table of one language, or of ``"all"``: a line an entry, a column a number."""
    columns = [column for column in _printed(group) if _is_known(group, column, language)]
    lines = [
        (entry.role, entry.title, [_cell(entry, c, language) for c in columns]) for entry in group.entries
    ]
    if group.heard:
        alone = [replace(column, modality="a") for column in columns]
        cells = [
            _cell(group.entries[0], sound, language) if column.modality == "av" else "--"
            for column, sound in zip(columns, alone, strict=True)
        ]
        lines.append(("sound", ("sound alone",), cells))
    where = "all languages" if language == "all" else title_of(language)
    head = [latex_text(column.header) for column in columns]
    rules = {place for place in range(1, len(lines)) if _kind(lines[place][0]) != _kind(lines[place - 1][0])}
    body = []
    for place, (_, title, cells) in enumerate(lines):
        body += [r"\midrule"] * (place in rules)
        body.append(f"{' & '.join([_begin_row(latex_text(to_plain(title))), *cells])} \\\\")
    rows = [
        "% Needs \\usepackage{booktabs}; names beyond Latin letters want XeLaTeX or LuaLaTeX.",
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{_caption(group, where, columns, language)}}}",
        f"\\label{{tab:{language}}}",
        f"\\begin{{tabular}}{{l{'r' * len(head)}}}",
        r"\toprule",
        f"{' & '.join(['Entry', *head])} \\\\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(rows) + "\n"


def _begin_row(text: str) -> str:
    r"""Return *text* where ``\\\\`` of the row above doesn't take its beginning for an option."""
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _kind(role: str) -> str:
    return "other" if role in ("reference", "control") else role


def _printed(group: Group) -> list[Column]:
    return [
        column
        for column in choose_columns(group.runs)
        if (column.metric == "headline" and (column.modality == "v" or column.modality == "av"))
        or column.modality is None
    ]


def _is_known(group: Group, column: Column, language: str) -> bool:
    found = (number_of(run, column.metric, column.modality, column.snr_db, language) for run in group.runs)
    return any(row is not None and row.estimate is not None for row in found)


def _cell(entry: Entry, column: Column, language: str) -> str:
    row = number_of(entry.run, column.metric, column.modality, column.snr_db, language)
    if row is None or row.estimate is None:
        return "n/a"
    sign = "+" if column.sign else ""
    text = f"{column.scale * row.estimate:{sign}.{column.digits}f}"
    if row.ci95 is None:
        return f"${text}$"
    half = column.scale * (row.ci95[1] - row.ci95[0]) / 2
    return f"${text} \\pm {half:.{column.digits}f}$"


def _caption(group: Group, where: str, columns: Sequence[Column], language: str) -> str:
    clips = max(
        (row.n_clips for run in group.runs for row in run.summary if row.language == language), default=0
    )
    text = f"{where[0].upper()}{where[1:]}, {group.benchmark}, {clips} clip{'s' if clips != 1 else ''}. "
    if group.heard:
        every = language == "all" and group.first.averaging.rate not in ("wer", "cer")
        rates = "WER (CER for Japanese, Mandarin and Thai)" if every else rate_of(group, language).upper()
        text += (
            f"AV: {rates} in % with sound and the rendered mouth, V: with the mouth alone. "
            f"Recognizer: {group.recognizer}. "
        )
    half = r"$\pm$ half of the 95\,\% interval (cluster bootstrap)."
    return f"{latex_text(text)} {half}{''.join(_signatures(group, columns, language))}"


def _signatures(group: Group, columns: Sequence[Column], language: str) -> list[str]:
    """Return the signatures of the first number of the recognizer's and of the first of geometry."""
    out: list[str] = []
    for geometric in (False, True):
        for column in columns:
            row = number_of(group.first, column.metric, column.modality, column.snr_db, language)
            if (column.modality is None) is geometric and row is not None and row.estimate is not None:
                # Long lines break at the bars between settings.
                parts = [latex_text(part) for part in row.signature.split("|")]
                broken = r"\textbar{}\allowbreak{}".join(parts)
                out.append(f" Signature of {latex_text(column.header)}: \\texttt{{{broken}}}.")
                break
    return out
