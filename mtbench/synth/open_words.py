"""Open vocabulary: the commonest words of a language with pronunciations, for speech that brings no word list.

Conventions
-----------
The words are those of ``wordfreq`` (for Thai of the Thai textbook corpus of ``pythainlp``), commonest first, each as
the default normalizer makes one word of it, so that a transcript's words can be right; Japanese, Mandarin and Thai are
divided as in :mod:`mtbench.synth.frontends`, and judged by characters. French, Italian and Catalan write elided
articles and pronouns together with the word that follows, which ``wordfreq`` counts apart: such pairs (``l'homme``) are
words here, as often as the two would be side by side by chance. Pronunciations are how espeak-ng says a word alone and,
for the commonest, between other common words (weak forms, liaison). Counts are those in :data:`RUNNING_WORDS` running
words.

A vocabulary is made once and kept in the cache folder, under a digest of everything that it follows from: language,
size, packages with their versions, and this module's settings. The same of all these give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.files import is_sealed, seal_text, write_atomically
from mtbench.speech import LANGUAGES, Lexicon, display_name, format_lexicon, load_lexicon, make_lexicon
from mtbench.synth.espeak import Espeak
from mtbench.synth.lexicon_builder import pronounce_in_context, strip_punctuation
from mtbench.synth.phones import UnknownPhoneError
from mtbench.synth.texts import Sentence
from mtbench.synth.transcripts import normalize_word
from mtbench.synth.voices import Voice
from mtbench.synth.word_lists import count_shares, rank_words
from mtbench.work import default_cache_dir

log = logging.getLogger(__name__)

#: Words of a vocabulary; fewer where the language's list has no more.
OPEN_WORDS = 50_000
#: Running words that counts refer to: the rarest word still occurs in them.
RUNNING_WORDS = 10**8
#: Raised when the same packages would give another vocabulary.
_SCHEMA = 1
_SPEAKER = "m1"
#: Words per minute: half the time of the engine's own rate, and the same phones.
_RATE = 300
#: Words said in one call of the engine.
_BATCH = 40
#: So many of the commonest words are also said among others, so many times, next to words so common.
_WEAK, _ROUNDS, _NEIGHBORS = 150, 30, 2000
#: Most pronunciations of a word, and how often one has to be heard among others.
_VARIANTS, _HEARD = 4, 2
#: Packages besides the engine that words and readings come from.
_PACKAGES = {"jpn": ("wordfreq", "pykakasi"), "cmn": ("wordfreq", "jieba"), "tha": ("pythainlp",)}
#: What is written together with a word that begins with a vowel, and its share of that form's occurrences.
_ELIDED = {
    "fra": {"l": 1.0, "d": 1.0, "qu": 1.0, "j": 1.0, "n": 1.0, "s": 1.0, "c": 1.0, "m": 1.0, "t": 1.0},
    "ita": {"l": 1.0, "c": 1.0, "d": 1.0, "s": 1.0, "m": 1.0, "t": 1.0, "v": 1.0, "un": 0.1},
    "cat": {"l": 1.0, "d": 1.0, "s": 1.0, "n": 1.0, "m": 1.0, "t": 1.0},
}  # fmt: skip
#: Share of the occurrences of such a letter that are its name.
_LETTERS = 0.01
_VOWELS = frozenset("aeiouhàâáæéèêëíìîïóòôœúùûüy")
_NAME = "the open vocabulary"
_HEAD = "# Open vocabulary by mtbench: "


@dataclass(frozen=True)
class OpenVocabulary:
    """An open vocabulary, and what it was made of.

    Attributes
    ----------
    language : str
        ISO 639-3.
    size : int
        Words that were asked for.
    sources : tuple of str
        Packages with versions: ``"wordfreq-3.1.1"``.
    path : Path
        Its lexicon file in the cache folder.
    """

    language: str
    size: int
    sources: tuple[str, ...]
    path: Path

    def load(self) -> Lexicon:
        """Read the words; ``BenchmarkError`` where the file is gone or damaged."""
        return load_lexicon(self.path)


def open_vocabulary(
    language: str, size: int = OPEN_WORDS, cache: str | Path | None = None, engine: Espeak | None = None
) -> OpenVocabulary:
    """Return the open vocabulary of *language*, made where the cache folder has none.

    Parameters
    ----------
    language : str
        ISO 639-3, one of the twenty.
    size : int
        Words.
    cache : path, optional
        The cache folder; by default :func:`mtbench.work.default_cache_dir`.
    engine : Espeak, optional
        The speech engine.

    Raises
    ------
    PrerequisiteError
        Where a package of the extra ``[synth]`` is missing.
    UsageError
        For another language than the twenty, or less than one word.

    Examples
    --------
    >>> open_vocabulary("eng").load().words[:3]  # doctest: +SKIP
    ('the', 'to', 'and')
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"there is no open vocabulary for {display_name(language)}: one of {', '.join(LANGUAGES)} is expected; "
            "write a word list by hand"
        )
    if size < 1:
        raise UsageError(f"an open vocabulary of {size} words: expected 1 or more")
    require_extra("synth", _NAME, "espeakng_loader", *_PACKAGES.get(language, ("wordfreq",)))
    engine = engine or Espeak()
    sources = _name_sources(language, engine)
    settings = [
        _SCHEMA,
        language,
        size,
        sources,
        RUNNING_WORDS,
        _SPEAKER,
        _RATE,
        _BATCH,
        _WEAK,
        _ROUNDS,
        _NEIGHBORS,
    ]
    settings += [_VARIANTS, _HEARD, _ELIDED.get(language), _LETTERS]
    key = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16).hexdigest()
    root = default_cache_dir() if cache is None else Path(cache)
    path = root / "vocabularies" / f"{language}-{size}-{key}.tsv"
    if not is_sealed(path, _HEAD):
        log.warning(
            "making the open vocabulary of %s (%d words, once; a minute or so)", display_name(language), size
        )
        lexicon = make_open_vocabulary(language, size, engine)
        body = f"# {display_name(language)}: {len(lexicon)} words; {', '.join(sources)}.\n{format_lexicon(lexicon)}"
        write_atomically(path, seal_text(_HEAD, body).encode())
    return OpenVocabulary(language, size, sources, path)


def make_open_vocabulary(language: str, size: int, engine: Espeak) -> Lexicon:
    """Return the *size* commonest words of *language* with pronunciations and counts, commonest first.

    Raises
    ------
    PrerequisiteError
        Where a package of the extra ``[synth]`` is missing.
    """
    ranked = _rank(language, size)
    forms = {word: spoken for word, spoken, _ in ranked}
    said: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    voice = Voice(language, _SPEAKER, _RATE)
    for word, phones in _pronounce(list(forms.items()), engine, voice):
        said[word][phones] = _HEARD
    for sentence in _mix_words(language, [word for word in forms if word in said], forms):
        for word, phones in pronounce_in_context(sentence, engine.speak(" ".join(sentence.spoken), voice)):
            if phones:
                said[word][phones] += 1
    rows = []
    for word, _, share in ranked:
        heard = [(phones, n) for phones, n in said.get(word, Counter()).items() if n >= _HEARD]
        best = sorted(heard, key=lambda item: (-item[1], item[0]))[:_VARIANTS]
        rows += [(word, phones, max(1, round(RUNNING_WORDS * share))) for phones, _ in best]
    return make_lexicon(rows)


def _rank(language: str, size: int) -> list[tuple[str, str, float]]:
    """Return the *size* commonest words as (written, spoken, share of running words)."""
    shares, _ = count_shares(language)
    found: dict[str, tuple[str, str, float]] = {}
    for written, spoken in rank_words(language, size + size // 5 + 100):
        form, normal = strip_punctuation(spoken), normalize_word(written, language)
        # Words of several parts (some languages are segmented anew) are not words of a list.
        if form and normal and " " not in normal and " " not in written and normal not in found:
            # Lists of words keep "ß" and fold final sigma, or the other way round.
            share = max(shares.get(w, 0.0) for w in (written, normal))
            # What is left of an elided word where it stands alone: the letter's name.
            alone = max(1.0 - _ELIDED.get(language, {}).get(normal, 0.0), _LETTERS)
            found[normal] = (written, form, share * alone)
    for word, share in _elide(language, list(found.values()), shares):
        found.setdefault(word, (word, word, share))
    # Stable: words that are equally common stay in the list's order.
    return sorted(found.values(), key=lambda row: -row[2])[:size]


def _elide(
    language: str, ranked: Sequence[tuple[str, str, float]], shares: dict[str, float]
) -> Iterator[tuple[str, float]]:
    """Yield elided articles and pronouns with the words that follow, and how common they are."""
    vowels = [(word, share) for word, _, share in ranked if word[0] in _VOWELS and "'" not in word]
    total = sum(share for _, share in vowels)
    for clitic, part in _ELIDED.get(language, {}).items():
        for word, share in vowels:
            yield f"{clitic}'{word}", part * shares.get(clitic, 0.0) * share / total


def _mix_words(language: str, words: Sequence[str], forms: dict[str, str]) -> Iterator[Sentence]:
    """Yield salads in which each of the commonest words stands between others; the same ones every time."""
    rng = np.random.Generator(np.random.PCG64(12))
    weak, others = list(words[:_WEAK]), list(words[:_NEIGHBORS])
    for _ in range(_ROUNDS):
        order = [weak[i] for i in rng.permutation(len(weak))]
        for first in range(0, len(order), 5):
            pairs = ((word, others[int(rng.integers(len(others)))]) for word in order[first : first + 5])
            mixed = tuple(word for pair in pairs for word in pair)
            yield Sentence("", language, 0, mixed, tuple(forms[word] for word in mixed))


def _pronounce(
    pairs: Sequence[tuple[str, str]], engine: Espeak, voice: Voice
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each word with its phones when said alone; without what the engine, or the inventory, has no sound for."""
    for first in range(0, len(pairs), _BATCH):
        batch = pairs[first : first + _BATCH]
        found = _say(batch, engine, voice)
        for pair in batch:
            # In a batch it was joined with a neighbor, or the batch has a word with an unknown sound.
            phones = found.get(pair[0]) or _say([pair], engine, voice).get(pair[0])
            if phones:
                yield pair[0], phones


def _say(pairs: Sequence[tuple[str, str]], engine: Espeak, voice: Voice) -> dict[str, tuple[str, ...]]:
    words, forms = zip(*pairs, strict=True)
    listed = Sentence("", "", 0, words, tuple(f"{form}," for form in forms))
    try:
        speech = engine.speak(" ".join(listed.spoken), voice)
    except UnknownPhoneError:
        return {}
    if len(words) == 1:
        return {words[0]: speech.symbols}
    return dict(pronounce_in_context(listed, speech))


def _name_sources(language: str, engine: Espeak) -> tuple[str, ...]:
    names = _PACKAGES.get(language, ("wordfreq",))
    return (*(f"{name}-{version(name)}" for name in names), f"espeak-ng-{engine.version.split()[0]}")
