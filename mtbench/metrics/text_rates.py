"""Error rates of texts at hand, in one line: ``mtbench.wer`` and ``mtbench.cer``.

Conventions
-----------
Per cent, as in every table of mtbench (jiwer returns a fraction). Texts are normalized first
(:mod:`mtbench.speech.normalizers`); rates are those of the corpus: errors of all texts over units of all
references. Japanese, Mandarin and Thai are written without blanks between words: CER is the rate that counts there,
and WER depends on who put the blanks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence

from mtbench.errors import UsageError
from mtbench.metrics.character_errors import count_character_edits
from mtbench.metrics.edit_counts import EditCounts
from mtbench.metrics.word_errors import count_word_edits
from mtbench.speech import DEFAULT_NORMALIZER, display_name, get_normalizer, headline_rate, language_code


def wer(
    reference: str | Sequence[str],
    hypothesis: str | Sequence[str],
    language: str,
    *,
    normalizer: str = DEFAULT_NORMALIZER,
) -> float:
    """Return the word error rate in per cent: substituted, deleted and inserted words per word of the reference.

    Parameters
    ----------
    reference, hypothesis : str or sequence of str
        What was said and what was understood; of lists, text by text, pooled.
    language : str
        ISO 639-3 or 639-1 code, or English name.
    normalizer : str
        Name, see :mod:`mtbench.speech.normalizers`.

    Returns
    -------
    float
        Per cent; above 100 where more is inserted than said.

    Raises
    ------
    UsageError
        For an unknown language or normalizer, lists of different lengths, anything but text, or references that hold
        no word.

    Warns
    -----
    UserWarning
        Where the references have no blanks in a language whose words blanks do not separate: use :func:`cer`.

    Examples
    --------
    >>> wer("Ogni individuo ha diritto.", "ogni individuo diritto", "ita")
    25.0
    """
    code, pairs = _pair_up(reference, hypothesis, language)
    if headline_rate(code) == "cer" and not any(len(text.split()) > 1 for text, _ in pairs):
        warnings.warn(
            f"{display_name(code)} has no blanks between words, and these references have none either: each counts as "
            "one word; mtbench.cer is the rate that counts there",
            stacklevel=2,
        )
    return _pool(pairs, code, normalizer, count_word_edits, "word")


def cer(
    reference: str | Sequence[str],
    hypothesis: str | Sequence[str],
    language: str,
    *,
    normalizer: str = DEFAULT_NORMALIZER,
) -> float:
    """Return the character error rate in per cent, the rate that counts in Japanese, Mandarin and Thai.

    Blanks between words count as characters, but not in those three. Parameters and errors are those of :func:`wer`.

    Examples
    --------
    >>> cer("猫 が 好き です。", "猫が好き", "jpn")
    33.33333333333333
    """
    code, pairs = _pair_up(reference, hypothesis, language)
    return _pool(pairs, code, normalizer, count_character_edits, "character")


def _pair_up(
    reference: str | Sequence[str], hypothesis: str | Sequence[str], language: str
) -> tuple[str, list[tuple[str, str]]]:
    if not isinstance(language, str):
        raise UsageError(f"language must be a code or name, e.g. 'ita', not {language!r}")
    code = language_code(language)
    for name, given in (("reference", reference), ("hypothesis", hypothesis)):
        if not isinstance(given, Iterable) or isinstance(given, bytes):
            raise UsageError(f"{name} is {type(given).__name__}, expected text or a list of texts")
    if isinstance(reference, str) != isinstance(hypothesis, str):
        raise UsageError(
            "reference is a list of texts and hypothesis is not, or the other way round: give both alike"
        )
    references, hypotheses = ([x] if isinstance(x, str) else list(x) for x in (reference, hypothesis))
    if len(references) != len(hypotheses):
        raise UsageError(f"{len(references)} references, {len(hypotheses)} hypotheses: expected as many")
    for name, texts in (("reference", references), ("hypothesis", hypotheses)):
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise UsageError(
                    f"{name} {number} is {type(text).__name__}, expected text (str; '' for nothing)"
                )
    return code, list(zip(references, hypotheses, strict=True))


def _pool(
    pairs: list[tuple[str, str]],
    code: str,
    normalizer: str,
    count: Callable[[str, str, str, str], EditCounts],
    unit: str,
) -> float:
    get_normalizer(normalizer)
    total = sum((count(a, b, code, normalizer) for a, b in pairs), EditCounts(0, 0, 0, 0))
    if not total.reference_length:
        raise UsageError(f"the references hold no {unit} (normalizer {normalizer}): no error rate exists")
    return 100.0 * total.rate
