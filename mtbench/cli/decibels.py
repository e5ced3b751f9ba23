"""The option ``--snr``: several numbers of decibels, in whatever way people give them.

Conventions
-----------
``--snr -7.5,-10``, ``--snr -7.5 -10``, ``--snr=-7.5 --snr -10`` and ``--snr "-7.5 dB, -10 dB"`` are the same. The point
is the decimal sign; a comma separates. Dashes and minus signs copied from a page are minus signs.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from mtbench.errors import UsageError

#: Furthest from 0 that a ratio may be, decibels: beyond it 16-bit sound holds one of the two only.
_FURTHEST = 100.0
#: Hyphens, dashes and minus signs that compatibility forms leave as they are.
_MINUS = re.compile("[\u2010-\u2015\u2212]")
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_VALUE = re.compile(rf"({_NUMBER})\s*(?:db)?", re.IGNORECASE)
_WORD = re.compile(rf"{_NUMBER}(?:\s*(?:db)?\s*[,;]\s*{_NUMBER})*\s*(?:db)?[,;]?", re.IGNORECASE)
#: -7,5: minus seven and a half to some, minus seven and plus five to others; -5,0,5 is a list to all.
_AMBIGUOUS = re.compile(r"-[0-9]+,[0-9]+(?:\s*db)?(?:[,;\s]+-[0-9]+(?:,[0-9]+)?(?:\s*db)?)*", re.IGNORECASE)


def parse_snrs(values: list[str]) -> tuple[float, ...]:
    """Return the signal-to-noise ratios in *values*, each one or several between commas or blanks.

    Raises
    ------
    UsageError
        For what is no finite number of decibels, one given twice, none at all, or a comma that may be meant as a
        decimal point.

    Examples
    --------
    >>> parse_snrs(["-7.5,-10"]), parse_snrs(["−7.5 dB", "0"])
    ((-7.5, -10.0), (-7.5, 0.0))
    """
    found: list[float] = []
    for value in values:
        text = _plain(value).strip()
        if _AMBIGUOUS.fullmatch(text):
            whole, part = re.findall("[0-9]+", text)[:2]
            raise UsageError(
                f"--snr {value!r}: a comma separates values; write -{whole}.{part} for the number, or "
                f"'-{whole}, +{part}' for two of them"
            )
        for part in re.split(r"[,;]|\s+(?=[+-]?[.0-9])", text):
            if part.strip():
                found.append(_read(part.strip(), value))
    if not found:
        raise UsageError(
            "--snr takes numbers of decibels, e.g. --snr -7.5,-10; --noise none scores clean sound only"
        )
    twice = sorted({f"{snr:g}" for snr in found if found.count(snr) > 1})
    if twice:
        raise UsageError(f"--snr gives {', '.join(twice)} twice; give each number once")
    return tuple(found)


def _plain(text: str) -> str:
    return _MINUS.sub("-", unicodedata.normalize("NFKC", text))


def _read(part: str, value: str) -> float:
    match = _VALUE.fullmatch(part)
    if match is None:
        hint = (
            "; clean sound is always measured, alone with --noise none" if part.lstrip("+-").isalpha() else ""
        )
        raise UsageError(f"--snr takes finite numbers of decibels, e.g. --snr -7.5,-10, not {value!r}{hint}")
    number = float(match[1][:400])
    if not abs(number) <= _FURTHEST:
        raise UsageError(f"--snr {value!r}: expected -{_FURTHEST:g} to {_FURTHEST:g} decibels")
    return number + 0.0  # never -0


class SnrCommand(TyperCommand):
    """A command whose ``--snr`` takes all numbers that follow it: ``--snr -7.5 -10``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse *args* with every further number given an ``--snr`` of its own."""
        return super().parse_args(ctx, spread_snrs(args))


def spread_snrs(args: list[str]) -> list[str]:
    """Return *args* with ``--snr`` before each of the numbers that follow one.

    A number without a sign that is a file or folder here stays what it is.

    Examples
    --------
    >>> spread_snrs(["entry", "--snr", "-7.5", "-10", "--workers", "2"])
    ['entry', '--snr=-7.5', '--snr=-10', '--workers', '2']
    """
    spread: list[str] = []
    i = 0
    while i < len(args):
        arg = args[i]
        i += 1
        if arg == "--":
            return [*spread, arg, *args[i:]]
        if arg == "--snr" and i < len(args):
            arg = f"--snr={args[i]}"
            i += 1
        spread.append(arg)
        while arg.startswith("--snr=") and i < len(args) and _continues(args[i]):
            # A unit of its own belongs to the number before it.
            if args[i].casefold().rstrip(",;") == "db":
                spread[-1] += args[i]
            else:
                spread.append(f"--snr={args[i]}")
            i += 1
    return spread


def _continues(arg: str) -> bool:
    if arg.casefold().rstrip(",;") == "db":
        return not Path(arg).exists()
    if _WORD.fullmatch(_plain(arg)) is None:
        return False
    return _plain(arg)[0] in "+-" or not Path(arg).exists()
