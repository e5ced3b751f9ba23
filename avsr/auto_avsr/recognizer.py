"""Auto-AVSR and ViSpeR as recognizers: how a clip is shown to them, and how they answer.

Conventions
-----------
As published: of mouth crops the centre, 88 × 88, over 255, less 0.421, over 0.165; the raw wave; a beam of 40 with a
tenth of CTC. What is found is written without ``<unk>``, as the published evaluations have it. The published models
were never shown one modality alone: where sound is withheld they hear digital silence, where mouths are withheld they
see black, as AVista's feature extractor has it. A model that reads lips alone understands nothing of sound alone, and
says so by an empty text.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.avsr.auto_avsr.loading import load_auto_avsr
from mtbench.avsr.auto_avsr.recognition import AutoAVSR
from mtbench.avsr.auto_avsr.signals import SAMPLES, SIDE, normalize_mouths
from mtbench.avsr.auto_avsr.units import UNKNOWN, read_units, taught_languages
from mtbench.avsr.base import Hypothesis, Reference, SearchError
from mtbench.avsr.presentation import count_frames
from mtbench.errors import PrerequisiteError, did_you_mean
from mtbench.files import digest_bytes, digest_file

if TYPE_CHECKING:
    import torch

    from mtbench.speech import Lexicon
    from mtbench.work import Cache

#: Raise it when the same weights give other answers.
CODE_VERSION = "1"
#: Beam and weight of CTC by what ``--decoding`` calls the search; the first is the published one.
SEARCHES = {"beam": (40, 0.1), "greedy": (1, 0.0)}


class AutoAVSRRecognizer:
    """A model of Auto-AVSR or ViSpeR; satisfies :class:`mtbench.avsr.base.Recognizer` and says how probable a text is.

    Its weights are read when it is first asked: who only wants its name and digest does without their memory.

    Parameters
    ----------
    weights, config, tokens, tokenizer, device
        As for :func:`mtbench.avsr.auto_avsr.load_auto_avsr`; *tokens* is the published file of units and must be there,
        without *tokenizer* no probability of a text is told.
    name : str
        Name in headings and signatures.
    decoding : str, optional
        One of :data:`SEARCHES`.
    contents : str, optional
        Digest of the files, for one who knows it already.
    memory : int
        Bytes of the weights in memory, for one who knows them.

    Raises
    ------
    PrerequisiteError
        If a file is absent.
    UsageError
        For an unknown search or a file that is no list of units.
    """

    needs_lexicon = False

    def __init__(
        self,
        weights: str | Path,
        tokens: str | Path,
        config: Mapping[str, Any] | str | Path | None = None,
        tokenizer: str | Path | None = None,
        name: str = "auto-avsr",
        decoding: str | None = None,
        device: str = "cpu",
        contents: str | None = None,
        memory: int = 0,
    ) -> None:
        search = next(iter(SEARCHES)) if decoding is None else decoding
        if search not in SEARCHES:
            raise SearchError(
                f"unknown decoding {search!r}{did_you_mean(search, SEARCHES)}; known: {', '.join(SEARCHES)}"
            )
        self.name, self.device = name, device
        self.search = search
        self._files = {"config": config, "tokens": tokens, "tokenizer": tokenizer}
        self._weights = Path(weights)
        self._cache: Cache | None = None
        self._contents = contents or _digest_files([self._weights, *self._files.values()])
        self.memory = memory
        self.languages = taught_languages(read_units(Path(tokens)))

    @cached_property
    def model(self) -> AutoAVSR:
        """The network with its units, loaded once."""
        return load_auto_avsr(self._weights, device=self.device, **self._files)  # type: ignore[arg-type]

    @property
    def decoder(self) -> str:
        """Search with its settings."""
        beam, weight = SEARCHES[self.search]
        return f"{self.search}({beam},ctc{weight:g})"

    @property
    def digest(self) -> str:
        """blake2b-128 hex digest over files, search, device and version of the code."""
        return self._digest(self.decoder)

    def remember_in(self, cache: Cache) -> AutoAVSRRecognizer:
        """Return the same recognizer, which keeps in *cache* what it makes of sounds."""
        same = copy.copy(self)
        same._cache = cache
        return same

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None = None,
    ) -> list[Hypothesis]:
        """Transcribe a clip; as :meth:`mtbench.avsr.base.Recognizer.transcribe`. It has no use for a word list."""
        return self._answer(crops, audio, language, None)

    def transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        """Return what :meth:`transcribe` does, each with the decoder's log-probability of the reference's tokens.

        None where there is no tokenizer to make tokens of the text with.
        """
        if self._files["tokenizer"] is None:
            return self._answer(crops, audio, language, None)
        units = self.model.units
        said = units.tokenize(units.write_as_taught(reference.text), language)
        start = units.start(language)
        return self._answer(crops, audio, language, [*start, *said[len(start) - 1 :], units.end])

    def _answer(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        said: list[int] | None,
    ) -> list[Hypothesis]:
        from mtbench.work import single_threaded_torch

        frames = count_frames(crops, audio)
        (beam, weight), model = SEARCHES[self.search], self.model
        if crops is None and not model.hears:
            return [Hypothesis("") for _ in audio]
        found = []
        with single_threaded_torch():
            seen = model.see(
                normalize_mouths(np.zeros((frames, SIDE, SIDE), np.uint8) if crops is None else crops)
            )
            for sound in audio:
                encoded = model.join(seen, self._hear(sound, frames) if model.hears else None)
                best = model.search(encoded, beam, weight, language=language)
                text = model.detokenize(best[0][0], language) if best else ""
                told, tokens = None, None
                if said is not None:
                    told, tokens = self._score(encoded, said, len(model.units.start(language)))
                found.append(Hypothesis(text.replace(UNKNOWN, "").strip(), None, told, tokens))
        return found

    def _hear(self, sound: np.ndarray | None, frames: int) -> torch.Tensor:
        import torch

        heard = (
            np.zeros(SAMPLES * frames, np.float32)
            if sound is None
            else np.ascontiguousarray(sound, np.float32)
        )
        if self._cache is None:
            return self.model.hear(heard, frames)
        from mtbench.work import HEARD, stage_key

        key = stage_key(HEARD, self._digest(), {"frames": frames}, [digest_bytes(heard.tobytes())])
        kept, _ = self._cache.array_or_make(HEARD, key, lambda: self.model.hear(heard, frames).cpu().numpy())
        return torch.from_numpy(kept).to(self.device)

    def _score(self, encoded: torch.Tensor, said: list[int], start: int) -> tuple[float, int]:
        """Return the log-probability of *said* after its first *start* tokens, and how many those are."""
        import torch

        gains = self.model.decoder_log_probs(encoded, said[:-1])[start - 1 :]
        taken = gains.gather(1, torch.tensor(said[start:], device=gains.device)[:, None])
        return float(taken.double().sum()), len(said) - start

    def _digest(self, *parts: str) -> str:
        place = self.device.partition(":")[0]
        told = (self._contents, *parts, CODE_VERSION, "" if place == "cpu" else place)
        return hashlib.blake2b("\0".join(told).encode(), digest_size=16).hexdigest()


def _digest_files(files: Sequence[Any]) -> str:
    parts: list[bytes] = []
    for file in files:
        if isinstance(file, str | Path):
            if not Path(file).is_file():
                raise PrerequisiteError(
                    f"{file}: no such file; download it from where the weights are published"
                )
            parts.append(digest_file(Path(file)).short)
        else:
            parts.append(repr(sorted((file or {}).items())).encode())
    return digest_bytes(*parts)
