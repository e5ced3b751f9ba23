"""Text files that tell whether they are still as they were written: the first line holds the digest of the rest.

Conventions
-----------
The first line is a head, which says who wrote the file, and the blake2b-128 hex digest of everything after it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def seal_text(head: str, body: str) -> str:
    r"""Return *body* below a line of *head* and its digest.

    Examples
    --------
    >>> seal_text("# mine: ", "ciao").split("\n")[1]
    'ciao'
    """
    return f"{head}{_digest(body)}\n{body}"


def is_sealed(path: Path, head: str) -> bool:
    """Whether the file *path* is there, begins with *head*, and is unchanged since :func:`seal_text`."""
    try:
        first, _, body = path.read_bytes().decode("utf8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return False
    return first == head + _digest(body)


def _digest(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
