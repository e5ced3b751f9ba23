"""Every metric of vertices in one line: ``mtbench.metrics.lve_mm(prediction, truth, topology="flame-5023")``.

Conventions
-----------
Clips are given as to ``mtbench.lve`` (:mod:`mtbench.metrics.clip_pairs`), several as lists, which are put together as
in the tables of a run; results have the metric's unit. What a clip cannot have is an error here that says why, never a
zero. FDD needs a template: ``mtbench.fdd``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.errors import UsageError
from mtbench.faces import Motion, Topology
from mtbench.metrics.base import FacePair, GeometricMetric, Member
from mtbench.metrics.clip_pairs import check_indices, pair_up_clips
from mtbench.metrics.geometry_sums import GeometrySums
from mtbench.metrics.registry import METRICS
from mtbench.speech import TimedPhone, load_audio


@dataclass(frozen=True)
class OneLine:
    """A metric of vertices as a function.

    Attributes
    ----------
    name : str
        Of the metric, see ``mtbench ls metrics`` and ``docs/metrics.md``.

    Examples
    --------
    >>> from mtbench.faces import load_topology
    >>> face = np.repeat(load_topology("openhead-1").neutral[None], 4, axis=0)
    >>> round(lve_mm(face + np.float32([0, 0.003, 0.004]), face, topology="openhead-1"), 3)
    5.0
    """

    name: str

    def __call__(
        self,
        prediction: Any,
        truth: Any = None,
        *,
        topology: str | Topology | None = None,
        lips: Sequence[int] | np.ndarray | None = None,
        upper_face: Sequence[int] | np.ndarray | None = None,
        template: Any = None,
        fps: float | None = None,
        sound: Any = None,
        phones: Any = None,
        speaker: Sequence[str] | None = None,
    ) -> float:
        """Return the metric of one clip, or of several as a table would have it.

        Parameters
        ----------
        prediction, truth : (T, V, 3) or (T, 3 V) floating point, Motion or path; or a list of them
            Positions in metres, same T and V. Metrics that need no ground truth go without *truth*.
        topology : str or Topology, optional
            By default the one that has as many vertices.
        lips, upper_face : (n,) int, optional
            Vertex indices in place of the topology's.
        template : (V, 3) floating point or path, or a list of them, optional
            Resting face of the speaker, for metrics of closures.
        fps : float, optional
            Frames per second; by default those of a Motion, else 25.
        sound : (n,) floating point at 16 kHz mono or path, or a list of them, optional
            Clean speech, for metrics that compare with it.
        phones : sequence of TimedPhone, or a list of such sequences, optional
            Reference phones with their times, pauses called ``"sil"`` included
            (:func:`mtbench.benchmarks.read_phone_times`).
        speaker : sequence of str, optional
            Who speaks in each clip, for ``slcc``; by default one speaker in all.

        Returns
        -------
        float
            In the metric's unit.

        Raises
        ------
        UsageError
            Where something cannot be read or does not fit, is missing, or no clip has such a number.
        """
        metric = METRICS[self.name]
        assert isinstance(metric, GeometricMetric)
        if metric.needs_truth and truth is None:
            raise UsageError(f"{self.name} compares with ground truth: give it as the second argument")
        needed = None if lips is not None and metric.region == "lips" else "lips"
        clips = pair_up_clips(prediction, truth, template, topology, needed)
        several = isinstance(prediction, list | tuple) and len(clips) == len(prediction)
        sounds, spoken = _spread(sound, len(clips), several), _spread(phones, len(clips), several)
        motions = list(prediction) if several else [prediction]
        members: list[GeometrySums] = []
        for i, (a, b, face, found) in enumerate(clips):
            regions = {"lips": lips, "upper_face": upper_face}
            pair = FacePair(
                a,
                b,
                _region_finder(regions, found, a.shape[1]),
                None if template is None else face,
                found,
                _find_rate(motions[i], fps),
                None if sounds[i] is None else _sound_reader(sounds[i]),
                None if spoken[i] is None else _phone_reader(spoken[i]),
            )
            try:
                values = {name: function(pair) for name, function in metric.measures.items()}
            except ValueError as error:
                raise UsageError(f"{self.name}: {error}") from None
            members.append(GeometrySums(len(a), values))
        return self._pool(metric, members, speaker)

    def _pool(
        self, metric: GeometricMetric, clips: list[GeometrySums], speaker: Sequence[str] | None
    ) -> float:
        cells = [metric.cell(sums) for sums in clips]
        if metric.across is not None and all(not isinstance(cell, str) for cell in cells):
            names = [""] * len(clips) if speaker is None else list(speaker)
            pairs = [(sums[metric.statistic], sums[metric.per]) for sums in clips]
            cells = metric.across(
                [Member(who, a or 0.0, b or 0.0) for who, (a, b) in zip(names, pairs, strict=True)]
            )
        found = [cell for cell in cells if not isinstance(cell, str)]
        if not found:
            reasons = dict.fromkeys(cell for cell in cells if isinstance(cell, str))
            raise UsageError(f"{self.name} does not exist here: {'; '.join(reasons)}")
        return metric.scale * sum(a for a, _ in found) / sum(b for _, b in found)


def _spread(given: Any, clips: int, several: bool) -> list[Any]:
    """Return what is *given* for each clip."""
    if given is None:
        return [None] * clips
    if not several:
        return [given]
    if not isinstance(given, list | tuple) or len(given) != clips:
        raise UsageError(f"{clips} clips need as many sounds and sequences of phones, in a list")
    return list(given)


def _find_rate(motion: Any, fps: float | None) -> float:
    if isinstance(motion, Motion):
        if fps is not None and fps != motion.fps:
            raise UsageError(f"fps={fps:g}, but the motion has {motion.fps:g} frames per second")
        return motion.fps
    rate = 25.0 if fps is None else float(fps)
    if not 0 < rate < 1000:
        raise UsageError(f"fps={rate:g}, expected frames per second, e.g. 25")
    return rate


def _region_finder(
    given: dict[str, Any], topology: Topology | None, vertices: int
) -> Callable[[str], np.ndarray]:
    def find(name: str) -> np.ndarray:
        if given.get(name) is not None:
            return check_indices(given[name], name, topology, vertices)
        if topology is None:
            raise UsageError(f"nobody knows the {name} of this mesh: give its vertex indices as {name}=")
        return topology.region(name)

    return find


def _sound_reader(sound: Any) -> Callable[[], np.ndarray]:
    return lambda: load_audio(Path(sound)) if isinstance(sound, str | Path) else np.asarray(sound)


def _phone_reader(phones: Sequence[TimedPhone]) -> Callable[[], Sequence[TimedPhone]]:
    for phone in phones:
        if not all(hasattr(phone, field) for field in ("symbol", "start", "end", "release")):
            raise UsageError(
                f"phones hold a {type(phone).__name__}, expected objects with symbol, start, end and release; "
                "mtbench.benchmarks.read_phone_times(clip) gives some"
            )
    return lambda: phones


lve_mm = OneLine("lve_mm")
lve_sq_m2 = OneLine("lve_sq_m2")
lve_centred_mm = OneLine("lve_centred_mm")
lve_aligned_mm = OneLine("lve_aligned_mm")
lve_mean_mm = OneLine("lve_mean_mm")
lve_rms_mm = OneLine("lve_rms_mm")
mve_mm = OneLine("mve_mm")
mve_rms_mm = OneLine("mve_rms_mm")
fdd_artalk_mm = OneLine("fdd_artalk_mm")
jaw_mm = OneLine("jaw_mm")
upper_face_mm = OneLine("upper_face_mm")
lip_dtw_mm = OneLine("lip_dtw_mm")
lip_dtw_path_mm = OneLine("lip_dtw_path_mm")
mod_mm = OneLine("mod_mm")
lip_pcc = OneLine("lip_pcc")
lip_ccc = OneLine("lip_ccc")
mtm_ms = OneLine("mtm_ms")
mtm_matched = OneLine("mtm_matched")
closure_recall = OneLine("closure_recall")
false_closures = OneLine("false_closures")
lip_loudness = OneLine("lip_loudness")
silent_lips_mm = OneLine("silent_lips_mm")
lip_dynamics_mm = OneLine("lip_dynamics_mm")
slcc = OneLine("slcc")
