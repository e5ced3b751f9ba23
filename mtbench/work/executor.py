"""Running many small tasks, in this process or in a few others.

Conventions
-----------
A task is a module-level function and one picklable argument; its result does not depend on where or in which
order tasks run. Workers are spawned, not forked, and use one torch thread each: so the numbers are the same
with one worker and with eight. A worker ends when its parent does, however that was ended; and it is killed where
it works on what nobody waits for any more (an error, an interruption): tasks write atomically, so nothing is lost.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.reduction import ForkingPickler
from typing import TypeVar

from mtbench.errors import MtbenchError, UsageError
from mtbench.work.child_processes import live_with_parent, shielded_start
from mtbench.work.threads import set_torch_threads, single_threaded_torch

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
        self._processes: Mapping[int, multiprocessing.process.BaseProcess] = {}
        #: Whether tasks were handed out that have not all come back.
        self._busy = False

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def run(
        self, function: Callable[[T], R], tasks: Sequence[T], here: bool = False
    ) -> Iterator[tuple[int, R]]:
        """Yield (index of the task, result) as tasks finish, in any order.

        Parameters
        ----------
        function : function of a task
            Importable by its name, for it runs in other processes.
        tasks : sequence
            Picklable values.
        here : bool
            Run them in this process, one after the other: they share something that exists once, such as a GPU.

        Raises
        ------
        MtbenchError
            What a task raised, or a note that a worker died; the workers are ended then.
        """
        if not tasks:
            return
        if here or self.workers == 1:
            with single_threaded_torch():
                for index, task in enumerate(tasks):
                    yield index, function(task)
            return
        self._busy = True
        try:
            pool = self._start()
            futures: dict[Future[R], int] = {
                pool.submit(_attempt, function, task): i for i, task in enumerate(tasks)
            }
            for future in as_completed(futures):
                yield futures[future], future.result()
            self._busy = False
        except BrokenProcessPool as error:
            raise self._explain_death() from error
        finally:
            if self._busy:
                self._kill()

    def close(self) -> None:
        """End the workers; tasks that have not finished are dropped."""
        if self._busy:
            self._kill()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _kill(self) -> None:
        """End the workers now, in the middle of what they do."""
        pool, self._pool, self._busy = self._pool, None, False
        if pool is None:
            return
        for process in self._processes.values():
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_initialize_worker)
            with _hidden_main(), shielded_start():
                started = [self._pool.submit(os.getpid) for _ in range(self.workers)]
            # The pool forgets its processes when one of them dies; the dictionary is its own, and grows with it.
            self._processes = self._pool._processes
            for future in started:
                future.result()
        return self._pool

    def _explain_death(self) -> MtbenchError:
        """Return what to tell people about a worker that died."""
        for process in list(self._processes.values()):
            process.join(1)
        # The pool terminates the others when one has died.
        codes = [p.exitcode for p in self._processes.values() if p.exitcode not in (None, 0, -signal.SIGTERM)]
        code = codes[0] if codes else None
        cause = "most likely because memory ran out"
        if code is not None and code > 0:
            cause = f"exit code {code}"
        elif code is not None and signal.Signals(-code).name != "SIGKILL":
            cause = f"signal {signal.Signals(-code).name}"
        return MtbenchError(
            f"a worker process died, {cause}; what was finished is in the cache: run the same command again, "
            "with --workers 1 if it happens twice"
        )


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


def _attempt(function: Callable[[T], R], task: T) -> R:
    """Call *function* in a worker; whatever it raises can travel to the parent."""
    try:
        return function(task)
    except MemoryError:
        raise MtbenchError(
            "memory ran out in a worker process; what was finished is in the cache: run the same command again "
            "with fewer --workers"
        ) from None
    except BaseException as error:
        if isinstance(error, Exception) and _can_travel(error):
            raise
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        raise MtbenchError(f"a worker process failed: {name}: {error}") from error


def _can_travel(error: Exception) -> bool:
    try:
        copy = ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        return False
    return type(copy) is type(error)


def _initialize_worker() -> None:
    live_with_parent()
    set_torch_threads(1)
