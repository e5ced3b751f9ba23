"""A table that grows while a run learns: ``losses.csv``, ``validation.csv``.

Conventions
-----------
A CSV file with a header; the first column is the step, and each step has one line. A run that was stopped after its
last checkpoint does some steps again: what the table says of them is removed when the run goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mtbench.files import write_atomically


class StepTable:
    """A run's table.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Names of the columns after ``step``.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, ("step", *columns)

    def begin(self, step: int) -> None:
        """Make the table what it was after *step* steps: of a run that begins (0), the header alone.

        A step that an older version of mtbench wrote twice keeps its later line.
        """
        before = self.path.read_bytes() if self.path.is_file() else b""
        rows = {}
        for line in before.decode(errors="replace").splitlines()[1:]:
            number = line.partition(",")[0]
            # A process that is killed while it writes leaves part of a line.
            whole = line.count(",") + 1 == len(self.columns) and number.isdecimal()
            if whole and int(number) <= step:
                rows[int(number)] = line
        lines = [",".join(self.columns), *(rows[number] for number in sorted(rows))]
        after = "".join(f"{line}\n" for line in lines).encode()
        if after != before:
            write_atomically(self.path, after)

    def append(self, step: int, *cells: str) -> None:
        """Add the line of *step*."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(f"{','.join([str(step), *cells])}\n")
