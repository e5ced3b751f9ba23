"""One clip of one system: degrade, measure, render, recognize.

Conventions
-----------
A task's result follows from the task alone, wherever and whenever it runs. What tasks refer to is loaded once
per process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mtbench.avsr import ClipSound, Hypothesis, Reference, transcribe_clip
from mtbench.benchmarks import Clip
from mtbench.conditions import ENTRY, Condition
from mtbench.faces import load_topology
from mtbench.meta.ground_truth import GroundTruth, degrade
from mtbench.meta.other_faces import choose_others
from mtbench.meta.system_files import ClipRecord
from mtbench.meta.systems import GROUND_TRUTH, System
from mtbench.metrics import METRICS, EditCounts, GeometricMetric
from mtbench.scoring import Resources, Setup, audio_digest, load_resources, writes_roman
from mtbench.speech import DEFAULT_NORMALIZER, ROMAN, headline_rate
from mtbench.submissions import fit_frames

if TYPE_CHECKING:
    from mtbench.speech import Lexicon

#: Signal-to-noise ratio at which every system is presented, decibels.
HEADLINE_SNR = -7.5


@dataclass(frozen=True)
class ClipTask:
    """One clip of one system under some conditions, by their names; the setup names no submission.

    Under the conditions *beside*, so many *others* clips' faces of the system are shown with the clip's sound, too.
    """

    setup: Setup
    system: System
    clip: str
    conditions: tuple[str, ...]
    beside: tuple[str, ...] = ()
    others: int = 0


def read_clip(task: ClipTask) -> ClipRecord:
    """Degrade one clip, measure its geometry, and recognize it."""
    from mtbench.renderers import render_mouth_crops

    resources = load_resources(task.setup)
    clip = resources.benchmark.clip(task.clip)
    truth = GroundTruth(resources.benchmark, clip)
    vertices = degrade(truth, task.system)
    topology = load_topology(clip.topology or "")
    crops = render_mouth_crops(resources.renderer, topology, vertices, task.setup.appearance)
    conditions = {name: _present(name) for name in task.conditions}
    sound = ClipSound(clip, resources.noises)
    found = _transcribe(task, clip, sound, conditions.values(), crops, resources.lexicon(clip.language))
    hypotheses = {name: found[condition] for name, condition in conditions.items()}
    roman = writes_roman(resources.recognizer)
    counts = {name: _count(clip, name, hypothesis, roman) for name, hypothesis in hypotheses.items()}
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
        others=_read_others(task, clip, sound),
    )


def _transcribe(
    task: ClipTask,
    clip: Clip,
    sound: ClipSound,
    conditions: Iterable[Condition],
    crops: np.ndarray,
    lexicon: Lexicon | None,
    whose: str = "",
) -> dict[Condition, Hypothesis]:
    resources = load_resources(task.setup)
    assert resources.recognizer is not None
    return transcribe_clip(
        resources.recognizer,
        clip,
        list(conditions),
        see=lambda _: crops,
        hear=lambda condition: _hear(resources, sound, condition),
        lexicon=lexicon,
        about=f", system {task.system.name}{whose}",
        reference=Reference(clip.transcript, clip.phones),
    )


def _read_others(task: ClipTask, clip: Clip, sound: ClipSound) -> dict[str, tuple[float | None, ...]]:
    """Return how probable the clip's reference is with other clips' faces, by condition; no words are looked for."""
    if not task.others:
        return {}
    benchmark = load_resources(task.setup).benchmark
    conditions = {name: _present(name) for name in task.beside}
    told: dict[str, list[float | None]] = {name: [] for name in task.beside}
    for other in choose_others(benchmark, clip, task.others):
        crops = fit_frames(_show_system(task.setup, task.system, other.id), clip.frames)
        whose = f" of clip {other.id}"
        found = _transcribe(task, clip, sound, conditions.values(), crops, None, whose)
        for name, condition in conditions.items():
            told[name].append(found[condition].log_probability)
    return {name: tuple(values) for name, values in told.items()}


@lru_cache(maxsize=64)
def _show_system(setup: Setup, system: System, clip_id: str) -> np.ndarray:
    """Return the (T, 96, 96) uint8 mouth crops of a system; neighboring clips stand beside the same others."""
    from mtbench.renderers import render_mouth_crops

    resources = load_resources(setup)
    clip = resources.benchmark.clip(clip_id)
    vertices = degrade(GroundTruth(resources.benchmark, clip), system)
    return render_mouth_crops(
        resources.renderer, load_topology(clip.topology or ""), vertices, setup.appearance
    )


def _count(
    clip: Clip, name: str, hypothesis: Hypothesis, roman: bool
) -> tuple[EditCounts, EditCounts | None]:
    """Return the edits of the condition *name*: words or characters, whichever is the headline, and phones.

    Of a recognizer that writes *roman* letters they are characters of romanized references, in every language.
    """
    from mtbench.scoring import measure_recognition

    row = measure_recognition(
        clip=clip.id,
        language=clip.language,
        source=clip.source,
        condition=_present(name),
        reference=clip.transcript,
        hypothesis=hypothesis,
        reference_phones=clip.phones,
        normalizer=ROMAN if roman else DEFAULT_NORMALIZER,
    )
    units = row.chars if roman or headline_rate(clip.language) == "cer" else row.words
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
