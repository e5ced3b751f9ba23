"""The board's first page: a table for each set of comparable entries, controls and published numbers apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mtbench.leaderboard.site.columns import Cell, show_number
from mtbench.leaderboard.site.published import PublishedTable
from mtbench.leaderboard.site.sections import Entry, Section
from mtbench.leaderboard.site.views import kind_of, make_data
from mtbench.leaderboard.site.whiskers import draw_whisker, span_of
from mtbench.results import BITS, BITS_NOTE, Run, name_others, name_own_choices
from mtbench.speech import display_name


@dataclass(frozen=True)
class Line:
    """A row of a table: the entry, its place in the script's data, how it is tied, its cells."""

    entry: Entry
    index: int
    css: str
    cells: tuple[Markup, ...]


def make_index(section_list: Sequence[Section], published: Sequence[PublishedTable]) -> dict[str, Any]:
    """Return what the template of the first page is filled with."""
    return {
        "title": "Leaderboard",
        "page": "index",
        "tables": [_make_table(section, section_list) for section in section_list],
        "filters": _make_filters(section_list),
        "published": published,
        "data": {"sections": [make_data(section) for section in section_list]},
    }


def _make_table(section: Section, every: Sequence[Section]) -> dict[str, Any]:
    others = [e.run for other in every if other is not section for e in other.all]
    cells = [[column.cell(entry.run) for column in section.columns] for entry in section.all]
    spans = [span_of(row[j] for row in cells) for j in range(len(section.columns))]
    shades = _shade(section.entries)
    lines = [
        Line(entry, i, shades.get(i, ""), tuple(draw_cells(section, row, spans)))
        for i, (entry, row) in enumerate(zip(section.all, cells, strict=True))
    ]
    n = len(section.entries)
    return {
        "section": section,
        "lines": lines[:n],
        "controls": lines[n:],
        "facts": describe_section(section),
        "elsewhere": name_others(section.first, others),
        "alone": describe_sound(section.first),
        "warnings": _collect_warnings(section),
        "signatures": [
            (c.label, row.signature) for c in section.columns if (row := _first_row(section, c)) is not None
        ],
    }


def draw_cells(
    section: Section, row: Sequence[Cell | None], spans: Sequence[tuple[int, int]]
) -> list[Markup]:
    """Return the content of a row's cells; the page's script makes the same."""
    out = []
    for cell, column, span in zip(row, section.columns, spans, strict=True):
        if cell is None:
            out.append(Markup("–"))
            continue
        digits = column.number.digits
        text = Markup(show_number(cell.value, digits, column.number.sign))
        if cell.has_interval:
            half = (cell.below + cell.above + 1) // 2
            text += Markup(f" <i>±{show_number(half, digits)}</i>")
        if cell.few is not None:
            text += Markup(f" <b>[{cell.few[0]}/{cell.few[1]}]</b>")
        out.append(text + draw_whisker(cell, span))
    return out


def _shade(entries: Sequence[Entry]) -> dict[int, str]:
    """Return the class of each row: every other group of one rank is shaded, tied ones are marked."""
    out: dict[int, str] = {}
    group, before = 0, None
    for i, entry in enumerate(entries):
        if entry.rank is None:
            continue
        if entry.rank.rank != before:
            group, before = group + 1, entry.rank.rank
            out[i] = "first"
        out[i] = f"{out.get(i, '')}{' shade' if group % 2 == 0 else ''}".strip()
    return out


def describe_section(section: Section) -> list[str]:
    """Return lines below a table that explain it."""
    lines = []
    if section.ranked_by:
        by = section.ranked_by.replace("-", "−")
        lines.append(
            f"Rank: one plus the number of entries that are significantly better by {by} (paired approximate "
            "randomization over sources, Holm's correction over all pairs, 5 %). Beside it, the ranks in 95 % of the "
            "bootstrap's samples. Entries of one rank, marked =, are not told apart."
        )
    else:
        lines.append(
            "No ranks: they need at least two complete entries that are no controls, each with its clips.jsonl, and "
            "two sources in every language."
        )
    lines.append(
        "AV: sound in noise and rendered mouth (AVLR); V: the mouth alone; gain: points of error that the face takes "
        "off, against a face that does not move. ±: half of the 95 % interval, which the line below a number shows on "
        "a scale of its column. [1/4]: over 1 clip of 4 only. –: not measured."
    )
    if any(column.number.metric == BITS for column in section.columns):
        lines.append(f"{BITS_NOTE[0].upper()}{BITS_NOTE[1:]}")
    lines += [f"{line[0].upper()}{line[1:]}." for line in name_own_choices([e.run for e in section.all])]
    return lines


def describe_sound(run: Run) -> str:
    """Return the errors with sound alone, which are the same for every entry, as a sentence; ``""`` without any."""
    told = []
    found = {row.snr_db for row in run.summary if row.modality == "a" and row.metric == "headline"}
    for snr in sorted(found, key=lambda snr: (snr is not None, -(snr or 0))):
        row = run.numbers.find("headline", modality="a", snr_db=snr, noise=None if snr is None else "all")
        if row is not None and row.estimate is not None:
            where = "clean" if snr is None else f"{snr:g}\u00a0dB".replace("-", "−")
            half = "" if row.ci95 is None else f"\u00a0±{(row.ci95[1] - row.ci95[0]) / 2:.1f}"
            told.append(f"{where} {row.estimate:.1f}{half}\u00a0%")
    return f"Sound alone, without any face, all languages: {', '.join(told)}." if told else ""


def _collect_warnings(section: Section) -> list[tuple[str, list[str]]]:
    """Return the warnings of the runs, and whose they are where not everybody's."""
    seen: dict[str, list[str]] = {}
    for entry in section.all:
        for warning in entry.run.warnings:
            seen.setdefault(warning, []).append(entry.run.system.name)
    return [(text, [] if len(names) == len(section.all) else names) for text, names in seen.items()]


def _first_row(section: Section, column: Any) -> Any:
    return next((row for e in section.all if (row := column.find(e.run)) is not None), None)


def _make_filters(section_list: Sequence[Section]) -> list[dict[str, Any]]:
    """Return the lists to choose from: name, label, options (value, text); those with one option only are left out."""
    languages = {code: display_name(code) for s in section_list for code in s.languages}
    snrs = sorted({c.number.snr_db for s in section_list for c in s.columns if c.number.snr_db is not None})
    kinds = {
        kind_of(c): c.label.split(" ")[0] if c.number.modality else c.number.header
        for s in section_list
        for c in s.columns
    }
    noises = sorted({noise for s in section_list for noise in s.noises if len(s.noises) > 1})
    lists = [
        ("language", "Language", "all", sorted(languages.items(), key=lambda item: item[1])),
        ("metric", "Metric", "all", list(kinds.items())),
        ("snr", "SNR", "all", [(f"{snr:g}", f"{snr:g} dB".replace("-", "−")) for snr in reversed(snrs)]),
        ("noise", "Noise", "all", [(noise, noise) for noise in noises]),
    ]
    lists += [
        (name, label, "every", [(v, v) for v in dict.fromkeys(getattr(s, name) for s in section_list)])
        for name, label in (("benchmark", "Benchmark"), ("recognizer", "Recognizer"), ("profile", "Profile"))
    ]
    return [
        {"name": name, "label": label, "any": whole, "options": options}
        for name, label, whole, options in lists
        if len(options) > 1
    ]
