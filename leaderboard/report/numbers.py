"""Sections of numbers that stand in ``run.json``: the summary, the curve over noise levels, each noise by itself.

Conventions
-----------
Nothing here computes: every estimate and interval is the run's own. What was not measured is ``n/a``, and why is said
below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mtbench.conditions import Condition
from mtbench.leaderboard.report.document import Cell, Code, Name, Piece, Sheet, Text
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.metrics import METRICS, describe_direction
from mtbench.results import Column, SummaryRow, choose_columns, find_number
from mtbench.speech import display_name, headline_rate, iso_name

#: Fields of a number in CSV files.
NUMBER_FIELDS = (
    *("system", "role", "language", "metric", "modality", "snr_db", "noise", "aggregation", "estimate"),
    *("ci95_low", "ci95_high", "n_clips", "n_expected", "unit", "reason", "signature"),
)
_DIGITS = {"%": 1, "points": 1, "bits": 2, "mm": 2, "ms": 1, "r": 3, "fraction": 3}
_SIGNED = ("points", "bits")


def title_of(language: str) -> str:
    """Return the name of a language, also of one beyond the twenty."""
    known = display_name(language)
    return known if known != language else iso_name(language) or language


def rate_of(group: Group, language: str) -> str:
    """Return which rate is the headline in *language*: ``"wer"`` or ``"cer"``."""
    rate = group.first.averaging.rate
    return rate if rate in ("wer", "cer") else headline_rate(language)


def name_rate(group: Group, language: str) -> str:
    """Return the headline rate in words."""
    if language == "all" and group.first.averaging.rate not in ("wer", "cer"):
        return "error rate (characters in Japanese, Mandarin and Thai, words elsewhere)"
    return "character error rate" if rate_of(group, language) == "cer" else "word error rate"


def name_units(group: Group, language: str) -> str:
    """Return what the headline counts: ``"words"`` or ``"characters"``."""
    return "characters" if rate_of(group, language) == "cer" else "words"


def name_condition(condition: Condition) -> str:
    """Return a condition as tables head it: ``AV -7.5 dB``, ``A clean``, ``V only``."""
    if condition.modality is None:
        return "geometry"
    if condition.modality == "v":
        return "V only"
    noise = "" if condition.noise in (None, "all") else f", {condition.noise}"
    level = "clean" if condition.snr_db is None else f"{condition.snr_db:g} dB"
    return f"{condition.modality.upper()} {level}{noise}"


def format_value(value: float, unit: str, *, sign: bool | None = None) -> str:
    """Return *value* as text with the digits that its unit has."""
    plus = "+" if (unit in _SIGNED if sign is None else sign) else ""
    if unit == "m2":
        return f"{1e6 * value:{plus}.2f}"
    return f"{value:{plus}.{_DIGITS.get(unit, 2)}f}"


def name_unit(unit: str) -> str:
    """Return a unit as people write it; square metres come in millionths."""
    return {"m2": "mm²", "fraction": "0 … 1"}.get(unit, unit)


def show_number(row: SummaryRow | None) -> Cell:
    """Return a number with its interval; ``n/a`` where there is none, and clips where some are missing."""
    if row is None or row.estimate is None:
        return Cell(("n/a",))
    small = ""
    if row.ci95 is not None:
        low, high = (format_value(end, row.unit) for end in row.ci95)
        small = f"[{low}, {high}]"
    if row.n_clips < row.n_expected:
        small += f" {row.n_clips}/{row.n_expected} clips"
    return Cell((format_value(row.estimate, row.unit),), small.strip())


def find_cell(entry: Entry, metric: str, condition: Condition, language: str) -> SummaryRow | None:
    """Return an entry's number under a condition."""
    return find_number(
        entry.run.summary,
        metric,
        language,
        modality=condition.modality,
        snr_db=condition.snr_db,
        noise=condition.noise,
    )


def record_of(entry: Entry, row: SummaryRow) -> tuple[object, ...]:
    """Return the line of a CSV file about a number."""
    low, high = row.ci95 or (None, None)
    return (
        *(entry.name, entry.role, row.language, row.metric, row.modality, row.snr_db, row.noise),
        *(row.aggregation, row.estimate, low, high, row.n_clips, row.n_expected, row.unit, row.reason),
        row.signature,
    )


def summarize_entries(group: Group, language: str) -> Sheet:
    """Return the table of a language's numbers: a line each, a column for each entry."""
    columns = [*choose_columns(group.runs), *_optional_columns(group)]
    conditions = [_condition_of(column) for column in columns]
    found = [
        [find_cell(entry, column.metric, condition, language) for entry in group.entries]
        for column, condition in zip(columns, conditions, strict=True)
    ]
    kept = [i for i, numbers in enumerate(found) if any(number is not None for number in numbers)]
    rows = []
    for i in kept:
        metric = METRICS[columns[i].metric]
        rows.append(
            (
                Cell((_head(columns[i]),), f"{name_unit(metric.unit)}, {describe_direction(metric)}", False),
                *(show_number(number) for number in found[i]),
            )
        )
    records = [
        record_of(entry, number)
        for entry, *numbers in zip(group.entries, *(found[i] for i in kept))
        for number in numbers
        if number is not None
    ]
    header: tuple[Text, ...] = (
        ("number",),
        *(entry.title for entry in group.entries),
    )
    caption = (
        "Estimates and, smaller, their 95 % intervals; below each number its unit, and which values are better",
    )
    return Sheet(
        "summary",
        caption,
        header,
        tuple(rows),
        NUMBER_FIELDS,
        tuple(records),
        (*explain_columns(group, language), *explain_absence(number for i in kept for number in found[i])),
    )


def explain_columns(group: Group, language: str) -> list[Text]:
    """Return what the heads of a summary mean."""
    if not group.heard:
        return []
    return [
        (
            f"AV: sound in noise and the entry's face; A: the same sound alone; V: the face alone; all three are the "
            f"{name_rate(group, language)}. Gain: points of it against a face that does not move, in the same sound. "
            "Definitions: docs/metrics.md.",
        )
    ]


def explain_absence(numbers: Iterable[SummaryRow | None]) -> list[Text]:
    """Return why numbers are ``n/a``, or are over fewer clips, a line for each reason."""
    reasons: dict[str, dict[str, None]] = {}
    for row in numbers:
        if row is not None and row.reason:
            what = name_condition(Condition(row.modality, row.snr_db, row.noise))
            head = METRICS[row.metric].name if row.modality is None else what
            reasons.setdefault(row.reason, {})[head] = None
    return [(f"{', '.join(heads)}: ", Name(reason)) for reason, heads in reasons.items()]


def trace_noise_levels(group: Group, language: str) -> Sheet | None:
    """Return the headline rate over noise levels, sound alone beside it; None where nothing was recognized."""
    levels: list[tuple[str, float | None]] = [(f"{snr:g} dB", snr) for snr in reversed(group.snrs)]
    conditions = [
        (name, Condition("av", snr, None if snr is None else "all"))
        for name, snr in [*levels, ("clean", None)]
    ]
    return _tabulate_rates(group, language, "snr", conditions, "noise level")


def tell_noises(group: Group, language: str) -> Sheet | None:
    """Return the headline rate in each noise by itself; None where there is none."""
    noises = sorted(
        {row.noise for run in group.runs for row in run.summary if row.noise is not None} - {"all"}
    )
    conditions = [
        (f"{snr:g} dB, {noise}", Condition("av", snr, noise)) for snr in group.snrs for noise in noises
    ]
    return _tabulate_rates(group, language, "noises", conditions, "noise")


def _tabulate_rates(
    group: Group, language: str, name: str, conditions: Sequence[tuple[str, Condition]], head: str
) -> Sheet | None:
    rows, records, every = [], [], []
    for title, condition in conditions:
        alone = find_cell(group.entries[0], "headline", condition.sound or condition, language)
        numbers = [find_cell(entry, "headline", condition, language) for entry in group.entries]
        if alone is None and not any(numbers):
            continue
        rows.append(
            (Cell(_name_noise(title), number=False), show_number(alone), *(show_number(n) for n in numbers))
        )
        every += [alone, *numbers]
        records += [record_of(e, n) for e, n in zip(group.entries, numbers, strict=True) if n is not None]
        if alone is not None:
            # Sound alone is the same for every entry.
            records.append(("sound alone", "", *record_of(group.entries[0], alone)[2:]))
    if not rows:
        return None
    caption = (f"{name_rate(group, language).capitalize()}, %, and 95 % intervals; lower is better",)
    header: tuple[Text, ...] = ((head,), ("sound alone",), *(entry.title for entry in group.entries))
    return Sheet(
        name, caption, header, tuple(rows), NUMBER_FIELDS, tuple(records), tuple(explain_absence(every))
    )


def _name_noise(title: str) -> Text:
    level, comma, noise = title.partition(", ")
    pieces: tuple[Piece, ...] = (level + comma, Name(noise)) if comma else (level,)
    return pieces


def _condition_of(column: Column) -> Condition:
    return Condition(column.modality, column.snr_db, None if column.snr_db is None else "all")


def _head(column: Column) -> str:
    # Units have a column of their own here.
    for unit in (" mm", " 1e-5 m²", " mm²"):
        column_head = column.header.removesuffix(unit)
        if column_head != column.header:
            return column_head
    return column.header


def _optional_columns(group: Group) -> list[Column]:
    shown = {column.metric for column in choose_columns(group.runs)}
    present = {row.metric for run in group.runs for row in run.summary if row.modality is None}
    optional = [METRICS[name] for name in METRICS.optional() if name in present - shown]
    return [Column(metric.name, metric.name) for metric in optional]


def list_signatures(group: Group) -> Sheet:
    """Return the signatures behind the numbers, each with the entries that have it."""
    by_text: dict[tuple[str, str], list[Entry]] = {}
    for entry in group.entries:
        for key, text in entry.run.signatures.items():
            by_text.setdefault((key, text), []).append(entry)
    rows, records = [], []
    for (key, text), entries in sorted(by_text.items(), key=lambda item: item[0]):
        whose: Text = ("all",) if len(entries) == len(group.entries) else _name_entries(entries)
        cells = ((key.replace("|", ", "),), whose, (Code(text),))
        rows.append(tuple(Cell(cell, number=False) for cell in cells))
        records += [(entry.name, key, text) for entry in entries]
    return Sheet(
        "signatures",
        ("What every number follows from: two numbers may be compared where these agree",),
        (("numbers",), ("entries",), ("signature",)),
        tuple(rows),
        ("system", "numbers", "signature"),
        tuple(records),
    )


def _name_entries(entries: Sequence[Entry]) -> Text:
    out: list[Piece] = []
    for entry in entries:
        out += [", "] * bool(out) + [*entry.title]
    return tuple(out)
