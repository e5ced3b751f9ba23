"""The folder of a study: written once, and not over another study, whose judgements may be under way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtbench.errors import UsageError
from mtbench.pages import write_site

if TYPE_CHECKING:
    from mtbench.studies.study import Study

#: The record of a study in its folder, and the page.
RECORD, PAGE = "study.json", "page/index.html"
_MOST_BYTES = 64 << 20


def require_study_folder(out: Path | str, plan: Mapping[str, Any]) -> None:
    """Refuse a folder that holds something else than a study of this plan.

    Parameters
    ----------
    out : path
    plan : mapping
        What ``study.json`` is going to say, or the beginning of it.

    Raises
    ------
    UsageError
        Where the folder holds another study, or something else and no study.
    """
    out = Path(out)
    if not out.is_dir():
        return
    record = out / RECORD
    if record.is_file():
        known = _read_record(record)
        differing = [key for key, value in plan.items() if known.get(key) != value]
        if differing:
            raise UsageError(
                f"{out}: holds another study (its {differing[0]} is another); judgements are read with the study "
                "they were made in: choose another folder, or move the old one away"
            )
    elif names := sorted(path.name for path in out.iterdir() if not path.name.startswith(".")):
        raise UsageError(f"{out}: holds something else than a study ({names[0]}); choose an empty folder")


def write_study(study: Study, out: Path | str) -> Path:
    """Write *study* into the folder *out* and return the page's path.

    Raises
    ------
    UsageError
        Where *out* holds something else than this study.
    """
    out = Path(out)
    require_study_folder(out, study.record)
    page = out / Path(PAGE).parent
    for path in sorted(page.rglob("*")) if page.is_dir() else ():
        name = path.relative_to(out).as_posix()
        if path.is_file() and name not in study.files and not path.name.startswith("."):
            raise UsageError(
                f"{out}: {name} is no file of this study; raters would be given it, so move it away"
            )
    write_site(out, study.files)
    return out / PAGE


def _read_record(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            record = json.loads(file.read(_MOST_BYTES))
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {}
