"""Where a training computes: a processor or an accelerator, alone or together with other processes.

Plain torch does all of it: ``torch.autocast`` for mixed precision, ``torch.distributed`` where the command was started
by ``torchrun``, e.g. ``torchrun --nproc-per-node 4 -m mtbench.cli reference train stage2 …``. A batch is then shared
out by clips, gradients are averaged, and the codebook of the first process is everyone's. A framework for the same
would bring its own launcher, and more seconds of imports than a smoke run takes.

Conventions
-----------
Processes are numbered from 0; only process 0 writes files. All of them hold the same weights after every step.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
import torch.distributed as dist

from mtbench.errors import UsageError
from mtbench.learning import Processes


class Devices(Processes):
    """The device of this process, and its number among all processes.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        Of matrix products; sums, norms and weights stay float32.
    """

    def __init__(self, precision: str = "float32") -> None:
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available()
        self.device = (
            torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        )
        self.precision = precision
        if cuda:
            torch.cuda.set_device(self.device)
        if self.count > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if cuda else "gloo")
            atexit.register(_leave)

    def check_batch(self, batch: int) -> None:
        """Raise UsageError where a batch cannot be shared out among the processes."""
        if batch % self.count:
            raise UsageError(
                f"a batch of {batch} clips cannot be shared out evenly among {self.count} processes; set "
                f"stage1.batch and stage2.batch to multiples of {self.count}"
            )

    def agree(self, value: float) -> float:
        """Return process 0's value."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, 0)
        return float(shared)

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context of a step's computations."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def average(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace tensors by their means over the processes, in place."""
        if self.count == 1:
            return
        tensors = list(tensors)
        flat = torch.cat([t.flatten() for t in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors])):
            tensor.copy_(part.view_as(tensor))

    def combine(self, parameters: Sequence[torch.nn.Parameter], parts: torch.Tensor) -> None:
        """Replace gradients and parts of the loss by their means over the processes, in place."""
        self.average_gradients(parameters)
        self.average([parts])

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace gradients by their means over the processes, in place.

        A process may lack some: wav2vec 2.0 leaves out layers at random. They count as zero there; what has no gradient
        anywhere keeps none.
        """
        if self.count == 1:
            return
        parameters = list(parameters)
        there = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        dist.all_reduce(there)
        reached = [p for p, n in zip(parameters, there.tolist()) if n]
        for parameter in reached:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.average([p.grad for p in reached if p.grad is not None])

    def share(self, tensor: torch.Tensor) -> None:
        """Replace a tensor by that of process 0, in place."""
        if self.count > 1:
            dist.broadcast(tensor, 0)

    @contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """Run the block in process 0, then in the others: what the first prepares, the others find."""
        if self.count > 1 and not self.first:
            dist.barrier()
        yield
        if self.count > 1 and self.first:
            dist.barrier()


def _leave() -> None:
    """Leave the other processes before the interpreter ends: gloo's threads would abort it now and then."""
    if dist.is_initialized():
        dist.destroy_process_group()


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which matrix products are float32 again: distances to the codebook's entries need it."""
    return torch.autocast(device.type, enabled=False)
