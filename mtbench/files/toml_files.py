"""Reading TOML files of strangers, and telling people what is wrong with them.

Conventions
-----------
Manifests are TOML, read once and checked by pydantic models that know every field. Messages count list items from 1,
as people do.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mtbench.files.paths import PathError, check_regular_file

#: Most parts of a dotted key: each is a table within the last.
_MAX_DEPTH = 32
_DEEP_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{_MAX_DEPTH}}}""")


class StrictModel(BaseModel):
    """A table that knows all its fields and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def read_toml(path: Path, max_bytes: int) -> dict:
    """Parse the TOML file *path* of at most *max_bytes* bytes; ``ValueError`` says what is wrong.

    A byte order mark of UTF-8, which editors on Windows write, is skipped.
    """
    try:
        size = check_regular_file(path)
    except PathError as error:
        raise ValueError(str(error)) from None
    if size > max_bytes:
        raise ValueError(f"has {size} bytes, expected at most {max_bytes}")
    text = _decode(path.read_bytes())
    if _DEEP_KEY.search(text):
        raise ValueError(f"is nested too deeply (a key of more than {_MAX_DEPTH} parts)")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML: {str(error)[:300]}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise ValueError(f"holds a value that cannot be read ({str(error)[:100]})") from None


def _decode(content: bytes) -> str:
    """Return the text of a manifest, or say in which encoding it seems to be."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in content[:2]:
        raise ValueError('is UTF-16 text, expected UTF-8; save it again with the encoding "UTF-8"')
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text (byte {error.start})") from None


def quote_toml(value: object) -> str:
    r"""Return a text, a number, a truth value or a list of those as it is written in TOML.

    Examples
    --------
    >>> print(quote_toml('Città "A"'), quote_toml(True))
    "Città \"A\"" true
    """
    # JSON's escapes are TOML's; TOML alone forbids a plain DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_toml(fields: Mapping[str, object]) -> str:
    """Return *fields* as lines of TOML.

    Examples
    --------
    >>> print(format_toml({"schema": 1, "name": "mine"}), end="")
    schema = 1
    name = "mine"
    """
    return "".join(f"{key} = {quote_toml(value)}\n" for key, value in fields.items())


def validation_lines(error: ValidationError) -> list[tuple[str, str]]:
    """Return (field, message) of every finding of pydantic, with lists counted from 1 as people do."""
    lines = []
    for item in error.errors(include_url=False):
        field = ".".join(
            f"#{part + 1}" if isinstance(part, int) else _printable(part) for part in item["loc"]
        )
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown field"
        elif item["type"] == "missing":
            message = "missing"
        elif item["type"] not in ("value_error",):
            message = f"{message}, not {_describe(item['input'])}"
        lines.append((field, message))
    return lines


def _printable(name: str) -> str:
    """Return a name from a stranger's file as it may stand in a message."""
    return name if len(name) <= 60 and name.isprintable() else f"{name[:60]!r}"


def _describe(value: object) -> str:
    """Return a value from a stranger's file as it may stand in a message, whatever its size and depth."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    if isinstance(value, dict | list):
        what = "a table" if isinstance(value, dict) else "a list"
        return f"{what} of {len(value)}"
    return f"{str(value)[:60]!r}"
