"""Running all stages of a score, stage by stage, and collecting what they made.

Conventions
-----------
Stage-major: all mixtures, then all faces (crops and geometry), then all hypotheses, so that one heavy thing
is in memory at a time; only clean sound alone is recognized before the faces, since it says whether the recognizer
understands the speech at all. A stage first asks the cache what is there; only the rest becomes tasks. Audio-only
and static-face hypotheses do not depend on the entry, so the next entry finds them in the cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from mtbench.avsr import ClipSound, Hypothesis, describe_traits
from mtbench.benchmarks import Clip
from mtbench.conditions import ENTRY, STATIC, Condition
from mtbench.errors import Problem, SubmissionError
from mtbench.faces import require_renderable
from mtbench.metrics import GeometrySums
from mtbench.scoring.asked import asked_key, list_asked_clips
from mtbench.scoring.run_setup import Setup
from mtbench.scoring.stages import (
    CROPS,
    GEOMETRY,
    HYPOTHESES,
    MIXTURES,
    STAGES,
    FaceTask,
    MixtureTask,
    RecognitionTask,
    Seconds,
    audio_digest,
    load_resources,
    make_face,
    make_mixtures,
    recognize,
)
from mtbench.work import Executor, Progress

T = TypeVar("T")


@dataclass
class StageReport:
    """What a stage did: results made and found; seconds of the run's clock, the workers' and processors'."""

    computed: int = 0
    cached: int = 0
    wall_seconds: float = 0.0
    worker_seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Outcome:
    """What the stages made.

    Attributes
    ----------
    hypotheses : dict of (clip id, Condition) to Hypothesis
    geometry : dict of clip id to GeometrySums
    asked : dict of clip id to dict
        Statistics of optional metrics, as :func:`mtbench.scoring.asked.measure_clip` gives them.
    stages : dict of str to StageReport
    """

    hypotheses: dict[tuple[str, Condition], Hypothesis] = field(default_factory=dict)
    geometry: dict[str, GeometrySums] = field(default_factory=dict)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[str, StageReport] = field(default_factory=lambda: {name: StageReport() for name in STAGES})


#: What says whether the recognizer understands the speech at all.
CLEAN_SOUND = Condition("a")


def list_conditions(snrs: Sequence[float], noises: Sequence[str]) -> list[Condition]:
    """Return the conditions under which every clip is recognized, in the order of result rows.

    Audio-visual (clean and noisy), video-only, audio-only (clean and noisy), and noisy audio with a static
    face, which ``avlr_gain`` needs.
    """
    sounds = [CLEAN_SOUND, *(Condition("a", float(snr), noise) for snr in snrs for noise in noises)]
    seen = [replace(sound, modality="av", face=ENTRY) for sound in sounds]
    return [*seen, Condition("v", face=ENTRY), *sounds, *(c.with_face(STATIC) for c in seen if c.is_noisy)]


def run_stages(
    setup: Setup,
    conditions: Sequence[Condition],
    executor: Executor,
    progress: Progress,
    after_clean_sound: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Make (or find) everything that a score needs.

    Parameters
    ----------
    setup : Setup
        What to score with what.
    conditions : sequence of Condition
        See :func:`list_conditions`.
    executor : Executor
        Where tasks run.
    progress : Progress
        Who is told.
    after_clean_sound : function of Outcome, optional
        Called before anything is rendered, when clean sound alone has been recognized.

    Raises
    ------
    SubmissionError
        With the problems of all clips whose values cannot be used.
    PrerequisiteError
        Where the topology cannot be rendered.
    """
    return _Pipeline(setup, conditions, executor, progress).run(after_clean_sound)


class _Pipeline:
    def __init__(
        self, setup: Setup, conditions: Sequence[Condition], executor: Executor, progress: Progress
    ) -> None:
        self.setup, self.executor, self.progress = setup, executor, progress
        self.resources = load_resources(setup)
        self.outcome = Outcome()
        submission, recognizer = self.resources.submission, self.resources.recognizer
        present = set(submission.clips)
        clips = [clip for clip in self.resources.benchmark.clips if clip.id in present]
        covered = recognizer.languages if recognizer is not None else frozenset()
        self.recognized = [clip for clip in clips if clip.language in covered]
        self.measured = [c for c in clips if c.motion_path is not None and c.topology == submission.topology]
        self.asked = {clip.id: self._asked_key(clip) for clip in list_asked_clips(self.resources, clips)}
        self.conditions = list(conditions) if recognizer is not None else []
        # Digests of crops and sounds, by what they belong to: they make up the keys of hypotheses.
        self.crop_keys: dict[tuple[str, str], str] = {}
        self.mixture_keys: dict[tuple[str, Condition], str] = {}
        self.audio_digests: dict[str, str] = {}

    def run(self, after_clean_sound: Callable[[Outcome], None] | None) -> Outcome:
        if self.recognized:
            require_renderable(self.resources.topology)
        self._mix()
        self._recognize("listening to clean sound", [c for c in self.conditions if c == CLEAN_SOUND])
        if after_clean_sound is not None:
            after_clean_sound(self.outcome)
        self._make_faces()
        self._recognize("recognizing", [c for c in self.conditions if c != CLEAN_SOUND])
        return self.outcome

    def _mix(self) -> None:
        noisy = list(dict.fromkeys(c.sound for c in self.conditions if c.sound is not None and c.is_noisy))
        report, tasks = self.outcome.stages[MIXTURES], []
        start = time.perf_counter()
        for clip in self.recognized:
            self.audio_digests[clip.id] = audio_digest(clip)
            missing = []
            for sound in noisy:
                noise = self.resources.noises[sound.noise or ""]
                key = self.resources.mixture_key(clip, sound, self.audio_digests[clip.id], noise)
                self.mixture_keys[clip.id, sound] = key
                if self._count(report, MIXTURES, key):
                    missing.append((sound, key))
            if missing:
                tasks.append(MixtureTask(self.setup, clip.id, tuple(missing)))
        self._execute("mixing", make_mixtures, tasks, report.cached)
        report.wall_seconds = time.perf_counter() - start

    def _make_faces(self) -> None:
        start = time.perf_counter()
        crops, geometry = self.outcome.stages[CROPS], self.outcome.stages[GEOMETRY]
        faces = [f for f in (ENTRY, STATIC) if any(c.face == f for c in self.conditions)]
        recognized, measured = {c.id for c in self.recognized}, {c.id for c in self.measured}
        tasks = []
        for face in dict.fromkeys([*faces, ENTRY]):
            for clip in self.resources.benchmark.clips:
                crops_key = geometry_key = asked = None
                if clip.id in recognized and face in faces:
                    key = self.resources.crops_key(clip, face)
                    self.crop_keys[clip.id, face] = key
                    crops_key = key if self._count(crops, CROPS, key) else None
                if clip.id in measured and face == ENTRY:
                    key = self.resources.geometry_key(clip)
                    geometry_key = key if self._count(geometry, GEOMETRY, key) else None
                if clip.id in self.asked and face == ENTRY:
                    key = self.asked[clip.id]
                    asked = key if self._count(geometry, GEOMETRY, key) else None
                if crops_key or geometry_key or asked:
                    tasks.append(FaceTask(self.setup, clip.id, face, crops_key, geometry_key, asked))
        self._execute("rendering mouths", make_face, tasks, crops.cached)
        for clip in self.measured:
            key = self.resources.geometry_key(clip)
            sums = self._measured(key, FaceTask(self.setup, clip.id, ENTRY, None, key))
            self.outcome.geometry[clip.id] = GeometrySums.from_json(sums)
        for clip_id, key in self.asked.items():
            self.outcome.asked[clip_id] = self._measured(
                key, FaceTask(self.setup, clip_id, ENTRY, None, None, key)
            )
        # Both are made by the same tasks, so they share the clock.
        crops.wall_seconds = geometry.wall_seconds = time.perf_counter() - start

    def _recognize(self, name: str, conditions: Sequence[Condition]) -> None:
        start = time.perf_counter()
        report, tasks = self.outcome.stages[HYPOTHESES], []
        cached = report.cached
        keys: dict[tuple[str, Condition], str] = {}
        claimed: set[str] = set()
        for clip in self.recognized:
            sounds = self._sound_digests(clip)
            for face in dict.fromkeys(c.face for c in conditions):
                missing = []
                seen = None if face is None else self._crops_digest(clip, face)
                for condition in conditions:
                    if condition.face != face:
                        continue
                    key = self.resources.hypothesis_key(clip, seen, sounds[condition.sound])
                    keys[clip.id, condition] = key
                    # Two faces may look the same (a submission that does not move): recognize once.
                    if self._count(report, HYPOTHESES, key, known=key in claimed):
                        claimed.add(key)
                        missing.append((condition, self._mixture_key(clip.id, condition), key))
                if missing:
                    crop_key = None if face is None else self.crop_keys[clip.id, face]
                    tasks.append(RecognitionTask(self.setup, clip.id, crop_key, tuple(missing)))
        alone = (
            self.resources.recognizer is not None
            and not describe_traits(self.resources.recognizer).shares_cores
        )
        self._execute(name, recognize, tasks, report.cached - cached, here=alone)
        self._collect(keys)
        report.wall_seconds += time.perf_counter() - start

    def _collect(self, keys: dict[tuple[str, Condition], str]) -> None:
        for (clip_id, condition), key in keys.items():
            value = self.resources.cache.get_json(HYPOTHESES, key)
            if value is None:  # damaged between writing and reading
                crop_key = None if condition.face is None else self.crop_keys[clip_id, condition.face]
                again = ((condition, self._mixture_key(clip_id, condition), key),)
                recognize(RecognitionTask(self.setup, clip_id, crop_key, again))
                value = self.resources.cache.get_json(HYPOTHESES, key)
                assert value is not None
            self.outcome.hypotheses[clip_id, condition] = Hypothesis.from_json(value)

    def _mixture_key(self, clip_id: str, condition: Condition) -> str | None:
        """Return the key of what is heard under *condition*; None for clean sound and for silence."""
        return None if condition.sound is None else self.mixture_keys.get((clip_id, condition.sound))

    def _asked_key(self, clip: Clip) -> str:
        return asked_key(self.resources, clip, audio_digest(clip))

    def _measured(self, key: str, again: FaceTask) -> dict[str, Any]:
        """Return what lies under *key*, made *again* where the cache lost it."""
        value = self.resources.cache.get_json(GEOMETRY, key)
        if value is None:
            make_face(again)
            value = self.resources.cache.get_json(GEOMETRY, key)
            assert value is not None
        return value

    def _sound_digests(self, clip: Clip) -> dict[Condition | None, str | None]:
        """Return the digest of what is heard, by condition of the sound alone; a lost mixture is made again."""
        digests: dict[Condition | None, str | None] = {None: None, CLEAN_SOUND: self.audio_digests[clip.id]}
        lost = ClipSound(clip, self.resources.noises)
        for sound in dict.fromkeys(c.sound for c in self.conditions):
            if sound not in digests:
                assert sound is not None
                key = self.mixture_keys[clip.id, sound]
                digest = self.resources.cache.content_digest(MIXTURES, key)
                digests[sound] = digest or self.resources.cache.put_array(MIXTURES, key, lost.mix(sound))
        return digests

    def _crops_digest(self, clip: Clip, face: str) -> str:
        key = self.crop_keys[clip.id, face]
        digest = self.resources.cache.content_digest(CROPS, key)
        return digest or self.resources.cache.put_array(CROPS, key, self.resources.render(clip, face))

    def _count(self, report: StageReport, stage: str, key: str, known: bool = False) -> bool:
        """Count the entry as cached or to be computed; return whether it has to be computed."""
        if known or self.resources.cache.content_digest(stage, key) is not None:
            report.cached += 1
            return False
        report.computed += 1
        return True

    def _execute(
        self, name: str, function: Callable[[T], Seconds], tasks: list[T], cached: int, here: bool = False
    ) -> None:
        problems: dict[int, Iterable[Problem]] = {}
        with self.progress.stage(name, len(tasks), cached) as advance:
            for index, seconds in self.executor.run(function, tasks, here):
                for stage, (clock, processor) in seconds.by_stage.items():
                    self.outcome.stages[stage].worker_seconds += clock
                    self.outcome.stages[stage].cpu_seconds += processor
                if seconds.problems:
                    problems[index] = seconds.problems
                advance()
        if problems:
            found = [problem for index in sorted(problems) for problem in problems[index]]
            raise SubmissionError(self.setup.submission, found)
