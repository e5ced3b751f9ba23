"""Child processes that end when and as their parent wants it.

Conventions
-----------
Ctrl-C on a terminal reaches all processes of a command; children are shielded from it, so that the parent alone
decides (:mod:`mtbench.work.signals`) and one line is printed. A child ends when its parent does, however that was
ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import resource_tracker
from typing import Any

from mtbench.work.signals import deferred_signals


@contextlib.contextmanager
def shielded_start() -> Iterator[None]:
    """Start children inside the block: they never receive SIGINT, from their first moment on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    with deferred_signals(), _masked():
        yield


@contextlib.contextmanager
def _masked() -> Iterator[None]:
    # The mask is for the children; in this process another thread may get the signal all the same.
    # Children inherit the mask. The tracker is started before, since its start would undo it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def live_with_parent() -> None:
    """Ignore SIGINT and end when the parent does; called in a child when it starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def start_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of *workers* spawned processes that live with this one."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=live_with_parent)
    with shielded_start():
        for _ in range(workers):
            pool.submit(os.getpid)
    return pool


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
