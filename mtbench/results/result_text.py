"""The text of result files, and what it says: size, encoding and syntax are checked first."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.results.checks import parse_json

_MAX_BYTES = 512 << 20


def read_text(file: Path) -> str:
    """Return the text of a result file; ``UsageError`` where it is none, too large or not UTF-8."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{file}: not a file; expected a result folder made by 'mtbench score'")
        if status.st_size > _MAX_BYTES:
            raise UsageError(f"{file}: larger than {_MAX_BYTES >> 20} MB; no result file is")
        return file.read_bytes().decode("utf-8-sig")  # several times as fast as read_text
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror}); expected a result folder made by 'mtbench score'"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text ({error}); score the submission again") from error


def parse_text(file: Path, text: str, line: int | None = None) -> Any:
    """Return the JSON value of *text*, which stands in *file*; ``UsageError`` where it is none."""
    try:
        return parse_json(text)
    except (ValueError, RecursionError) as error:
        where = f"{file}, line {line}" if line else str(file)
        raise UsageError(f"{where}: not JSON ({error}); the file is damaged, score again") from error
