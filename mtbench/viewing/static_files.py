"""Scripts and styles of this room: the player, the viewer's page, and the one library that is not ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent / "static"


def read_player() -> str:
    """Return ``player.js``, a classic script that defines ``mtbenchPlayer``: for any page that shows faces."""
    return read_static("player.js")


@cache
def read_static(name: str) -> str:
    """Return the text of a file in ``static/``, e.g. ``viewer.js`` or ``vendor/uPlot.iife.min.js``."""
    return (_HERE / name).read_text("utf-8")
