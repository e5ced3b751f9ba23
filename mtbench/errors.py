"""Errors and problems, worded so that a user can act on them.

Conventions
-----------
Every message says what is wrong, where, what was expected, the likely cause and what to do. The exit codes
of the command line are attributes of the exceptions, so that library and command agree:
0 fine, 2 usage, 3 invalid submission, 4 missing prerequisite, 5 partial result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class MtbenchError(Exception):
    """Base class of all errors that are the user's to mend; ``exit_code`` is what the command returns."""

    exit_code = 1


class UsageError(MtbenchError):
    """A wrong argument, an unknown name, a path that does not exist."""

    exit_code = 2


class BenchmarkError(MtbenchError):
    """A benchmark folder that cannot be read or contradicts itself."""

    exit_code = 2


class BankError(MtbenchError):
    """A motion bank that cannot be read or contradicts itself."""

    exit_code = 2


class PrerequisiteError(MtbenchError):
    """Something has to be installed or supplied first: an extra, an asset, a GL library, weights."""

    exit_code = 4


def list_some(names: Sequence[str], most: int = 5) -> str:
    """Return the first few of *names* with commas, and how many follow.

    Examples
    --------
    >>> list_some(["a", "b", "c"]), list_some(["a", "b", "c"], 2)
    ('a, b, c', 'a, b and 1 more')
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@dataclass(frozen=True)
class Remark:
    """Something that was found in a file: what :class:`Problem` and :class:`Note` have in common.

    Attributes
    ----------
    code : str
        Stable kebab-case name, e.g. ``"wrong-frame-count"``.
    where : str
        File (relative to the submission folder), clip or manifest field.
    message : str
        What is wrong or odd, and what was expected.
    hint : str
        The likely cause, what it means for the numbers, and what to do.
    clip : str or None
        Clip id, where the remark belongs to one clip.
    """

    code: str
    where: str
    message: str
    hint: str
    clip: str | None = None

    def __str__(self) -> str:
        """One line: ``where: message — hint [code]``."""
        return f"{self.where}: {self.message} — {self.hint} [{self.code}]"


class Problem(Remark):
    """One thing wrong with a submission."""


class Note(Remark):
    """Something about a submission or recording that a reader of its numbers has to know, though it can be used."""


def group_notes(notes: Iterable[Note]) -> list[list[Note]]:
    """Return the notes of each code together, in the order of first occurrence."""
    groups: dict[str, list[Note]] = {}
    for note in notes:
        groups.setdefault(note.code, []).append(note)
    return list(groups.values())


def summarize_notes(notes: Iterable[Note]) -> list[str]:
    """Return one line per code of note, in the order of first occurrence: the first note, and how many follow.

    Examples
    --------
    >>> notes = [Note("x", f"motion/{i}.npz", "odd", "mind it", str(i)) for i in range(3)]
    >>> summarize_notes(notes)
    ['motion/0.npz: odd — mind it [x] (and 2 more)']
    """
    return [f"{g[0]}" + (f" (and {len(g) - 1} more)" if len(g) > 1 else "") for g in group_notes(notes)]


class SubmissionError(MtbenchError):
    """A submission that cannot be scored; carries every problem found, not the first only.

    Parameters
    ----------
    path : str
        The submission folder.
    problems : sequence of Problem
        At least one.
    """

    exit_code = 3

    def __init__(self, path: object, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.path = str(path)
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {p}" for p in self.problems)
        super().__init__(f"{self.path}: {len(self.problems)} problem(s)\n{lines}")

    def __reduce__(self) -> tuple:
        """Let the error travel between processes."""
        return type(self), (self.path, self.problems)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean …?"`` with the closest of *known*, or ``""``."""
    import difflib

    near = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {', '.join(near)}?" if near else ""
