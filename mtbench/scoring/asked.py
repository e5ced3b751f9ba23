"""Optional metrics of a clip that is scored: what they follow from, and measuring them.

Conventions
-----------
They lie in the cache beside the geometry that every run has, under keys of their own: a run that asks for more measures
only that, and one that asks for nothing finds what it always found. Metrics that need no ground truth are measured of
clips without one, and of submissions whose topology is not the truth's, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtbench.benchmarks import Clip, read_phone_times, template_digest, template_face, truth_digest
from mtbench.errors import UsageError
from mtbench.files import digest_file
from mtbench.metrics import METRICS, FacePair, GeometricMetric, GeometrySums, measure_asked, name_asked
from mtbench.work import STAGES, stage_key

if TYPE_CHECKING:
    import numpy as np

    from mtbench.scoring.stages import Resources

GEOMETRY = STAGES[2]
#: Raise it when what metrics are given of a clip changes.
ASKED_VERSION = "1"


def list_asked_clips(resources: Resources, clips: list[Clip]) -> list[Clip]:
    """Return those of *clips* of which a metric that is asked for can be measured."""
    found = [METRICS[name] for name in resources.setup.metrics]
    alone = any(isinstance(metric, GeometricMetric) and not metric.needs_truth for metric in found)
    return [clip for clip in clips if found and (alone or _is_compared(resources, clip))]


def asked_key(resources: Resources, clip: Clip, sound: str) -> str:
    """Return the key of the optional statistics of *clip*, whose clean sound has the digest *sound*."""
    compared = _is_compared(resources, clip)
    same = clip.topology == resources.topology.name
    inputs = [
        resources.topology.digest,
        resources.motion_digest(clip, "entry"),
        truth_digest(clip) if compared else "no truth",
        (template_digest(clip) if same else None) or "no template",
        sound,
        "no phones" if clip.phone_times_path is None else digest_file(clip.phone_times_path).short.hex(),
    ]
    return stage_key(GEOMETRY, f"asked-{ASKED_VERSION}", name_asked(resources.setup.metrics), inputs)


def measure_clip(resources: Resources, clip: Clip, vertices: np.ndarray) -> dict[str, Any]:
    """Return the optional statistics of *clip*: ``{"beside": ..., "alone": ...}``, JSON values.

    Raises
    ------
    UsageError
        Where the topology lacks what a metric needs.
    """
    truth = clip.load_motion() if _is_compared(resources, clip) else None
    same = clip.topology == resources.topology.name
    pair = FacePair(
        prediction=vertices,
        truth=vertices[:0] if truth is None else truth.vertices,
        region=resources.topology.region,
        template=template_face(clip) if same else None,
        topology=resources.topology,
        fps=clip.fps,
        sound=clip.load_audio,
        phones=None if clip.phone_times_path is None else lambda: read_phone_times(clip),
    )
    try:
        beside, alone = measure_asked(pair, resources.setup.metrics)
    except ValueError as error:
        raise UsageError(f"clip {clip.id}: {error}") from error
    return {
        name: None if sums is None else sums.to_json()
        for name, sums in (("beside", beside), ("alone", alone))
    }


def merge_asked(
    sums: GeometrySums | None, asked: dict[str, Any]
) -> tuple[GeometrySums | None, GeometrySums | None]:
    """Return the statistics beside the truth, what is *asked* among them, and those that need none."""
    beside, alone = (
        None if asked[k] is None else GeometrySums.from_json(asked[k]) for k in ("beside", "alone")
    )
    if sums is not None and beside is not None:
        sums = GeometrySums(sums.frames, {**sums.statistics, **beside.statistics})
    return sums, alone


def name_speaker(clip: Clip, metrics: tuple[str, ...]) -> str | None:
    """Return who speaks, where a metric that is asked for compares the clips of a speaker and somebody says who."""
    found = (METRICS[name] for name in metrics)
    across = any(isinstance(metric, GeometricMetric) and metric.across is not None for metric in found)
    return clip.speaker if across else None


def _is_compared(resources: Resources, clip: Clip) -> bool:
    return clip.motion_path is not None and clip.topology == resources.topology.name
