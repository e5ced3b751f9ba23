"""Where the files lie that ship inside the package."""

from __future__ import annotations

from pathlib import Path


def data_path(*parts: str) -> Path:
    """Return the path of a file or folder below ``mtbench/data``.

    Examples
    --------
    >>> data_path("flame-5023.json").is_file()
    True
    """
    return Path(__file__).parent.joinpath("data", *parts)
