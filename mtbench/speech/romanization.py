"""Texts of any script in roman letters, by uroman: what recognizers that write roman letters are compared with.

Conventions
-----------
Letters are a to z and the apostrophe, lower case, as Zero-AVSR's AV-Romanizer writes them; whatever else uroman leaves
(digits, punctuation) becomes a blank, and blanks collapse. uroman's tables decide what a letter becomes, so that its
version is part of the normalizer's name.

Source: Hermjakob, May and Knight 2018, "Out-of-the-box Universal Romanization Tool uroman", ACL; PyPI ``uroman``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from mtbench.errors import PrerequisiteError
from mtbench.extras import install_command, require_extra

#: Release of uroman whose tables are meant.
UROMAN = "1.3.1.1"
_NO_LETTER = re.compile("[^a-z']+")


@lru_cache(maxsize=4096)
def romanize(text: str, language: str) -> str:
    """Return *text* in roman letters.

    Parameters
    ----------
    text : str
        In any script.
    language : str
        ISO 639-3 code: some letters sound otherwise in some languages.

    Raises
    ------
    PrerequisiteError
        Where the extra ``[published]`` is not installed, or with another uroman.
    """
    said = _load().romanize_string(text, lcode=language)
    return " ".join(_NO_LETTER.sub(" ", str(said).lower()).split())


@lru_cache(maxsize=1)
def _load() -> Any:
    """Return uroman with its tables, which take seconds to read."""
    require_extra("published", "romanized error rates", "uroman")
    from importlib.metadata import version

    import uroman

    if (found := version("uroman")) != UROMAN:
        raise PrerequisiteError(
            f"uroman {found} is installed, and another release may write other letters; expected {UROMAN}: "
            f"{install_command('published')}"
        )
    return uroman.Uroman()
