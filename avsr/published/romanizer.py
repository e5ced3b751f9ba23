"""Zero-AVSR's AV-Romanizer as a recognizer: roman letters for speech of any language, one model for all.

Conventions
-----------
As published (``JeongHun0716/zero-avsr``, ``stage1``): crops as for MuAViC, sound in [-1, 1], the likeliest letter of
every frame, repetitions once. It is told no language. Its texts are roman letters, so that references are romanized
too before anything is counted (:mod:`mtbench.speech.romanization`), and characters count, not words. The probability
of a reference is that of its letters by CTC, over all alignments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr.base import Hypothesis, Reference
from mtbench.avsr.presentation import count_frames
from mtbench.avsr.published.avhubert_recognizer import normalize_crops
from mtbench.avsr.published.catalog import PublishedCheckpoint
from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.speech import romanize

if TYPE_CHECKING:
    from mtbench.avsr.avhubert import AVHubert
    from mtbench.speech import Lexicon

#: Raise it when the same weights give other answers.
CODE_VERSION = "1"
#: The only search there is.
SEARCH = "greedy"


def load_romanizer(
    checkpoint: PublishedCheckpoint, files: Mapping[str, Path], device: str = "cpu"
) -> AVHubert:
    """Load a checkpoint with a head of letters.

    Raises
    ------
    UsageError
        For one without, or a file that is none.
    """
    require_extra("published", f"the recognizer {checkpoint.ref}", "torch", "safetensors")
    from mtbench.avsr.avhubert import load_avhubert

    model = load_avhubert(files["weights"], config=files.get("config"), device=device)
    if not hasattr(model.network, "ctc_proj"):
        raise UsageError(
            f"{files['weights']}: a checkpoint that writes with a decoder; expected the AV-Romanizer of "
            f"{checkpoint.page}, which has a head of letters (ctc_proj)"
        )
    return model


class Romanizer:
    """The AV-Romanizer; satisfies :class:`mtbench.avsr.base.Recognizer` and says how probable a text is.

    Parameters
    ----------
    checkpoint : PublishedCheckpoint
    files : mapping of str to path
        By role.
    contents : str
        Digest of the files.
    memory : int
        Bytes of its weights in memory.
    decoding : str or None
        :data:`SEARCH`.
    device : str
        Where it computes, as torch names it.

    Raises
    ------
    UsageError
        For another search.
    """

    needs_lexicon = False
    script = "roman"

    def __init__(
        self,
        checkpoint: PublishedCheckpoint,
        files: Mapping[str, Path],
        contents: str,
        memory: int,
        decoding: str | None = None,
        device: str = "cpu",
    ) -> None:
        if decoding not in (None, SEARCH):
            raise UsageError(f"unknown decoding {decoding!r}; {checkpoint.recognizer} has one: {SEARCH}")
        self.name = checkpoint.recognizer
        self.languages = frozenset(checkpoint.languages)
        self.memory, self.device, self.decoder = memory, device, SEARCH
        self._checkpoint, self._files, self._contents = checkpoint, dict(files), contents

    @cached_property
    def model(self) -> AVHubert:
        """The network, loaded once."""
        return load_romanizer(self._checkpoint, self._files, self.device)

    @property
    def digest(self) -> str:
        """blake2b-128 hex digest over files, device and version of the code."""
        place = self.device.partition(":")[0]
        parts = (self._contents, SEARCH, CODE_VERSION, "" if place == "cpu" else place)
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None = None,
    ) -> list[Hypothesis]:
        """Transcribe a clip; as :meth:`mtbench.avsr.base.Recognizer.transcribe`, in roman letters."""
        return self._answer(crops, audio, None)

    def transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        """Return what :meth:`transcribe` does, each with the log-probability of the reference's roman letters."""
        return self._answer(crops, audio, romanize(reference.text, language))

    def _answer(
        self, crops: np.ndarray | None, audio: Sequence[np.ndarray | None], said: str | None
    ) -> list[Hypothesis]:
        from mtbench.avsr.avhubert import stack_filterbank
        from mtbench.work import single_threaded_torch

        frames = count_frames(crops, audio)
        letters = [] if said is None else self._spell(said)
        found = []
        with single_threaded_torch():
            seen = None if crops is None else self.model.see(normalize_crops(crops))
            for sound in audio:
                heard = None if sound is None else stack_filterbank(sound.astype(np.float64), frames).T[None]
                encoded = self.model.encode(audio=heard, seen=seen)
                text = self.model.detokenize(self.model.spell(encoded)[0])
                told = self._weigh(encoded, letters) if letters else None
                found.append(
                    Hypothesis(text, log_probability=told, tokens=None if told is None else len(letters))
                )
        return found

    def _spell(self, text: str) -> list[int]:
        """Return the tokens of a text in roman letters; a blank is one as well."""
        pieces = self.model.vocabulary.pieces
        numbers = {piece: number for number, piece in enumerate(pieces)}
        return [numbers["|" if letter == " " else letter] for letter in text]

    def _weigh(self, encoded: object, letters: list[int]) -> float | None:
        """Return the natural logarithm of the probability of *letters*, None for more than there are frames for."""
        import torch

        gains = self.model.letter_logits(encoded).float().log_softmax(-1)[0]  # type: ignore[arg-type]
        target = torch.tensor(letters, device=gains.device)
        lengths = torch.tensor(len(gains)), torch.tensor(len(letters))
        loss = torch.nn.functional.ctc_loss(gains, target, *lengths, blank=0, reduction="sum")
        return -float(loss) if torch.isfinite(loss) else None
