"""The command ``mtbench``: parse, call, print.

Conventions
-----------
Results go to standard output; progress, warnings and errors to standard error. Every error that a user can
mend is a line without a traceback (``MTBENCH_DEBUG=1`` shows it); a traceback is a fault of mtbench's own. Exit
codes: 0 fine, 1 the machine failed (disk, memory, a killed worker), 2 usage, 3 invalid submission, 4 missing
prerequisite, 5 partial result; 128 and the number of the signal that ended the command, 141 where nobody reads its
output any more. Modules of this package import nothing heavy: ``mtbench --help`` answers at once.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from mtbench.cli.output import drop_output, prepare_streams
    from mtbench.files import name_user
    from mtbench.work import Stopped, announce, handle_signals

    prepare_streams()
    name_user()
    try:
        handle_signals()
        code = _run()
    except Stopped as reason:
        announce(reason)
        code = reason.exit_code
        drop_output()
    sys.exit(code)


def _run() -> int:
    from mtbench.cli.output import OutputClosed, OutputFailed, drop_output, finish_output, say_error
    from mtbench.errors import MtbenchError
    from mtbench.work import stopped

    try:
        code = _call()
        finish_output()
        return code
    except OutputClosed:
        drop_output()
        return 141
    except OutputFailed as error:
        say_error(str(error))
        drop_output()
        return 1
    except Exception as error:
        if (reason := stopped()) is not None:
            # What the end of the child processes led to, not a cause of its own.
            raise reason from None
        explained = (str(error), error.exit_code) if isinstance(error, MtbenchError) else _explain(error)
        if explained is None:
            say_error(
                "this is a fault of mtbench, or of a recognizer of yours; please report it with these lines:"
            )
            raise
        if os.environ.get("MTBENCH_DEBUG"):
            import traceback

            traceback.print_exc()
        say_error(explained[0])
        return explained[1]


def _call() -> int:
    """Parse the arguments, run the command and return its exit code."""
    from mtbench.cli.app import app

    try:
        app()
    except SystemExit as done:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # typer met a closed pipe while it printed help
            from mtbench.cli.output import OutputClosed

            raise OutputClosed from None
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0


def _explain(error: Exception) -> tuple[str, int] | None:
    """Return message and exit code for what machines and users cause, None for faults of our own."""
    if isinstance(error, OSError):
        from mtbench.files import explain_os_error

        return explain_os_error(error)
    if isinstance(error, ModuleNotFoundError):
        from mtbench.extras import explain_missing

        return None if (advice := explain_missing(error)) is None else (advice, 4)
    if type(error).__name__ == "BrokenProcessPool":
        return "a worker process died, most likely because memory ran out: use fewer --workers", 1
    text = str(error)
    # torch and numba raise errors of their own where memory ran out.
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text.lower():
        return "memory ran out: use fewer --workers, or a machine with more", 1
    if isinstance(error, RuntimeError) and text.startswith("Symlink loop"):
        return f"a path is a circle of links: {text.partition(' from ')[2]}", 2
    if isinstance(error, RuntimeError) and "can't start new thread" in text:
        return "no more threads are allowed: use fewer --workers or raise the limit (ulimit -u)", 1
    return None
