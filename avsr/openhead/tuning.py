"""Choosing the weights of the word search, without looking at the test split.

The development set is made of *training* sentences of the Declaration in training voices, on training speakers who
move as those of training do; the network has heard such texts, but never these very recordings. Every combination of a
small grid is decoded, clean and at −7.5 dB, with both searches, and the one with the fewest word errors wins; of equals
the first, and the exact search comes before the beam search.

Conventions
-----------
Word error is corpus-level over all languages and both conditions. Needs the ``[synth]`` extra.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtbench.avsr.openhead.acoustics import mix
from mtbench.avsr.openhead.decoding import DecodingConfig, Search, WordDecoder
from mtbench.avsr.openhead.inference import Request
from mtbench.avsr.openhead.recognizer import OpenheadAV
from mtbench.avsr.openhead.recognizer_files import save_recognizer
from mtbench.avsr.openhead.training_data import draw_curves, render_speaker
from mtbench.timing import SAMPLES_PER_FRAME

log = logging.getLogger(__name__)

#: Seconds; other sentences are passed over.
_SHORTEST, _LONGEST = 1.5, 7.0
PRIOR_WEIGHTS = (0.3, 0.6, 0.9)
WORD_SCORES = (-4.0, -3.0, -2.0, -1.0, 0.0)
BLANK_PENALTIES = (0.0, 1.0, 2.0, 3.0)
SEARCHES: tuple[Search, ...] = ("viterbi", "beam")


@dataclass(frozen=True)
class DevelopmentClip:
    """One clip of the development set.

    Attributes
    ----------
    language : str
        ISO 639-3.
    words : tuple of str
        What is said.
    crops : (T, 96, 96) uint8
        Mouth crops.
    audio : tuple of (640 T,) float32
        Clean, and at −7.5 dB.
    """

    language: str
    words: tuple[str, ...]
    crops: np.ndarray
    audio: tuple[np.ndarray, np.ndarray]


def make_development_set(
    languages: Sequence[str], per_language: int = 3, seed: int = 77
) -> list[DevelopmentClip]:
    """Make *per_language* clips in each language from training sentences and voices."""
    from mtbench.faces import load_head
    from mtbench.synth import Espeak, draw_voice, pad_speech, train_texts

    rng = np.random.Generator(np.random.PCG64(seed))
    engine, head = Espeak(), load_head()
    drawn = []
    for language in languages:
        sentences = train_texts(language)
        found = 0
        for i in rng.permutation(len(sentences)):
            speech = engine.speak(sentences[i].text, draw_voice(rng, language))
            if not _SHORTEST <= speech.duration <= _LONGEST:
                continue
            t = -(-len(speech.audio) // SAMPLES_PER_FRAME)
            speech = pad_speech(speech, 0.0, (t * SAMPLES_PER_FRAME - len(speech.audio)) / 16_000)
            crops = render_speaker(rng, head, draw_curves(rng, speech.phones, t))
            drawn.append((language, sentences[i].words, crops, speech.audio))
            found += 1
            if found == per_language:
                break
    others = [audio for *_, audio in drawn]
    return [
        DevelopmentClip(
            language, words, crops, (audio, mix(rng, audio, [o for o in others if o is not audio], -7.5))
        )
        for language, words, crops, audio in drawn
    ]


def tune_decoding(
    weights: str | Path,
    benchmark: str = "openhead-20",
    per_language: int = 3,
    seed: int = 77,
    searches: Sequence[Search] = SEARCHES,
) -> tuple[DecodingConfig, list[tuple[DecodingConfig, float]]]:
    """Find the best weights of the word search and write them beside the network.

    Parameters
    ----------
    weights : path
        Checkpoint pair; its ``.json`` is rewritten.
    benchmark : str
        Gives the lexicons (not the clips).
    per_language : int
        Clips of the development set in each language.
    seed : int
        Of the development set.
    searches : sequence of {"viterbi", "beam"}
        Among which to choose.

    Returns
    -------
    best : DecodingConfig
    table : list of (DecodingConfig, float)
        Word error of every combination, best first.
    """
    from mtbench.benchmarks import load_benchmark
    from mtbench.metrics import count_edits

    recognizer = OpenheadAV.load(weights)
    bench = load_benchmark(benchmark)
    clips = make_development_set(recognizer.language_order, per_language, seed)
    frames = recognizer.log_probs_many([Request(c.crops, c.audio, c.language) for c in clips])
    classes = {p: i + 1 for i, p in enumerate(recognizer.phones)}
    entries = {}
    for language in recognizer.language_order:
        lexicon = bench.lexicon(language)
        assert lexicon is not None
        entries[language] = [(w, [classes[p] for p in ps], prior) for w, ps, prior in lexicon.entries()]
    table = []
    grid = itertools.product(searches, PRIOR_WEIGHTS, WORD_SCORES, BLANK_PENALTIES)
    for search, prior, word, blank in grid:
        config = DecodingConfig(prior, word, blank, search=search)
        decoders = {language: WordDecoder(e, config) for language, e in entries.items()}
        errors = length = 0
        for clip, conditions in zip(clips, frames, strict=True):
            for log_probs in conditions:
                counts = count_edits(clip.words, decoders[clip.language].decode(log_probs))
                errors += counts.errors
                length += counts.reference_length
        table.append((config, errors / length))
        log.info("%s: word error %.4f", config, errors / length)
    table.sort(key=lambda row: row[1])
    _rewrite(Path(weights), recognizer, table[0][0])
    return table[0][0], table


def _rewrite(weights: Path, recognizer: OpenheadAV, decoding: DecodingConfig) -> None:
    """Save the checkpoint again with other decoding weights."""
    meta = json.loads(weights.with_suffix(".json").read_text("utf-8"))
    save_recognizer(
        weights,
        recognizer.network,
        recognizer.phones,
        recognizer.language_order,
        decoding,
        meta["training"],
        meta.get("ear"),
    )
