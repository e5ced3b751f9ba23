"""The stages of scoring: mixtures, crops, geometry, hypotheses; each a function of one clip, and cached.

Conventions
-----------
A stage's key names everything that its result follows from (see :mod:`mtbench.work.cache`), so stages can run in
any order, in any process, any number of times. Tasks are small picklable values; what they refer to
(benchmark, submission, recognizer) is loaded once per worker. A value that is missing or damaged when a
later stage needs it is made again on the spot.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mtbench.avsr import (
    ClipSound,
    Recognizer,
    Reference,
    ReferenceScorer,
    cache_identity,
    kept_recognizer,
    remember_sounds,
    transcribe_clip,
)
from mtbench.benchmarks import (
    Benchmark,
    Clip,
    load_benchmark,
    motion_file_digest,
    read_clip_audio,
    static_digest,
    static_face,
    template_digest,
    template_face,
    truth_digest,
)
from mtbench.conditions import STATIC, Condition
from mtbench.errors import Problem, SubmissionError
from mtbench.faces import Topology, load_topology
from mtbench.files import digest_array, digest_bytes, digest_file
from mtbench.metrics import GEOMETRY_VERSION, measure_geometry, name_additions
from mtbench.renderers import Renderer, load_renderer
from mtbench.scoring.run_setup import Setup
from mtbench.speech import (
    MIXING_VERSION,
    MIXINGS,
    NOISE_SEED,
    Noise,
    NoiseSet,
    from_pcm16,
    load_noises,
)
from mtbench.submissions import Submission, load_submission
from mtbench.work import STAGES, Cache, stage_key

MIXTURES, CROPS, GEOMETRY, HYPOTHESES = STAGES
#: Raise it when hypotheses change though inputs and settings do not.
HYPOTHESES_VERSION = "2"


@dataclass(frozen=True)
class MixtureTask:
    """Mix one clip with noises: keys by condition of the sound alone."""

    setup: Setup
    clip: str
    keys: tuple[tuple[Condition, str], ...]


@dataclass(frozen=True)
class FaceTask:
    """Render one clip's face to mouth crops, measure its geometry and what is asked for, whichever key is given."""

    setup: Setup
    clip: str
    face: str
    crops: str | None
    geometry: str | None
    asked: str | None = None


@dataclass(frozen=True)
class RecognitionTask:
    """Recognize one clip with one face or none; conditions come with the keys of their mixtures and results."""

    setup: Setup
    clip: str
    crops: str | None
    conditions: tuple[tuple[Condition, str | None, str], ...]


@dataclass(frozen=True)
class Seconds:
    """What a task spent (clock, processor) on each stage, and what is wrong with the submission's values."""

    by_stage: dict[str, tuple[float, float]]
    problems: tuple[Problem, ...] = ()


class _Watch:
    """Measures seconds of clock and processor since it was last read."""

    def __init__(self) -> None:
        self.start = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        now = time.perf_counter(), time.process_time()
        spent = now[0] - self.start[0], now[1] - self.start[1]
        self.start = now
        return spent


class Resources:
    """Everything that a :class:`Setup` names, loaded on first use; one per process and setup."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.cache = Cache(setup.cache)
        self.benchmark: Benchmark = load_benchmark(setup.benchmark)
        self._lexicons: dict[str, Any] = {}

    @cached_property
    def submission(self) -> Submission:
        """The submission, its headers checked."""
        return load_submission(self.setup.submission, self.setup.benchmark, self.setup.allow_partial)

    @cached_property
    def topology(self) -> Topology:
        """The submission's topology."""
        return load_topology(self.submission.topology)

    @cached_property
    def noises(self) -> NoiseSet:
        """The noise recordings."""
        return load_noises(self.setup.noise, self.setup.noise_names, self.setup.mixing)

    @cached_property
    def renderer(self) -> Renderer:
        """The renderer."""
        return _renderer(self.setup.renderer)

    @cached_property
    def recognizer(self) -> Recognizer | None:
        """The recognizer, None where only geometry is measured."""
        spec = self.setup.recognizer
        if spec is None:
            return None
        return remember_sounds(kept_recognizer(spec, self.setup.contents.recognizer), self.cache)

    @cached_property
    def recognizer_identity(self) -> str:
        """Digest of everything that the recognizer is."""
        assert self.recognizer is not None
        spec = self.setup.recognizer
        assert spec is not None
        return cache_identity(self.recognizer, spec.name, spec.decoding, spec.device)

    def lexicon(self, language: str) -> Any:
        """Return the benchmark's word list of *language*, else the run's open vocabulary, else None."""
        if language not in self._lexicons:
            found = self.benchmark.lexicon(language)
            if found is None:
                fitting = (v for v in self.setup.vocabularies if v.language == language)
                found = next((vocabulary.load() for vocabulary in fitting), None)
            self._lexicons[language] = found
        return self._lexicons[language]

    # Keys

    def mixture_key(self, clip: Clip, condition: Condition, audio_digest: str, noise: Noise) -> str:
        """Return the key of the mixture of *clip* with *noise*."""
        inputs = [audio_digest, noise.digest]
        if noise.mixing != "rms":
            return stage_key(MIXTURES, MIXINGS[noise.mixing], {"snr_db": condition.snr_db}, inputs)
        settings = {"snr_db": condition.snr_db, "seed": NOISE_SEED, "offset": noise.offset(clip.id)}
        return stage_key(MIXTURES, MIXING_VERSION, settings, inputs)

    def crops_key(self, clip: Clip, face: str) -> str:
        """Return the key of the mouth crops of *clip* with *face* (``"entry"`` or ``"static"``)."""
        from mtbench.renderers import name_crop

        settings = {
            "renderer": self.renderer.name,
            "version": self.renderer.version,
            "appearance": asdict(self.setup.appearance),
        }
        inputs = [self.topology.digest, self.motion_digest(clip, face)]
        return stage_key(CROPS, name_crop(self.setup.squash), settings, inputs)

    def motion_digest(self, clip: Clip, face: str) -> str:
        """Return the digest of what the vertices of *clip* with *face* follow from."""
        if face == STATIC:
            return static_digest(clip, self.topology)
        timing = self.submission.describe_timing(clip.id).encode()
        file = motion_file_digest(self.submission.motion_path(clip.id), self.submission.kind)
        return digest_bytes(b"entry", timing, file.encode())

    def geometry_key(self, clip: Clip) -> str:
        """Return the key of the geometric sums of *clip* against its ground truth."""
        inputs = [
            self.topology.digest,
            self.motion_digest(clip, "entry"),
            truth_digest(clip),
            template_digest(clip) or "no template",
        ]
        return stage_key(GEOMETRY, GEOMETRY_VERSION, name_additions(), inputs)

    def hypothesis_key(self, clip: Clip, crops_digest: str | None, audio_digest: str | None) -> str:
        """Return the key of what the recognizer understands of *clip*."""
        lexicon = self.lexicon(clip.language)
        settings: dict[str, Any] = {"language": clip.language}
        settings["lexicon"] = None if lexicon is None else lexicon.digest
        if isinstance(self.recognizer, ReferenceScorer):
            settings["reference"] = digest_bytes(
                clip.transcript.encode(), " ".join(clip.phones or ()).encode()
            )
        inputs = [self.recognizer_identity, crops_digest or "none", audio_digest or "none"]
        return stage_key(HYPOTHESES, HYPOTHESES_VERSION, settings, inputs)

    # Values

    def vertices(self, clip: Clip, face: str) -> np.ndarray:
        """Return (T, V, 3) float32 of *clip* with *face*."""
        if face == STATIC:
            return static_face(clip, self.topology)
        return self.submission.motion(clip.id).vertices

    def render(self, clip: Clip, face: str, vertices: np.ndarray | None = None) -> np.ndarray:
        """Return (T, 96, 96) uint8 mouth crops of *clip* with *face*."""
        from mtbench.renderers import render_mouth_crops

        vertices = self.vertices(clip, face) if vertices is None else vertices
        setup = self.setup
        return render_mouth_crops(self.renderer, self.topology, vertices, setup.appearance, setup.squash)

    def measure(self, clip: Clip, vertices: np.ndarray) -> dict[str, Any]:
        """Return the geometric statistics of *clip* as JSON values."""
        truth = clip.load_motion()
        assert truth is not None
        template = template_face(clip)
        return measure_geometry(vertices, truth.vertices, self.topology, template).to_json()

    def crops(self, clip: Clip, face: str, key: str) -> np.ndarray:
        """Return the mouth crops under *key*, rendered again where the cache lost them."""
        return self.cache.array_or_make(CROPS, key, lambda: self.render(clip, face))[0]

    def hear(self, sound: ClipSound, condition: Condition, key: str | None) -> np.ndarray | None:
        """Return the (640 T,) float32 *sound* under *condition*, the mixture from under *key* where there is one."""
        if key is None:
            return sound.hear(condition)
        return from_pcm16(self.cache.array_or_make(MIXTURES, key, lambda: sound.mix(condition))[0])


@lru_cache(maxsize=8)
def load_resources(setup: Setup) -> Resources:
    """Return the load_resources of *setup*, the same one in all tasks of this process."""
    return Resources(setup)


@lru_cache(maxsize=2)
def _renderer(name: str) -> Renderer:
    return load_renderer(name)


def audio_digest(clip: Clip) -> str:
    """Return the digest of the clip's clean sound; a file is decoded for it once in a process."""
    try:
        content = digest_file(clip.audio_path).short
    except OSError:
        return digest_array(clip.load_audio())  # which says what is wrong with the file
    return _digest_sound(clip.audio_path, clip.frames, clip.id, content)


@lru_cache(maxsize=1 << 14)
def _digest_sound(path: Path, frames: int, clip: str, _content: bytes) -> str:
    return digest_array(read_clip_audio(path, frames, clip))


def make_mixtures(task: MixtureTask) -> Seconds:
    """Mix one clip and store the mixtures."""
    watch = _Watch()
    resources = load_resources(task.setup)
    sound = ClipSound(resources.benchmark.clip(task.clip), resources.noises)
    for condition, key in task.keys:
        resources.cache.put_array(MIXTURES, key, sound.mix(condition))
    return Seconds({MIXTURES: watch.read()})


def make_face(task: FaceTask) -> Seconds:
    """Pose one clip once; store its mouth crops and geometric sums."""
    resources = load_resources(task.setup)
    clip = resources.benchmark.clip(task.clip)
    spent = {}
    watch = _Watch()
    try:
        vertices = resources.vertices(clip, task.face)
    except SubmissionError as error:
        return Seconds({}, error.problems)
    if task.crops is not None:
        resources.cache.put_array(CROPS, task.crops, resources.render(clip, task.face, vertices))
        spent[CROPS] = watch.read()
    if task.geometry is not None:
        resources.cache.put_json(GEOMETRY, task.geometry, resources.measure(clip, vertices))
        spent[GEOMETRY] = watch.read()
    if task.asked is not None:
        from mtbench.scoring.asked import measure_clip

        resources.cache.put_json(GEOMETRY, task.asked, measure_clip(resources, clip, vertices))
        (clock, processor), before = watch.read(), spent.get(GEOMETRY, (0.0, 0.0))
        spent[GEOMETRY] = before[0] + clock, before[1] + processor
    return Seconds(spent)


def recognize(task: RecognitionTask) -> Seconds:
    """Transcribe one clip under several conditions and store the hypotheses."""
    watch = _Watch()
    resources = load_resources(task.setup)
    clip = resources.benchmark.clip(task.clip)
    assert resources.recognizer is not None
    sound = ClipSound(clip, resources.noises)
    mixtures = {condition: mixture for condition, mixture, _ in task.conditions}
    found = transcribe_clip(
        resources.recognizer,
        clip,
        list(mixtures),
        see=lambda face: resources.crops(clip, face, task.crops or ""),
        hear=lambda condition: resources.hear(sound, condition, mixtures[condition]),
        lexicon=resources.lexicon(clip.language),
        reference=Reference(clip.transcript, clip.phones),
    )
    for condition, _, key in task.conditions:
        resources.cache.put_json(HYPOTHESES, key, found[condition].to_json())
    return Seconds({HYPOTHESES: watch.read()})
