"""Sections that set entries against each other: paired differences, and what a difference of their size means in clips.

Conventions
-----------
Every system is compared with every other entry of the group; where there are controls and reference models alone, the
first entry is, and so it is where there are more pairs than :data:`MOST_PAIRS`. A difference is *the entry minus the
other*, as ``mtbench compare OTHER ENTRY`` prints it, with its interval, effect and p-value. What a clip's share in a
difference spreads by says how small a difference given clips can tell (:func:`mtbench.statistics.least_difference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.conditions import Condition
from mtbench.leaderboard.report.clips import rate_clips
from mtbench.leaderboard.report.document import Cell, Name, Sheet, Text, say
from mtbench.leaderboard.report.numbers import format_value, name_condition, name_unit
from mtbench.leaderboard.report.sources import Entry, Group
from mtbench.metrics import METRICS
from mtbench.results import Comparison, Difference, compare_results
from mtbench.statistics import count_items, least_difference

#: Most pairs: more than a reader looks through.
MOST_PAIRS = 30
#: Metrics that are compared: the headline, and what does not end at 100 %, and distance to the ground truth.
COMPARED = ("headline", "readability_bits", "lve_mm")


@dataclass(frozen=True)
class Pair:
    """Two entries of a group and all their differences."""

    entry: Entry
    other: Entry
    comparison: Comparison

    def find(
        self, metric: str, condition: Condition, language: str, aggregation: str | None
    ) -> Difference | None:
        """Return the difference under a condition; by *aggregation* where there are several."""
        found = self.comparison.find(metric, language, modality=condition.modality, snr_db=condition.snr_db)
        chosen = [d for d in found if aggregation is None or d.aggregation == aggregation]
        return next(iter(chosen or found), None)


def pair_entries(group: Group) -> list[tuple[Entry, Entry]]:
    """Return which entries are compared with which; of more than :data:`MOST_PAIRS`, those with the first entry."""
    entries = group.entries
    subjects = [entry for entry in entries if entry.role == "system"] or list(entries[:1])
    pairs = [
        (entry, other)
        for place, entry in enumerate(subjects)
        for other in entries
        if other is not entry and other not in subjects[:place]
    ]
    return pairs if len(pairs) <= MOST_PAIRS else [(entries[0], other) for other in entries[1:]]


def leaves_out(group: Group) -> bool:
    """Whether systems are left uncompared, since there are too many pairs."""
    systems = sum(entry.role == "system" for entry in group.entries)
    return len(pair_entries(group)) < systems * (systems - 1) / 2


def compare_entries(group: Group) -> list[Pair]:
    """Return all comparisons of a group.

    Raises
    ------
    UsageError
        Where two results disagree about clips.
    """
    return [
        Pair(entry, other, compare_results((other.run, other.rows), (entry.run, entry.rows), COMPARED))
        for entry, other in pair_entries(group)
    ]


def list_compared(group: Group) -> list[tuple[str, Condition]]:
    """Return metrics and conditions that are compared, the most important first."""
    main = group.main
    out: list[tuple[str, Condition]] = []
    if main is not None:
        out.append(("headline", main))
        out += [("headline", Condition("v"))] if main.modality != "v" else []
        out += [("readability_bits", main)] if main.is_noisy else []
    return [*out, ("lve_mm", Condition())]


def overall_of(group: Group, metric: str) -> str:
    """Return how a metric is put together over all languages."""
    return group.first.averaging.overall(METRICS[metric])


def name_compared(metric: str, condition: Condition) -> str:
    """Return what is compared, as tables head it."""
    if metric == "headline":
        return name_condition(condition)
    if condition.modality is None:
        return str(getattr(METRICS[metric], "label", "")) or metric
    return f"bits {condition.snr_db:g} dB"


def tabulate_differences(
    group: Group, language: str, pairs: Sequence[Pair], metric: str, condition: Condition
) -> Sheet | None:
    """Return the table of paired differences in a language, those over all languages beside them."""
    rows, records = [], []
    overall = overall_of(group, metric)
    beside = language != "all" and len(group.languages) > 1
    for pair in pairs:
        found = pair.find(metric, condition, language, overall if language == "all" else None)
        if found is None:
            continue
        every = pair.find(metric, condition, "all", overall) if beside else None
        rows.append(_difference_row(pair, found, every, beside))
        records.append(_difference_record(pair, found))
    if not rows:
        return None
    unit = "points" if METRICS[metric].unit == "%" else METRICS[metric].unit
    head: list[Text] = [("entry − other",), ("difference",), ("effect",), ("p",), ("better",), ("clips",)]
    if beside:
        head += [("all languages",), ("better",)]
    main = (metric, condition) == list_compared(group)[0]
    return Sheet(
        "differences"
        if main
        else f"differences-{metric.replace('_', '-')}-{condition.name.partition('/')[0]}",
        say(
            f"Paired differences by {name_compared(metric, condition)}, {unit}: the entry minus the other one"
        ),
        tuple(head),
        tuple(rows),
        (
            *(
                "system",
                "other",
                "language",
                "metric",
                "modality",
                "snr_db",
                "noise",
                "aggregation",
                "estimate",
            ),
            *("other_estimate", "difference", "ci95_low", "ci95_high", "effect", "effect_low", "effect_high"),
            *("p", "p_holm", "better", "n_clips", "unit"),
        ),
        tuple(records),
        _difference_notes(language) if main else (),
    )


def _difference_notes(language: str) -> tuple[Text, ...]:
    holm = "" if language == "all" else ", in a language corrected by Holm's method over the languages"
    return (
        (
            "Intervals: 95 %, the same draws for both. Effect: the difference over its spread from clip to clip. p: "
            f"paired randomization{holm}. Better: at 5 %; a dash where the two are not told apart.",
        ),
    )


def _difference_row(
    pair: Pair, found: Difference, every: Difference | None, beside: bool
) -> tuple[Cell, ...]:
    effect = "n/a" if found.effect is None else f"{found.effect:+.2f}"
    ends = "" if found.effect_ci95 is None else "[{:+.2f}, {:+.2f}]".format(*found.effect_ci95)
    cells = [
        Cell((*pair.entry.title, " − ", *pair.other.title), number=False),
        _show_difference(found),
        Cell((effect,), ends),
        Cell((f"{found.p_holm:.4f}",)),
        Cell(_name_better(pair, found), number=False),
        Cell((f"{found.n_clips}",)),
    ]
    if beside:
        shown = Cell(("n/a",)) if every is None else _show_difference(every, f"p {every.p:.4f}")
        cells += [shown, Cell(("–",) if every is None else _name_better(pair, every), number=False)]
    return tuple(cells)


def _show_difference(found: Difference, remark: str = "") -> Cell:
    if not remark and found.ci95 is not None:
        low, high = (format_value(end, found.unit, sign=True) for end in found.ci95)
        remark = f"[{low}, {high}]"
    return Cell((format_value(found.difference, found.unit, sign=True),), remark)


def _name_better(pair: Pair, found: Difference) -> Text:
    if found.better is None:
        return ("–",)
    return (Name((pair.entry if found.better == "b" else pair.other).name),)


def _difference_record(pair: Pair, d: Difference) -> tuple[object, ...]:
    low, high = d.ci95 or (None, None)
    effect_low, effect_high = d.effect_ci95 or (None, None)
    better = None if d.better is None else (pair.entry if d.better == "b" else pair.other).name
    return (
        *(
            pair.entry.name,
            pair.other.name,
            d.language,
            d.metric,
            d.modality,
            d.snr_db,
            d.noise,
            d.aggregation,
        ),
        *(d.b, d.a, d.difference, low, high, d.effect, effect_low, effect_high, d.p, d.p_holm, better),
        *(d.n_clips, d.unit),
    )


def main_difference(group: Group, pair: Pair, language: str) -> Difference | None:
    """Return the difference that sensitivity is about: of the headline in the least noise, or of LVE."""
    metric, condition = list_compared(group)[0]
    aggregation = overall_of(group, metric) if language == "all" else None
    return pair.find(metric, condition, language, aggregation)


def tabulate_sensitivity(group: Group, language: str, pairs: Sequence[Pair]) -> Sheet | None:
    """Return what differences mean in clips; None without a pair that has a spread."""
    metric, condition = list_compared(group)[0]
    rows, records = [], []
    for pair in pairs:
        found = main_difference(group, pair, language)
        if found is None:
            continue
        needed = None if found.effect is None else count_items(found.effect)
        ends = _needed_interval(found)
        least = None if found.spread is None else least_difference(found.spread, found.n_clips)
        told = _count_clips(group, pair, language, condition) if metric == "headline" else None
        rows.append(
            (
                Cell((*pair.entry.title, " − ", *pair.other.title), number=False),
                Cell((format_value(found.difference, found.unit, sign=True),)),
                Cell(("none" if needed is None else f"{needed:,}",), ends),
                Cell((f"{found.n_clips}",)),
                Cell(("n/a" if least is None else format_value(least, found.unit),)),
                *([] if told is None else [Cell((f"{told[0]} / {told[1]} / {told[2]}",))]),
            )
        )
        records.append(
            (
                *(pair.entry.name, pair.other.name, language, metric, found.difference, found.unit),
                *(found.effect, needed, found.n_clips, least, *(told or (None, None, None))),
            )
        )
    if not rows:
        return None
    unit = "points" if metric == "headline" else name_unit(METRICS[metric].unit)
    what = name_condition(condition) if metric == "headline" else "LVE"
    header: list[Text] = [
        ("entry and other",),
        (f"difference, {unit}",),
        ("clips that tell it",),
        ("clips here",),
    ]
    header.append((f"least that these tell, {unit}",))
    if metric == "headline":
        header.append(("clips better / equal / worse",))
    return Sheet(
        "sensitivity",
        (f"{what}: how many clips tell a difference of this size, and how small a one these clips tell",),
        tuple(header),
        tuple(rows),
        (
            *(
                "system",
                "other",
                "language",
                "metric",
                "difference",
                "unit",
                "effect",
                "clips_needed",
                "clips",
            ),
            *("least_difference", "clips_better", "clips_equal", "clips_worse"),
        ),
        tuple(records),
        (
            (
                "In four cases of five, by a two-sided paired test at 5 %, if the spread from clip to clip stays what "
                "it is here; rough below ten clips.",
            ),
        ),
    )


def _needed_interval(found: Difference) -> str:
    if found.effect_ci95 is None:
        return ""
    low, high = found.effect_ci95
    ends = sorted((abs(low), abs(high)), reverse=True)
    fewest = count_items(ends[0])
    most = None if low <= 0 <= high else count_items(ends[1])
    return f"[{fewest:,}, {'no bound' if most is None else f'{most:,}'}]" if fewest else ""


def _count_clips(group: Group, pair: Pair, language: str, condition: Condition) -> tuple[int, int, int]:
    """Return on how many clips the entry is better, equal and worse."""
    languages = group.languages if language == "all" else (language,)
    mine, theirs = (
        {one.clip: one.rate for code in languages for one in rate_clips(group, entry, code, condition)}
        for entry in (pair.entry, pair.other)
    )
    gaps = np.array([mine[clip] - theirs[clip] for clip in sorted(mine.keys() & theirs.keys())])
    return int((gaps < 0).sum()), int((gaps == 0).sum()), int((gaps > 0).sum())


def typical_spread(group: Group, language: str, pairs: Sequence[Pair]) -> float | None:
    """Return the median spread of a clip's share over pairs, in the unit of the first compared number."""
    found = [main_difference(group, pair, language) for pair in pairs]
    spreads = [d.spread for d in found if d is not None and d.spread is not None]
    return float(np.median(spreads)) if spreads else None


def say_sensitivity(group: Group, language: str, spread: float, clips: int) -> Text:
    """Return in words what clips tell."""
    metric, _ = list_compared(group)[0]
    unit = "points" if metric == "headline" else name_unit(METRICS[metric].unit)
    told = least_difference(spread, clips)
    shown = format_value(told, "%" if metric == "headline" else "mm")
    more = 20 * clips
    finer = format_value(least_difference(spread, more), "%" if metric == "headline" else "mm")
    return (
        f"With the spread from clip to clip that differences typically have here, {clips} "
        f"clip{'s' if clips != 1 else ''} tell{'s' if clips == 1 else ''} {shown} {unit} in four cases of five; "
        f"{more:,} would tell {finer}.",
    )
