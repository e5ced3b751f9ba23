"""Lexicons made smaller and larger, and the words that phones alone would get wrong.

Conventions
-----------
Pronunciations of added words are how the speech engine says them alone, in the voice that the bundled lexicons were
made with (extra ``[synth]``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbench.metrics import EditCounts
from mtbench.speech import Lexicon

#: Words said in one call of the engine, as clauses of one word each.
_BATCH = 40


def restrict_lexicon(lexicon: Lexicon, words: set[str]) -> Lexicon:
    """Return the entries of *lexicon* whose word is in *words*."""
    kept = [i for i, word in enumerate(lexicon.words) if word in words]
    return Lexicon(
        tuple(lexicon.words[i] for i in kept),
        tuple(lexicon.pronunciations[i] for i in kept),
        tuple(lexicon.counts[i] for i in kept),
    )


def extend_lexicon(lexicon: Lexicon, added: Sequence[tuple[str, tuple[str, ...]]]) -> Lexicon:
    """Return *lexicon* with the (word, phones) of *added* that it lacks, which count 0."""
    known = set(lexicon.words)
    new = {word: phones for word, phones in reversed(added) if word not in known}
    return Lexicon(
        (*lexicon.words, *new),
        (*lexicon.pronunciations, *((phones,) for phones in new.values())),
        (*lexicon.counts, *(0 for _ in new)),
    )


def pronounce_frequent(language: str, size: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return the *size* most frequent words of *language* with their phones, said alone; most frequent first."""
    from mtbench.synth import Espeak, Sentence, Voice, pronounce_in_context, strip_punctuation, vocabulary

    # Words of several parts (some languages are segmented anew) are not words of a lexicon.
    pairs = [(w, strip_punctuation(s)) for w, s in vocabulary(language, size) if " " not in w]
    # Marks that repeat a sign ("ヽ") are no words: nothing is said for them.
    pairs = [(written, spoken) for written, spoken in pairs if spoken]
    engine, voice = Espeak(), Voice(language, "m1")
    said = []
    for first in range(0, len(pairs), _BATCH):
        written, spoken = zip(*pairs[first : first + _BATCH], strict=True)
        speech = engine.speak(", ".join(spoken) + ".", voice)
        said += pronounce_in_context(Sentence("", "", 0, written, spoken), speech)
    return [(word, phones) for word, phones in said if phones]


def break_words(
    pronunciations: Sequence[Sequence[str]], reference: Sequence[str], heard: Sequence[str]
) -> EditCounts:
    """Count the words that have a wrong phone in them.

    Parameters
    ----------
    pronunciations : sequence of sequence of str
        Phones of each reference word from the lexicon: they place the words in *reference*.
    reference, heard : sequence of str
        Phones of the clip, and of the hypothesis without a lexicon.

    Returns
    -------
    EditCounts
        ``substitutions`` are broken words; phones inserted between two words break neither.

    Examples
    --------
    >>> break_words([["m", "a"], ["t", "o"]], ["m", "a", "t", "o"], ["m", "a", "s", "d", "o"]).substitutions
    1
    """
    from rapidfuzz.distance import Levenshtein

    if not pronunciations:
        return EditCounts(0, 0, 0, 0)
    ends = np.cumsum([len(p) for p in pronunciations])
    spelled = [phone for p in pronunciations for phone in p]
    blocks = Levenshtein.opcodes(spelled, list(reference))
    borders = [0]
    for end in ends:
        # The last block that reaches the border; a replaced stretch maps step by step.
        block = next((b for b in blocks if b.src_start < end <= b.src_end), None)
        place = 0 if block is None else min(block.dest_start + end - block.src_start, block.dest_end)
        borders.append(max(borders[-1], int(place)))
    borders[-1] = len(reference)
    broken = set()
    for edit in Levenshtein.editops(list(reference), list(heard)):
        word = int(np.searchsorted(borders, edit.src_pos, side="right")) - 1
        if edit.tag != "insert" or edit.src_pos not in borders:
            broken.add(min(word, len(ends) - 1))
    return EditCounts(len(ends) - len(broken), len(broken), 0, 0)
