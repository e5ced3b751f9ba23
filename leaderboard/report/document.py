"""What a report is made of: sections of paragraphs, tables, figures and aligned texts, whatever they become.

Conventions
-----------
Text is a sequence of pieces: plain strings are ours, :class:`Name` is what people chose (shown as text, set apart from
its surroundings whatever its direction), :class:`Code` is typed or copied. The same document becomes a page
(:mod:`mtbench.leaderboard.report.page`) and Markdown (:mod:`mtbench.leaderboard.report.markdown`); the records of its
tables become CSV, with every digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mtbench.results import AlignedUnit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Name:
    """What people chose: a system's name, a clip, a warning that quotes them."""

    text: str


@dataclass(frozen=True)
class Code:
    """A command, a signature, phones."""

    text: str


@dataclass(frozen=True)
class Link:
    """A way to another page of the report."""

    text: str
    target: str


Piece = str | Name | Code | Link
Text = tuple[Piece, ...]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; *kind* is ``""``, ``"lead"``, ``"quiet"`` or ``"warning"``."""

    text: Text
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what it says, and its interval or remark, smaller."""

    text: Text
    small: str = ""
    number: bool = True


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes
    ----------
    name : str
        Of its CSV file; ``""`` where it has none.
    caption : Text
    header : tuple of Text
        Heads of the columns; the first column names the lines.
    rows : tuple of tuple of Cell
    fields : tuple of str
        Columns of the CSV file.
    records : tuple of tuple
        Lines of the CSV file: plain values, None for what there is not.
    notes : tuple of Text
        Lines below it.
    """

    name: str
    caption: Text
    header: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    fields: tuple[str, ...] = ()
    records: tuple[tuple[Any, ...], ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A figure: drawn by *draw*, which says False where there is nothing to draw."""

    name: str
    alt: str
    caption: Text
    draw: Callable[[Figure], bool] = field(compare=False)


@dataclass(frozen=True)
class AlignedText:
    """A clip's hypothesis against what was said.

    Attributes
    ----------
    label : Text
        Condition and counts.
    language : str
        ISO 639-3 code.
    units : sequence of AlignedUnit
    joined : bool
        Whether units are characters, shown without gaps.
    left_out : int
        Units that are not shown.
    """

    label: Text
    language: str
    units: Sequence[AlignedUnit]
    joined: bool = False
    left_out: int = 0


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown on demand."""

    title: Text
    blocks: tuple[Block, ...]


Block = Paragraph | Sheet | Drawing | AlignedText | Fold


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """One page of a report.

    Attributes
    ----------
    name : str
        Of its files: a language's code, or ``"index"``.
    title : Text
    subtitle : Text
    sections : tuple of Section
    places : tuple of (str, str)
        Other pages: name, and title.
    """

    name: str
    title: Text
    subtitle: Text
    sections: tuple[Section, ...]
    places: tuple[tuple[str, str], ...] = ()


def list_blocks(document: Document) -> list[Block]:
    """Return all blocks of *document*, folded ones too, in order."""
    out: list[Block] = []
    waiting: list[Block] = [block for section in document.sections for block in section.blocks]
    while waiting:
        block = waiting.pop(0)
        out.append(block)
        if isinstance(block, Fold):
            waiting[:0] = block.blocks
    return out


def say(*pieces: Piece) -> Text:
    """Return pieces as text."""
    return pieces


def join(texts: Sequence[Text], separator: str = ", ", last: str | None = None) -> Text:
    """Return *texts* with separators between.

    Examples
    --------
    >>> join([("a",), ("b",), ("c",)], last=" and ")
    ('a', ', ', 'b', ' and ', 'c')
    """
    out: list[Piece] = []
    for place, text in enumerate(texts):
        if place:
            out.append(last if last is not None and place == len(texts) - 1 else separator)
        out += text
    return tuple(out)


def to_plain(text: Text) -> str:
    """Return *text* without marks."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in text)
