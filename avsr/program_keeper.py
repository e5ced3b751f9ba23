"""Keeps a program that recognizes: starts it, and ends it with whoever asked for it, however that was ended.

Runs as a script between mtbench and the program: ``python program_keeper.py LIFE FOLDER PROGRAM ARGUMENTS...``. LIFE is
the reading end of a pipe whose writing end mtbench alone holds: it ends when mtbench does, by whatever signal. Then, or
when the program ends, all processes of the program's group are killed, FOLDER is removed, and the exit code is the
program's (128 and the signal's number where a signal ended it). Standard input, output and error are the program's.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys

#: Exit code where the program cannot be started; what is wrong stands on standard error.
CANNOT_START = 126


def keep(life: int, folder: str, command: list[str]) -> int:
    """Run *command* until it ends or *life* does; return its exit code, as shells have it."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    try:
        child = subprocess.Popen(command, process_group=0)
    except OSError as error:
        os.write(2, f"{error}\n".encode(errors="replace"))
        shutil.rmtree(folder, ignore_errors=True)
        return CANNOT_START
    for own in range(3):  # the program alone holds them: their end is its end
        os.close(own)
    while child.poll() is None:
        ready, _, _ = select.select([life, woken], [], [])
        if life in ready:
            break
        os.read(woken, 64)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(keep(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
