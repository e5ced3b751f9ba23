"""Whether a recognizer reads the true mouths of a benchmark, measured before anything is ranked.

Conventions
-----------
At most :data:`MOST_CLIPS` clips with ground truth are looked at, drawn with a fixed seed and spread over the languages
that the recognizer knows. Each is shown with its true mouth, a static one, and those of other chosen clips, with sound
in the run's noises at the least of its noise levels and without sound. What is found follows from benchmark,
recognizer, renderer and noises alone and lies in the cache under the digest of these: it is made once for all entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from mtbench.avsr import describe_traits
from mtbench.avsr.evaluation import Answer, MouthSample, measure_answers, show_samples
from mtbench.benchmarks import Clip, static_digest, static_face, truth_digest
from mtbench.errors import PrerequisiteError
from mtbench.faces import load_topology, require_renderable
from mtbench.files import digest_bytes
from mtbench.results import Sight
from mtbench.scoring.plan import Plan
from mtbench.scoring.stages import CROPS, HYPOTHESES, Resources, Setup, load_resources
from mtbench.speech import MIXING_VERSION, NOISE_SEED
from mtbench.statistics import Number, derive_generator
from mtbench.work import Executor, Progress, stage_key

#: Clips that are looked at, at most; other mouths that each is ranked among; and those that are shown with sound.
MOST_CLIPS, WINDOWS, HEARD_WINDOWS = 20, 10, 1
SEED = 12345
#: Raise it when the same benchmark and recognizer get another verdict.
VERSION = "1"
#: Names in results, by those of :mod:`mtbench.avsr.evaluation.mouth_measures`; ``{}`` is the kind of sound.
_NUMBERS = {
    "true": "{}.truth",
    "static": "{}.static",
    "shuffled": "{}.shuffled",
    "static-true": "{}.static-truth",
    "shuffled-true": "{}.shuffled-truth",
    "v.true": "v.truth",
    "v.shuffled": "v.shuffled",
    "v.shuffled-true": "v.shuffled-truth",
    "first": "v.first",
    "percentile": "v.percentile",
}


@dataclass(frozen=True)
class MouthTask:
    """One of the chosen clips; the others lend their mouths. Picklable."""

    setup: Setup
    clips: tuple[str, ...]
    place: int
    noises: tuple[str, ...]
    snr_db: float


def look_at_truth(plan: Plan, executor: Executor, progress: Progress) -> Sight | None:
    """Return whether the recognizer of *plan* reads the benchmark's ground truth, None without a recognizer."""
    resources = load_resources(plan.setup)
    recognizer = resources.recognizer
    if recognizer is None:
        return None
    known = [clip for clip in plan.benchmark.clips if clip.language in recognizer.languages]
    clips = choose_clips(known)
    if (obstacle := _find_obstacle(known, clips)) is not None:
        return Sight(recognizer.name, 0, None, {}, obstacle)
    snr_db = max(plan.profile.snrs, default=0.0)
    noises = plan.noises.names if plan.profile.snrs else ()
    key = _key(plan, clips, noises, snr_db)
    kept = resources.cache.get_json(HYPOTHESES, key)
    if kept is not None:
        return sight_from_json(kept)
    tasks = [
        MouthTask(plan.setup, tuple(clip.id for clip in clips), place, noises, snr_db)
        for place in range(len(clips))
    ]
    alone = not describe_traits(recognizer).shares_cores
    try:
        answers = _run(tasks, executor, progress, alone)
    except PrerequisiteError as error:
        return Sight(recognizer.name, 0, None, {}, " ".join(str(error).split()))
    sight = _conclude(recognizer.name, load_samples(plan.setup, tasks[0].clips), answers, noises, snr_db)
    resources.cache.put_json(HYPOTHESES, key, sight.to_json())
    return sight


def choose_clips(clips: Sequence[Clip], most: int = MOST_CLIPS) -> list[Clip]:
    """Return at most *most* of *clips* that have ground truth, one of each language in turn, in a drawn order."""
    by_language: dict[str, list[Clip]] = {}
    for clip in clips:
        if clip.motion_path is not None:
            by_language.setdefault(clip.language, []).append(clip)
    for language, own in by_language.items():
        draws = derive_generator(SEED, "true mouths", language).random_raw(len(own))
        by_language[language] = [own[i] for i in sorted(range(len(own)), key=lambda i: int(draws[i]))]
    chosen: list[Clip] = []
    for turn in range(max(map(len, by_language.values()), default=0)):
        chosen += [own[turn] for own in by_language.values() if turn < len(own)]
    return chosen[:most]


def _find_obstacle(known: Sequence[Clip], chosen: Sequence[Clip]) -> str | None:
    """Return why nothing can be looked at, None where it can."""
    if not known:
        return "it knows none of the languages"
    if not chosen:
        return "the benchmark has no ground truth"
    if len({clip.source for clip in chosen}) < 2:
        return "there is ground truth of one source only, nothing to compare it with"
    try:
        for name in dict.fromkeys(clip.topology for clip in chosen):
            require_renderable(load_topology(name or ""))
    except PrerequisiteError as error:
        return " ".join(str(error).split())
    return None


def _key(plan: Plan, clips: Sequence[Clip], noises: Sequence[str], snr_db: float) -> str:
    from mtbench.renderers import SIGNATURE

    resources = load_resources(plan.setup)
    renderer = resources.renderer
    settings = {
        "renderer": renderer.name,
        "version": renderer.version,
        "appearance": asdict(plan.setup.appearance),
        "crop": SIGNATURE,
        "mix": MIXING_VERSION,
        "seed": NOISE_SEED,
        "noises": list(noises),
        "snr_db": snr_db,
        "clips": [clip.id for clip in clips],
        "windows": [WINDOWS, HEARD_WINDOWS],
    }
    inputs = [plan.benchmark.digest, resources.recognizer_identity, plan.noises.digest]
    return stage_key("true mouths", VERSION, settings, inputs)


def _run(
    tasks: Sequence[MouthTask], executor: Executor, progress: Progress, here: bool
) -> dict[int, list[Answer]]:
    """Return the answers by the clip's place; faces are rendered first, each once."""
    with progress.stage("rendering true mouths", len(tasks)) as advance:
        for _ in executor.run(render_faces, tasks):
            advance()
    answers: dict[int, list[Answer]] = {}
    with progress.stage("looking at true mouths", len(tasks)) as advance:
        for index, found in executor.run(show_mouths, tasks, here):
            answers[index] = found
            advance()
    return answers


def render_faces(task: MouthTask) -> None:
    """Put the true and the static mouth of a task's clip into the cache."""
    resources = load_resources(task.setup)
    _see(resources, resources.benchmark.clip(task.clips[task.place]))


def show_mouths(task: MouthTask) -> list[Answer]:
    """Return what the recognizer answers to a task's clip with each of its mouths."""
    resources = load_resources(task.setup)
    assert resources.recognizer is not None
    return show_samples(
        resources.recognizer,
        load_samples(task.setup, task.clips),
        resources.noises.select(task.noises),
        snr_db=task.snr_db,
        windows=WINDOWS,
        heard_windows=HEARD_WINDOWS,
        brief=True,
        chosen=[task.place],
    )


@lru_cache(maxsize=1)
def load_samples(setup: Setup, clips: tuple[str, ...]) -> tuple[MouthSample, ...]:
    """Return the chosen clips as a recognizer is shown them; once in a process."""
    resources = load_resources(setup)
    samples = []
    for name in clips:
        clip = resources.benchmark.clip(name)
        true, static = _see(resources, clip)
        said = clip.phones or (), clip.transcript
        samples.append(
            MouthSample(clip.id, clip.source, clip.language, true, static, clip.load_audio(), *said)
        )
    return tuple(samples)


def _see(resources: Resources, clip: Clip) -> tuple[Any, Any]:
    """Return the mouth crops of the ground truth and of the static face, from the cache where they are there."""
    from mtbench.renderers import SIGNATURE, render_mouth_crops

    topology = load_topology(clip.topology or "")
    renderer, appearance = resources.renderer, resources.setup.appearance
    # As the faces of entries are kept: the static one is theirs.
    settings = {"renderer": renderer.name, "version": renderer.version, "appearance": asdict(appearance)}

    def pose_truth() -> Any:
        motion = clip.load_motion()
        assert motion is not None
        return motion.vertices

    faces = (
        (digest_bytes(b"truth", truth_digest(clip).encode()), pose_truth),
        (static_digest(clip, topology), lambda: static_face(clip, topology)),
    )
    seen = []
    for digest, pose in faces:
        key = stage_key(CROPS, SIGNATURE, settings, [topology.digest, digest])

        def render(pose: Any = pose) -> Any:
            return render_mouth_crops(renderer, topology, pose(), appearance)

        seen.append(resources.cache.array_or_make(CROPS, key, render)[0])
    return seen[0], seen[1]


def _conclude(
    recognizer: str,
    samples: Sequence[MouthSample],
    answers: Mapping[int, list[Answer]],
    noises: Sequence[str],
    snr_db: float,
) -> Sight:
    together = [answer for index in sorted(answers) for answer in answers[index]]
    measures = measure_answers("true mouths", recognizer, samples, together)
    kind = "av-noisy" if noises else "av-clean"
    numbers = {name: measures.numbers[own.format(kind)] for name, own in _NUMBERS.items()}
    condition = f"AV at {snr_db:g} dB" if noises else "AV clean"
    reason = None
    if numbers["static-true"].estimate is None:
        reason = "neither phones nor words of it can be counted here"
    return Sight(recognizer, measures.samples, condition, numbers, reason)


def sight_from_json(data: Mapping[str, Any]) -> Sight:
    """Return what :meth:`mtbench.results.Sight.to_json` wrote."""
    numbers = {
        name: Number(one["estimate"], None if one["ci95"] is None else tuple(one["ci95"]), one["unit"])
        for name, one in data["numbers"].items()
    }
    return Sight(data["recognizer"], data["n_clips"], data["condition"], numbers, data["reason"])
