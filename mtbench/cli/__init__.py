"""The command ``mtbench``: parse, call, print.

Conventions
-----------
Results go to standard output; progress, warnings and errors to standard error. Every error that a user can
mend is a line without a traceback. Exit codes: 0 fine, 2 usage, 3 invalid submission, 4 missing prerequisite,
5 partial result. Modules of this package import nothing heavy: ``mtbench --help`` answers at once.
"""

from __future__ import annotations

import errno
import os
import sys

#: Failures of the file system that a user can mend.
_MENDABLE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT)


def main() -> None:
    """Run the command line and exit with its code."""
    from mtbench.cli.app import app
    from mtbench.cli.output import say_error
    from mtbench.errors import MtbenchError

    try:
        app()
    except MtbenchError as error:
        say_error(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep the interpreter from complaining while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except ModuleNotFoundError as error:
        from mtbench.extras import explain_missing

        if (advice := explain_missing(error)) is None:
            raise
        say_error(advice)
        sys.exit(4)
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        say_error(f"{error}; free space there or give another folder (--out, --cache or MTBENCH_CACHE)")
        sys.exit(1)
