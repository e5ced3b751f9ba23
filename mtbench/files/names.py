"""Names of people's systems as names of files and folders."""

from __future__ import annotations

import hashlib
import re


def slugify(name: str) -> str:
    """Return *name* as a folder name: lower-case ASCII letters, digits and hyphens.

    Examples
    --------
    >>> slugify("MultiTalk (ours)")
    'multitalk-ours'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return slug or "system-" + hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
