"""Ending at once and cleanly when a signal says so: Ctrl-C, ``kill``, a terminal that was closed.

Conventions
-----------
The command line calls :func:`handle_signals` once. The first signal ends child processes and raises
:class:`Stopped` in the main thread, so that files being written are removed and locks given back; what does not
end by itself within :data:`PATIENCE` seconds, or is signaled again, is ended without ceremony. Exit codes are the
shell's: 128 and the signal's number. A signal that was ignored when the program started (``nohup``) stays ignored.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

#: Seconds that cleaning up may take after a signal.
PATIENCE = 2.0

_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}


class Stopped(BaseException):
    """A signal asked the program to end; no ``except Exception`` holds it up.

    Parameters
    ----------
    number : int
        The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it."""
        return 128 + self.number

    def __str__(self) -> str:
        """Say what happened and what became of the work, in one line."""
        word = _WORDS[signal.Signals(self.number).name]
        return f"{word}; what was finished is kept, and the same command goes on from there"


_stopped: Stopped | None = None
_announced = threading.Event()
_watching = False
_deferring = 0
_pending: int | None = None


def handle_signals() -> None:
    """Raise :class:`Stopped` at SIGINT, SIGTERM and SIGHUP from now on; only the main thread may call this."""
    for name in _WORDS:
        number = getattr(signal, name, None)  # there is no SIGHUP on Windows
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    _watch()


def stopped() -> Stopped | None:
    """Return the signal that has asked the program to end, if one has."""
    return _stopped


def announce(reason: Stopped) -> None:
    """Print why the program ends to standard error, once."""
    if not _announced.is_set():
        _announced.set()
        # Not by way of sys.stderr: its lock may be held by what was interrupted.
        with contextlib.suppress(OSError):
            os.write(2, f"error: {reason}\n".encode())


@contextlib.contextmanager
def deferred_signals() -> Iterator[None]:
    """Let the block end before a signal ends the program: half-started children would complain at length."""
    global _deferring, _pending
    _deferring += 1
    try:
        yield
    finally:
        _deferring -= 1
        if not _deferring and _pending is not None:
            number, _pending = _pending, None
            _stop(number, None)


def _stop(number: int, frame: types.FrameType | None) -> None:
    global _stopped, _pending
    if _deferring:
        _pending = number
        return
    _kill_children()
    if _stopped is not None:
        _end(_stopped)
    _stopped = Stopped(number)
    timer = threading.Timer(PATIENCE, _end, (_stopped,))
    timer.daemon = True
    timer.start()
    raise _stopped


def _watch() -> None:
    """Start the thread that ends the program where the main thread hears no signal.

    Python's handlers run between two of the main thread's instructions: never while it waits inside a library, as for
    other processes in a training. The number of a signal is written to a pipe at once.
    """
    global _watching
    if _watching or os.name != "posix":
        return
    _watching = True
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(reading,), daemon=True).start()


def _listen(pipe: int) -> None:
    numbers = {int(getattr(signal, name)) for name in _WORDS}
    while heard := os.read(pipe, 1):
        if heard[0] in numbers:
            time.sleep(PATIENCE)
            if _stopped is None:
                _kill_children()
                _end(Stopped(heard[0]))


def _kill_children() -> None:
    """Kill what :mod:`multiprocessing` started; nothing is lost, whatever they write they write atomically."""
    multiprocessing: Any = sys.modules.get("multiprocessing")
    if multiprocessing is None:
        return
    with contextlib.suppress(Exception):
        for child in multiprocessing.active_children():
            child.kill()


def _end(reason: Stopped) -> None:
    announce(reason)
    os._exit(reason.exit_code)
