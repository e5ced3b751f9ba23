"""Whether a benchmark's word lists hold what its clips say.

Conventions
-----------
Words are compared as the default normalizer leaves them. Japanese, Mandarin and Thai are written without blanks, so
that there characters stand for words: one that no word of the list has can never be right.
"""

from __future__ import annotations

from collections.abc import Callable

from mtbench.benchmarks.benchmark import Benchmark
from mtbench.speech import UNSPACED, Lexicon, display_name, get_normalizer


def find_unlisted(benchmark: Benchmark, language: str) -> list[str]:
    """Return the words of the transcripts in *language* that the benchmark's word list lacks, in their order.

    Returns
    -------
    list of str
        Each once (characters in languages without blanks); empty where there is no list.
    """
    lexicon = benchmark.lexicon(language)
    if lexicon is None:
        return []
    cut, listed = _cut(language), _list_parts(lexicon, language)
    texts = (clip.transcript for clip in benchmark.clips if clip.language == language)
    return [part for part in dict.fromkeys(p for t in texts for p in cut(t, language)) if part not in listed]


def count_unlisted(benchmark: Benchmark, language: str, lexicon: Lexicon) -> tuple[int, int]:
    """Return how many of the words that are said in *language* are not in *lexicon*, and how many are said.

    Words are counted as often as they are said; characters in languages without blanks.
    """
    cut, listed = _cut(language), _list_parts(lexicon, language)
    said = [
        part
        for clip in benchmark.clips
        if clip.language == language
        for part in cut(clip.transcript, language)
    ]
    return sum(part not in listed for part in said), len(said)


def _cut(language: str) -> Callable[[str, str], list[str]]:
    normal = get_normalizer()
    return normal.characters if language in UNSPACED else normal.words


def _list_parts(lexicon: Lexicon, language: str) -> set[str]:
    cut = _cut(language)
    return {part for word in lexicon.words for part in cut(word, language)}


def warn_of_unlisted(benchmark: Benchmark, language: str, most: int = 5) -> str | None:
    """Return what a reader has to know about words that the list of *language* lacks, None where it has them all."""
    missing = find_unlisted(benchmark, language)
    if not missing:
        return None
    what = "characters" if language in UNSPACED else "words"
    shown = ", ".join(map(repr, missing[:most])) + (", …" if len(missing) > most else "")
    return (
        f"the word list for {display_name(language)} lacks {len(missing)} {what} of the transcripts ({shown}): a "
        "recognizer that answers with words of the list can never be right there"
    )
