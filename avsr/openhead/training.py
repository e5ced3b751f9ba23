"""Training of the bundled recognizer.

Some processes optimize, others make batches (:mod:`mtbench.avsr.openhead.training_data`). Everything is counted in
steps: batch *n* is the same whoever makes it, and a run that was killed at any moment goes on where it was
(:class:`~mtbench.learning.run.TrainingRun`).

A batch is cut into shards, whose gradients are averaged. On a CPU each shard has its own process on its own core:
two single threads are a third faster than two threads that wait for each other at every operation. One process
that takes the shards in turn computes the same, up to rounding. Products are bfloat16 where the processor multiplies
that itself, so that runs on different machines end in different bits.

Conventions
-----------
A run folder holds ``checkpoint.pt`` (tensors only, read with ``weights_only``), ``losses.csv`` and its plot
``losses.png``, and ``openhead-av.safetensors`` + ``.json`` (the running average, what
:class:`~mtbench.avsr.openhead.recognizer.OpenheadAV` loads); those of every 500th step stay in ``kept/STEP``. Needs the
``[synth]`` extra.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mtbench.avsr.openhead.captured import Captured
from mtbench.avsr.openhead.objective import TrainingConfig
from mtbench.avsr.openhead.recipe import RECOGNIZER, Plan, begin_run
from mtbench.avsr.openhead.training_data import MAX_SECONDS
from mtbench.avsr.openhead.training_processes import Team, helpers
from mtbench.errors import PrerequisiteError
from mtbench.files import make_folder


def _require_flame() -> None:
    from mtbench.faces import flame_record

    if flame_record() is None:
        raise PrerequisiteError(
            "a share of the training faces is rendered on a FLAME template, and none is registered; "
            "register yours with 'mtbench assets add flame FILE', or train without it: --flame 0"
        )


def train(
    out: str | Path,
    config: TrainingConfig | None = None,
    workers: int = 1,
    threads: int | None = None,
    initial: str | Path | None = None,
    sizes: Mapping[str, Any] | None = None,
    captured: Captured | None = None,
) -> Path:
    """Train the recognizer, or go on with the run in *out*.

    Parameters
    ----------
    out : path
        Run folder; a checkpoint in it is resumed.
    config : TrainingConfig, optional
        Defaults to :class:`TrainingConfig`'s.
    workers : int
        Processes that make batches.
    threads : int, optional
        Cores of a CPU to optimize on, all by default: as many processes as there are shards for, with a thread each.
        On a machine with an accelerator one process optimizes there.
    initial : path, optional
        A ``checkpoint.pt`` or ``.safetensors`` to take weights (not the step) from.
    sizes : mapping, optional
        Sizes of the network other than :class:`~mtbench.avsr.openhead.model.ModelConfig`'s, see
        :mod:`mtbench.avsr.openhead.configs`.
    captured : Captured, optional
        Motion banks to train on beside generated speech, see :mod:`mtbench.avsr.openhead.captured`.

    Returns
    -------
    Path
        The written ``openhead-av.safetensors``.

    Raises
    ------
    UsageError
        If the run in *out* was begun with something else, or its losses become infinite.
    PrerequisiteError
        If faces are to be rendered on a FLAME template and none is registered.
    BankError
        If a motion bank cannot be trained on.
    """
    from mtbench.synth import PHONES

    config = config or TrainingConfig()
    if config.flame:
        _require_flame()
    if captured is not None:
        captured.open_source(
            PHONES, MAX_SECONDS
        )  # here, where its faults are told, and not by a process beside
    plan = Plan(Path(out), config, dict(sizes or {}), None if initial is None else Path(initial), captured)
    make_folder(plan.folder)
    cores = threads or os.cpu_count() or 1
    team = Team(0, 1 if torch.cuda.is_available() else min(config.shards, cores))
    torch.set_num_threads(max(1, cores // team.count))
    context = multiprocessing.get_context("spawn")
    queues = [[context.Queue(3) for _ in range(config.shards)] for _ in range(workers)]
    run = begin_run(plan, [shards[:: team.count] for shards in queues], team)
    if run.step < config.steps:
        with helpers(plan, tuple(PHONES), run.step, team, queues):
            run.train()
    return plan.folder / RECOGNIZER
