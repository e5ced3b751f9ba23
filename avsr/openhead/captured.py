"""Captured mouths in training: which motion banks, and how large a share of the utterances is drawn from them.

Conventions
-----------
A bank is told from others by the digest of its files, so that a run goes on with the same recordings only. Development
recordings are never drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.avsr.openhead.acoustics import change_pace, stretch_phones
from mtbench.errors import UsageError
from mtbench.timing import SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from mtbench.banks import Excerpt, ExcerptSource


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


def vary_excerpt(excerpt: Excerpt, rng: np.random.Generator) -> Excerpt:
    """Return what somebody with another vocal tract, tempo and vigor would have recorded instead of *excerpt*.

    Few people were ever recorded: sound and motion are played slower or faster by up to a sixth, and the lips move
    further or less far.
    """
    sound, factor = change_pace(excerpt.sound, rng)
    vigor = np.exp(rng.normal(0, 0.18) + rng.normal(0, 0.05, excerpt.curves.shape[1]))
    curves = np.clip(excerpt.curves * vigor.clip(0.6, 1.5), 0, 1)
    if factor == 1:
        return replace(excerpt, curves=curves.astype(np.float32))
    frames = len(sound) // SAMPLES_PER_FRAME
    places = np.minimum(np.arange(frames) / factor, len(curves) - 1)
    curves = np.stack([np.interp(places, np.arange(len(curves)), column) for column in curves.T], 1)
    return replace(
        excerpt,
        curves=curves.astype(np.float32),
        sound=sound[: frames * SAMPLES_PER_FRAME],
        phones=stretch_phones(excerpt.phones, factor),
    )
