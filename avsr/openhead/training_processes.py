"""Processes beside the one that trains the recognizer: some make batches, others optimize with it.

Conventions
-----------
Each batch is made by one of the workers (:func:`~mtbench.avsr.openhead.training_data.maker_of`), which puts each of its
shards into a queue of its own. All of these processes end when the main one does, however that was ended.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Full
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from mtbench.avsr.openhead.batches import collate_shards
from mtbench.avsr.openhead.recipe import Plan, begin_run
from mtbench.avsr.openhead.training_data import MAX_SECONDS, BatchGenerator, maker_of
from mtbench.errors import UsageError
from mtbench.learning import Processes
from mtbench.speech import LANGUAGES

log = logging.getLogger(__name__)


class Team(Processes):
    """Optimizing processes on one machine, which take the shards of a batch in turn.

    Parameters
    ----------
    rank, count : int
        Number of this process from 0, and how many there are.
    """

    def __init__(self, rank: int, count: int) -> None:
        self.rank, self.count = rank, count

    def join(self, meeting: Path) -> None:
        """Meet the others at a file in a folder that all of them see; wait for those that have not come."""
        if self.count > 1:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
            dist.init_process_group(
                "gloo",
                init_method=f"file://{meeting}",
                rank=self.rank,
                world_size=self.count,
                timeout=timedelta(minutes=20),
            )

    def combine(self, parameters: Sequence[nn.Parameter], parts: torch.Tensor) -> None:
        """Add up gradients and parts of the loss over the processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([parts, *(g.flatten() for g in gradients)])
        dist.all_reduce(flat)
        sums = flat.split([len(parts), *(g.numel() for g in gradients)])
        for target, total in zip([parts, *gradients], sums):
            target.copy_(total.view_as(target))


def make_batches(
    plan: Plan, phones: tuple[str, ...], worker: int, workers: int, start: int, queues: Sequence[Any]
) -> None:
    """Make those batches from number *start* on that are this worker's, for ever (worker process).

    Where their number does not divide the lag of reuse, two workers make a set: same bytes, more time.
    """
    torch.set_num_threads(1)
    order, config = tuple(LANGUAGES), plan.config
    ear = plan.load_ear()
    source, share = None, 0.0
    if plan.captured is not None:
        source, share = plan.captured.open_source(phones, MAX_SECONDS), plan.captured.share
    generator = BatchGenerator(config.seed, config.batch, order, phones, config.flame, source, share)
    parent = multiprocessing.parent_process()
    for number in itertools.count(start):
        if maker_of(number, workers) != worker:
            continue
        shards = collate_shards(generator.make(number), config.seed, order, config.shards, ear)
        for shard, queue in zip(shards, queues):
            # A killed optimizer takes no more batches: do not wait for it for ever.
            while True:
                if parent is not None and not parent.is_alive():
                    return
                try:
                    queue.put(shard, timeout=5)
                    break
                except Full:
                    continue


def assist(plan: Plan, team: Team, queues: Sequence[Sequence[Any]]) -> None:
    """Optimize beside the main process, which writes the files (helper process)."""
    torch.set_num_threads(1)
    team.join(_meeting(plan))
    try:
        begin_run(plan, queues, team).train()
    except (RuntimeError, UsageError) as error:
        # The main process has gone, or says the same: so does this one, quietly.
        log.debug("process %d of %d stops: %s", team.rank, team.count, error)


@contextmanager
def helpers(
    plan: Plan, phones: tuple[str, ...], start: int, team: Team, queues: Sequence[Sequence[Any]]
) -> Iterator[None]:
    """Have others make batches from number *start* on, and optimize too, while the block runs.

    Parameters
    ----------
    plan : Plan
    phones : tuple of str
        Phone classes in order, without blank.
    start : int
        Number of the first batch.
    team : Team
        Of the main process.
    queues : sequence of sequence of queues
        A queue for each worker and shard.
    """
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(
            target=make_batches,
            args=(plan, phones, i, len(queues), start, queues[i]),
            daemon=True,
        )
        for i in range(len(queues))
    ]
    processes += [
        context.Process(
            target=assist,
            args=(plan, Team(rank, team.count), [shards[rank :: team.count] for shards in queues]),
            daemon=True,
        )
        for rank in range(1, team.count)
    ]
    meeting = _meeting(plan)
    meeting.unlink(missing_ok=True)
    for process in processes:
        process.start()
    try:
        team.join(meeting)
        yield
    finally:
        for process in processes:
            process.kill()
        if dist.is_initialized():
            dist.destroy_process_group()
        meeting.unlink(missing_ok=True)


def _meeting(plan: Plan) -> Path:
    return plan.folder / "meeting"
