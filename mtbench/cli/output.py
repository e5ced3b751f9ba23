"""Printing: text and JSON to standard output, notes and errors to standard error."""

from __future__ import annotations

import json
import sys
from typing import Any


def say(text: str = "") -> None:
    """Print *text* to standard output."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def say_json(value: Any) -> None:
    """Print *value* as indented JSON to standard output."""
    say(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False))


def say_note(text: str) -> None:
    """Print a note to standard error."""
    sys.stderr.write(f"{text}\n")


def say_error(text: str) -> None:
    """Print an error to standard error."""
    sys.stderr.write(f"error: {text}\n")


def log_lines() -> None:
    """Print mtbench's log to standard error, a line each; other packages stay as silent as they are."""
    import logging

    logging.basicConfig(format="%(message)s")
    logging.getLogger("mtbench").setLevel(logging.INFO)
