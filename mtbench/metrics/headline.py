"""The headline rate: word error, and character error in languages that are written without blanks.

Conventions
-----------
Which of them counts in a language is :func:`mtbench.speech.languages.headline_rate`. Words and characters cannot be
pooled: over all languages the headline is the mean of the languages' rates.
"""

from __future__ import annotations

from mtbench.metrics.base import Cell, CountedRow, RecognitionMetric
from mtbench.metrics.rates import take_counts
from mtbench.speech import headline_rate


def _measure(row: CountedRow, _: CountedRow | None) -> Cell:
    return take_counts(row, "chars" if headline_rate(row.language) == "cer" else "words")


DEFINES = (
    RecognitionMetric(
        name="headline",
        title="headline error rate (WER; CER for jpn, cmn, tha)",
        unit="%",
        scale=100.0,
        aggregation="corpus",
        overall="macro-language",
        order=0,
        measure=_measure,
        settings={"rate": "headline-v1"},
        definition="the language's error rate that counts: CER for Japanese, Mandarin and Thai, WER elsewhere",
        source="this toolkit; transcripts without blanks between words have no WER to speak of",
        failures="As the rate that it is; over languages always their mean.",
    ),
)
