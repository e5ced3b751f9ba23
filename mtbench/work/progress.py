"""Telling people how far a run is.

Conventions
-----------
On a terminal: one bar per stage on standard error, with the time left. Elsewhere: one line of the log
(``mtbench``, level INFO) when a stage ends, nothing else. Standard output is never touched.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

logger = logging.getLogger("mtbench")


class Progress:
    """Reports stages; this one writes log lines only.

    Attributes
    ----------
    title : str
        What the bars and lines are about, e.g. the entry's name.
    """

    def __init__(self) -> None:
        self.title = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def warn(self, text: str) -> None:
        """Say at once what a reader of the numbers has to know."""
        logger.warning("%s: %s", self.title, text)

    @contextlib.contextmanager
    def stage(self, name: str, total: int, cached: int = 0) -> Iterator[Callable[[], None]]:
        """Announce a stage of *total* tasks and yield the function to call after each.

        Parameters
        ----------
        name : str
            What is being made.
        total : int
            Tasks still to do.
        cached : int
            Results that were found in the cache.
        """
        start = time.perf_counter()
        yield lambda: None
        if total:
            seconds = time.perf_counter() - start
            logger.info("%s: %s, %d made, %d cached, %.1f s", self.title, name, total, cached, seconds)


class TerminalProgress(Progress):
    """Draws bars on standard error with rich."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._bars: Any = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def warn(self, text: str) -> None:
        """See :meth:`Progress.warn`; the line stays above the bars."""
        from rich.text import Text

        self._bars.console.print(Text(f"{self.title}: {text}" if self.title else text))

    @contextlib.contextmanager
    def stage(self, name: str, total: int, cached: int = 0) -> Iterator[Callable[[], None]]:
        """See :meth:`Progress.stage`."""
        if not total:
            yield lambda: None
            return
        description = f"{self.title}: {name}" if self.title else name
        task = self._bars.add_task(description, total=total)
        try:
            yield lambda: self._bars.advance(task)
        finally:
            self._bars.remove_task(task)


def make_progress(wanted: bool | None = None) -> Progress:
    """Return bars where *wanted* (default: where standard error is a terminal), log lines otherwise."""
    show = sys.stderr.isatty() if wanted is None else wanted
    return TerminalProgress() if show else Progress()
