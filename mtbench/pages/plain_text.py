"""Text that people chose, in Markdown, LaTeX and CSV: shown as it is, never read as markup or as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
#: Beginnings that spreadsheets take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
#: What some readers end a row at, even inside quotes.
_BREAKS = re.compile("[\r\n\0\x0b\x0c\x85\u2028\u2029]+")


def markdown_cell(text: str) -> str:
    r"""Return *text* as the cell of a Markdown table.

    Examples
    --------
    >>> print(markdown_cell("a|b <script> *c*\nd"))
    a\|b &lt;script&gt; \*c\* d
    """
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#|~!])", r"\\\1", text)


def latex_text(text: str) -> str:
    r"""Return *text* as LaTeX that prints it.

    Examples
    --------
    >>> print(latex_text("50 % of A_1"))
    50 \% of A\_1
    """
    text = " ".join(text.split())
    return "".join(_LATEX.get(letter, letter) for letter in text if letter.isprintable())


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Return *rows* as CSV (comma, LF); text that a spreadsheet would compute gets an apostrophe before it.

    Numbers, also negative ones in text, stay numbers; None is an empty cell, breaks
    of lines are blanks.

    Examples
    --------
    >>> csv_text([("name", "dB"), ("=1+1", -7.5)])
    "name,dB\n'=1+1,-7.5\n"
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
    return buffer.getvalue()


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.isprintable() and not value.startswith(_FORMULA):  # nearly all, and fast
        return value
    value = _BREAKS.sub(" ", value)
    return "'" + value if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value) else value
