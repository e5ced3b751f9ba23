"""The columns of numbers that tables have, and what stands in them.

Conventions
-----------
Which geometric metrics are shown follows from the metrics themselves; a run's profile may show more of them
(:data:`SHOWN`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mtbench.metrics import METRICS, TableColumn
from mtbench.results.summary import SummaryRow

if TYPE_CHECKING:
    from mtbench.results.run_files import Run

#: Key of a run's settings: names of geometric metrics that tables show besides those that all tables show.
SHOWN = "shown"


@dataclass(frozen=True)
class Column:
    """A column of numbers: what it shows and how.

    Attributes
    ----------
    header : str
    metric, modality, snr_db
        As in :class:`mtbench.results.summary.SummaryRow`.
    digits : int
        After the point.
    scale : float
        From the metric's unit to the column's.
    sign : bool
        Whether a plus is written.
    """

    header: str
    metric: str
    modality: str | None = None
    snr_db: float | None = None
    digits: int = 1
    scale: float = 1.0
    sign: bool = False

    def cell(self, run: Run, language: str = "all") -> str:
        """Return the column's number of *run* in *language* as text."""
        row = number_of(run, self.metric, self.modality, self.snr_db, language)
        if row is None or row.estimate is None:
            return "n/a"
        text = f"{self.scale * row.estimate:{'+' if self.sign else ''}.{self.digits}f}"
        if row.ci95 is not None:
            text += f" ±{self.scale * (row.ci95[1] - row.ci95[0]) / 2:.{self.digits}f}"
        few = row.n_clips < row.n_expected
        return text + (f" [{row.n_clips}/{row.n_expected}]" if few else "")


#: The metric that only some recognizers have, and what tables say of it.
BITS = "readability_bits"
BITS_NOTE = (
    "bits: by how many bits a phone (token) the face makes what was said more probable to the recognizer than a face "
    "that does not move, in the same sound; higher is better, below 0 the face misleads."
)


def choose_columns(runs: Sequence[Run]) -> tuple[Column, ...]:
    """Return the columns of numbers that tables over *runs* have."""
    columns = []
    tells = any(row.metric == BITS and row.estimate is not None for run in runs for row in run.summary)
    for snr in list_snrs(runs):
        columns += [
            Column(f"AV {snr:g} dB", "headline", "av", snr),
            Column(f"A {snr:g} dB", "headline", "a", snr),
            Column(f"gain {snr:g} dB", "avlr_gain", "av", snr, sign=True),
        ]
        if tells:
            columns.append(Column(f"bits {snr:g} dB", BITS, "av", snr, digits=2, sign=True))
    columns += [
        Column("AV clean", "headline", "av"),
        Column("A clean", "headline", "a"),
        Column("V only", "headline", "v"),
    ]
    if all(run.recognizer is None for run in runs):
        columns = []
    present = {row.metric for run in runs for row in run.summary}
    shown = {name for run in runs for name in run.settings.get(SHOWN, ())}
    for metric in METRICS.every_geometric():
        place = metric.column
        if place is None and metric.name in shown:
            # Square metres of a face are small.
            unit, digits, scale = ("1e-5 m²", 2, 1e5) if metric.unit == "m2" else (metric.unit, 2, 1.0)
            place = TableColumn(f"{metric.label} {unit}", digits, scale)
        if place is not None and (metric.required or metric.name in present):
            columns.append(Column(metric=metric.name, **asdict(place)))
    return tuple(columns)


def list_snrs(runs: Sequence[Run]) -> tuple[float, ...]:
    """Return the SNRs of the runs' audio-visual numbers, least noise first."""
    found = {snr for run in runs for snr in run.numbers.snrs}
    return tuple(sorted(found, reverse=True))


def number_of(
    run: Run, metric: str, modality: str | None, snr: float | None, language: str = "all"
) -> SummaryRow | None:
    """Return the number of *run* that a column shows, all noises together; None where it has none."""
    noise = None if snr is None else "all"
    return run.numbers.find(metric, language, modality=modality, snr_db=snr, noise=noise)
