"""The columns of the board's tables: what each shows, and which number of a run stands in it.

Conventions
-----------
A column holds numbers that may be compared: those of one metric, modality, signal-to-noise ratio and noise, and of one
mesh where vertices are compared. Numbers are kept as whole units of the last digit that is shown (:class:`Cell`), so
that page, script, whiskers and copies show the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mtbench.metrics import METRICS, describe_direction
from mtbench.results import BITS, Column, Run, SummaryRow, choose_columns


@dataclass(frozen=True)
class BoardColumn:
    """A column of the board.

    Attributes
    ----------
    id : str
        In permalinks: ``"av-7.5"``, ``"gain-10"``, ``"lve_mm"``.
    label : str
        Head of the column.
    about : str
        What it shows, in a sentence.
    number : Column
        Metric, condition, digits, scale and sign.
    topology : str or None
        The mesh of its entries, where vertices are compared.
    noise : str or None
        Recording; ``"all"``, or None without noise.
    """

    id: str
    label: str
    about: str
    number: Column
    topology: str | None = None
    noise: str | None = None

    @property
    def unit(self) -> str:
        """Unit that is shown."""
        return METRICS[self.number.metric].unit.replace("m2", "m²")

    @property
    def better(self) -> str:
        """Which values are better: ``"lower"``, ``"higher"`` or ``"zero"``."""
        return describe_direction(METRICS[self.number.metric])

    def with_noise(self, noise: str) -> BoardColumn:
        """Return the same column for one recording."""
        return self if self.noise is None else replace(self, noise=noise)

    def find(self, run: Run, language: str = "all") -> SummaryRow | None:
        """Return the number of *run* that stands in the column, None where there is none."""
        if self.topology is not None and run.system.topology != self.topology:
            return None
        n = self.number
        return run.numbers.find(n.metric, language, modality=n.modality, snr_db=n.snr_db, noise=self.noise)

    def cell(self, run: Run, language: str = "all") -> Cell | None:
        """Return what *run* shows in the column, None where it has no number."""
        row = self.find(run, language)
        if row is None or row.estimate is None:
            return None
        factor = self.number.scale * 10**self.number.digits
        value = _round(row.estimate * factor)
        low, high = (0, 0) if row.ci95 is None else (_round(end * factor) for end in row.ci95)
        spread = (0, 0) if row.ci95 is None else (value - low, high - value)
        few = (row.n_clips, row.n_expected) if row.n_clips < row.n_expected else None
        return Cell(value, *spread, few, row.ci95 is not None)


@dataclass(frozen=True)
class Cell:
    """A number of the board, in units of the last digit that is shown.

    Attributes
    ----------
    value, below, above : int
        Estimate, and how far its interval reaches.
    few : (int, int) or None
        Clips that entered and clips there are, where they differ.
    has_interval : bool
    """

    value: int
    below: int
    above: int
    few: tuple[int, int] | None = None
    has_interval: bool = True


def show_number(value: int, digits: int, sign: bool = False) -> str:
    """Return *value*, units of the last digit, as people write it.

    Examples
    --------
    >>> show_number(-424, 1), show_number(3, 2, sign=True), show_number(0, 0)
    ('−42.4', '+0.03', '0')
    """
    text = f"{abs(value) / 10**digits:.{digits}f}"
    return ("−" if value < 0 else "+" if sign and value > 0 else "") + text


def choose_board_columns(runs: Sequence[Run]) -> tuple[BoardColumn, ...]:
    """Return the columns of a table over *runs*, which may be compared: the headline first.

    Sound alone has no column: it is the same for every entry.
    """
    found = [c for c in choose_columns(runs) if c.modality != "a"]
    snrs = [c.snr_db for c in found if c.metric == "headline" and c.snr_db is not None]
    first = snrs[0] if snrs else None
    topologies = sorted({run.system.topology for run in runs})
    places: dict[tuple[str, str | None], int] = {
        ("headline", "av"): 0,
        ("headline", "v"): 1,
        ("avlr_gain", "av"): 2,
        (BITS, "av"): 3,
    }

    def place(column: Column) -> tuple:
        later = column.snr_db is not None and column.snr_db != first
        clean = column.metric == "headline" and column.modality == "av" and column.snr_db is None
        return (
            later,
            -(column.snr_db or 0) if later else 0,
            0.5 if clean else places.get((column.metric, column.modality), 4),
        )

    columns: list[BoardColumn] = []
    for column in sorted(found, key=place):
        if column.modality is not None:
            columns.append(_describe(column, None))
        else:
            columns += [
                _describe(column, topology if len(topologies) > 1 else None) for topology in topologies
            ]
    return tuple(columns)


def _describe(column: Column, topology: str | None) -> BoardColumn:
    metric = METRICS[column.metric]
    noise = None if column.snr_db is None else "all"
    at = "" if column.snr_db is None else f" {column.snr_db:g} dB".replace("-", "−")
    where = "in clean sound" if column.snr_db is None else f"in noise at{at}"
    if column.modality is None:
        own = "" if topology is None else f"-{topology}"
        label = column.header + ("" if topology is None else f" · {topology}")
        about = f"{metric.title}; {describe_direction(metric)} is better"
        return BoardColumn(_make_id(metric.name + own), label, about, column, topology)
    name = {"headline": column.modality.upper(), "avlr_gain": "gain", BITS: "bits"}.get(
        metric.name, metric.name
    )
    seen = {"av": f"sound {where} with the rendered mouth", "v": "the rendered mouth alone"}[column.modality]
    label = name + (at or (" clean" if column.modality == "av" else ""))
    ident = name.lower() + ("" if column.snr_db is None else f"{column.snr_db:g}")
    about = f"{metric.title}: {seen}; {describe_direction(metric)} is better"
    return BoardColumn(_make_id(ident), label, about, column, None, noise)


def _make_id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]", "_", text)


def _round(value: float) -> int:
    """Halves go up, as in the page's script."""
    return math.floor(value + 0.5)
