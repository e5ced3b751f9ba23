"""Folders that remember what they were asked for, so that what is gone on with is what was begun.

Conventions
-----------
``.request.json`` holds the request, JSON values from which everything in the folder follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mtbench.errors import UsageError
from mtbench.files.atomic import write_atomically

REQUEST = ".request.json"


def claim_folder(folder: Path, request: dict[str, Any], besides: Iterable[str] = ()) -> None:
    """Write what a folder is to hold, or check that it is what was begun there.

    Parameters
    ----------
    folder : Path
        Created where needed.
    request : dict
        JSON values.
    besides : iterable of str
        Names of what may lie there before the folder is claimed, because it knows itself what it is.

    Raises
    ------
    UsageError
        For a folder that was begun with another request, or holds files without one.
    """
    mark, kept = folder / REQUEST, set(besides)
    text = json.dumps(request, indent=1, sort_keys=True, ensure_ascii=False)
    if not mark.is_file():
        if folder.exists() and (not folder.is_dir() or any(p.name not in kept for p in folder.iterdir())):
            raise UsageError(
                f"{folder}: holds something that this command did not write; give another folder"
            )
    elif (before := mark.read_text("utf-8")) != text:
        changed = ", ".join(_changed(before, json.loads(text))) or "request"
        raise UsageError(f"{folder}: was begun with another {changed}; give another folder, or remove it")
    write_atomically(mark, text.encode())


def _changed(before: str, request: dict[str, Any]) -> list[str]:
    try:
        old = json.loads(before)
        return [key for key in request if old.get(key) != request[key]]
    except (ValueError, AttributeError):  # damaged
        return []
