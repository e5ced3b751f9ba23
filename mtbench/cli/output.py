"""Printing: text and JSON to standard output, notes and errors to standard error.

Conventions
-----------
Nothing that is printed can fail for its characters: what the terminal or pipe cannot show is written as
a ``u`` escape, which JSON reads back as the character. Control characters (file names may hold some) are written so
too, and so are marks that turn the direction of what follows them. Nobody listening on standard error is no error;
nobody listening on standard output ends the command.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtbench.results import Run

_ERRORS = "mtbench.escape"
_CONTROL = {code: f"\\u{code:04x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"} | {
    code: f"\\u{code:04x}" for code in (*range(0x2028, 0x202F), 0x2066, 0x2067)
}


class OutputClosed(BaseException):
    """Nobody reads standard output any more."""


class OutputFailed(Exception):
    """Standard output cannot be written; the text says why."""


def prepare_streams() -> None:
    """Make standard streams that are closed or cannot show every character safe to print to."""
    codecs.register_error(_ERRORS, _escape)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # closed: a file that is opened next would take its place
            with contextlib.suppress(OSError):
                _take(number)
                setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115
        if number and isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def finish_output() -> None:
    """Write out what is left of standard output.

    Raises
    ------
    OutputClosed, OutputFailed
        As :func:`say`.
    """
    _write("")


def drop_output() -> None:
    """Send what is left of standard output nowhere, so that the interpreter does not complain while it ends."""
    with contextlib.suppress(OSError, ValueError):
        _take(sys.stdout.fileno())


def say(text: str = "") -> None:
    """Print *text* to standard output.

    Raises
    ------
    OutputClosed
        Where nobody reads any more.
    OutputFailed
        Where it cannot be written for another reason.
    """
    _write(_plain(text if text.endswith("\n") else f"{text}\n"))


def say_json(value: Any) -> None:
    """Print *value* as indented JSON to standard output."""
    say(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False))


def say_note(text: str) -> None:
    """Print a note to standard error."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{_plain(text)}\n")


def say_error(text: str) -> None:
    """Print an error to standard error."""
    say_note(f"error: {text}")


def log_lines() -> None:
    """Print mtbench's log to standard error, a line each; other packages stay as silent as they are."""
    import logging

    logging.basicConfig(format="%(message)s")
    logging.getLogger("mtbench").setLevel(logging.INFO)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        if not text:
            sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise OutputFailed(f"standard output cannot be written: {error.strerror}") from None


def _plain(text: str) -> str:
    return text.translate(_CONTROL)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Write characters that an encoding lacks as JSON does."""
    assert isinstance(error, UnicodeEncodeError)
    raw = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2))
    return "".join(f"\\u{unit:04x}" for unit in units), error.end


def _take(number: int) -> None:
    """Let the descriptor *number* stand for the null device."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def say_tables(runs: Sequence[Run], others: Sequence[Run] = (), markdown: bool = False) -> None:
    """Print the tables over *runs*, which may stand together; *others* stand in tables of their own."""
    from mtbench.results import entries_table, languages_table, optional_table

    for table in (languages_table(runs), entries_table(runs, others), optional_table(runs)):
        if table is not None:
            say(table.to_markdown() if markdown else table.to_text())
