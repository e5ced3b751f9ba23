"""Running many small tasks, in this process or in a few others.

Conventions
-----------
A task is a module-level function and one picklable argument; its result does not depend on where or in which
order tasks run. Workers are spawned, not forked, and use one torch thread each: so the numbers are the same
with one worker and with eight. A worker ends when its parent does, however that was ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from mtbench.errors import MtbenchError, UsageError
from mtbench.threads import set_torch_threads, single_threaded_torch

T = TypeVar("T")
R = TypeVar("R")

_MOST_WORKERS = 8


def default_workers() -> int:
    """Return the number of processors that this process may use, at most 8."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return max(1, min(count, _MOST_WORKERS))


class Executor:
    """Runs tasks; workers start with the first task and serve until :meth:`close`.

    Parameters
    ----------
    workers : int or None
        Processes; 1 runs everything in this process; None is :func:`default_workers`.

    Raises
    ------
    UsageError
        For less than one worker.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"workers must be 1 or more, not {workers}")
        self.workers = workers or default_workers()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def run(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield (index of the task, result) as tasks finish, in any order.

        Raises
        ------
        MtbenchError
            What a task raised, or a note that a worker died.
        """
        if not tasks:
            return
        if self.workers == 1:
            with single_threaded_torch():
                for index, task in enumerate(tasks):
                    yield index, function(task)
            return
        pool = self._start()
        futures: dict[Future[R], int] = {pool.submit(function, task): i for i, task in enumerate(tasks)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise MtbenchError(
                "a worker process died, most likely because memory ran out; what was finished is in the "
                "cache: run the same command again, with --workers 1 if it happens twice"
            ) from error
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """End the workers; tasks that have not started are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_initialize_worker)
            with _hidden_main():
                started = [self._pool.submit(os.getpid) for _ in range(self.workers)]
            for future in started:
                future.result()
        return self._pool


@contextlib.contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep spawned workers from importing the caller's script, which needs no ``__main__`` guard then."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    environment = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(environment, "1"))
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in environment.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _initialize_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    set_torch_threads(1)


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
