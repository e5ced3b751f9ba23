"""Published AV-HuBERT checkpoints as recognizers: how a clip is shown to them, and how they answer.

Conventions
-----------
Mouth crops are cut to their centre, 88 x 88 of 96 x 96, over 255, less 0.421, over 0.165, as published. Sound becomes
26 log filterbank bands, four frames of 10 ms beside each other, so that both come 25 times a second. MuAViC hears
int16 steps; AVista hears [-1, 1], and where a modality is withheld its front-end is given silence or black in place of
nothing (the originals' feature extractor does). The eyes run once for all sounds of a clip; each sound is then encoded
and searched by itself, so that an answer does not depend, to the bit, on what else is asked.

Source of each: ``facebookresearch/muavic`` (beam 5, no length penalty, at most as many tokens as frames) and
``reazon-research/ReazonSpeech`` ``pkg/avsr`` (beam 5, at most 256 tokens).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.avsr.base import Hypothesis, Reference, SearchError
from mtbench.avsr.presentation import count_frames
from mtbench.avsr.published.catalog import PublishedCheckpoint
from mtbench.errors import UsageError, did_you_mean
from mtbench.extras import require_extra

if TYPE_CHECKING:
    from mtbench.avsr.avhubert import AVHubert
    from mtbench.speech import Lexicon

#: Raise it when the same weights give other answers.
CODE_VERSION = "1"
SIDE, MEAN, DEVIATION = 88, 0.421, 0.165
#: Steps of an int16 in 1.
_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Search:
    """How texts are looked for.

    Attributes
    ----------
    name : str
        What ``--decoding`` calls it.
    beam : int
        Hypotheses kept.
    length_penalty : float
        Exponent of the length that scores are divided by.
    """

    name: str
    beam: int
    length_penalty: float

    def describe(self) -> str:
        """Return the search with its settings, for signatures."""
        return f"{self.name}({self.beam},lp{self.length_penalty:g})"


#: The first is the default.
SEARCHES = {s.name: s for s in (Search("beam", 5, 0.0), Search("greedy", 1, 0.0))}
# What a profile calls it that cares for the width.
SEARCHES["beam-5"] = SEARCHES["beam"]


@dataclass(frozen=True)
class Manner:
    """How a kind of checkpoint is shown a clip.

    Attributes
    ----------
    steps : float
        What sound is multiplied by before it is heard.
    fills : bool
        Whether a withheld modality is shown as silence or black, and not left out.
    most_tokens : int
        Longest answer; 0 for as many tokens as frames.
    """

    steps: float
    fills: bool
    most_tokens: int


MANNERS = {"avhubert": Manner(_FULL_SCALE, False, 0), "avista": Manner(1.0, True, 256)}


def load_network(checkpoint: PublishedCheckpoint, files: Mapping[str, Path], device: str = "cpu") -> AVHubert:
    """Load the files of a checkpoint, by role.

    Raises
    ------
    UsageError, PrerequisiteError
        As :func:`mtbench.avsr.avhubert.load_avhubert`; where nothing among the files tells what tokens mean; and for
        AVista's weights under another name, or others under AVista's.
    """
    require_extra("published", f"the recognizer {checkpoint.ref}", "torch", "safetensors")
    from mtbench.avsr.avhubert import load_avhubert

    network = load_avhubert(
        files["weights"],
        dictionary=files.get("dictionary") or files.get("vocabulary"),
        tokenizer=files.get("tokenizer") or files.get("vocabulary"),
        config=files.get("config"),
        device=device,
    )
    decoder = getattr(network.network, "decoder", None)
    avista = decoder is not None and decoder.sizes.positions != "halves"  # fairseq's decoders count by halves
    if decoder is None or avista != (checkpoint.kind == "avista"):
        found = "a head of letters" if decoder is None else "AVista" if avista else "fairseq's AV-HuBERT"
        raise UsageError(
            f"{files['weights']}: weights of {found}, expected those of {checkpoint.ref}, published at "
            f"{checkpoint.page}"
        )
    if not network.vocabulary.pieces and network.vocabulary.tokenizer is None:
        raise UsageError(
            f"{files['weights']}: nothing tells what the tokens of {checkpoint.ref} mean; give the dictionary or "
            f"tokenizer that is published beside the weights: {', '.join(f.name for f in checkpoint.files[1:])}"
        )
    return network


def describe_settings(files: Mapping[str, Path]) -> dict[str, bytes]:
    """Return what only the pickle of fairseq's weights says, as the files of a port would: settings, dictionary."""
    from mtbench.avsr.avhubert import SPECIAL, read_checkpoint

    if "config" in files:
        return {}
    found = read_checkpoint(files["weights"])
    settings = {"encoder_attention_heads": found.encoder.heads, "layer_norm_first": found.encoder.pre_norm}
    if found.decoder is not None:
        settings |= {
            "decoder_attention_heads": found.decoder.heads,
            "no_scale_embedding": not found.decoder.scale,
        }
    made = {"config": json.dumps(settings, indent=1).encode()}
    if found.pieces and "dictionary" not in files:
        made["dictionary"] = "".join(f"{piece} 1\n" for piece in found.pieces[len(SPECIAL) :]).encode()
    return made


class PublishedAVHubert:
    """A published checkpoint; satisfies :class:`mtbench.avsr.base.Recognizer` and says how probable a text is.

    Its weights are read when it is first asked: who only wants its name and digest does without their memory.

    Parameters
    ----------
    checkpoint : PublishedCheckpoint
        What it is.
    files : mapping of str to path
        By role.
    contents : str
        Digest of the files.
    memory : int
        Bytes of its weights in memory.
    search : Search
        How it looks for texts.
    device : str
        Where it computes, as torch names it.
    """

    needs_lexicon = False

    def __init__(
        self,
        checkpoint: PublishedCheckpoint,
        files: Mapping[str, Path],
        contents: str,
        memory: int,
        search: Search,
        device: str = "cpu",
    ) -> None:
        self.checkpoint = checkpoint
        self.memory = memory
        self.search = search
        self.device = device
        self._files = dict(files)
        self._contents = contents
        self._manner = MANNERS[checkpoint.kind]

    @cached_property
    def network(self) -> AVHubert:
        """The network, loaded once."""
        return load_network(self.checkpoint, self._files, self.device)

    @property
    def name(self) -> str:
        """Name in headings and signatures."""
        return self.checkpoint.recognizer

    @property
    def digest(self) -> str:
        """blake2b-128 hex digest over files, search, device and version of the code."""
        place = self.device.partition(":")[0]
        parts = (self._contents, self.search.describe(), CODE_VERSION, "" if place == "cpu" else place)
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-3 codes of the languages that it was trained on."""
        return frozenset(self.checkpoint.languages)

    @property
    def decoder(self) -> str:
        """Search with its settings."""
        return self.search.describe()

    def transcribe(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None = None,
    ) -> list[Hypothesis]:
        """Transcribe a clip; as :meth:`mtbench.avsr.base.Recognizer.transcribe`. It has no use for a word list."""
        return self._answer(crops, audio, None)

    def transcribe_scored(
        self,
        crops: np.ndarray | None,
        audio: Sequence[np.ndarray | None],
        language: str,
        lexicon: Lexicon | None,
        reference: Reference,
    ) -> list[Hypothesis]:
        """Return what :meth:`transcribe` does, each with the log-probability of the reference's tokens.

        None where there is no tokenizer to make tokens of the text with.
        """
        known = self.network.vocabulary.tokenizer is not None
        return self._answer(crops, audio, self.network.tokenize(reference.text) if known else None)

    def _answer(
        self, crops: np.ndarray | None, audio: Sequence[np.ndarray | None], said: list[int] | None
    ) -> list[Hypothesis]:
        from mtbench.work import single_threaded_torch

        frames = count_frames(crops, audio)
        found = []
        with single_threaded_torch():
            seen = None if crops is None else self.network.see(normalize_crops(crops))
            for sound in audio:
                encoded = self._encode(seen, sound, frames)
                most = self._manner.most_tokens or frames
                best = self.network.search(
                    encoded=encoded,
                    beam=self.search.beam,
                    length_penalty=self.search.length_penalty,
                    max_length=most,
                )[0]
                text = self.network.detokenize(best[0][0]) if best else ""
                told = None if said is None else float(self.network.log_probability(said, encoded=encoded)[0])
                found.append(
                    Hypothesis(text, log_probability=told, tokens=None if said is None else len(said))
                )
        return found

    def _encode(self, seen: Any, sound: np.ndarray | None, frames: int) -> Any:
        from mtbench.avsr.avhubert import stack_filterbank

        audio = None
        if sound is not None:
            audio = stack_filterbank(sound.astype(np.float64) * self._manner.steps, frames)
        elif self._manner.fills:
            audio = np.zeros((frames, 104), np.float32)
        if seen is None and self._manner.fills:
            seen = self.network.see(normalize_crops(np.zeros((frames, 96, 96), np.uint8)))
        return self.network.encode(audio=None if audio is None else audio.T[None], seen=seen)


def normalize_crops(crops: np.ndarray) -> np.ndarray:
    """Return (1, 1, T, 88, 88) float32 of (T, 96, 96) uint8 mouth crops, as published recognizers look at them."""
    edge = (crops.shape[-1] - SIDE) // 2
    middle = crops[:, edge : edge + SIDE, edge : edge + SIDE]
    return ((middle / 255 - MEAN) / DEVIATION).astype(np.float32)[None, None]


def choose_search(name: str | None) -> Search:
    """Return the search called *name*; None is the first of :data:`SEARCHES`.

    Raises
    ------
    SearchError
        For a name that is not known.
    """
    if name is None:
        return next(iter(SEARCHES.values()))
    if name not in SEARCHES:
        raise SearchError(
            f"unknown decoding {name!r}{did_you_mean(name, SEARCHES)}; known: {', '.join(SEARCHES)}"
        )
    return SEARCHES[name]
