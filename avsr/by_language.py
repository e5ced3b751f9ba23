"""One recognizer made of several, one for each language.

Published recognizers come as a file for each language. They are one entry of signatures and caches: the digest is that
of all of them, and a file that changes changes it.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.base import Hypothesis, Recognizer, Reference, ReferenceScorer
from mtbench.avsr.traits import describe_traits, remember_sounds
from mtbench.errors import UsageError

if TYPE_CHECKING:
    from mtbench.speech import Lexicon
    from mtbench.work import Cache


class ByLanguage:
    """A recognizer that hands each language to the one for it; satisfies :class:`mtbench.avsr.base.Recognizer`.

    Parameters
    ----------
    makers : mapping of str to function
        From ISO 639-3 code to what loads the recognizer of that language.

    Raises
    ------
    UsageError
        Where there is none, one does not cover its language, or they are of several kinds.
    """

    def __init__(self, makers: Mapping[str, Callable[[], Recognizer]]) -> None:
        if not makers:
            raise UsageError("a recognizer by language needs weights of one language at least")
        self._makers = dict(makers)
        self._cache: Cache | None = None
        #: The part in memory: clips come language by language, and a large model is in memory once.
        self._loaded: tuple[str, Recognizer] | None = None
        self._digests: dict[str, str] = {}
        #: See :class:`mtbench.avsr.traits.Traits`: one part is in memory at a time.
        self.memory = 0
        names, traits, scoring = set(), set(), True
        classes: dict[type, None] = {}
        decoders: dict[str, str | None] = {}
        for language in self._makers:
            part = self._load(language)
            scoring = scoring and isinstance(part, ReferenceScorer)
            if language not in part.languages:
                raise UsageError(
                    f"the weights for {language} are of a recognizer that covers "
                    f"{', '.join(sorted(part.languages))} only"
                )
            names.add(part.name)
            said = describe_traits(part)
            traits.add(replace(said, decoder=None, memory=0))
            self.memory = max(self.memory, said.memory)
            decoders[language] = said.decoder
            classes[type(part)] = None
        if len(names) > 1 or len(traits) > 1:
            told = ", ".join(sorted(names)) if len(names) > 1 else ", ".join(sorted(map(str, traits)))
            raise UsageError(f"the weights are of recognizers of several kinds ({told}); expected one kind")
        self._name, self._traits = names.pop(), replace(traits.pop(), decoder=_join(decoders))
        #: The classes of the parts, by which caches and signatures know who transcribes.
        self.part_classes = tuple(classes)
        if scoring:  # only then is it a ReferenceScorer itself
            self.transcribe_scored = self._transcribe_scored

    def _load(self, language: str) -> Recognizer:
        if self._loaded is None or self._loaded[0] != language:
            self._loaded = None  # before the next is loaded: two may not fit
            part = self._makers[language]()
            if self._digests.setdefault(language, part.digest) != part.digest:
                raise UsageError(
                    f"the weights for {language} have changed since this run began; start it again"
                )
            if self._cache is not None:
                part = remember_sounds(part, self._cache)
            self._loaded = language, part
        return self._loaded[1]

    def remember_in(self, cache: Cache) -> Recognizer:
        """Return the same recognizer, whose parts keep in *cache* what they make of sounds."""
        other = copy.copy(self)
        other._cache, other._loaded = cache, None
        if hasattr(self, "transcribe_scored"):
            other.transcribe_scored = other._transcribe_scored
        return other

    @property
    def name(self) -> str:
        """Name of the parts."""
        return self._name

    @property
    def digest(self) -> str:
        """blake2b-128 hex digest over languages and digests of the parts."""
        text = "\0".join(f"{language}={self._digests[language]}" for language in sorted(self._digests))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def languages(self) -> frozenset[str]:
        """The languages that there are weights for."""
        return frozenset(self._makers)

    @property
    def decoder(self) -> str | None:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self._traits.decoder

    @property
    def needs_lexicon(self) -> bool:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self._traits.needs_lexicon

    @property
    def script(self) -> str:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self._traits.script

    @property
    def device(self) -> str:
        """See :class:`mtbench.avsr.traits.Traits`."""
        return self._traits.device

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None = None,
    ) -> list[Hypothesis]:
        """Transcribe a clip with the part for *language*; as :meth:`mtbench.avsr.base.Recognizer.transcribe`."""
        return self._part(language).transcribe(crops, audio, language, lexicon)

    def _transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        part = self._part(language)
        assert isinstance(part, ReferenceScorer)
        return part.transcribe_scored(crops, audio, language, lexicon, reference)

    def _part(self, language: str) -> Recognizer:
        if language not in self._makers:
            raise UsageError(
                f"{self.name} has no weights for {language}; it has {', '.join(sorted(self._makers))}"
            )
        return self._load(language)


def _join(decoders: Mapping[str, str | None]) -> str | None:
    """Return the search of all parts, or that of each language where they were tuned one by one."""
    if len(set(decoders.values())) == 1:
        return next(iter(decoders.values()))
    return ",".join(f"{language}:{decoders[language] or 'own'}" for language in sorted(decoders))
