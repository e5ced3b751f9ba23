"""Captured mouths in training: which motion banks, and how large a share of the utterances is drawn from them.

Conventions
-----------
A bank is told from others by the digest of its files, so that a run goes on with the same recordings only. Development
recordings are never drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.banks import ExcerptSource


@dataclass(frozen=True)
class Captured:
    """Motion banks that are trained on beside generated speech.

    Attributes
    ----------
    folders : tuple of Path
    share : float
        Of the utterances, above 0 and at most 1.
    digests : tuple of str
        Of the banks.
    credits : tuple of str
        Name, license and whom to name, one line a bank.
    """

    folders: tuple[Path, ...]
    share: float
    digests: tuple[str, ...]
    credits: tuple[str, ...]

    def follows(self) -> dict[str, Any]:
        """Return what a run with these banks follows from."""
        return {"share": self.share, "digests": list(self.digests)}

    def open_source(self, phones: Sequence[str], longest: float) -> ExcerptSource:
        """Return what utterances of at most *longest* seconds are drawn from.

        Raises
        ------
        BankError
            Where a recording is damaged, has phones beside *phones*, or none may be trained on.
        """
        from mtbench.banks import ExcerptSource, load_bank

        return ExcerptSource([load_bank(folder) for folder in self.folders], phones, longest)


def open_captured(folders: Sequence[str | Path], share: float) -> Captured:
    """Return the banks in *folders* as training takes them.

    Raises
    ------
    UsageError
        For a share that is none, or no folder.
    BankError
        Where a folder is no bank.
    """
    from mtbench.banks import load_bank

    if not folders or not 0 < share <= 1:
        raise UsageError(
            f"{len(folders)} motion banks and a share of {share:g}; expected at least one, and a share above 0 up to 1"
        )
    banks = [load_bank(folder) for folder in folders]
    return Captured(
        tuple(bank.folder.resolve() for bank in banks),
        share,
        tuple(bank.digest() for bank in banks),
        tuple(f"{bank.name} ({bank.license}): {bank.credit}" for bank in banks),
    )
