"""The process of a program that recognizes: a line in, a line out, in bounded time and of bounded length.

Conventions
-----------
Nothing that the program writes is parsed here; a line is handed on only when it is whole and no longer than
:data:`MAX_LINE`. Of standard error the last :data:`MAX_ERRORS` bytes are kept, for messages.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from mtbench.avsr.program_keeper import CANNOT_START

#: Most bytes of one line of a program: sixty hypotheses of a long clip are a hundredth of it.
MAX_LINE = 4 << 20
#: Bytes of standard error that are remembered, and characters that are shown.
MAX_ERRORS, SHOWN = 8192, 600
#: Seconds that a program has to end by itself when its input ends.
GRACE = 1.0
_CHUNK = 1 << 16


class ProgramFault(Exception):
    """A program did not answer as it should; the text says how, and what it wrote to standard error."""


class ProgramEndedError(ProgramFault):
    """It ended, or closed its output."""


class ProgramHungError(ProgramFault):
    """It did not answer in time."""


class ProgramLineError(ProgramFault):
    """It wrote something else than one line for one request."""


class ProgramProcess:
    """A running program and the folder that it is given files in.

    It ends with this object, with this process, and at the latest with :meth:`close`.

    Parameters
    ----------
    command : sequence of str
        Path of the program and its arguments.
    """

    def __init__(self, command: Sequence[str]) -> None:
        #: Folder of files for the program, readable by the user alone; it is removed when the program ends.
        self.folder = Path(tempfile.mkdtemp(prefix="mtbench-program-"))
        reading, life = os.pipe()
        keeper = Path(__file__).with_name("program_keeper.py")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(keeper), str(reading), str(self.folder), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=[reading],
                start_new_session=True,  # Ctrl-C on a terminal reaches mtbench alone
            )
        except BaseException:
            os.close(life)
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        finally:
            os.close(reading)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in, self._out, self._err = self._process.stdin, self._process.stdout, self._process.stderr
        for pipe in (self._in, self._out, self._err):
            os.set_blocking(pipe.fileno(), False)
        self._received = bytearray()
        self._errors = bytearray()
        self._errors_open = True
        self._end = weakref.finalize(self, _end_process, os.getpid(), self._process, life, self.folder)

    def ask(self, line: bytes, seconds: float) -> bytes:
        """Send *line*, which ends itself, and return the next line of the program without its end.

        Parameters
        ----------
        line : bytes
            May be empty: then the program is only listened to.
        seconds : float
            How long the answer may take.

        Raises
        ------
        ProgramFault
            Where it ended, did not answer in time, or its line is too long or came before it was asked for.
        """
        if self._received:
            raise ProgramLineError(
                f"wrote more than one line for one request: {quote_output(bytes(self._received))}"
            )
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._out, selectors.EVENT_READ)
            if self._errors_open:
                waiting.register(self._err, selectors.EVENT_READ)
            if line:
                waiting.register(self._in, selectors.EVENT_WRITE)
            unsent, searched = memoryview(line), 0
            while True:
                at = self._received.find(b"\n", searched)
                searched = len(self._received)
                if max(at, searched if at < 0 else 0) > MAX_LINE:
                    start = quote_output(bytes(self._received[:200]))
                    raise ProgramLineError(
                        f"wrote a line of more than {MAX_LINE} bytes, which begins {start}"
                    )
                if at >= 0:
                    found = bytes(self._received[:at])
                    del self._received[: at + 1]
                    return found
                left = end - time.monotonic()
                if left <= 0:
                    raise ProgramHungError(f"did not answer within {seconds:g} s{self._last_words()}")
                for key, _ in waiting.select(left):
                    if key.fileobj is self._in:
                        unsent = self._send(unsent)
                        if not unsent:
                            waiting.unregister(self._in)
                    elif key.fileobj is self._err:
                        self._receive(is_error=True)
                        if not self._errors_open:
                            waiting.unregister(self._err)
                    elif not self._receive(is_error=False):
                        raise ProgramEndedError(f"{self._describe_end()}{self._last_words()}")

    def close(self, grace: float = GRACE) -> None:
        """End the program: its input ends, and after *grace* seconds it is killed with all that it started."""
        with contextlib.suppress(OSError):
            self._in.close()
        if grace:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._end()

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._in.fileno(), unsent) :]
        except BlockingIOError:
            return unsent
        except OSError:  # it reads no more; its end or the time-out will say the rest
            return unsent[:0]

    def _receive(self, is_error: bool) -> bool:
        """Take what there is of an output; return whether there was anything, which there is not at its end."""
        pipe = self._err if is_error else self._out
        try:
            chunk = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return False
        if is_error:
            self._errors += chunk
            del self._errors[:-MAX_ERRORS]
            self._errors_open = bool(chunk)
        else:
            self._received += chunk
        return bool(chunk)

    def _describe_end(self) -> str:
        """Return how the program ended; its last words are read until then."""
        end = time.monotonic() + GRACE
        while self._process.poll() is None and time.monotonic() < end:
            self._drain_errors()
            time.sleep(0.01)
        self._drain_errors()
        code = self._process.poll()
        if code is None:
            return "closed its standard output"
        if code == CANNOT_START:
            return "could not be started, or ended with exit code 126"
        if code < 0:
            return f"was ended by signal {-code}"
        number = code - 128
        names = {int(s): s.name for s in signal.Signals}
        return f"ended with exit code {code}" + (f" (signal {names[number]})" if number in names else "")

    def _drain_errors(self) -> None:
        for _ in range(64):  # it may write for ever
            if not self._errors_open or not self._receive(is_error=True):
                return

    def _last_words(self) -> str:
        self._drain_errors()
        said = quote_output(bytes(self._errors))
        return (
            f"; on standard error it wrote {said}" if self._errors else "; it wrote nothing to standard error"
        )


def quote_output(output: bytes) -> str:
    r"""Return the end of what a program wrote as it may stand in a message: short, on one line, printable.

    Examples
    --------
    >>> quote_output(b"one\n\x1b[31mtwo\n")
    "'one / ?[31mtwo'"
    """
    text = output.decode("utf-8", "replace")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    words = "".join(c if c.isprintable() else "?" for c in " / ".join(lines))
    return f"'…{words[-SHOWN:]}'" if len(words) > SHOWN else f"'{words}'"


def _end_process(owner: int, process: subprocess.Popen, life: int, folder: Path) -> None:
    """Kill a program by the end of the pipe that its keeper watches; a copy of it in a forked process does nothing."""
    if os.getpid() != owner:
        return
    with contextlib.suppress(OSError):
        os.close(life)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    shutil.rmtree(folder, ignore_errors=True)
