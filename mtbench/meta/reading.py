"""One clip of one system: degrade, measure, render, recognize.

Conventions
-----------
A task's result follows from the task alone, wherever and whenever it runs. What tasks refer to is loaded once
per process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtbench.avsr import ClipSound, Hypothesis, Reference, transcribe_clip
from mtbench.benchmarks import Clip
from mtbench.conditions import ENTRY, Condition
from mtbench.faces import load_topology
from mtbench.meta.ground_truth import GroundTruth, degrade
from mtbench.meta.system_files import ClipRecord
from mtbench.meta.systems import GROUND_TRUTH, System
from mtbench.metrics import METRICS, EditCounts, GeometricMetric
from mtbench.scoring import Resources, Setup, audio_digest, load_resources
from mtbench.speech import headline_rate

#: Signal-to-noise ratio at which every system is presented, decibels.
HEADLINE_SNR = -7.5


@dataclass(frozen=True)
class ClipTask:
    """One clip of one system under some conditions, by their names; the setup names no submission."""

    setup: Setup
    system: System
    clip: str
    conditions: tuple[str, ...]


def read_clip(task: ClipTask) -> ClipRecord:
    """Degrade one clip, measure its geometry, and recognize it."""
    from mtbench.renderers import render_mouth_crops

    resources = load_resources(task.setup)
    clip = resources.benchmark.clip(task.clip)
    truth = GroundTruth(resources.benchmark, clip)
    vertices = degrade(truth, task.system)
    topology = load_topology(clip.topology or "")
    crops = render_mouth_crops(resources.renderer, topology, vertices, task.setup.appearance)
    assert resources.recognizer is not None
    conditions = {name: _present(name) for name in task.conditions}
    sound = ClipSound(clip, resources.noises)
    found = transcribe_clip(
        resources.recognizer,
        clip,
        list(conditions.values()),
        see=lambda _: crops,
        hear=lambda condition: _hear(resources, sound, condition),
        lexicon=resources.lexicon(clip.language),
        about=f", system {task.system.name}",
        reference=Reference(clip.transcript, clip.phones),
    )
    hypotheses = {name: found[condition] for name, condition in conditions.items()}
    counts = {name: _count(clip, name, hypothesis) for name, hypothesis in hypotheses.items()}
    return ClipRecord(
        errors={name: counts[name][0].errors for name in task.conditions},
        length=counts[task.conditions[0]][0].reference_length,
        phone_errors={name: None if p is None else p.errors for name, (_, p) in counts.items()},
        phone_length=None if clip.phones is None else len(clip.phones),
        phones={name: " ".join(h.phones or ()) for name, h in hypotheses.items()}
        if task.system.family == GROUND_TRUTH
        else {},
        geometry=_measure_geometry(truth, vertices),
        log_probabilities={name: h.log_probability for name, h in hypotheses.items()},
        tokens=next((h.tokens for h in hypotheses.values() if h.tokens is not None), None),
    )


def _count(clip: Clip, name: str, hypothesis: Hypothesis) -> tuple[EditCounts, EditCounts | None]:
    """Return the edits of the condition *name*: words or characters, whichever is the headline, and phones."""
    from mtbench.scoring import measure_recognition

    row = measure_recognition(
        clip=clip.id,
        language=clip.language,
        source=clip.source,
        condition=_present(name),
        reference=clip.transcript,
        hypothesis=hypothesis,
        reference_phones=clip.phones,
    )
    units = row.chars if headline_rate(clip.language) == "cer" else row.words
    assert units is not None
    return units, row.phones


def _present(name: str) -> Condition:
    """Return a condition by its name, with the system's face where there is something to see."""
    condition = Condition.parse(name)
    return condition.with_face(ENTRY) if condition.sees else condition


def _hear(resources: Resources, sound: ClipSound, condition: Condition) -> np.ndarray | None:
    """Return the (640 T,) float32 sound of a condition, None for silence."""
    if condition.snr_db != HEADLINE_SNR:  # used by few systems, and quickly made: not worth the space
        return sound.hear(condition)
    digest, noise = audio_digest(sound.clip), resources.noises[condition.noise or ""]
    return resources.hear(sound, condition, resources.mixture_key(sound.clip, condition, digest, noise))


def list_geometry() -> list[GeometricMetric]:
    """Return the geometric metrics that order systems, as they are kept in files."""
    return [metric for metric in METRICS.geometric() if metric.orders_systems]


def _measure_geometry(truth: GroundTruth, vertices: np.ndarray) -> dict[str, float | None]:
    """Return the geometric metrics of one clip, each in its own unit, means over frames."""
    from mtbench.benchmarks import template_face
    from mtbench.metrics import measure_geometry

    topology = load_topology(truth.clip.topology or "")
    template = template_face(truth.clip)
    sums = measure_geometry(vertices, truth.vertices, topology, template)
    return {metric.name: metric.value(sums) for metric in list_geometry()}
