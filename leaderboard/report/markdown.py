"""A document as Markdown: tables, pictures, folded parts; what people chose is shown as text."""

from __future__ import annotations

import re

from mtbench.leaderboard.report.document import (
    AlignedText,
    Block,
    Code,
    Document,
    Drawing,
    Fold,
    Link,
    Name,
    Paragraph,
    Sheet,
    Text,
)
from mtbench.pages import isolate_text, markdown_cell, replace_controls
from mtbench.speech import direction_of


def render_markdown(document: Document, drawn: set[str]) -> str:
    """Return *document* as Markdown.

    Parameters
    ----------
    document : Document
    drawn : set of str
        Names of the figures that have something to show.
    """
    lines = [f"# {_inline(document.title)}", "", _inline(document.subtitle), ""]
    if document.places:
        lines += [" · ".join(f"[{markdown_cell(t)}]({name}.md)" for name, t in document.places), ""]
    for section in document.sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += [*_block(block, document.name, drawn), ""]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _block(block: Block, page: str, drawn: set[str]) -> list[str]:
    if isinstance(block, Paragraph):
        text = _inline(block.text)
        if block.kind == "warning":
            return [f"> **Mind:** {text}"]
        return [f"**{text}**" if block.kind in ("lead", "clip") else text]
    if isinstance(block, Sheet):
        return _sheet(block, page)
    if isinstance(block, Drawing):
        if block.name not in drawn:
            return []
        return [f"![{markdown_cell(block.alt)}](figures/{page}-{block.name}.png)"]
    if isinstance(block, AlignedText):
        return [f"- {_inline(block.label)}: {_units(block)}"]
    assert isinstance(block, Fold)
    out = [f"<details><summary>{_inline(block.title)}</summary>", ""]
    for part in block.blocks:
        out += [*_block(part, page, drawn), ""]
    return [*out, "</details>"]


def _sheet(sheet: Sheet, page: str) -> list[str]:
    if not sheet.rows:
        return []
    numbers = [cell.number for cell in sheet.rows[0]]
    rule = " | ".join("---:" if number else "---" for number in numbers)
    lines = [f"| {' | '.join(_inline(head) or ' ' for head in sheet.header)} |", f"| {rule} |"]
    for row in sheet.rows:
        cells = [f"{_inline(cell.text)} {markdown_cell(cell.small)}".strip() for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    link = f" ([CSV](tables/{page}-{sheet.name}.csv))" if sheet.name else ""
    notes = [f"{_inline(note)}  " for note in sheet.notes]
    return [f"*{_inline(sheet.caption)}*{link}", "", *lines, *([""] if notes else []), *notes]


def _units(block: AlignedText) -> str:
    from_right = direction_of(block.language) == "rtl"
    # An arrow points from what was said, which stands on the right there, to what was recognized.
    arrow = "←" if from_right else "→"
    parts = []
    for unit in block.units:
        said, heard = (None if part is None else markdown_cell(part) for part in (unit.said, unit.heard))
        if unit.kind == "hit":
            parts.append(said or "")
        else:
            parts.append(f"**\\[{said or '–'} {arrow} {heard or '–'}\\]**")
    text = ("" if block.joined else " ").join(parts)
    if from_right:
        text = f"\u2067{text}\u2069"
    return text + (f" … and {block.left_out} more" if block.left_out else "")


def _inline(text: Text) -> str:
    out = []
    for piece in text:
        if isinstance(piece, Name):
            out.append(markdown_cell(piece.text))
        elif isinstance(piece, Code):
            out.append(_code(piece.text))
        elif isinstance(piece, Link):
            out.append(f"[{markdown_cell(piece.text)}]({piece.target.removesuffix('.html')}.md)")
        else:
            out.append(_ours(piece))
    return "".join(out)


def _ours(text: str) -> str:
    """Escape what our own text has of Markdown's marks; blanks at its ends stay."""
    inner = markdown_cell(text)
    return text[: len(text) - len(text.lstrip())] + inner + text[len(text.rstrip()) :] if inner else text


def _code(text: str) -> str:
    """Return *text* as code; a table's mark inside is written as an entity would not be, so it is set apart."""
    text = " ".join(replace_controls(text).split())
    if "`" in text or "|" in text:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return isolate_text(f"<code>{re.sub(r'([|`*_~#!{}])', lambda m: f'&#{ord(m[0])};', escaped)}</code>")
    return isolate_text(f"`{text}`")
