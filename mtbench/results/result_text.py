"""The text of result files, and what it says: size, encoding and syntax are checked first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.files import read_text_file
from mtbench.results.checks import parse_json

_MAX_BYTES = 512 << 20


def read_text(file: Path) -> str:
    """Return the text of a result file; ``UsageError`` where it is none, too large or not UTF-8."""
    return read_text_file(
        file,
        _MAX_BYTES,
        kind="result file",
        expected="a result folder made by 'mtbench score'",
        mend="score the submission again",
    )


def parse_text(file: Path, text: str, line: int | None = None) -> Any:
    """Return the JSON value of *text*, which stands in *file*; ``UsageError`` where it is none."""
    try:
        return parse_json(text)
    except (ValueError, RecursionError) as error:
        where = f"{file}, line {line}" if line else str(file)
        raise UsageError(f"{where}: not JSON ({error}); the file is damaged, score again") from error
