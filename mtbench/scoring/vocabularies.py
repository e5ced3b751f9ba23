"""Open vocabularies of a run: where a benchmark brings no word list for a recognizer that needs one.

Conventions
-----------
Only languages without a list get one, and only where the extra ``[synth]`` is installed; elsewhere the recognizer
answers as it can without words, and results say so. A run's signatures name its word lists: the benchmark's own with
their digest, and open vocabularies with their size, packages and digest, so that numbers of different ones never stand
in one column.

Whether the recognizer understands speech for which it had no list is told from phones: words and characters that it got
wrong may be the vocabulary's fault. Where clips have no reference phones, those count that the speech engine says for
the transcript, as ``mtbench benchmark lexicon`` would write them; for this verdict only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.avsr import Recognizer, describe_traits
from mtbench.benchmarks import Benchmark, count_unlisted
from mtbench.errors import PrerequisiteError
from mtbench.files import digest_bytes
from mtbench.metrics import count_phone_edits
from mtbench.results import RecognitionRow, Row
from mtbench.scoring.text_phones import read_phones
from mtbench.speech import LANGUAGES, UNSPACED, display_name

if TYPE_CHECKING:
    from mtbench.synth import OpenVocabulary


def find_vocabularies(
    benchmark: Benchmark, recognizer: Recognizer, cache: str | Path | None
) -> tuple[OpenVocabulary, ...]:
    """Return the open vocabularies that *recognizer* needs for *benchmark*, made where the cache folder has none.

    Parameters
    ----------
    benchmark : Benchmark
        Its languages without a word list are looked at.
    recognizer : Recognizer
        Needs a list, or nothing is returned.
    cache : path, optional
        The cache folder.

    Returns
    -------
    tuple of OpenVocabulary
        In the order of the benchmark's languages; without those whose packages are not installed.
    """
    wanted = [code for code in find_unlisted_languages(benchmark, recognizer) if code in LANGUAGES]
    if not wanted:
        return ()
    from mtbench.synth import OPEN_WORDS, open_vocabulary

    found = []
    for code in wanted:
        try:
            found.append(open_vocabulary(code, OPEN_WORDS, cache))
        except PrerequisiteError:  # said in the results, see find_missing_lists
            continue
    return tuple(found)


def find_unlisted_languages(benchmark: Benchmark, recognizer: Recognizer) -> list[str]:
    """Return the languages for which *recognizer* needs a word list that *benchmark* lacks."""
    if not describe_traits(recognizer).needs_lexicon:
        return []
    return [c for c in benchmark.languages if c in recognizer.languages and c not in benchmark.lexicons]


def compare_with_reading(rows: Sequence[Row], languages: Sequence[str]) -> list[Row]:
    """Return *rows*, those of clean sound alone with phone errors against how the speech engine reads the transcript.

    Parameters
    ----------
    rows : sequence of Row
    languages : sequence of str
        Codes of the languages whose words come from an open vocabulary; rows of others, those that have phone errors,
        and those whose recognizer gives no phones stay as they are.

    Returns
    -------
    list of Row
        In the same order. A transcript that cannot be said as a whole has no phones.
    """
    wanted = [
        row
        for row in rows
        if isinstance(row, RecognitionRow)
        and (row.modality, row.snr_db) == ("a", None)
        and row.language in languages
        and row.phones is None
        and row.hypothesis_phones is not None
    ]
    said: dict[tuple[str, str], tuple[str, ...]] = {}
    for code in dict.fromkeys(row.language for row in wanted):
        texts = {row.clip: row.reference for row in wanted if row.language == code}
        said |= {(code, clip): phones for clip, phones in read_phones(code, texts).items()}
    changed: dict[int, Row] = {}
    for row in wanted:
        if (row.language, row.clip) in said:
            edits = count_phone_edits(said[row.language, row.clip], row.hypothesis_phones)
            changed[id(row)] = replace(row, phones=edits)
    return [changed.get(id(row), row) for row in rows]


def name_word_lists(benchmark: Benchmark, vocabularies: Sequence[OpenVocabulary]) -> str:
    """Return what signatures call the word lists of a run, ``"none"`` where it has none."""
    lists = [benchmark.lexicons[code].read_bytes() for code in sorted(benchmark.lexicons)]
    parts = [f"{benchmark.name}#{digest_bytes(*lists)}"] if lists else []
    if vocabularies:
        ordered = sorted(vocabularies, key=lambda vocabulary: vocabulary.language)
        sources = dict.fromkeys(source for vocabulary in ordered for source in vocabulary.sources)
        content = digest_bytes(*(vocabulary.path.read_bytes() for vocabulary in ordered))
        parts.append(f"open:{','.join([*sources, *_name_sizes(ordered)])}#{content}")
    return "+".join(parts) or "none"


def _name_sizes(vocabularies: Sequence[OpenVocabulary]) -> list[str]:
    return list(dict.fromkeys(str(vocabulary.size) for vocabulary in vocabularies))


def warn_of_vocabulary(benchmark: Benchmark, vocabulary: OpenVocabulary) -> str:
    """Return what a reader of word errors in the vocabulary's language has to know."""
    code = vocabulary.language
    missing, total = count_unlisted(benchmark, code, vocabulary.load())
    what = "characters" if code in UNSPACED else "words"
    return (
        f"no word list for {display_name(code)}: words come from an open vocabulary ({vocabulary.size:,} commonest "
        f"words; {', '.join(vocabulary.sources)}), which lacks {missing} of {total} {what} that are said; word errors "
        "stand above those with a list of the benchmark's own words ('mtbench benchmark lexicon BENCHMARK'), and are "
        "not comparable with them"
    )
