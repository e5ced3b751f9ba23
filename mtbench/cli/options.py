"""Checks of options, made before anything long begins."""

from __future__ import annotations

from pathlib import Path


def writable_folder(value: Path | None) -> Path | None:
    """Return *value* where it is a folder that can be written to or made; ``WriteError`` otherwise."""
    from mtbench.files import check_output_folder

    if value is not None:
        check_output_folder(value)
    return value


def writable_cache(value: Path | None) -> Path | None:
    """Return *value* where it, or for None the default cache folder, can be written to or made."""
    from mtbench.files import check_output_folder
    from mtbench.work import Cache

    check_output_folder(Cache(value).root, "give another folder for the cache (--cache or MTBENCH_CACHE)")
    return value
