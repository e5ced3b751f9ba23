"""What a recognizer is to the harness: a protocol, its output, and the registry of names.

Conventions
-----------
Mouth crops are (T, 96, 96) uint8 gray at 25 fps, the recognizer cuts the centre 88x88 itself. Audio is
(N,) float32 mono at 16 kHz, N = 640 T. ``None`` for either means that the modality is withheld.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.extras import explain_missing, require_extra

if TYPE_CHECKING:
    from mtbench.lexicon import Lexicon


@dataclass(frozen=True)
class Hypothesis:
    """What a recognizer understood.

    Attributes
    ----------
    text : str
        Words of the clip's language, separated by blanks.
    phones : tuple of str or None
        IPA phones without a lexicon; None where the recognizer has no phones.
    """

    text: str
    phones: tuple[str, ...] | None = None


@runtime_checkable
class Recognizer(Protocol):
    """An audio-visual speech recognizer.

    One that can only answer with words of a list says so by a property ``needs_lexicon`` that is true: then results
    say where a benchmark has no list for it.
    """

    @property
    def name(self) -> str:
        """Name in headings and signatures."""
        ...

    @property
    def digest(self) -> str:
        """Digest of weights, code version and decoding settings: part of every signature and cache key."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-3 codes it covers; other languages are scored ``n/a``."""
        ...

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None = None,
    ) -> list[Hypothesis]:
        """Transcribe one clip under several acoustic conditions.

        Parameters
        ----------
        crops : (T, 96, 96) uint8 or None
            Mouth crops shared by all conditions (so that the visual front-end runs once).
        audio : sequence of (640 T,) float32 or None
            One entry per condition; None is video-only (needs crops).
        language : str
            ISO 639-3 code; must be in :attr:`languages`.
        lexicon : mtbench.lexicon.Lexicon or None
            The benchmark's word list for this language; None uses the recognizer's own where it has one.

        Returns
        -------
        list of Hypothesis
            One per entry of *audio*; independent of how many entries there are.
        """
        ...


def load_recognizer(name: str) -> Recognizer:
    """Return the recognizer called *name*.

    Parameters
    ----------
    name : str
        ``"openhead-av"``, or ``"package.module:function"`` of your own: the function is called without
        arguments and returns a :class:`Recognizer`. It is imported in every worker process.

    Raises
    ------
    UsageError
        For an unknown name, a module that cannot be imported, or an object that is no recognizer.
    PrerequisiteError
        Where the extra that it needs is not installed.
    """
    if name == "openhead-av":
        require_extra("judge", "the recognizer openhead-av (vertex errors alone: --recognizer none)")
        from mtbench.avsr.openhead_av import OpenheadAV

        return OpenheadAV.load()
    module, colon, function = name.partition(":")
    if not colon:
        raise UsageError(
            f"unknown recognizer {name!r}; known: openhead-av, or package.module:function of your own"
        )
    try:
        recognizer = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError) as error:
        if isinstance(error, ImportError) and (advice := explain_missing(error)) is not None:
            raise PrerequisiteError(f"recognizer {name!r}: {advice}") from error
        raise UsageError(
            f"recognizer {name!r} cannot be loaded ({error}); is the module on PYTHONPATH?"
        ) from error
    if not isinstance(recognizer, Recognizer):
        kind = type(recognizer).__name__
        raise UsageError(f"{name!r} returned a {kind}, which lacks name, digest, languages or transcribe")
    return recognizer
