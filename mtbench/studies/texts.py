"""What the page of a study says to raters, in the twenty languages of the benchmark.

Conventions
-----------
A file ``static/texts/<ISO 639-3>.json`` holds every text of a language by key; ``{number}``, ``{total}``, ``{trials}``
and ``{minutes}`` are filled in by the page. ``tag`` is the language's BCP 47 tag, ``name`` what it calls itself. They
were written without review by native speakers: read the one that your raters will read before they do.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from mtbench.speech import LANGUAGES, direction_of

_FOLDER = Path(__file__).parent / "static" / "texts"


@cache
def load_texts() -> dict[str, dict[str, str]]:
    """Return the texts by language and key, with ``direction`` (``ltr`` or ``rtl``), in the order of the languages.

    Examples
    --------
    >>> load_texts()["ita"]["next"], load_texts()["ara"]["direction"]
    ('Avanti', 'rtl')
    """
    found = {}
    for code in LANGUAGES:
        texts = json.loads((_FOLDER / f"{code}.json").read_text("utf-8"))
        found[code] = {**texts, "direction": direction_of(code)}
    return found
