"""Scripts that run as two processes of one training, as ``torchrun`` would start them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
#: ``PYTHONPATH`` of a process that finds the package where this one does, and these tests.
SEARCHED = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(TESTS)])


def run_as_two(script: str, *arguments: object) -> None:
    """Run Python code in both processes at once, from the repository's root; none may fail."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        **os.environ, "PYTHONPATH": SEARCHED, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=TESTS.parent, env={**shared, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
