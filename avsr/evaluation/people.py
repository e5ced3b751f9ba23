"""Whole sentences of people in seven languages, as a benchmark without motion: how well a recognizer hears a human.

Conventions
-----------
Sayings are those of :mod:`mtbench.avsr.evaluation.sentence_packages`. A sentence is one whose text begins with a
capital letter, has four words or more, and consists of nothing but words that are common in the language
(``wordfreq``, at least :data:`LEAST_ZIPF`) and the marks ``, ; . ?``: no digits, abbreviations or letters that are
spelled, nothing that breaks off or is called out, no drawls. Its sound has :data:`SHORTEST` to :data:`LONGEST` seconds
and :data:`SLOWEST` to :data:`FASTEST` letters a second; beyond these, text and sound do not belong together. No
recognizer is asked. Of equal texts the first one counts.

:data:`PER_LANGUAGE` of them are taken, in the order of a digest of their names, from all speakers in turn. Word list
and reference phones are made as for recordings of one's own (``mtbench benchmark new --words auto``): espeak-ng reads
the text. What the speakers really said was not transcribed by a phonetician.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from mtbench.avsr.evaluation.sentence_packages import (
    SENTENCE_LANGUAGES,
    Saying,
    find_share,
    list_sayings,
    tell_missing,
    two_letters,
)
from mtbench.benchmarks import Benchmark
from mtbench.errors import BenchmarkError
from mtbench.extras import require_extra
from mtbench.files import digest_bytes, slugify
from mtbench.timing import SAMPLE_RATE

PER_LANGUAGE = 40
#: Seconds of a sentence.
SHORTEST, LONGEST = 1.5, 8.0
#: Letters in a second of sound, pauses counted.
SLOWEST, FASTEST = 6.0, 22.0
#: How common a word is, as the decimal logarithm of its count in a billion words.
LEAST_ZIPF = 1.5
_LEAST_WORDS = 4
#: Files without a header, 64 kbit in a second.
_G722, _G722_BYTES = ".g722", 8000
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*['’]?")


@dataclass(frozen=True)
class Sentences:
    """The sentences that are at hand.

    Attributes
    ----------
    benchmark : Benchmark or None
        Sound, transcript, word list and reference phones; None where there is no package at all.
    lacking : dict of str to str
        Languages whose packages are not there, with what to install; ``"all"`` is for all of them.
    """

    benchmark: Benchmark | None
    lacking: dict[str, str]


def gather_sentences(
    folder: str | Path | None, out: Path, languages: Collection[str] | None = None, most: int = PER_LANGUAGE
) -> Sentences:
    """Make the benchmark of the sentences that are at hand.

    Parameters
    ----------
    folder : path or None
        In the form of ``/usr/share``, or into which packages were unpacked; None is ``/usr/share``.
    out : Path
        Where the benchmark is written; the folder is the caller's to remove.
    languages : collection of str, optional
        ISO 639-3; only these.
    most : int
        Sentences in a language.

    Raises
    ------
    UsageError
        Where *folder* is of another form.
    BenchmarkError
        Where a package is damaged.
    PrerequisiteError
        Where there are packages, but an extra is not installed: ``[synth]`` for all, ``[video]`` for G.722.
    """
    share = find_share(folder)
    wanted = [code for code in SENTENCE_LANGUAGES if languages is None or code in languages]
    sayings = {code: list_sayings(share, code) for code in wanted}
    there = [code for code in wanted if sayings[code]]
    absent = [code for code in wanted if not sayings[code]]
    lacking = {code: tell_missing(share, [code]) for code in absent}
    if absent:
        lacking["all"] = tell_missing(share, absent)
    if not there:
        return Sentences(None, lacking)
    require_extra("synth", "reading what people say", "espeakng_loader", "wordfreq")
    if any(saying.sound.suffix == _G722 for code in there for saying in sayings[code]):
        require_extra("video", "reading G.722", "av")
    chosen = []
    for code in there:
        picked = pick_sentences(sayings[code], most)
        if not picked:
            raise BenchmarkError(
                f"{share}: of {len(sayings[code])} sayings in {code} none is a whole sentence; "
                "install the package again"
            )
        chosen += picked
    return Sentences(_make_benchmark(chosen, out), lacking)


def pick_sentences(sayings: Sequence[Saying], most: int = PER_LANGUAGE) -> list[Saying]:
    """Return at most *most* whole sentences of one language's *sayings*, the same ones every time."""
    seen: set[str] = set()
    by_speaker: dict[str, list[Saying]] = {}
    for saying in sayings:
        text = " ".join(saying.text.split())
        if text.lower() not in seen and is_sentence(text, saying.language) and _fits(text, saying.sound):
            seen.add(text.lower())
            by_speaker.setdefault(saying.speaker, []).append(saying)
    ranked = [sorted(found, key=_draw) for _, found in sorted(by_speaker.items())]
    return [saying for saying in chain.from_iterable(zip_longest(*ranked)) if saying is not None][:most]


def _draw(saying: Saying) -> str:
    return digest_bytes(f"{saying.language}|{saying.speaker}|{saying.name}".encode())


def is_sentence(text: str, language: str) -> bool:
    """Return whether *text* is a whole sentence of common words.

    Parameters
    ----------
    text : str
        With single blanks.
    language : str
        One of :data:`~mtbench.avsr.evaluation.sentence_packages.SENTENCE_LANGUAGES`.

    Examples
    --------
    >>> is_sentence("All circuits are busy now.", "eng"), is_sentence("Please press 1 to exit.", "eng")
    (True, False)
    """
    if not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ ,;.?'’-])*", text) or not text[0].isupper():
        return False
    if ".." in text or text[-1] in ",;-" or re.search(r"(.)\1\1", text.lower()):
        return False
    tokens = [token.strip(",;.?") for token in text.split(" ")]
    if len(tokens) < _LEAST_WORDS or not all(_WORD.fullmatch(token) for token in tokens):
        return False
    return not any(map(_is_spelled, tokens[1:])) and all(_is_common(token, language) for token in tokens)


def _is_spelled(word: str) -> bool:
    """Return whether *word* stands for letters, as far as capitals tell; the English I stands for itself."""
    return word.isupper() and word != "I"


def _is_common(word: str, language: str) -> bool:
    from wordfreq import zipf_frequency

    return float(zipf_frequency(word.lower(), two_letters(language))) >= LEAST_ZIPF


def _fits(text: str, sound: Path) -> bool:
    """Return whether *sound* is as long as a sentence is, and as *text* takes to say."""
    seconds = _measure(sound)
    rate = sum(map(str.isalpha, text)) / max(seconds, 1e-3)
    return SHORTEST <= seconds <= LONGEST and SLOWEST <= rate <= FASTEST


def _measure(sound: Path) -> float:
    """Return the length in seconds, without decoding."""
    if sound.suffix == _G722:
        return sound.stat().st_size / _G722_BYTES
    import soundfile

    try:
        return float(soundfile.info(sound).duration)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise BenchmarkError(f"{sound}: cannot be read ({error}); install its package again") from None


def _make_benchmark(sentences: Sequence[Saying], out: Path) -> Benchmark:
    from mtbench.making import create_benchmark

    source = out.with_name(f"{out.name}-source")
    for saying in sentences:
        folder = source / saying.language
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / slugify(f"{saying.language}-{saying.speaker}-{saying.name}")
        if saying.sound.suffix == _G722:
            _decode(saying.sound, stem.with_name(f"{stem.name}.wav"))
        else:
            shutil.copyfile(saying.sound, stem.with_name(f"{stem.name}{saying.sound.suffix}"))
        text = " ".join(saying.text.split())
        stem.with_name(f"{stem.name}.txt").write_text(text, encoding="utf-8")
    try:
        return create_benchmark(out, source, name="real-sentences", words="auto")
    finally:
        shutil.rmtree(source)


def _decode(sound: Path, wav: Path) -> None:
    """Write a headerless G.722 file as WAV at 16 kHz."""
    import av
    import numpy as np
    import soundfile

    try:
        with av.open(str(sound), format="g722") as container:
            pieces = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    except (av.error.FFmpegError, ValueError) as error:
        raise BenchmarkError(f"{sound}: not readable as G.722 ({error}); install its package again") from None
    soundfile.write(wav, np.concatenate(pieces), SAMPLE_RATE, subtype="PCM_16")
