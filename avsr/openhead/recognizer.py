"""``openhead-av``, the recognizer that ships with mtbench.

It hears through a frozen ear that has heard people, and was trained on synthetic speech of the twenty languages, on
generated motion and on one person's; its model card (``weights/openhead-av-2.md``) says how well it understands what.
Version 1 knew synthetic speech and the rules' motion only. The harness warns where a version meets speech that it does
not understand, and ranks nothing where it cannot read the true mouths.

Conventions
-----------
See :mod:`mtbench.avsr.base`. Conditions and clips go through the network in batches
(:mod:`mtbench.avsr.openhead.inference`); what is understood depends neither on how many are asked for at once nor
on their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np
import torch

from mtbench.avsr.base import Hypothesis, Reference, SearchError
from mtbench.avsr.openhead.decoding import DecodingConfig, Search, WordDecoder, decode_phones
from mtbench.avsr.openhead.features import compute_logmel
from mtbench.avsr.openhead.inference import BATCH_FRAMES, Request, compute_log_probs
from mtbench.avsr.openhead.likelihood import phone_log_probability
from mtbench.avsr.openhead.model import AudioVisualCTC
from mtbench.avsr.openhead.recognizer_files import read_recognizer
from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import digest_bytes
from mtbench.speech import check_code, display_name
from mtbench.work import HEARD, stage_key

if TYPE_CHECKING:
    from mtbench.avsr.whisper import Ear
    from mtbench.speech import Lexicon
    from mtbench.work import Cache

#: Raised whenever the same weights would give other hypotheses: features, decoding, rounding.
CODE_VERSION = "1"

WEIGHTS = Path(__file__).parents[1] / "weights"
#: The bundled version that is meant where none is named.
CURRENT = "2"


def find_bundled(version: str = CURRENT) -> Path:
    """Return the weights' file of a bundled version.

    Examples
    --------
    >>> find_bundled("1").name
    'openhead-av-1.safetensors'
    """
    return WEIGHTS / f"openhead-av-{version}.safetensors"


@dataclass(frozen=True)
class OpenheadAV:
    """A trained audio-visual recognizer; satisfies :class:`mtbench.avsr.base.Recognizer`.

    Attributes
    ----------
    network : AudioVisualCTC
        In evaluation mode, float32.
    phones : tuple of str
        Class *i* of the network is ``phones[i - 1]``.
    language_order : tuple of str
        Language index *i* is ``language_order[i - 1]``; 0 is unknown.
    decoding : DecodingConfig
        Weights of the word search.
    digest : str
        Of weights, configuration and code version.
    name : str
        In headings and signatures.
    batch_frames : int
        Video frames in a batch; results do not depend on it.
    device : str
        Where the network computes. Sums end in other bits there: the digest names a device that is no CPU.
    ear : Ear, optional
        What listens for the network; without one it listens to log-mels.
    cache : Cache, optional
        Where what the ear heard is kept for other faces and other runs.
    """

    #: Where the class lay when the first hypotheses were cached; see :func:`mtbench.avsr.base.cache_identity`.
    known_as: ClassVar[str] = "mtbench.avsr.openhead_av"

    network: AudioVisualCTC
    phones: tuple[str, ...]
    language_order: tuple[str, ...]
    decoding: DecodingConfig
    digest: str
    name: str = "openhead-av"
    batch_frames: int = BATCH_FRAMES
    device: str = "cpu"
    ear: Ear | None = None
    cache: Cache | None = None
    _decoders: dict[str, WordDecoder] = field(default_factory=dict, repr=False, compare=False)

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-3 codes it was trained on."""
        return frozenset(self.language_order)

    @property
    def needs_lexicon(self) -> bool:
        """True: without a word list it answers with undivided phones, which no word is equal to."""
        return True

    @property
    def decoder(self) -> str:
        """How words are searched for, as signatures name it."""
        return self.decoding.describe()

    @classmethod
    def load(
        cls, path: str | Path | None = None, decoding: DecodingConfig | None = None, device: str = "cpu"
    ) -> OpenheadAV:
        """Load ``NAME.safetensors`` and ``NAME.json``.

        Parameters
        ----------
        path : path, optional
            The safetensors file; the bundled weights by default.
        decoding : DecodingConfig, optional
            Settings of the word search; by default those of the checkpoint.
        device : str
            Where the network computes, as torch names it.

        Raises
        ------
        PrerequisiteError
            If the weights are absent.
        UsageError
            If they are not a checkpoint of this recognizer.
        """
        weights = Path(path) if path else find_bundled()
        meta_file = weights.parent / f"{weights.stem}.json"
        for file in (weights, meta_file):
            if not file.is_file():
                raise PrerequisiteError(
                    f"{file}: the recognizer's weights are not there; a checkpoint is a pair NAME.safetensors and "
                    "NAME.json. Reinstall mtbench, or make one with `mtbench avsr train`."
                )
        found = read_recognizer(weights)
        h = hashlib.blake2b(digest_size=16)
        for part in (weights.read_bytes(), meta_file.read_bytes(), CODE_VERSION.encode()):
            h.update(hashlib.blake2b(part).digest())
        if found.ear is not None:
            h.update(found.ear.digest.encode())
        if decoding is not None and decoding != found.decoding:
            h.update(decoding.describe().encode())
        place = _find_device(device)
        if place.type != "cpu":
            h.update(place.type.encode())
        return cls(
            found.network.eval().to(place),
            found.phones,
            found.languages,
            decoding or found.decoding,
            h.hexdigest(),
            device=str(place),
            ear=found.ear,
        )

    def remember_in(self, cache: Cache) -> OpenheadAV:
        """Return the same recognizer, which keeps what its ear hears in *cache*."""
        return self if self.ear is None else replace(self, cache=cache)

    def listen(self, samples: np.ndarray) -> torch.Tensor:
        """Return the (T, F) float32 acoustic features of a (640 T,) float32 sound."""
        ear = self.ear
        if ear is None:
            return compute_logmel(samples)

        def hear() -> np.ndarray:
            # Rounded as training rounds them, and as they lie in the cache.
            return ear.hear(samples).astype(np.float16)

        if self.cache is None:
            heard = hear()
        else:
            sound = np.ascontiguousarray(samples, np.float32)
            key = stage_key(HEARD, ear.digest, {"dtype": "float16"}, [digest_bytes(sound.tobytes())])
            heard, _ = self.cache.array_or_make(HEARD, key, hear)
        return torch.from_numpy(heard.astype(np.float32)).view(len(heard) // 2, -1)

    def log_probs(
        self, crops: np.ndarray | None, audio: Sequence[np.ndarray | None], language: str
    ) -> list[np.ndarray]:
        """Return (2 T, P) float32 log-probabilities for each acoustic condition.

        Parameters and errors are those of :meth:`transcribe`.
        """
        return self.log_probs_many([Request(crops, audio, language)])[0]

    def log_probs_many(self, requests: Sequence[Request]) -> list[list[np.ndarray]]:
        """Return (2 T, P) float32 log-probabilities for each condition of each clip.

        Parameters and errors are those of :meth:`transcribe_many`.
        """
        order = {language: i + 1 for i, language in enumerate(self.language_order)}
        for request in requests:
            if request.language not in order:
                raise UsageError(
                    f"{self.name} was not trained on {display_name(check_code(request.language))} speech; it covers "
                    f"{', '.join(self.language_order)}"
                )
        languages = [order[request.language] for request in requests]
        return compute_log_probs(self.network, requests, languages, self.batch_frames, self.listen)

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
            Mouth crops at 25 fps.
        audio : sequence of (640 T,) float32 or None
            One entry per condition; None is video-only.
        language : str
            ISO 639-3 code.
        lexicon : Lexicon, optional
            Words that may be said. Without one, words are the phones themselves, undivided.

        Returns
        -------
        list of Hypothesis
            One per entry of *audio*.

        Raises
        ------
        ValueError
            If lengths do not match or a condition has no modality.
        """
        return self.transcribe_many([Request(crops, audio, language, lexicon)])[0]

    def transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        """Return what :meth:`transcribe` does, each with the log-probability of the reference's phones.

        Parameters and errors are those of :meth:`mtbench.avsr.base.ReferenceScorer.transcribe_scored`.
        """
        decoder = None if lexicon is None else self.word_decoder(lexicon)
        order = {phone: i + 1 for i, phone in enumerate(self.phones)}
        phones = reference.phones or ()
        known = bool(phones) and all(phone in order for phone in phones)
        found = []
        for frames in self.log_probs(crops, audio, language):
            told = phone_log_probability(frames, [order[phone] for phone in phones]) if known else None
            tokens = None if told is None else len(phones)
            found.append(replace(self._understand(frames, decoder), log_probability=told, tokens=tokens))
        return found

    def transcribe_many(self, requests: Sequence[Request]) -> list[list[Hypothesis]]:
        """Transcribe several clips, batched by length; the same results as one at a time.

        Parameters
        ----------
        requests : sequence of Request
            Clips with their conditions, see :meth:`transcribe`.

        Returns
        -------
        list of list of Hypothesis
            One list per clip, one entry per condition.

        Raises
        ------
        ValueError
            If a clip's lengths do not match or a condition has no modality.
        UsageError
            If a lexicon has phones that the recognizer does not know.
        """
        # First, so that a lexicon that cannot be used costs no time.
        decoders = [None if r.lexicon is None else self.word_decoder(r.lexicon) for r in requests]
        return [
            [self._understand(frames, decoder) for frames in conditions]
            for decoder, conditions in zip(decoders, self.log_probs_many(requests), strict=True)
        ]

    def _understand(self, frames: np.ndarray, decoder: WordDecoder | None) -> Hypothesis:
        """Return phones and words of (2 T, P) log-probabilities."""
        phones = tuple(self.phones[c - 1] for c in decode_phones(frames))
        return Hypothesis("".join(phones) if decoder is None else " ".join(decoder.decode(frames)), phones)

    def word_decoder(self, lexicon: Lexicon) -> WordDecoder:
        """Return the word search over *lexicon*, built once.

        Raises
        ------
        UsageError
            For phones that the recognizer does not know.
        """
        if lexicon.digest not in self._decoders:
            classes = {p: i + 1 for i, p in enumerate(self.phones)}
            entries = []
            for word, pronunciation, prior in lexicon.entries():
                unknown = [p for p in pronunciation if p not in classes]
                if unknown:
                    raise UsageError(
                        f"the lexicon's word {word!r} has phones that {self.name} does not know: {unknown}; "
                        f"known: {' '.join(self.phones)}. Perhaps stress or length marks were kept."
                    )
                entries.append((word, [classes[p] for p in pronunciation], prior))
            self._decoders[lexicon.digest] = WordDecoder(entries, self.decoding)
        return self._decoders[lexicon.digest]


def load_openhead(
    weights: str | Path | None = None, decoding: str | None = None, device: str | None = None
) -> OpenheadAV:
    """Return the recognizer with other weights, another search or on another device, whichever is given.

    Parameters
    ----------
    weights : path, optional
        The safetensors file.
    decoding : str, optional
        ``"viterbi"`` or ``"beam"``, see :mod:`mtbench.avsr.openhead.decoding`; with the checkpoint's other settings.
    device : str, optional
        As torch names it.

    Raises
    ------
    PrerequisiteError, UsageError
        As :meth:`OpenheadAV.load`, and for an unknown search or a device that is not there.
    """
    own = OpenheadAV.load(weights, device=device or "cpu")
    if decoding is None:
        return own
    searches = {search: search for search in get_args(Search)}
    if decoding not in searches:
        hint = ""
        if decoding == "greedy":
            hint = (
                "; nearest to a greedy search is 'viterbi', which takes the words along the best single path"
            )
        raise SearchError(f"unknown decoding {decoding!r} of openhead-av; known: {', '.join(searches)}{hint}")
    return OpenheadAV.load(weights, replace(own.decoding, search=searches[decoding]), device or "cpu")


def _find_device(name: str) -> torch.device:
    try:
        place = torch.device(name)
        torch.zeros(1, device=place)
    except Exception as error:  # torch raises half a dozen kinds for devices that it lacks
        reason = str(error).split("\n", 1)[0]
        raise UsageError(
            f"device {name!r} cannot be used ({reason}); expected 'cpu', 'cuda' or the like"
        ) from error
    return place


def load_beam_search() -> OpenheadAV:
    """Return the bundled recognizer with the prefix beam search in place of the exact one.

    Examples
    --------
    ``mtbench score entry --recognizer mtbench.avsr.openhead:load_beam_search``
    """
    return load_openhead(decoding="beam")
