"""Whether a recognizer reads the true mouths of a benchmark, measured before anything is ranked.

Conventions
-----------
At most :data:`MOST_CLIPS` clips with ground truth are looked at, drawn with a fixed seed and spread over the languages
that the recognizer knows. Each is shown with its true mouth, a static one, and those of other chosen clips, with sound
in the run's noises at the least of its noise levels and without sound. What is found follows from benchmark,
recognizer, renderer and noises alone and lies in the cache under the digest of these: it is made once for all entries.
Where a recognizer that needs a word list is to be judged on clips without reference phones, these are read from the
transcripts (:mod:`mtbench.scoring.text_phones`), and clips that cannot be read give way to others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from mtbench.avsr import describe_traits
from mtbench.avsr.evaluation import Answer, MouthSample, measure_answers, show_samples
from mtbench.benchmarks import Clip, static_digest, static_face, truth_digest
from mtbench.errors import PrerequisiteError
from mtbench.faces import load_topology, require_renderable
from mtbench.files import digest_bytes
from mtbench.results import Sight
from mtbench.scoring.run_setup import Setup
from mtbench.scoring.stages import CROPS, HYPOTHESES, Resources, load_resources
from mtbench.scoring.text_phones import Phones, find_phones, name_reader
from mtbench.speech import MIXING_VERSION, NOISE_SEED, NoiseSet
from mtbench.statistics import derive_generator
from mtbench.work import Executor, Progress, stage_key

#: Clips that are looked at, at most; other mouths that each is ranked among; and those that are shown with sound.
MOST_CLIPS, WINDOWS, HEARD_WINDOWS = 20, 10, 1
#: Clips that are drawn, so that some of them may be without phones.
_DRAWN = 2 * MOST_CLIPS
SEED = 12345
#: Raise it when the same benchmark and recognizer get another verdict, or it says something more.
VERSION = "2"
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
class Material:
    """What a recognizer is shown. Picklable.

    Attributes
    ----------
    setup : Setup
    clips : tuple of str
        The chosen clips.
    phones : tuple of tuple of str
        What is said in each; empty where words are counted.
    noises : tuple of str
    snr_db : float
        Decibels.
    """

    setup: Setup
    clips: tuple[str, ...]
    phones: tuple[Phones, ...]
    noises: tuple[str, ...]
    snr_db: float

    @property
    def is_read(self) -> tuple[bool, ...]:
        """Whether the phones of each clip were read from its transcript."""
        benchmark = load_resources(self.setup).benchmark
        return tuple(bool(said) and not benchmark.clip(c).phones for c, said in zip(self.clips, self.phones))


@dataclass(frozen=True)
class MouthTask:
    """One of the chosen clips; the others lend their mouths."""

    material: Material
    place: int


def look_at_truth(
    setup: Setup,
    clips: Sequence[Clip],
    noises: NoiseSet,
    snrs: Sequence[float],
    executor: Executor,
    progress: Progress,
) -> Sight | None:
    """Return whether the recognizer of *setup* reads the ground truth of its benchmark, None without a recognizer.

    Parameters
    ----------
    setup : Setup
    clips : sequence of Clip
        Those of the benchmark that take part.
    noises : NoiseSet
        All of them are heard, at the largest of *snrs*.
    snrs : sequence of float
        Signal-to-noise ratios, decibels; without any, sound is clean.
    executor : Executor
    progress : Progress
    """
    resources = load_resources(setup)
    recognizer = resources.recognizer
    if recognizer is None:
        return None
    known = [clip for clip in clips if clip.language in recognizer.languages]
    drawn = choose_clips(known, _DRAWN)
    phones, unread = find_phones(recognizer, drawn)
    chosen = [clip for clip in drawn if clip.id in phones][:MOST_CLIPS]
    obstacle = _find_obstacle(recognizer.name, known, drawn, chosen, unread)
    if obstacle is not None:
        return Sight(recognizer.name, 0, None, None, {}, obstacle)
    material = Material(
        setup,
        tuple(clip.id for clip in chosen),
        tuple(phones[clip.id] for clip in chosen),
        noises.names if snrs else (),
        max(snrs, default=0.0),
    )
    key = _key(material, noises.digest)
    kept = resources.cache.get_json(HYPOTHESES, key)
    told = {clip.language for clip in chosen}
    left_out = {clip.language for clip in known if clip.motion_path is not None} - told
    if kept is not None:
        return replace(Sight.from_json(kept), left_out=tuple(sorted(left_out)))
    alone = not describe_traits(recognizer).shares_cores
    try:
        answers = _run(material, executor, progress, alone)
    except PrerequisiteError as error:
        return Sight(recognizer.name, 0, None, None, {}, " ".join(str(error).split()))
    sight = _conclude(recognizer.name, material, answers)
    resources.cache.put_json(HYPOTHESES, key, sight.to_json())
    return replace(sight, left_out=tuple(sorted(left_out)))


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


def _find_obstacle(
    recognizer: str, known: Sequence[Clip], drawn: Sequence[Clip], chosen: Sequence[Clip], unread: str | None
) -> str | None:
    """Return why nothing can be looked at, None where it can; *unread* is why phones could not be read."""
    if not known:
        return "it knows none of the languages"
    if not drawn:
        return "the benchmark has no ground truth"
    if not chosen:
        return (
            f"{recognizer} has words only where there is a word list, so it is judged by phones; the clips have no "
            f"reference phones, and none can be read from the transcripts ({unread}). 'mtbench benchmark lexicon' "
            "writes them into a benchmark, with the same packages; or give the clips 'phones' in benchmark.toml"
        )
    if len({clip.source for clip in chosen}) < 2:
        return "there is ground truth of one source only, nothing to compare it with"
    try:
        for name in dict.fromkeys(clip.topology for clip in chosen):
            require_renderable(load_topology(name or ""))
    except PrerequisiteError as error:
        return " ".join(str(error).split())
    return None


def _key(material: Material, noises_digest: str) -> str:
    from mtbench.renderers import name_crop

    resources = load_resources(material.setup)
    renderer = resources.renderer
    settings = {
        "renderer": renderer.name,
        "version": renderer.version,
        "appearance": asdict(material.setup.appearance),
        "crop": name_crop(material.setup.squash),
        "mix": MIXING_VERSION,
        "seed": NOISE_SEED,
        "noises": list(material.noises),
        "snr_db": material.snr_db,
        "clips": list(material.clips),
        "phones": [" ".join(phones) for phones in material.phones],
        "windows": [WINDOWS, HEARD_WINDOWS],
    }
    inputs = [resources.benchmark.digest, resources.recognizer_identity, noises_digest]
    return stage_key("true mouths", VERSION, settings, inputs)


def _run(material: Material, executor: Executor, progress: Progress, here: bool) -> dict[int, list[Answer]]:
    """Return the answers by the clip's place; faces are rendered first, each once."""
    tasks = [MouthTask(material, place) for place in range(len(material.clips))]
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
    resources = load_resources(task.material.setup)
    _see(resources, resources.benchmark.clip(task.material.clips[task.place]))


def show_mouths(task: MouthTask) -> list[Answer]:
    """Return what the recognizer answers to a task's clip with each of its mouths."""
    material = task.material
    resources = load_resources(material.setup)
    assert resources.recognizer is not None
    return show_samples(
        resources.recognizer,
        load_samples(material),
        resources.noises.select(material.noises),
        snr_db=material.snr_db,
        windows=WINDOWS,
        heard_windows=HEARD_WINDOWS,
        brief=True,
        chosen=[task.place],
    )


@lru_cache(maxsize=1)
def load_samples(material: Material) -> tuple[MouthSample, ...]:
    """Return the chosen clips as a recognizer is shown them; once in a process."""
    resources = load_resources(material.setup)
    samples = []
    for name, phones in zip(material.clips, material.phones, strict=True):
        clip = resources.benchmark.clip(name)
        true, static = _see(resources, clip)
        said = phones, clip.transcript
        samples.append(
            MouthSample(clip.id, clip.source, clip.language, true, static, clip.load_audio(), *said)
        )
    return tuple(samples)


def _see(resources: Resources, clip: Clip) -> tuple[Any, Any]:
    """Return the mouth crops of the ground truth and of the static face, from the cache where they are there."""
    from mtbench.renderers import name_crop, render_mouth_crops

    topology = load_topology(clip.topology or "")
    renderer, appearance, squash = resources.renderer, resources.setup.appearance, resources.setup.squash
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
        key = stage_key(CROPS, name_crop(squash), settings, [topology.digest, digest])

        def render(pose: Any = pose) -> Any:
            return render_mouth_crops(renderer, topology, pose(), appearance, squash)

        seen.append(resources.cache.array_or_make(CROPS, key, render)[0])
    return seen[0], seen[1]


def _conclude(recognizer: str, material: Material, answers: Mapping[int, list[Answer]]) -> Sight:
    together = [answer for index in sorted(answers) for answer in answers[index]]
    measures = measure_answers("true mouths", recognizer, load_samples(material), together)
    kind = "av-noisy" if material.noises else "av-clean"
    numbers = {name: measures.numbers[own.format(kind)] for name, own in _NUMBERS.items()}
    condition = f"AV at {material.snr_db:g} dB" if material.noises else "AV clean"
    reason = None
    if numbers["static-true"].estimate is None:
        reason = (
            "it gives no phones, and words only from a list: neither phones nor words can be counted here"
        )
    return Sight(recognizer, measures.samples, condition, _name_units(material, together), numbers, reason)


def _name_units(material: Material, answers: Sequence[Answer]) -> str | None:
    """Return what errors are errors of, in words; None where nothing was counted."""
    units = [unit for unit in dict.fromkeys(answer.unit for answer in answers) if unit is not None]
    read = sum(material.is_read)
    if "phones" in units and read:
        some = "" if read == len(material.clips) else f" ({read} of {len(material.clips)} clips)"
        units[units.index("phones")] = f"phones that {name_reader()} reads from the transcripts{some}"
    return " and ".join(units) or None
