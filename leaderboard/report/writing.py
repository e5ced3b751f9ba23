"""Reports on disk: pages, Markdown, figures and tables below one folder.

Conventions
-----------
``index.html`` is the overview, ``<language>.html`` a language; each with ``.md`` beside it, ``figures/`` (SVG and PNG)
and ``tables/`` (CSV, and LaTeX where asked for). Results that may not be compared get folders of their own, and the
first page leads to them. Everything is computed before anything is written; equal results give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.extras import require_extra
from mtbench.files import check_output_folder
from mtbench.leaderboard.report.document import (
    Code,
    Document,
    Drawing,
    Link,
    Paragraph,
    Section,
    Sheet,
    Text,
    list_blocks,
)
from mtbench.leaderboard.report.language_page import describe_group, describe_language, list_entries
from mtbench.leaderboard.report.markdown import render_markdown
from mtbench.leaderboard.report.metric_report import MetricReport, read_metric_report
from mtbench.leaderboard.report.numbers import title_of
from mtbench.leaderboard.report.overview import describe_overview
from mtbench.leaderboard.report.page import render_page
from mtbench.leaderboard.report.pairs import compare_entries
from mtbench.leaderboard.report.paper_table import typeset_language
from mtbench.leaderboard.report.sources import Group, read_sources
from mtbench.pages import csv_text, write_site
from mtbench.results import FIGURE_STYLE, round_floats, to_png, to_svg
from mtbench.speech import any_code

Files = dict[str, str | bytes]


def write_report(
    results: Sequence[Path | str],
    out: Path | str,
    languages: Sequence[str] = (),
    *,
    tex: bool = False,
    meta: Path | str | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Write the report on *results*.

    Parameters
    ----------
    results : sequence of path
        Result folders, or folders that hold some.
    out : path
        Folder to write to.
    languages : sequence of str
        Codes or names; none means all.
    tex : bool
        Whether tables come as LaTeX, too.
    meta : path, optional
        Folder that ``mtbench validate-metric`` wrote, for the paragraph on trust.
    told : function of str
        Is told what is being made, a line each.

    Returns
    -------
    list of Path
        The written files, first pages first.

    Raises
    ------
    UsageError
        Where there is no result, one cannot be read, or none has a wanted language.
    PrerequisiteError
        Without pandas or matplotlib.
    WriteError
        Where *out* cannot be written to, before anything is read.
    """
    require_extra("report", "mtbench report", "pandas", "matplotlib")
    for name in ("", "figures", "tables"):
        check_output_folder(Path(out) / name)
    groups = read_sources(results)
    metric = None if meta is None else read_metric_report(meta)
    wanted = tuple(dict.fromkeys(any_code(language) for language in languages))
    present = sorted({code for group in groups for code in group.languages})
    absent = [code for code in wanted if code not in present]
    if absent:
        raise UsageError(
            f"no clips in {', '.join(map(title_of, absent))}: these results have {', '.join(present) or 'none'}"
        )
    files: Files = {}
    if len(groups) > 1:
        files |= _write_document(_lead(groups), "")
    for group in groups:
        chosen = [code for code in group.languages if not wanted or code in wanted]
        for name, content in _write_group(group, chosen, metric, tex, told):
            files[f"{group.slug}/{name}" if group.slug else name] = content
    return write_site(out, files)


def _write_group(
    group: Group,
    languages: Sequence[str],
    metric: MetricReport | None,
    tex: bool,
    told: Callable[[str], None],
) -> Iterator[tuple[str, str | bytes]]:
    pairs = compare_entries(group)
    titles = sorted(((code, title_of(code)) for code in languages), key=lambda pair: pair[1])
    places = (("index", "All languages"), *titles)
    told(f"{group.benchmark}, {group.recognizer}: overview")
    yield from _write_document(describe_overview(group, languages, pairs, metric, places), "").items()
    if tex:
        yield "tables/index.tex", typeset_language(group, "all")
    for code, title in titles:
        told(f"{group.benchmark}, {group.recognizer}: {title}")
        document = describe_language(group, code, pairs, metric, places)
        yield from _write_document(document, "").items()
        if tex:
            yield f"tables/{code}.tex", typeset_language(group, code)


def _write_document(document: Document, folder: str) -> Files:
    """Return the files of a document by their names."""
    blocks = list_blocks(document)
    figures: Files = {}
    drawn: dict[str, tuple[int, int]] = {}
    for block in blocks:
        if isinstance(block, Drawing) and (made := _draw(block)) is not None:
            svg, png, drawn[block.name] = made
            figures[f"figures/{document.name}-{block.name}.svg"] = svg
            figures[f"figures/{document.name}-{block.name}.png"] = png
    files: Files = {
        f"{document.name}.html": render_page(document, drawn),
        f"{document.name}.md": render_markdown(document, set(drawn)),
    }
    for block in blocks:
        if isinstance(block, Sheet) and block.name and block.rows:
            files[f"tables/{document.name}-{block.name}.csv"] = _to_csv(block)
    return files | figures


def _draw(drawing: Drawing) -> tuple[bytes, bytes, tuple[int, int]] | None:
    """Return a figure as SVG and as PNG, and its size in points of a page; None where there is nothing to show."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(FIGURE_STYLE):
        figure = Figure(layout="constrained")
        if not drawing.draw(figure):
            return None
        width, height = (round(96 * inches) for inches in figure.get_size_inches())
        return to_svg(figure), to_png(figure), (width, height)


def _to_csv(sheet: Sheet) -> str:
    import pandas

    table = pandas.DataFrame(round_floats(list(sheet.records)), columns=list(sheet.fields), dtype=object)
    return csv_text([tuple(table.columns), *table.itertuples(index=False, name=None)])


def _lead(groups: Sequence[Group]) -> Document:
    """Return the first page of a report on results that may not be compared."""
    sections = []
    for group in groups:
        way: Text = (Link("All languages", f"{group.slug}/index.html"),)
        sections.append(
            Section(
                group.slug,
                f"{group.benchmark}, {group.recognizer}",
                (
                    Paragraph(describe_group(group)),
                    Paragraph((*list_entries(group), "."), "quiet"),
                    Paragraph(way),
                ),
            )
        )
    why = Paragraph(
        (
            "These results were scored under conditions that differ, so their numbers do not stand on one page. ",
            Code("mtbench compare A B"),
            " says what differs.",
        )
    )
    return Document(
        "index",
        ("Results that are not compared",),
        (f"{len(groups)} reports",),
        (Section("why", "Why there are several", (why,)), *sections),
    )
