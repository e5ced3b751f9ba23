"""The sections about pairs of entries: figures, tables and words around :mod:`mtbench.leaderboard.report.pairs`."""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.leaderboard.report.document import Block, Code, Drawing, Fold, Name, Paragraph
from mtbench.leaderboard.report.figures import draw_differences, draw_sensitivity
from mtbench.leaderboard.report.numbers import title_of
from mtbench.leaderboard.report.pairs import (
    Pair,
    leaves_out,
    list_compared,
    main_difference,
    name_compared,
    tabulate_differences,
    tabulate_sensitivity,
    typical_spread,
)
from mtbench.leaderboard.report.sources import Group
from mtbench.metrics import METRICS
from mtbench.results import name_own_choices

#: How notes on what entries chose for themselves begin; they are said of all entries at once.
CHOICES = ("frame rates differ", "models that posed the faces differ")


def compare_numbers(group: Group, language: str, pairs: Sequence[Pair]) -> list[Block]:
    """Return figure and table of the main number's differences, the other numbers' folded, and notes."""
    sheets = [
        (name_compared(number, condition), sheet)
        for number, condition in list_compared(group)
        if (sheet := tabulate_differences(group, language, pairs, number, condition)) is not None
    ]
    if not sheets:
        return []
    what = name_compared(*list_compared(group)[0])
    where = "over all languages" if language == "all" else f"in {title_of(language)}"
    figure = Drawing(
        "differences",
        f"Paired differences by {what} {where}, with intervals; the table below has the numbers.",
        (f"Paired differences by {what} {where}, with 95 % intervals. Filled: told apart.",),
        lambda figure: draw_differences(figure, group, language, pairs),
    )
    blocks: list[Block] = [*([figure] if sheets[0][0] == what else []), sheets[0][1]]
    blocks += [Fold((f"By {name}",), (sheet,)) for name, sheet in sheets[1:]]
    notes = dict.fromkeys(
        note for pair in pairs for note in pair.comparison.notes if not note.startswith(("WARNING", *CHOICES))
    )
    if leaves_out(group):
        blocks.append(
            Paragraph(
                (
                    "The first entry is compared with all others; for other pairs: ",
                    Code("mtbench compare"),
                    ".",
                ),
                "quiet",
            )
        )
    chosen = name_own_choices(group.runs)
    blocks += [Paragraph((Name(note), "."), "quiet") for note in (*notes, *chosen)]
    return blocks


def compare_all(group: Group, language: str, pairs: Sequence[Pair]) -> list[Block]:
    """Return what :func:`compare_numbers` does, or why there is nothing to compare."""
    if not pairs:
        return [
            Paragraph(
                (
                    "One result only: give those of control entries and of the reference model, too, and they are "
                    "compared here clip by clip. ",
                    Code("mtbench controls make"),
                    " and ",
                    Code("mtbench reference predict --benchmark"),
                    " make their submissions.",
                )
            )
        ]
    found = compare_numbers(group, language, pairs)
    if not found:
        return [Paragraph(("n/a: the entries have no number in common here.",))]
    return found


def tell_sensitivity(group: Group, language: str, pairs: Sequence[Pair]) -> list[Block]:
    """Return figure and table of what differences mean in clips, or why there are none."""
    sheet = tabulate_sensitivity(group, language, pairs)
    spread = typical_spread(group, language, pairs)
    if sheet is None:
        return [Paragraph(("n/a: a difference needs two results that have a number in common here.",))]
    if spread is None:
        why = "Nobody knows the spread from clip to clip here: it takes two clips, and differences."
        return [Paragraph((why,)), sheet]
    number, _ = list_compared(group)[0]
    found = [d for pair in pairs if (d := main_difference(group, pair, language)) is not None]
    clips = max(d.n_clips for d in found)
    unit = "points" if number == "headline" else METRICS[number].unit
    figure = Drawing(
        "sensitivity",
        f"The smallest difference that a number of clips tells, from 2 to 1,000; {clips} clips are marked.",
        (
            "The smallest difference that clips tell in four cases of five, by the typical spread of these pairs.",
        ),
        lambda figure: draw_sensitivity(figure, spread, clips, unit),
    )
    return [figure, sheet]
