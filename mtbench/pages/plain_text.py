"""Text that people chose, in Markdown, LaTeX and CSV: shown as it is, never read as markup or as a formula.

Conventions
-----------
Control characters (C0, DEL, C1) reach no file: breaks of lines and tabs are blanks, all others U+FFFD, see
:func:`replace_controls`; HTML follows the same rule (:mod:`mtbench.pages.templates`). Text of another direction is
set apart in Markdown, by U+2068 and U+2069; in CSV, which programs read, it stays as it is, but what it leaves open
(an override of the direction, say) is closed at the end of its cell: the numbers beside it would read backwards.
LaTeX has no invisible letters at all.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
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
    "\ufffd": "?",  # most fonts lack it
}
#: Beginnings that spreadsheets take for a formula.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
#: What some readers end a row at, even inside quotes, and tabs.
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
#: What opens a stretch of another direction, and what closes it.
_EMBEDDED, _ISOLATED = "\u202c", "\u2069"
_OPENERS = dict.fromkeys("\u202a\u202b\u202d\u202e", _EMBEDDED) | dict.fromkeys(
    "\u2066\u2067\u2068", _ISOLATED
)
#: Classes of letters and marks that change the direction of what stands beside them.
_DIRECTED = frozenset(("R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"))
#: Beginnings of addresses that GitHub makes links of.
_ADDRESS = re.compile(r"(https?|ftp):(?=//)|(www)(?=\.)", re.IGNORECASE)


def replace_controls(text: str) -> str:
    r"""Return *text* as one line without control characters: breaks and tabs are blanks, others U+FFFD.

    Examples
    --------
    >>> replace_controls("a\0b\nc\x1b[31m")
    'a�b c�[31m'
    """
    if text.isprintable():  # nearly all, and fast
        return text
    return _CONTROLS.sub("\ufffd", _BREAKS.sub(" ", text))


def isolate_text(text: str) -> str:
    r"""Return *text* between U+2068 and U+2069 where it holds letters or marks of direction; else as it is.

    What it leaves open is closed, and what closes more than it opened is left out: it would end the isolation.

    Examples
    --------
    >>> isolate_text("\u202ecba")
    '\u2068\u202ecba\u202c\u2069'
    """
    if text.isascii() or all(unicodedata.bidirectional(letter) not in _DIRECTED for letter in text):
        return text
    inner, closing = _balance(text)
    return f"\u2068{inner}{closing}\u2069"


def _balance(text: str) -> tuple[str, str]:
    """Return *text* without marks that close nothing, and what closes those that it leaves open."""
    kept: list[str] = []
    stack: list[str] = []
    for letter in text:
        if letter in _OPENERS:
            stack.append(_OPENERS[letter])
        elif letter == _EMBEDDED:
            if not stack or stack[-1] != _EMBEDDED:
                continue
            stack.pop()
        elif letter == _ISOLATED:
            if _ISOLATED not in stack:
                continue
            while stack.pop() != _ISOLATED:  # it closes the embeddings within it too
                pass
        kept.append(letter)
    return "".join(kept), "".join(reversed(stack))


def markdown_cell(text: str) -> str:
    r"""Return *text* as the cell of a Markdown table: one line, no markup, no formula, set apart by direction.

    Addresses become no links on GitHub; addresses of mail do there, for no escape prevents it.

    Examples
    --------
    >>> print(markdown_cell("a|b <script> *c*\nd, $5"))
    a\|b &lt;script&gt; \*c\* d, \$5
    >>> print(markdown_cell("https://a.b"))
    https:\//a.b
    """
    text = " ".join(replace_controls(text).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]#|~!$])", r"\\\1", text)
    return isolate_text(_ADDRESS.sub(r"\g<0>\\", text))


def latex_text(text: str) -> str:
    r"""Return *text* as LaTeX that prints it.

    Examples
    --------
    >>> print(latex_text("50 % of A_1"))
    50 \% of A\_1
    """
    text = " ".join(replace_controls(text).split())
    return "".join(_LATEX.get(letter, letter) for letter in text if letter.isprintable())


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Return *rows* as CSV (comma, LF); text that a spreadsheet would compute gets an apostrophe before it.

    Numbers, also negative ones in text, stay numbers; None is an empty cell, breaks of lines and tabs are blanks,
    other control characters U+FFFD. Marks of direction stay; those that a cell leaves open are closed at its end.

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
    value = replace_controls(value)
    value += _balance(value)[1]
    return "'" + value if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value) else value
