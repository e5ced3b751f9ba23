"""Errors and problems, worded so that a user can act on them.

Conventions
-----------
Every message says what is wrong, where, what was expected, the likely cause and what to do. The exit codes
of the command line are attributes of the exceptions, so that library and command agree:
0 fine, 2 usage, 3 invalid submission, 4 missing prerequisite, 5 partial result.
"""

from __future__ import annotations

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


class PrerequisiteError(MtbenchError):
    """Something has to be installed or supplied first: an extra, an asset, a GL library, weights."""

    exit_code = 4


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a submission.

    Attributes
    ----------
    code : str
        Stable kebab-case name, e.g. ``"wrong-frame-count"``.
    where : str
        File (relative to the submission folder), clip or manifest field.
    message : str
        What is wrong and what was expected.
    hint : str
        The likely cause and what to do.
    clip : str or None
        Clip id, where the problem belongs to one clip.
    """

    code: str
    where: str
    message: str
    hint: str
    clip: str | None = None

    def __str__(self) -> str:
        """One line: ``where: message — hint [code]``."""
        return f"{self.where}: {self.message} — {self.hint} [{self.code}]"


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
