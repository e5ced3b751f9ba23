"""Threads and precision of numerical libraries.

Conventions
-----------
Parallel work is shared out among processes (:mod:`mtbench.work.executor`), each on one thread: shared out among
threads, sums of the same numbers end in other bits. Without torch (a base installation) there is nothing to set.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


def set_torch_threads(number: int) -> int | None:
    """Let torch use *number* threads; return how many it used before, None where torch cannot be imported."""
    try:
        import torch
    except (ImportError, OSError):  # what needs torch says so when it is loaded
        return None
    threads = torch.get_num_threads()
    torch.set_num_threads(number)
    return threads


@contextlib.contextmanager
def single_threaded_torch() -> Iterator[None]:
    """Use one torch thread inside the block, and the caller's number again after it."""
    threads = set_torch_threads(1)
    try:
        yield
    finally:
        if threads is not None:
            set_torch_threads(threads)


def multiplies_bfloat16(device: str) -> bool:
    """Whether a kind of device multiplies bfloat16 itself; emulated, that takes ten times as long as float32.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.
    """
    import torch

    return device != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
