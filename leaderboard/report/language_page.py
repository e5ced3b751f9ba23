"""The document about one language: from results to sections."""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.conditions import Condition
from mtbench.leaderboard.report.clips import rate_clips, show_extremes, tabulate_spread
from mtbench.leaderboard.report.document import (
    Block,
    Code,
    Document,
    Drawing,
    Fold,
    Name,
    Paragraph,
    Section,
    Text,
    join,
)
from mtbench.leaderboard.report.edits import decompose, tabulate_edits
from mtbench.leaderboard.report.figures import (
    draw_classes,
    draw_clips,
    draw_edits,
    draw_levels,
    draw_noises,
)
from mtbench.leaderboard.report.metric_report import MetricReport
from mtbench.leaderboard.report.numbers import (
    list_signatures,
    name_condition,
    name_rate,
    summarize_entries,
    tell_noises,
    title_of,
    trace_noise_levels,
)
from mtbench.leaderboard.report.pair_sections import compare_all, tell_sensitivity
from mtbench.leaderboard.report.pairs import (
    Pair,
)
from mtbench.leaderboard.report.phones import (
    CLASSES,
    explain_closures,
    hear_phones,
    tabulate_bilabials,
    tabulate_classes,
    tabulate_lips,
)
from mtbench.leaderboard.report.sources import ROLES, Entry, Group
from mtbench.leaderboard.report.trust import Trust, assess_trust

NOT_HEARD = (
    "No recognizer listened to these results (they were scored with --recognizer none): only geometry was "
    "measured."
)


def describe_language(
    group: Group,
    language: str,
    pairs: Sequence[Pair],
    metric: MetricReport | None,
    places: tuple[tuple[str, str], ...] = (),
) -> Document:
    """Return the document about *language*.

    Parameters
    ----------
    group : Group
    language : str
        ISO 639-3 code, one of the group's.
    pairs : sequence of Pair
        Comparisons of the group's entries.
    metric : MetricReport or None
        What validate-metric found.
    places : tuple of (str, str)
        Names and titles of the report's other pages.
    """
    sections = [
        Section("summary", "Summary", tuple(summarize(group, language))),
        Section(
            "trust",
            "How far this can be trusted",
            tuple(assess_trust(Trust(group, language, pairs, metric))),
        ),
        Section("comparison", "Entries against each other", tuple(compare_all(group, language, pairs))),
        Section(
            "sensitivity",
            "What a difference means in clips",
            tuple(tell_sensitivity(group, language, pairs)),
        ),
    ]
    if group.heard and _has_texts(group, language):
        sections += _hear(group, language)
    else:
        sections.append(Section("recognition", "Recognition", (_explain_silence(group, language),)))
    sections.append(Section("closures", "Closures", tuple(_close(group, language))))
    sections.append(
        Section("signatures", "Signatures", (Fold(("All signatures",), (list_signatures(group),)),))
    )
    return Document(
        language, (title_of(language),), describe_group(group), tuple(s for s in sections if s.blocks), places
    )


def describe_group(group: Group) -> Text:
    """Return benchmark, recognizer and entries in a line."""
    first = group.first
    recognizer: Text = ("no recognizer",)
    if first.recognizer is not None:
        recognizer = (Name(first.recognizer.name), Code(f"#{first.recognizer.digest[:8]}"))
    entries = f"{len(group.entries)} entries" if len(group.entries) > 1 else "one entry"
    return (Name(group.benchmark), ", ", *recognizer, f", {entries}")


def list_warnings(group: Group) -> list[Block]:
    """Return what a reader has to know before any number, each once."""
    found: dict[str, list[Text]] = {}
    for entry in group.entries:
        for warning in entry.run.warnings:
            found.setdefault(warning, []).append(entry.title)
    out: list[Block] = []
    for warning, whose in found.items():
        names = () if len(whose) == len(group.entries) else (*join(whose), ": ")
        out.append(Paragraph((*names, Name(warning), "."), "warning"))
    return out


def _introduce(entry: Entry) -> Text:
    """Return an entry's name, and what figures call it where they cannot show it."""
    if entry.label == " ".join(entry.name.split()):
        return entry.title
    return (*entry.title, " (", Name(entry.label), " in figures)")


def summarize(group: Group, language: str) -> list[Block]:
    """Return what stands first: warnings, who is who, the table of numbers."""
    entries = Paragraph((*list_entries(group), "."), "quiet")
    return [*list_warnings(group), entries, summarize_entries(group, language)]


def list_entries(group: Group) -> Text:
    """Return the entries by role."""
    out: list[Text] = []
    for role, title in ROLES.items():
        names = [_introduce(entry) for entry in group.entries if entry.role == role]
        if names:
            out.append((f"{title}{'s' if len(names) > 1 else ''}: ", *join(names)))
    told = join(out, "; ")
    return (str(told[0]).capitalize(), *told[1:])


def _has_texts(group: Group, language: str) -> bool:
    main = group.main
    return main is not None and any(
        row.hypothesis is not None for entry in group.entries for row in entry.heard(language, main)
    )


def _explain_silence(group: Group, language: str) -> Paragraph:
    if not group.heard:
        return Paragraph((NOT_HEARD,))
    main = group.main
    rows = [] if main is None else [row for entry in group.entries for row in entry.heard(language, main)]
    reasons = sorted({row.reason for row in rows if row.reason}) or ["no result"]
    return Paragraph(
        (f"n/a: nothing was recognized in {title_of(language)} (", Name("; ".join(reasons)), ")."),
    )


def _hear(group: Group, language: str) -> list[Section]:
    main = group.main
    assert main is not None
    rates = [(entry, rate_clips(group, entry, language, main)) for entry in group.entries]
    return [
        Section("levels", "Noise levels", tuple(_show_levels(group, language))),
        Section("noises", "Each noise by itself", tuple(_show_noises(group, language))),
        Section("edits", "What the errors are", tuple(_show_edits(group, language, main))),
        Section("phones", "Visemes and sounds", tuple(_show_phones(group, language, main))),
        Section(
            "clips",
            "Clips",
            (
                Drawing(
                    "clips",
                    "Error rate of every clip, a line for each entry, with quartiles; numbers in the table below.",
                    (
                        f"Every dot is a clip ({name_condition(main)}, noises together); bar: quartiles, line: median.",
                    ),
                    lambda figure: draw_clips(figure, rates),
                ),
                tabulate_spread(group, language, main, rates),
            ),
        ),
        Section(
            "texts",
            "Best and worst clips",
            (
                Paragraph(
                    (
                        f"What was said, and below it what was recognized instead ({name_condition(main)}). "
                        "Texts are as the normalizer leaves them.",
                    ),
                    "quiet",
                ),
                *show_extremes(group, language, main, rates),
            ),
        ),
    ]


def _show_levels(group: Group, language: str) -> list[Block]:
    sheet = trace_noise_levels(group, language)
    if sheet is None:
        return []
    figure = Drawing(
        "levels",
        f"{name_rate(group, language)} over the noise level, a line for each entry; numbers in the table below.",
        (f"{name_rate(group, language).capitalize()} over the signal-to-noise ratio, with 95 % intervals.",),
        lambda figure: draw_levels(figure, group, language),
    )
    return [figure, sheet]


def _show_noises(group: Group, language: str) -> list[Block]:
    sheet = tell_noises(group, language)
    if sheet is None:
        return []
    noises = sorted({row.noise for run in group.runs for row in run.summary if row.noise} - {"all"})
    figure = Drawing(
        "noises",
        f"{name_rate(group, language)} in each noise, a panel for each level; numbers in the table below.",
        (f"{name_rate(group, language).capitalize()} in each noise, with 95 % intervals.",),
        lambda figure: draw_noises(figure, group, language, noises),
    )
    return [figure, sheet]


def _show_edits(group: Group, language: str, main: Condition) -> list[Block]:
    found = decompose(group, language)
    if not found:
        return []
    chosen = [part for part in found if part.condition in (main, main.sound)]
    others = [part for part in found if part not in chosen]
    figure = Drawing(
        "edits",
        "Words substituted, left out and added, a bar for each entry; numbers in the table below.",
        (f"Edits in % of what was said, {name_condition(main)}, all noises.",),
        lambda figure: draw_edits(figure, chosen),
    )
    blocks: list[Block] = [figure, tabulate_edits(group, language, chosen)]
    if others:
        blocks.append(Fold(("Other conditions",), (tabulate_edits(group, language, others, "edits-others"),)))
    return blocks


def _show_phones(group: Group, language: str, main: Condition) -> list[Block]:
    heard = hear_phones(group, language, main)
    if not heard:
        return [
            Paragraph(
                (
                    "n/a: these results hold no phones, either because the clips have none or because the recognizer "
                    "gives none.",
                )
            )
        ]
    blocks: list[Block] = []
    for kind, what in (("visemes", "each viseme's phones"), ("sounds", "each manner's phones")):
        shown = heard
        blocks += [
            Drawing(
                kind,
                f"Share of {what} that came back, a mark for each entry; numbers in the table below.",
                (f"Share of {what} that came back as the same class, {name_condition(main)}.",),
                lambda figure, kind=kind, shown=shown: draw_classes(figure, shown, kind),  # type: ignore[misc]
            ),
            tabulate_classes(kind, heard, language),
        ]
    if main.modality != "v" and (alone := hear_phones(group, language, Condition("v"))):
        sheets = tuple(tabulate_classes(kind, alone, language) for kind in CLASSES)
        blocks.append(Fold(("By the face alone",), sheets))
    return blocks


def _close(group: Group, language: str) -> list[Block]:
    blocks: list[Block] = []
    lips = tabulate_lips(group, language)
    if lips is not None:
        blocks.append(lips)
    missing = explain_closures(lips, group)
    if missing is not None:
        blocks.append(missing)
    reasons = {
        row.reason
        for run in group.runs
        for row in run.summary
        if (row.metric, row.language) == ("closure_recall", language) and row.estimate is None and row.reason
    }
    if lips is None and reasons:
        blocks.append(Paragraph(("Closures of the lips are n/a: ", Name("; ".join(sorted(reasons))), ".")))
    main = group.main
    heard = [] if main is None else hear_phones(group, language, main)
    if main is not None and main.modality != "v":
        heard += hear_phones(group, language, Condition("v"))
    if heard:
        blocks.append(tabulate_bilabials(heard, language))
    elif group.heard:
        blocks.append(Paragraph(("What the recognizer reads of them is n/a: there are no phones.",)))
    return blocks
