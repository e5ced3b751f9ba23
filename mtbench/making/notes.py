"""What is said about a benchmark in the making: what is wrong with its files, and what was done to them.

Conventions
-----------
Findings stop the making, notes do not, unless it is strict. Notes are told by kind: up to :data:`FEW` of a kind one by
one, else the first and the names of some others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mtbench.errors import BenchmarkError, Note, group_notes

#: Notes of one kind that are told one by one.
FEW = 3
_NAMES = 5


@dataclass
class Ledger:
    """Findings and notes on the files of a benchmark in the making.

    Attributes
    ----------
    findings : list of str
        What makes files unusable.
    notes : list of Note
        What was passed over, guessed, converted or altered.
    """

    findings: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def note(self, code: str, where: str, message: str, hint: str) -> None:
        """Add a note."""
        self.notes.append(Note(code, where, message, hint))

    def stop(self, folder: Path, strict: bool = False) -> None:
        """Raise ``BenchmarkError`` with all findings where there are some; notes count too where it is *strict*."""
        lines = [*self.findings, *(map(str, self.notes) if strict else ())]
        if lines:
            text = "".join(f"\n  - {line}" for line in lines)
            why = "" if self.findings else " (--strict: what would only be told is an error)"
            raise BenchmarkError(f"no benchmark was made from {folder}; {len(lines)} problem(s){why}:{text}")

    def summarize(self) -> list[str]:
        """Return a line for each note, or for each kind of note where there are many, in the order of first occurrence.

        Examples
        --------
        >>> ledger = Ledger()
        >>> for name in "abcdefgh":
        ...     ledger.note("resampled", f"{name}.wav", "resampled from 48000 Hz", "polyphase filter")
        >>> ledger.summarize()
        ['a.wav: resampled from 48000 Hz — polyphase filter [resampled]; 7 more: b.wav, c.wav, d.wav, e.wav, f.wav, …']
        """
        lines: list[str] = []
        for group in group_notes(self.notes):
            if len(group) <= FEW:
                lines += map(str, group)
                continue
            others = [note.where for note in group[1:]]
            shown = ", ".join(others[:_NAMES]) + (", …" if len(others) > _NAMES else "")
            lines.append(f"{group[0]}; {len(others)} more: {shown}")
        return lines
