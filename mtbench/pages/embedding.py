"""Data, scripts and styles inside a page, so that it works from disk: nothing in them can end their element.

Source of the rules: HTML Standard, "Restrictions for contents of script elements".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

#: What would end or confuse a script element, or a line of JavaScript; control characters, which no file holds.
_UNSAFE = re.compile("[<>&\x7f-\x9f\u2028\u2029]")


def embed_json(identifier: str, value: Any) -> Markup:
    r"""Return *value* as ``<script type="application/json" id=…>``.

    Parameters
    ----------
    identifier : str
        The element's id: letters, digits, hyphens.
    value
        JSON; keys are sorted, NaN and infinities are refused.

    Raises
    ------
    ValueError
        Where *value* holds NaN or an infinity, or *identifier* is none.

    Examples
    --------
    >>> str(embed_json("data", {"name": "</script>"}))
    '<script type="application/json" id="data">{"name":"\\u003c/script\\u003e"}</script>'
    """
    from markupsafe import Markup

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", identifier):
        raise ValueError(f"{identifier!r} is no id of an element")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    safe = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return Markup(f'<script type="application/json" id="{identifier}">{safe}</script>')


def embed_script(text: str) -> Markup:
    """Return JavaScript of ours as a ``<script>`` element.

    Raises
    ------
    ValueError
        Where the text would end the element.
    """
    return _embed("script", text)


def embed_style(text: str) -> Markup:
    """Return a style sheet of ours as a ``<style>`` element.

    Raises
    ------
    ValueError
        Where the text would end the element.
    """
    return _embed("style", text)


def _embed(element: str, text: str) -> Markup:
    from markupsafe import Markup

    if re.search(rf"</{element}|<!--", text, re.IGNORECASE):
        raise ValueError(f"the text would end its <{element}> element")
    return Markup(f"<{element}>\n{text}</{element}>")
