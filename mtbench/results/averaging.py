"""How the error rates of a run are put together: over clips and noises, and which rate is the headline.

Conventions
-----------
Two ways to average: ``"corpus"``, errors over reference units, all clips together; and ``"macro-clip"``, the mean over
clips of the clip's own rate, then the mean over noises, as MultiTalk's released script does. Geometric errors know
neither: they pool frames. The headline rate is each language's own (``"headline-v1"``: CER in Japanese, Mandarin and
Thai, WER elsewhere), or one rate in all languages. What differs from the default stands in signatures (``mean``,
``rate``), and a run's tables, ranks and comparisons follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mtbench.errors import UsageError
from mtbench.metrics import METRICS, Cell, CountedRow, Metric, RecognitionMetric

#: Ways to average over clips; the first is the default.
MEANS = ("corpus", "macro-clip")
#: Which rate is the headline; the first is the default.
RATES = ("headline-v1", "wer", "cer")


@dataclass(frozen=True)
class Averaging:
    """How the error rates of a run are put together.

    Attributes
    ----------
    mean : str
        One of :data:`MEANS`.
    rate : str
        One of :data:`RATES`.

    Raises
    ------
    UsageError
        For another one.

    Examples
    --------
    >>> Averaging().settings(), Averaging("macro-clip", "wer").settings()
    ({}, {'mean': 'macro-clip', 'rate': 'wer'})
    """

    mean: str = MEANS[0]
    rate: str = RATES[0]

    def __post_init__(self) -> None:
        for what, value, known in (("mean", self.mean, MEANS), ("headline rate", self.rate, RATES)):
            if value not in known:
                raise UsageError(f"unknown {what} {value!r}; known: {', '.join(known)}")

    @classmethod
    def of(cls, recognition: Mapping[str, object]) -> Averaging:
        """Return what the settings of recognition in a run (:class:`mtbench.results.summary.SignatureContext`) tell."""
        return cls(str(recognition.get("mean") or MEANS[0]), str(recognition.get("rate") or RATES[0]))

    def settings(self) -> dict[str, str]:
        """Return what differs from the default, by the keys of signatures."""
        told = {"mean": (self.mean, MEANS[0]), "rate": (self.rate, RATES[0])}
        return {key: value for key, (value, default) in told.items() if value != default}

    def averages(self, metric: Metric) -> bool:
        """Whether *metric* is a mean over clips here, though it is pooled by default."""
        return self.mean != MEANS[0] and isinstance(metric, RecognitionMetric)

    def within(self, metric: Metric) -> str:
        """Return how *metric* is put together within a language."""
        return self.mean if self.averages(metric) else metric.aggregation

    def overall(self, metric: Metric) -> str:
        """Return how *metric* is put together over all languages."""
        return self.mean if self.averages(metric) else metric.overall

    def measure(self, metric: RecognitionMetric, row: CountedRow, static: CountedRow | None) -> Cell:
        """Return numerator and denominator of one clip under one condition, or why there are none.

        The clip's own ratio over 1, where clips are averaged: sums of these over clips and noises are means. An empty
        reference counts as one unit, see :attr:`mtbench.metrics.edit_counts.EditCounts.rate`.
        """
        if metric.name == "headline" and self.rate != RATES[0]:
            counted = METRICS[self.rate]
            assert isinstance(counted, RecognitionMetric)
            metric = counted
        cell = metric.measure(row, static)
        if isinstance(cell, str) or not self.averages(metric):
            return cell
        return cell[0] / max(cell[1], 1.0), 1.0
