"""The document over all languages: one page that leads to each of them."""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.leaderboard.report.document import (
    Block,
    Cell,
    Document,
    Drawing,
    Fold,
    Link,
    Section,
    Sheet,
    Text,
)
from mtbench.leaderboard.report.figures import (
    MOST_WHISKERS,
    draw_languages,
    draw_levels,
    draw_noises,
)
from mtbench.leaderboard.report.language_page import (
    describe_group,
    summarize,
)
from mtbench.leaderboard.report.metric_report import MetricReport
from mtbench.leaderboard.report.numbers import (
    NUMBER_FIELDS,
    explain_absence,
    find_cell,
    list_signatures,
    name_condition,
    name_rate,
    record_of,
    show_number,
    tell_noises,
    title_of,
    trace_noise_levels,
)
from mtbench.leaderboard.report.pair_sections import compare_numbers, tell_sensitivity
from mtbench.leaderboard.report.pairs import (
    Pair,
)
from mtbench.leaderboard.report.sources import Group
from mtbench.leaderboard.report.trust import Trust, assess_trust
from mtbench.metrics import METRICS


def describe_overview(
    group: Group,
    languages: Sequence[str],
    pairs: Sequence[Pair],
    metric: MetricReport | None,
    places: tuple[tuple[str, str], ...] = (),
) -> Document:
    """Return the document over all languages.

    Parameters as for :func:`mtbench.leaderboard.report.language_page.describe_language`.

    *languages* are those that have pages.
    """
    sections = [
        Section("summary", "Summary", tuple(summarize(group, "all"))),
        Section("languages", "Languages", tuple(_list_languages(group, languages))),
        Section(
            "trust", "How far this can be trusted", tuple(assess_trust(Trust(group, "all", pairs, metric)))
        ),
        Section("comparison", "Entries against each other", tuple(_compare(group, pairs))),
        Section("levels", "Noise levels", tuple(_show_noise(group))),
        Section("signatures", "Signatures", (Fold(("All signatures",), (list_signatures(group),)),)),
    ]
    return Document(
        "index", ("All languages",), describe_group(group), tuple(s for s in sections if s.blocks), places
    )


def _list_languages(group: Group, languages: Sequence[str]) -> list[Block]:
    metric, condition = group.ordered_by
    titles = sorted(((code, title_of(code)) for code in group.languages), key=lambda pair: pair[1])
    rows, records, every = [], [], []
    for code, title in titles:
        head: Text = (Link(title, f"{code}.html"),) if code in languages else (title,)
        numbers = [find_cell(entry, metric, condition, code) for entry in group.entries]
        alone = (
            None if condition.sound is None else find_cell(group.entries[0], metric, condition.sound, code)
        )
        first = [] if condition.sound is None else [show_number(alone)]
        rows.append((Cell(head, number=False), *first, *(show_number(number) for number in numbers)))
        every += numbers
        records += [record_of(e, n) for e, n in zip(group.entries, numbers, strict=True) if n is not None]
    what = name_condition(condition) if metric == "headline" else METRICS[metric].title
    unit = METRICS[metric].unit
    sheet = Sheet(
        "languages",
        (f"{what}: {name_rate(group, 'all')}, {unit}, and 95 % intervals",)
        if metric == "headline"
        else (f"{what}, {unit}, and 95 % intervals",),
        (
            ("language",),
            *([] if condition.sound is None else [("sound alone",)]),
            *(entry.title for entry in group.entries),
        ),
        tuple(rows),
        NUMBER_FIELDS,
        tuple(records),
        tuple(explain_absence(every)),
    )
    figure = Drawing(
        "languages",
        f"{what} in every language, a mark for each entry; numbers in the table below.",
        (
            f"{what} in every language"
            + (", with 95 % intervals." if len(group.entries) <= MOST_WHISKERS else "."),
        ),
        lambda figure: draw_languages(figure, group, titles),
    )
    return [figure, sheet]


def _compare(group: Group, pairs: Sequence[Pair]) -> list[Block]:
    blocks = compare_numbers(group, "all", pairs)
    return [*blocks, *tell_sensitivity(group, "all", pairs)] if blocks else []


def _show_noise(group: Group) -> list[Block]:
    levels, noises = trace_noise_levels(group, "all"), tell_noises(group, "all")
    if levels is None:
        return []
    names = sorted({row.noise for run in group.runs for row in run.summary if row.noise} - {"all"})
    blocks: list[Block] = [
        Drawing(
            "levels",
            "Error rate over the signal-to-noise ratio, a line for each entry; numbers in the table below.",
            ("Error rate over the signal-to-noise ratio, mean over languages, with 95 % intervals.",),
            lambda figure: draw_levels(figure, group, "all"),
        ),
        levels,
    ]
    if noises is not None:
        blocks += [
            Drawing(
                "noises",
                "Error rate in each noise, a panel for each level; numbers in the table below.",
                ("Error rate in each noise, mean over languages, with 95 % intervals.",),
                lambda figure: draw_noises(figure, group, "all", names),
            ),
            noises,
        ]
    return blocks
