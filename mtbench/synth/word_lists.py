"""Word lists and reference phones for recordings of one's own.

Conventions
-----------
A list holds every word of a benchmark's transcripts and, in the same number for all benchmarks, the most common
other words of the language, so that a recognizer has something to confuse them with; :data:`COMMON_WORDS` makes it
about as hard as the bundled lists. Pronunciations are how espeak-ng says a word alone and in its transcripts, in
phones of :data:`mtbench.synth.phones.PHONES`. A word's count is how often it occurs in :data:`RUNNING_WORDS`
running words of the language (``wordfreq``; for Thai the Thai textbook corpus of ``pythainlp``), rounded: it does not
depend on the transcripts, so that these are no likelier than they are elsewhere.

The same transcripts and packages give the same list.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mtbench.errors import PrerequisiteError
from mtbench.speech import Lexicon, make_lexicon
from mtbench.synth.espeak import Espeak
from mtbench.synth.lexicon_builder import (
    MAX_VARIANTS,
    collect_pronunciations,
    pronounce_in_context,
    strip_punctuation,
)
from mtbench.synth.phones import UnknownPhoneError
from mtbench.synth.texts import WORDFREQ_CODES, Sentence, letter_script, scripts_of, vocabulary
from mtbench.synth.transcripts import normalize_word, read_transcript
from mtbench.synth.voices import Voice

#: Common words in a list besides those of the transcripts.
COMMON_WORDS = 500
#: Running words that counts refer to.
RUNNING_WORDS = 3000
_SPEAKER = "m1"
#: Remarks on clips whose phones would lack something that is said.
_INCOMPLETE = frozenset({"symbol", "unsaid"})
#: Words that are tried in one call of the engine.
_BATCH = 40


@dataclass(frozen=True)
class WordList:
    """A word list with what it was made of.

    Attributes
    ----------
    language : str
        ISO 639-3.
    lexicon : Lexicon
        Words of the transcripts in alphabetical order, then common ones, most common first.
    n_spoken : int
        Words that are in transcripts.
    phones : dict of str to tuple of str
        Reference phones by clip: the transcript as the engine says it. Clips with a symbol, or a word that it cannot
        say, have none.
    remarks : tuple of (str, str, str)
        Kind (:data:`mtbench.synth.transcripts.REMARKS`), token and clip.
    sources : str
        Sources of pronunciations and counts, with versions.
    """

    language: str
    lexicon: Lexicon
    n_spoken: int
    phones: dict[str, tuple[str, ...]]
    remarks: tuple[tuple[str, str, str], ...]
    sources: str

    @property
    def n_common(self) -> int:
        """Words that no transcript has."""
        return len(self.lexicon) - self.n_spoken


def make_word_list(
    language: str, transcripts: Mapping[str, str], engine: Espeak, common: int = COMMON_WORDS
) -> WordList:
    """Return the word list of *transcripts* (by clip) with *common* further words.

    Parameters
    ----------
    language : str
        ISO 639-3, one of the twenty.
    transcripts : mapping of str to str
        Transcripts by clip id.
    engine : Espeak
        The speech engine.
    common : int
        Words besides those of the transcripts; fewer where the language's list has no more.

    Raises
    ------
    PrerequisiteError
        Where a package of the extra ``[synth]`` is missing.
    """
    voice = Voice(language, _SPEAKER)
    read = read_aloud(language, transcripts, engine)
    forms = read.forms
    spoken_words = sorted(word for word in forms if word not in read.unsaid)
    others = _common_words(language, common, set(read.written), engine, voice)
    said = collect_pronunciations(
        {word: forms[word] for word in spoken_words} | others, read.sentences.values(), engine, voice
    )
    frequencies, source = count_shares(language)
    rows = []
    n_spoken = 0
    for word in (*spoken_words, *others):
        if not said[word]:
            continue
        n_spoken += word in forms
        # Lists of words keep "ß" and fold final sigma, or the other way round.
        share = max(frequencies.get(form, 0.0) for form in (word, normalize_word(word, language)))
        ranked = sorted(said[word].items(), key=lambda item: (-item[1], item[0]))
        rows += [(word, phones_, round(RUNNING_WORDS * share)) for phones_, _ in ranked[:MAX_VARIANTS]]
    sources = (
        f"pronunciations by espeak-ng {engine.version}, counts in {RUNNING_WORDS} running words by {source}"
    )
    return WordList(language, make_lexicon(rows), n_spoken, read.phones, read.remarks, sources)


@dataclass(frozen=True)
class Reading:
    """Transcripts as the engine reads them.

    Attributes
    ----------
    sentences : dict of str to Sentence
        By clip; without those that have a word that cannot be said.
    forms : dict of str to str
        What the engine is given for each word alone.
    written : dict of str to str
        Words by their normalized forms.
    unsaid : set of str
        Words that the engine cannot say.
    phones : dict of str to tuple of str
        As in :class:`WordList`.
    remarks : tuple of (str, str, str)
        As in :class:`WordList`.
    """

    sentences: dict[str, Sentence]
    forms: dict[str, str]
    written: dict[str, str]
    unsaid: set[str]
    phones: dict[str, tuple[str, ...]]
    remarks: tuple[tuple[str, str, str], ...]


def read_aloud(language: str, transcripts: Mapping[str, str], engine: Espeak) -> Reading:
    """Return *transcripts* (by clip) as *engine* reads them, with the reference phones that follow.

    Parameters
    ----------
    language : str
        ISO 639-3, one of the twenty.
    transcripts : mapping of str to str
        Transcripts by clip id.
    engine : Espeak
        The speech engine.

    Raises
    ------
    PrerequisiteError
        Where a package that divides the language's texts into words is missing.
    """
    voice = Voice(language, _SPEAKER)
    remarks: list[tuple[str, str, str]] = []
    sentences: dict[str, Sentence] = {}
    written: dict[str, str] = {}
    for clip, text in transcripts.items():
        read = read_transcript(text, language)
        remarks += [(kind, token, clip) for kind, token in read.remarks]
        # A word that is written in two ways is one entry, as the first one found.
        words = tuple(written.setdefault(normalize_word(word, language), word) for word in read.words)
        sentences[clip] = Sentence(clip, language, 0, words, read.spoken)
    forms: dict[str, str] = {}
    for sentence in sentences.values():
        for word, spoken in zip(sentence.words, sentence.spoken, strict=True):
            forms.setdefault(word, strip_punctuation(spoken))
    unsaid = _find_unsayable(forms, engine, voice)
    phones = {}
    for clip, sentence in list(sentences.items()):
        broken = [word for word in dict.fromkeys(sentence.words) if word in unsaid]
        remarks += [("unsaid", word, clip) for word in broken]
        if broken:
            del sentences[clip]
        elif sentence.words and not any(c == clip and kind in _INCOMPLETE for kind, _, c in remarks):
            phones[clip] = engine.speak(" ".join(sentence.spoken), voice).symbols
    return Reading(sentences, forms, written, unsaid, phones, tuple(dict.fromkeys(remarks)))


def _find_unsayable(forms: Mapping[str, str], engine: Espeak, voice: Voice) -> set[str]:
    """Return the words for which the engine gives no sound, or one that the inventory lacks."""
    words = list(forms)
    found: set[str] = set()
    for first in range(0, len(words), _BATCH):
        batch = {word: forms[word] for word in words[first : first + _BATCH]}
        if _say_all(batch, engine, voice):
            continue
        found.update(word for word, form in batch.items() if not _say_all({word: form}, engine, voice))
    return found


def _say_all(forms: Mapping[str, str], engine: Espeak, voice: Voice) -> bool:
    """Return whether the engine gives sounds for each of the words, in one call."""
    listed = Sentence("", "", 0, tuple(forms), tuple(f"{form}," for form in forms.values()))
    try:
        speech = engine.speak(" ".join(listed.spoken), voice)
    except UnknownPhoneError:
        return False
    if len(forms) == 1:
        return bool(speech.symbols)
    return {word for word, phones in pronounce_in_context(listed, speech) if phones} == set(forms)


def _common_words(
    language: str, wanted: int, taken: set[str], engine: Espeak, voice: Voice
) -> dict[str, str]:
    """Return the *wanted* most common words that are not *taken*, with their spoken forms."""
    found: dict[str, str] = {}
    seen = set(taken)
    for word, spoken in rank_words(language, 2 * (wanted + len(taken)) + 100):
        normal = normalize_word(word, language)
        # Words of several parts (some languages are segmented anew) are not words of a list.
        if normal and " " not in normal and " " not in word and normal not in seen:
            seen.add(normal)
            found[word] = strip_punctuation(spoken)
    unsaid = _find_unsayable(dict(list(found.items())[: wanted + 50]), engine, voice)
    return dict([item for item in found.items() if item[0] not in unsaid][:wanted])


def rank_words(language: str, size: int) -> tuple[tuple[str, str], ...]:
    """Return common words as (written, spoken), most common first."""
    if language != "tha":
        return vocabulary(language, size)
    from mtbench.synth.frontends import segment

    ranked = sorted(_thai_counts().items(), key=lambda item: (-item[1], item[0]))
    words = [w for w, _ in ranked[:size] if len(w) > 1 and {letter_script(c) for c in w} <= scripts_of("tha")]
    pairs = [(word, segment(word, "tha")) for word in words]
    return tuple((word, found[0][1]) for word, found in pairs if len(found) == 1)


@lru_cache(maxsize=1)
def _thai_counts() -> Counter[str]:
    try:
        from pythainlp.corpus import ttc
    except ImportError as error:
        raise PrerequisiteError(
            "Thai word lists need the package pythainlp; install it: pip install 'multitalk-bench[synth]'"
        ) from error
    counts: Counter[str] = Counter()
    for word, count in ttc.word_freqs():
        counts[unicodedata.normalize("NFC", word.strip())] += int(count)
    return counts


def count_shares(language: str) -> tuple[dict[str, float], str]:
    """Return how often words occur, as shares of running words, and where that is from."""
    from importlib.metadata import version

    if language == "tha":
        counts = _thai_counts()
        total = counts.total()
        shares = {word: count / total for word, count in counts.items()}
        return shares, f"pythainlp {version('pythainlp')} (Thai textbook corpus)"
    import wordfreq

    return wordfreq.get_frequency_dict(WORDFREQ_CODES[language]), f"wordfreq {version('wordfreq')}"
