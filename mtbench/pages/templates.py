"""Pages from templates: one shell for board, report, viewer and study, everything escaped.

Conventions
-----------
Templates are Jinja2's, with escaping always on and undefined names an error. A room that makes pages keeps them in
its folder ``templates/`` (names end in ``.j2``) and extends ``page.html.j2`` of this one, whose blocks are ``head``,
``navigation``, ``main`` and ``scripts``. The shell wants ``title``, ``language`` (of the page, BCP 47) and
``direction`` (``ltr`` or ``rtl``); its style is ``page.css`` with the colors and sizes that all pages share. Names
that people chose belong into ``<bdi>``, so that right-to-left text leaves its surroundings in place. Control
characters of what is put in are replaced (:func:`mtbench.pages.replace_controls`); breaks of lines and tabs stay.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.pages.embedding import embed_json, embed_script, embed_style
from mtbench.pages.plain_text import replace_controls

if TYPE_CHECKING:
    import jinja2

_HERE = Path(__file__).parent


def page_environment(folder: Path | str | None = None) -> jinja2.Environment:
    """Return the Jinja2 environment for templates in *folder* and the shell.

    Parameters
    ----------
    folder : path, optional
        A room's ``templates/``; without it there is the shell alone.

    Returns
    -------
    jinja2.Environment
        Knows the functions ``embed_json``, ``embed_script``, ``embed_style`` and ``read_static`` (files of this room).

    Examples
    --------
    >>> page_environment().from_string("{{ name }}").render(name="<b>")
    '&lt;b&gt;'
    """
    import jinja2

    folders = [*([] if folder is None else [Path(folder)]), _HERE / "templates"]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_show,
    )
    environment.globals.update(
        embed_json=embed_json, embed_script=embed_script, embed_style=embed_style, read_static=read_static
    )
    return environment


def _show(value: Any) -> Any:
    """Replace the control characters of what a template shows; what is markup stays markup."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return type(value)(re.sub("[^\t\n\r]+", lambda part: replace_controls(part[0]), value))


@cache
def read_static(name: str) -> str:
    """Return the text of a file in this room's ``static/``, e.g. ``page.css``."""
    return (_HERE / "static" / name).read_text("utf-8")
