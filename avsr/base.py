"""What a recognizer is to the harness: a protocol, its output, and the registry of names.

Conventions
-----------
Mouth crops are (T, 96, 96) uint8 gray at 25 fps, the recognizer cuts the centre 88x88 itself. Audio is
(N,) float32 mono at 16 kHz, N = 640 T. ``None`` for either means that the modality is withheld.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from mtbench.errors import MtbenchError, UsageError
from mtbench.metrics import LOG_ROUNDING

if TYPE_CHECKING:
    from mtbench.speech import Lexicon


@dataclass(frozen=True)
class Hypothesis:
    """What a recognizer understood.

    Attributes
    ----------
    text : str
        Words of the clip's language, separated by blanks.
    phones : tuple of str or None
        IPA phones without a lexicon; None where the recognizer has no phones.
    log_probability : float or None
        Natural logarithm of the probability of what was said, where that was asked for and can be told.
    tokens : int or None
        Number of units that it is the probability of: phones, or the tokens of a decoder.
    """

    text: str
    phones: tuple[str, ...] | None = None
    log_probability: float | None = None
    tokens: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the hypothesis as a JSON object, with the log-probability where there is one."""
        told: dict[str, Any] = {}
        if self.log_probability is not None:
            told = {"log_probability": self.log_probability, "tokens": self.tokens}
        return {"text": self.text, "phones": None if self.phones is None else list(self.phones), **told}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Hypothesis:
        """Return the hypothesis that :meth:`to_json` wrote."""
        phones = None if data["phones"] is None else tuple(data["phones"])
        return cls(data["text"], phones, data.get("log_probability"), data.get("tokens"))


@runtime_checkable
class Recognizer(Protocol):
    """An audio-visual speech recognizer; what else may be said of one stands in :class:`mtbench.avsr.traits.Traits`."""

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
        lexicon : mtbench.speech.lexicon.Lexicon or None
            The benchmark's word list for this language; None uses the recognizer's own where it has one.

        Returns
        -------
        list of Hypothesis
            One per entry of *audio*; independent of how many entries there are.
        """
        ...


@dataclass(frozen=True)
class Reference:
    """What was said in a clip.

    Attributes
    ----------
    text : str
        The words, not normalized.
    phones : tuple of str or None
        IPA phones.
    """

    text: str
    phones: tuple[str, ...] | None = None


@runtime_checkable
class ReferenceScorer(Protocol):
    """A recognizer that also says how probable what was said is to it: what ``readability_bits`` follows from.

    From CTC it is the sum over all alignments, from a decoder the product over the tokens with the true ones before
    each. No search and no word list enter.
    """

    def transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        """Return what :meth:`Recognizer.transcribe` does, each with the log-probability of *reference*.

        The hypotheses are the same ones: *reference* is not looked at before they are found. A log-probability is None
        where it cannot be told (no phones, unknown phones, a clip too short for them).
        """
        ...


class RecognizerError(MtbenchError):
    """A recognizer that failed or returned something else than hypotheses; names clip and condition."""


class SearchError(UsageError):
    """A search that a recognizer does not have; says which ones it has."""


def identify(recognizer: Recognizer) -> str:
    """Return what signatures call *recognizer*: ``name#digest``, and the class where it is not bundled.

    Two classes may carry one name and one digest; they are two recognizers all the same.
    """
    text = f"{recognizer.name}#{recognizer.digest}"
    kinds = [kind for kind in _list_classes(recognizer) if not _is_bundled(kind)]
    return "/".join([text, *(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)])


def _list_classes(recognizer: Recognizer) -> Sequence[type]:
    """Return the classes that transcribe: of a recognizer made of several, those of its parts."""
    found: Sequence[type] = getattr(recognizer, "part_classes", (type(recognizer),))
    return found


def _is_bundled(kind: type) -> bool:
    return kind.__module__.startswith("mtbench.")


def cache_identity(
    recognizer: Recognizer, spec: str, decoding: str | None = None, device: str | None = None
) -> str:
    """Return the digest of everything that a hypothesis of *recognizer* may follow from besides the clip.

    Parameters
    ----------
    recognizer : Recognizer
    spec : str
        How it was asked for, see :func:`mtbench.avsr.registry.load_recognizer`: two functions may set up one class
        differently.
    decoding, device : str or None
        What else was asked for: its author may forget that the answers depend on it.

    Returns
    -------
    str
        blake2b-128 hex digest over *spec*, class, name, own digest, search and languages, and over what else was asked
        for; for a recognizer that is not bundled also over the file of its class, since its author may change code and
        forget the digest.
    """
    kinds = _list_classes(recognizer)
    parts = [spec]
    for kind in kinds:
        # A bundled class may move; the hypotheses that it made stay valid.
        place = getattr(kind, "known_as", None) if _is_bundled(kind) else None
        parts += [place or kind.__module__, kind.__qualname__]
    parts += [recognizer.name, recognizer.digest]
    parts += [str(getattr(recognizer, "decoder", "")), ",".join(sorted(recognizer.languages))]
    asked = {"decoding": decoding, "device": device}
    parts += [f"{option}={value}" for option, value in asked.items() if value is not None]
    h = hashlib.blake2b("\0".join(parts).encode(), digest_size=16)
    for kind in kinds:
        if not _is_bundled(kind):
            try:
                h.update(Path(inspect.getfile(kind)).read_bytes())
            except (OSError, TypeError):  # made in a notebook or by exec
                h.update(b"no file")
    return h.hexdigest()


def transcribe_checked(
    recognizer: Recognizer,
    crops: np.ndarray | None,
    audio: Sequence[np.ndarray | None],
    language: str,
    lexicon: Lexicon | None,
    clip: str,
    conditions: Sequence[str],
    reference: Reference | None = None,
) -> list[Hypothesis]:
    """Return what *recognizer* transcribes of one clip, having looked at what it returns.

    Parameters
    ----------
    recognizer, crops, audio, language, lexicon
        As for :meth:`Recognizer.transcribe`.
    clip : str
        Id, for messages.
    conditions : sequence of str
        What to call each entry of *audio* in messages.
    reference : Reference or None
        What was said, for a recognizer that says how probable it is (:class:`ReferenceScorer`).

    Raises
    ------
    RecognizerError
        Naming clip, condition and cause, where the recognizer raises or returns no hypotheses.
    """

    def ask(sounds: Sequence[np.ndarray | None]) -> list[Hypothesis]:
        if reference is not None and isinstance(recognizer, ReferenceScorer):
            return recognizer.transcribe_scored(crops, sounds, language, lexicon, reference)
        return recognizer.transcribe(crops, sounds, language, lexicon)

    try:
        hypotheses = ask(audio)
    except RecognizerError as error:
        raise RecognizerError(f"{recognizer.name} on clip {clip} ({language}): {error}") from error
    except MtbenchError:
        raise
    except Exception as together:
        failing, cause = "all conditions", together
        for sound, condition in zip(audio, conditions, strict=True):
            if len(audio) == 1:
                failing = condition
                break
            try:
                ask([sound])
            except Exception as alone:
                failing, cause = condition, alone
                break
        raise RecognizerError(
            f"{recognizer.name} failed on clip {clip} ({language}), {failing}: {describe_failure(cause)}"
        ) from cause
    problem = _find_fault(hypotheses, conditions)
    if problem is not None:
        raise RecognizerError(f"{recognizer.name} on clip {clip} ({language}): {problem}")
    return hypotheses


def describe_failure(error: BaseException) -> str:
    """Return type, text and innermost place of an exception, on one line."""
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return what
    return f"{what} ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})"


def _find_fault(hypotheses: object, conditions: Sequence[str]) -> str | None:
    """Return what is wrong with a recognizer's answer, None where nothing is."""
    if not isinstance(hypotheses, list | tuple) or len(hypotheses) != len(conditions):
        found = f"{len(hypotheses)}" if isinstance(hypotheses, list | tuple) else type(hypotheses).__name__
        return f"returned {found}, expected a list of {len(conditions)} hypotheses, one per condition"
    for hypothesis, condition in zip(hypotheses, conditions, strict=True):
        if not isinstance(hypothesis, Hypothesis) or not isinstance(hypothesis.text, str):
            return (
                f"{condition}: returned {type(hypothesis).__name__}, expected mtbench.avsr.base.Hypothesis with a "
                "text"
            )
        if hypothesis.phones is not None and not all(isinstance(p, str) and p for p in hypothesis.phones):
            return f"{condition}: phones must be a tuple of non-empty texts, or None"
        told = hypothesis.log_probability
        if told is not None and not (
            isinstance(told, float) and math.isfinite(told) and told <= LOG_ROUNDING
        ):
            return f"{condition}: a log-probability of {told!r}, expected a finite number up to 0, or None"
        if (told is None) != (hypothesis.tokens is None) or (told is not None and not hypothesis.tokens):
            return f"{condition}: a log-probability goes with the number of its tokens, not {hypothesis.tokens!r}"
    return None
