"""Threads of numerical libraries.

Conventions
-----------
Parallel work is shared out among processes (:mod:`mtbench.execute`), each on one thread: shared out among threads,
sums of the same numbers end in other bits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def single_threaded_torch() -> Iterator[None]:
    """Use one torch thread inside the block, and the caller's number again after it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
