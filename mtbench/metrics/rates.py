"""Error rates as metrics: which counts of a row they are, and how they stand in results."""

from __future__ import annotations

from typing import Any

from mtbench.metrics.base import Cell, CountedRow, RecognitionMetric


def take_counts(row: CountedRow, which: str) -> Cell:
    """Return errors and reference length of the counts *which* (``"words"``, ``"chars"``, ``"phones"``) of a row.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from mtbench.metrics import EditCounts
    >>> take_counts(SimpleNamespace(words=EditCounts(7, 1, 0, 2), reason=None), "words")
    (3.0, 8.0)
    """
    counts = getattr(row, which)
    if counts is None:
        return row.reason or f"no {which}"
    return float(counts.errors), float(counts.reference_length)


_TOLD = {
    "source": "speech recognition; MultiTalk's AVLR is it over an audio-visual recognizer that sees the rendered face",
    "failures": "What the recognizer knows decides: a language or a kind of motion that it cannot read is no fault of "
    "the face. Above some 100 % it no longer tells bad from worse.",
}


def define_rate(
    name: str, title: str, which: str, order: float, without: tuple[str, ...] = (), **told: str
) -> RecognitionMetric:
    """Return the metric of an error rate: errors over reference length, pooled over clips; *told* are its texts.

    Examples
    --------
    >>> define_rate("wer", "word error rate", "words", order=1).unit
    '%'
    """
    texts: dict[str, Any] = {**_TOLD, **told}
    return RecognitionMetric(
        name=name,
        title=title,
        unit="%",
        scale=100.0,
        aggregation="corpus",
        overall="corpus",
        order=order,
        measure=lambda row, _: take_counts(row, which),
        without=without,
        **texts,
    )
