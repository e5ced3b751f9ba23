"""Compiling numeric kernels with numba, and keeping the machine code between runs.

Conventions
-----------
The code is kept beside the source where that can be written to, else in ``numba/`` of the cache folder
(:func:`mtbench.work.cache.default_cache_dir`), else not at all: a read-only installation, a user without a home, a full
disk or a damaged file cost time (every process compiles again), never the run. ``NUMBA_CACHE_DIR`` overrides the
choice of folder. Where the code is kept has no influence on results.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from mtbench.errors import PrerequisiteError
from mtbench.work.cache import default_cache_dir

config: Any = numba.config


def njit_cached(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles as ``numba.njit(**options)`` does and keeps the machine code if it can.

    Parameters
    ----------
    **options
        Of :func:`numba.njit`, without ``cache``.

    Examples
    --------
    >>> @njit_cached(nogil=True)
    ... def add(a, b):
    ...     return a + b
    >>> add(1, 2)
    3
    """

    def decorate(function: Callable[..., Any]) -> Any:
        folder = _chosen_folder(Path(function.__code__.co_filename).parent)
        if folder is None:
            return numba.njit(**options)(function)
        before = config.CACHE_DIR
        config.CACHE_DIR = folder
        try:
            dispatcher = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # "cannot cache function …: no locator available"
            return numba.njit(**options)(function)
        finally:
            config.CACHE_DIR = before
        _forgive_damage(dispatcher)
        return dispatcher

    return decorate


def kernel_folder() -> Path | None:
    """Return where the machine code of mtbench's own kernels is kept, None where it is not."""
    source = Path(__file__).parents[1] / "faces"
    folder = _chosen_folder(source)
    return None if folder is None else Path(folder or source / "__pycache__")


def _chosen_folder(source: Path) -> str | None:
    """Return numba's ``CACHE_DIR`` for sources in the folder *source*: empty for beside it, None for nowhere."""
    if config.CACHE_DIR:
        return str(config.CACHE_DIR)
    beside = source / "__pycache__"
    if os.access(beside if beside.exists() else source, os.W_OK | os.X_OK):
        return ""
    try:
        folder = default_cache_dir() / "numba"
        folder.mkdir(parents=True, exist_ok=True)
    except (PrerequisiteError, OSError):
        return None
    # Not writable: numba would go on to a folder of its own choice, named "~" where there is no home.
    return str(folder) if os.access(folder, os.W_OK | os.X_OK) else None


def _forgive_damage(dispatcher: Any) -> None:
    """Make reading and keeping machine code a matter of luck: numba would raise on a full disk."""
    cache = dispatcher._cache

    def forgiving(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                return method(*arguments)
            except Exception:  # whatever a damaged file may raise, or a full disk
                return None

        return call

    cache.load_overload = forgiving(cache.load_overload)
    cache.save_overload = forgiving(cache.save_overload)
