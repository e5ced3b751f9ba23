"""A document as a page of HTML: one file, its figures beside it, no script and no network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.leaderboard.report.document import Document, to_plain
from mtbench.pages import page_environment
from mtbench.speech import direction_of, language_tag

if TYPE_CHECKING:
    import jinja2

_HERE = Path(__file__).parent


def render_page(document: Document, drawn: Mapping[str, tuple[int, int]]) -> str:
    """Return *document* as HTML.

    Parameters
    ----------
    document : Document
    drawn : mapping of str to (int, int)
        Figures that have something to show by their names, with width and height.
    """
    title = f"{to_plain(document.title)} – {to_plain(document.subtitle)}"
    template = _environment().get_template("report.html.j2")
    return template.render(title=title, document=document, drawn=drawn)


@cache
def _environment() -> jinja2.Environment:
    environment = page_environment(_HERE / "templates")
    environment.globals.update(
        read_own=lambda name: (_HERE / "static" / name).read_text("utf-8"),
        kind_of=_kind,
        language_tag=language_tag,
        direction_of=direction_of,
    )
    return environment


def _kind(block: Any) -> str:
    return "Text" if isinstance(block, str) else type(block).__name__
