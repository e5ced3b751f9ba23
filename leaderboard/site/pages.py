"""All pages of a board, from groups of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mtbench.leaderboard.groups import Group
from mtbench.leaderboard.site.entry_page import make_entry
from mtbench.leaderboard.site.index_page import make_index
from mtbench.leaderboard.site.judge_page import make_judge
from mtbench.leaderboard.site.methods_page import make_methods
from mtbench.leaderboard.site.published import read_published
from mtbench.leaderboard.site.sections import make_sections
from mtbench.pages import page_environment
from mtbench.speech import display_name

_HERE = Path(__file__).parent


def make_site(
    groups: Sequence[Group], viewers: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, str]:
    """Return the pages of a board by their relative paths.

    Parameters
    ----------
    groups : sequence of Group
        Results, see :func:`mtbench.leaderboard.groups.read_groups`.
    viewers : mapping of str to mapping of str to str, optional
        As for :func:`mtbench.leaderboard.board.build_leaderboard`.

    Returns
    -------
    dict of str to str
        HTML; the same for equal results.
    """
    sections = make_sections(groups, viewers or {})
    environment = page_environment(_HERE / "templates")
    environment.globals["own_static"] = read_own_static
    environment.filters["language"] = display_name

    def render(template: str, content: Mapping[str, Any], root: str = "") -> str:
        return environment.get_template(template).render(root=root, **content)

    files = {
        "index.html": render("index.html.j2", make_index(sections, read_published())),
        "judge.html": render("judge.html.j2", make_judge(sections)),
        "methods.html": render("methods.html.j2", make_methods(sections)),
    }
    for section in sections:
        for entry in section.all:
            files[entry.address] = render("entry.html.j2", make_entry(section, entry), "../")
    return files


@cache
def read_own_static(name: str) -> str:
    """Return the text of a file in this room's ``static/``."""
    return (_HERE / "static" / name).read_text("utf-8")
