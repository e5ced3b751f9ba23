"""The guard on the domain: whether a recognizer understands a benchmark's speech at all.

A recognizer that misunderstands clean speech without a face says little about lips: its audio-visual errors
on such speech measure the distance to what it was trained on. So the first thing that a score measures is the
recognizer's error on clean sound alone, and everything that shows its numbers shows that error too.

Conventions
-----------
The error is that of phones, without a lexicon, where every clip has reference phones and the recognizer gives some;
else the headline rate of words or characters. Per cent; corpus-level within a language, and the mean over the
languages in all. Words count only in languages in which the recognizer has some, where it needs a list: undivided
phones are no verdict on the speech. Where words come from an open vocabulary and there are no phones, characters count,
and never against the recognizer: what is rare, or sounds like something commoner, is wrong though it was heard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mtbench.extras import install_command
from mtbench.metrics import EditCounts
from mtbench.results.rows import RecognitionRow
from mtbench.speech import display_name, headline_rate

#: Per cent of error on clean sound alone above which a recognizer doesn't understand the speech.
UNDERSTANDING_LIMIT = 30.0

#: Code of the warnings of this module in results.
NOT_UNDERSTOOD = "not-understood"


@dataclass(frozen=True)
class Understanding:
    """A recognizer's error on a benchmark's clean sound alone.

    Attributes
    ----------
    recognizer : str
        Name.
    unit : {"phones", "words", "characters"}
        What was counted; ``"words"`` is each language's own rate (characters in some languages).
    error : float or None
        Per cent, mean over the languages; None where no language can be judged.
    by_language : dict of str to float
        Per cent by ISO 639-3 code.
    n_clips : int
        Clips that entered.
    limit : float
        Per cent that it may be.
    no_words : tuple of str
        Codes of the languages whose words cannot be judged, since the recognizer needs a list and there is none.
    open_words : tuple of str
        Codes of the languages whose words come from an open vocabulary.
    """

    recognizer: str
    unit: str
    error: float | None
    by_language: dict[str, float]
    n_clips: int
    limit: float = UNDERSTANDING_LIMIT
    no_words: tuple[str, ...] = ()
    open_words: tuple[str, ...] = ()

    @property
    def understood(self) -> bool | None:
        """Whether the error is within the limit; None where it cannot be told."""
        if self.error is None or (self.error > self.limit and self._is_open):
            return None
        return self.error <= self.limit

    @property
    def _is_open(self) -> bool:
        """Whether an open vocabulary may be what is wrong."""
        return self.unit == "words" and not set(self.by_language).isdisjoint(self.open_words)

    @property
    def strange(self) -> tuple[str, ...]:
        """Codes of the languages whose error is above the limit, worst first."""
        untold = self.open_words if self.unit == "words" else ()
        above = [c for c, error in self.by_language.items() if error > self.limit and c not in untold]
        return tuple(sorted(above, key=lambda code: (-self.by_language[code], code)))

    def describe(self) -> str:
        """Return the error as half a sentence, for notes below tables."""
        where = f"{self.recognizer} on this benchmark's clean sound alone"
        if self.error is None:
            return f"{where}: not judged, there is no word list"
        return f"{where}: {self.error:.1f} % {self._kind} error"

    @property
    def _kind(self) -> str:
        if self.unit != "words":
            return self.unit.removesuffix("s")
        judged = set(self.by_language)
        return "character" if judged and judged <= set(self.open_words) else "word"

    def warn(self) -> str | None:
        """Return what a reader has to know, None where everything is understood."""
        parts = [self._warn_of_words(), self._warn_of_error()]
        return "; ".join(part for part in parts if part) or None

    def _warn_of_words(self) -> str | None:
        if not self.no_words:
            return None
        names = ", ".join(map(display_name, self.no_words))
        return (
            f"no word list for {names}: {self.recognizer} answers with words of a list only, so that its word "
            "errors there say nothing about speech or lips, and neither does its AVLR; "
            f"{install_command('synth')} gives it the language's common words, or name a list of your own in "
            "benchmark.toml, [lexicons]"
        )

    def _warn_of_error(self) -> str | None:
        if self.error is not None and self.understood is None:
            return (
                f"{self.recognizer} has {self.error:.1f} % {self._kind} error on this benchmark's clean sound alone, "
                f"with an open vocabulary (limit {self.limit:g} %): whether it understands this speech cannot be told "
                "from that, and its AVLR is no verdict; 'mtbench benchmark lexicon BENCHMARK' adds a list and phones, "
                "which tell"
            )
        if self.understood is False:
            return (
                f"{self.recognizer} has {self.error:.1f} % {self._kind} error on this benchmark's clean sound alone "
                f"(limit {self.limit:g} %): this recognizer does not understand this speech, and its AVLR "
                "here means little"
            )
        if self.strange:
            worst = ", ".join(f"{display_name(c)} {self.by_language[c]:.1f} %" for c in self.strange)
            return (
                f"{self.recognizer} does not understand every language here; {self._kind} error on clean sound alone "
                "above "
                f"{self.limit:g} %: {worst}; its AVLR means little there"
            )
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the value as a JSON object, with ``understood``."""
        return {
            "recognizer": self.recognizer,
            "unit": self.unit,
            "error": self.error,
            "by_language": self.by_language,
            "n_clips": self.n_clips,
            "limit": self.limit,
            "no_words": list(self.no_words),
            "open_words": list(self.open_words),
            "understood": self.understood,
        }


def measure_understanding(
    recognizer: str,
    rows: Iterable[RecognitionRow],
    no_words: Iterable[str] = (),
    open_words: Iterable[str] = (),
    otherwise: str = "words",
) -> Understanding | None:
    """Return how well *recognizer* understands the clean sound in *rows*.

    Parameters
    ----------
    recognizer : str
        Name.
    rows : iterable of RecognitionRow
        Rows of any conditions; those of clean sound alone are used.
    no_words : iterable of str
        Codes of the languages for which the recognizer lacks a word list that it needs.
    open_words : iterable of str
        Codes of the languages whose words come from an open vocabulary.
    otherwise : {"words", "characters"}
        What is counted where there are no phones.

    Returns
    -------
    Understanding or None
        None where no clip was recognized under that condition.
    """
    heard = [r for r in rows if (r.modality, r.snr_db) == ("a", None) and r.words is not None]
    if not heard:
        return None
    lacking = tuple(sorted({r.language for r in heard} & set(no_words)))
    wide = tuple(sorted({r.language for r in heard} & set(open_words)))
    # A transcript in an open language that no engine can say as a whole: others of the language tell.
    told = {r.language for r in heard if r.phones is not None}
    heard = [r for r in heard if r.phones is not None or r.language not in told.intersection(wide)]
    unit = "phones" if all(r.phones is not None for r in heard) else otherwise
    if unit == "words":
        heard = [r for r in heard if r.language not in lacking]
    by_language: dict[str, EditCounts] = {}
    for row in heard:
        own = {"phones": row.phones, "characters": row.chars}
        counts = own[unit] if unit in own else _count_words(row, row.language in wide)
        assert counts is not None
        before = by_language.get(row.language)
        by_language[row.language] = counts if before is None else before + counts
    rates = {code: 100 * by_language[code].rate for code in sorted(by_language)}
    error = sum(rates.values()) / len(rates) if rates else None
    return Understanding(recognizer, unit, error, rates, len(heard), no_words=lacking, open_words=wide)


def _count_words(row: RecognitionRow, is_open: bool) -> EditCounts | None:
    return row.chars if is_open or headline_rate(row.language) == "cer" else row.words
