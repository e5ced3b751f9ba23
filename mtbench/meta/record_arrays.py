"""Records of all systems laid out as the arrays of a meta-evaluation's scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mtbench.benchmarks import Clip
from mtbench.meta.reading import list_geometry
from mtbench.meta.scores import MetaScores
from mtbench.meta.system_files import ClipRecord
from mtbench.meta.systems import GROUND_TRUTH, System
from mtbench.results import Sight


def collect_scores(
    systems: Sequence[System],
    clips: Sequence[Clip],
    conditions: dict[str, tuple[str, ...]],
    records: dict[str, dict[str, ClipRecord]],
    facts: dict[str, Any],
    with_others: bool,
    sight: Sight | None,
) -> MetaScores:
    """Return the scores that *records* hold, NaN where a system was not run.

    Parameters
    ----------
    systems : sequence of System
    clips : sequence of Clip
    conditions : dict of str to tuple of str
        Names of each system's conditions.
    records : dict of str to dict of str to ClipRecord
        By system and clip.
    facts : dict
        What they were made with.
    with_others : bool
        Whether other clips' faces were shown.
    sight : Sight or None
        Whether the recognizer reads the true motion.
    """
    names = tuple(dict.fromkeys(name for system in systems for name in conditions[system.name]))
    shape = (len(systems), len(clips))
    errors, phone_errors, log_probabilities, others = (
        {name: np.full(shape, np.nan) for name in names} for _ in range(4)
    )
    geometry = {metric.name: np.full(shape, np.nan) for metric in list_geometry()}
    for s, system in enumerate(systems):
        for n, clip in enumerate(clips):
            record = records[system.name][clip.id]
            for name in conditions[system.name]:
                errors[name][s, n] = record.errors[name]
                phone_errors[name][s, n] = _number(record.phone_errors[name])
                log_probabilities[name][s, n] = _number(record.log_probabilities[name])
                others[name][s, n] = _mean(record.others.get(name, ()) if with_others else ())
            for metric in geometry:
                geometry[metric][s, n] = _number(record.geometry[metric])
    truth = [records[GROUND_TRUTH][clip.id] for clip in clips]
    return MetaScores(
        systems=tuple(systems),
        clips=tuple(clip.id for clip in clips),
        languages=tuple(clip.language for clip in clips),
        conditions=names,
        errors=errors,
        lengths=np.array([record.length for record in truth], float),
        phone_errors=phone_errors,
        phone_lengths=np.array([_number(record.phone_length) for record in truth]),
        geometry=geometry,
        log_probabilities=log_probabilities,
        tokens=np.array([_number(record.tokens) for record in truth]),
        others=others,
        hypotheses={
            (GROUND_TRUTH, name): tuple(tuple(record.phones[name].split()) for record in truth)
            for name in conditions[GROUND_TRUTH]
        },
        references=tuple(clip.phones or () for clip in clips),
        facts=facts,
        sight=sight,
    )


def _mean(values: Sequence[float | None]) -> float:
    """Return the mean; NaN where there are none, or one is missing."""
    return float(np.mean([_number(value) for value in values])) if values else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
