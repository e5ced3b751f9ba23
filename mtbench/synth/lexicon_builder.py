"""Lexicons of the bundled benchmark, from the engine's own pronunciations.

Conventions
-----------
The vocabulary is closed: all words of the Declaration, those of test sentences included. A word's
pronunciations are how the engine says it alone and how it says it in the Declaration's sentences (liaison,
elision, weak forms, linking sounds); priors rest on counts in the training articles only.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from mtbench.speech import Lexicon, make_lexicon
from mtbench.synth.espeak import Espeak
from mtbench.synth.phones import SILENCE
from mtbench.synth.texts import Sentence, sentences, train_texts
from mtbench.synth.utterances import Speech
from mtbench.synth.voices import Voice

#: Most pronunciations of a word.
MAX_VARIANTS = 5
#: Words said alone in one call of the engine, as clauses of one word each.
_BATCH = 40
_SPEAKER = "m1"


def build_lexicon(language: str, engine: Espeak) -> Lexicon:
    """Return the lexicon of *language*.

    Words are in alphabetical order (of code points), variants by how often they were said.
    """
    counts = Counter(word for sentence in train_texts(language) for word in sentence.words)
    voice = Voice(language, _SPEAKER)
    forms: dict[str, str] = {}
    for sentence in sentences(language):
        for word, spoken in zip(sentence.words, sentence.spoken, strict=True):
            forms.setdefault(word, strip_punctuation(spoken))
    said = collect_pronunciations(
        {word: forms[word] for word in sorted(forms)}, sentences(language), engine, voice
    )
    rows = []
    for word in sorted(forms):
        ranked = sorted(said[word].items(), key=lambda item: (-item[1], item[0]))
        rows += [(word, phones, counts[word]) for phones, _ in ranked[:MAX_VARIANTS]]
    return make_lexicon(rows)


def collect_pronunciations(
    forms: Mapping[str, str], texts: Iterable[Sentence], engine: Espeak, voice: Voice
) -> dict[str, Counter[tuple[str, ...]]]:
    """Return how often the engine says each word with which phones: alone once, and in *texts*.

    Parameters
    ----------
    forms : mapping of str to str
        Words with their spoken forms, without punctuation.
    texts : iterable of Sentence
        Whose words are among them.
    engine : Espeak
        The speech engine.
    voice : Voice
        Who speaks.

    Returns
    -------
    dict of str to Counter
        Phones of every word with how often they were heard; empty where the engine says nothing.
    """
    said: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for sentence in texts:
        for word, phones in pronounce_in_context(sentence, engine.speak(" ".join(sentence.spoken), voice)):
            if phones:
                said[word][phones] += 1
    words = list(forms)
    for first in range(0, len(words), _BATCH):
        batch = words[first : first + _BATCH]
        speech = engine.speak(", ".join(forms[w] for w in batch) + ".", voice)
        for word, phones in _pronounce_alone(batch, [forms[w] for w in batch], speech):
            if phones:
                said[word][phones] += 1
    for word in words:
        # The engine joined it with a neighbour wherever it occurred.
        if not said[word] and (alone := engine.speak(forms[word], voice).symbols):
            said[word][alone] += 1
    return said


def strip_punctuation(spoken: str) -> str:
    """Return *spoken* without punctuation at its ends."""
    start, end = 0, len(spoken)
    while start < end and unicodedata.category(spoken[start])[0] in "PSZ":
        start += 1
    while end > start and unicodedata.category(spoken[end - 1])[0] in "PSZ":
        end -= 1
    return spoken[start:end]


def pronounce_in_context(sentence: Sentence, speech: Speech) -> list[tuple[str, tuple[str, ...]]]:
    """Return (word, phones) for the words of *sentence* whose sounds in *speech* are theirs alone."""
    # A spoken form of several tokens (a blank within) shifts the engine's token numbers.
    owner = [i for i, spoken in enumerate(sentence.spoken) for _ in spoken.split()]
    heard: dict[int, list[str]] = defaultdict(list)
    fused = set()
    for word in speech.words:
        heard[owner[word.index]] += [p.symbol for p in speech.phones[word.phones] if p.symbol != SILENCE]
        if word.fused:
            fused.add(owner[word.index])
    return [(sentence.words[i], tuple(phones)) for i, phones in sorted(heard.items()) if i not in fused]


def _pronounce_alone(words: list[str], forms: list[str], speech: Speech) -> list[tuple[str, tuple[str, ...]]]:
    listed = Sentence("", "", 0, tuple(words), tuple(forms))
    return pronounce_in_context(listed, speech)
