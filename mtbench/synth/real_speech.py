"""Seven sentences spoken by people, from the GRID corpus: how well a recognizer hears a human.

Conventions
-----------
The folder ``mtbench/data/grid`` has the form of a benchmark (see :mod:`mtbench.benchmarks.benchmark`) without
motion and noises: sound (mono, 16 kHz, 75 frames), transcript, reference phones and a lexicon of the corpus's 51
words. Phones and lexicon are espeak-ng's British voice reading the transcript, stored in the files and not computed
here; what the speakers said was not transcribed by a phonetician. It is no bundled benchmark to score entries on,
hence not listed as one. Built by ``scripts/build_real_speech.py``.

Source: M. Cooke, J. Barker, S. Cunningham, X. Shao, "An audio-visual corpus for speech perception and automatic
speech recognition", JASA 120 (2006); CC-BY-4.0, see ``ATTRIBUTION.txt`` there.
"""

from __future__ import annotations

from mtbench.benchmarks import Benchmark, load_benchmark
from mtbench.bundled import data_path

NAME, VERSION, LANGUAGE = "grid-7", "1", "eng"
FOLDER = data_path("grid")

#: The grammar of the corpus: a file's name spells six words. The third is a preposition, the fourth a letter, which
#: stands for itself.
GRAMMAR: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    {
        "z": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
        "8": "eight", "9": "nine",
    },
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)  # fmt: skip


def spell_out(stem: str) -> tuple[str, ...]:
    """Return the six words that a file name of the corpus stands for.

    Raises
    ------
    ValueError
        Where *stem* is no such name.

    Examples
    --------
    >>> " ".join(spell_out("bbaf2n"))
    'bin blue at f two now'
    """
    if len(stem) != len(GRAMMAR) or any(letter not in table for letter, table in zip(stem, GRAMMAR)):
        raise ValueError(f"{stem!r} is no file name of the GRID corpus; expected six letters as in 'bbaf2n'")
    return tuple(table[letter] for letter, table in zip(stem, GRAMMAR))


def load_real_speech() -> Benchmark:
    """Return the recordings as a benchmark without ground truth.

    Its clips have ``audio``, ``transcript`` and ``phones``; ``lexicon("eng")`` has the words.

    Raises
    ------
    BenchmarkError
        Where the folder is damaged.
    """
    return load_benchmark(FOLDER)
