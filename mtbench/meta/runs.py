"""Recognition of every system of the meta-evaluation.

Conventions
-----------
A task is one clip of one system (:mod:`mtbench.meta.reading`); its result depends on nothing else, so any
number of workers gives the same scores. All clips count; what cannot be measured at all (a language that the recognizer
does not cover, a clip without ground truth, a family that needs timed phones) is left out before anything starts and
listed in the scores' facts.

Every system is presented with sound at :data:`HEADLINE_SNR` in the headline noise, and without sound. The
systems of :data:`CURVE_SYSTEMS` are presented with clean sound and at all of :data:`CURVE_SNRS` in every noise,
too; the row of the ground truth holds the same for sound alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtbench.avsr import (
    Recognizer,
    ReferenceScorer,
    ask_for,
    count_workers,
    describe_traits,
    identify,
    keep_recognizer,
)
from mtbench.benchmarks import Benchmark, Clip, as_benchmark, find_noise_folder
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.faces import load_topology, require_renderable
from mtbench.meta.degradations import SEED, VERSION
from mtbench.meta.ground_truth import GroundTruth, find_obstacle
from mtbench.meta.other_faces import CHOICE, choose_others
from mtbench.meta.reading import HEADLINE_SNR, ClipTask, read_clip
from mtbench.meta.record_arrays import collect_scores
from mtbench.meta.scores import MetaScores
from mtbench.meta.system_files import ClipRecord, read_records, write_records
from mtbench.meta.systems import FAMILIES, GROUND_TRUTH, STATIC, System, default_systems, select_systems
from mtbench.metrics import name_additions
from mtbench.results import Sight
from mtbench.scoring import (
    Contents,
    Setup,
    find_vocabularies,
    load_resources,
    look_at_truth,
    name_word_lists,
    writes_roman,
)
from mtbench.speech import DEFAULT_NORMALIZER, NOISE_SEED, ROMAN, language_code, load_noises
from mtbench.work import Cache, Executor, Progress, make_progress, stage_key

#: Raise one when the same system, recognizer and benchmark get other records.
RUNS_VERSION = "2"
#: Systems whose curves over the signal-to-noise ratio are drawn.
CURVE_SYSTEMS = (GROUND_TRUTH, "amplitude-0.5", STATIC)
#: Decibels of those curves; clean sound comes on top.
CURVE_SNRS = (5.0, 0.0, -5.0, -7.5, -10.0, -12.5, -15.0)
QUICK_SNRS = (0.0, -7.5, -15.0)
#: Clips of each language in a quick run.
QUICK_CLIPS = 3


def run_systems(
    benchmark: Benchmark | str | Path = "openhead-20",
    recognizer: str = "openhead-av",
    *,
    out: str | Path,
    weights: str | Path | None = None,
    languages: Sequence[str] | None = None,
    systems: Sequence[str] | None = None,
    families: Sequence[str] | None = None,
    quick: bool = False,
    others: int = 0,
    workers: int | None = None,
    cache: str | Path | None = None,
    progress: bool | None = None,
    executor: Executor | None = None,
) -> MetaScores:
    """Let a recognizer recognize all systems of a benchmark, write its scores and return them.

    Parameters
    ----------
    benchmark : Benchmark, str or Path
        Benchmark with ground truth, or its name or folder.
    recognizer : str
        Name of the recognizer, see :func:`mtbench.avsr.registry.load_recognizer`.
    out : str or Path
        Folder: ``systems/<name>.json`` as soon as a system is done, ``scores.json`` and ``scores.npz`` at the
        end. What lies there already and was made with the same things is not made again.
    weights : str or Path, optional
        Weights of ``openhead-av`` other than the bundled ones.
    languages, systems, families : sequence of str, optional
        Languages, systems and families that take part, by default all; the ground truth always takes part.
    quick : bool
        Whether to run a smaller grid: the levels of :data:`mtbench.meta.systems.QUICK_LEVELS`, :data:`QUICK_SNRS` in
        the headline noise only, and the first :data:`QUICK_CLIPS` clips of each language.
    others : int
        With how many other clips' faces each clip is shown, too (:mod:`mtbench.meta.other_faces`): so many more
        recognitions of every clip of every system, for the second form of ``readability_bits``.
    workers : int, optional
        Number of processes; by default as many as there are processors, at most 8.
    cache : str or Path, optional
        Folder of the stage cache, for mixtures.
    progress : bool, optional
        Whether to show bars; by default on a terminal only.
    executor : Executor, optional
        Workers that run already.

    Returns
    -------
    MetaScores

    Raises
    ------
    UsageError
        For unknown names, a benchmark without ground truth, or a recognizer that covers none of its languages.
    """
    benchmark = as_benchmark(benchmark)
    setup, loaded = _prepare(benchmark, recognizer, weights, cache)
    clips, left_out = _choose_clips(benchmark, loaded, languages, quick)
    _check_others(others, loaded, benchmark, clips)
    obstacle = _find_obstacle(benchmark, clips)
    asked = {*(systems or ()), *(families or ())}
    known = default_systems(quick=quick, with_curves=obstacle is None, asked=asked)
    chosen = select_systems(known, systems, families)
    conditions = {system.name: _list_conditions(setup, system, quick) for system in chosen}
    facts = _describe(setup, benchmark, loaded, clips, obstacle, left_out, quick)
    if others:
        facts["other_faces"] = {"number": others, "choice": CHOICE}
    reporter = make_progress(progress)
    reporter.title = "validate-metric"
    own = executor or Executor(count_workers(loaded, reporter) if workers is None else workers)
    try:
        with reporter:
            sight = _look_at_truth(setup, benchmark, clips, own, reporter)
            records = _run_tasks(setup, chosen, clips, conditions, Path(out), facts, own, reporter, others)
    finally:
        if executor is None:
            own.close()
    scores = collect_scores(chosen, clips, conditions, records, facts, bool(others), sight)
    scores.save(out)
    return scores


def _prepare(
    benchmark: Benchmark, recognizer: str, weights: str | Path | None, cache: str | Path | None
) -> tuple[Setup, Recognizer]:
    """Return what every task is made with, and the recognizer of this name."""
    noise_folder = find_noise_folder(benchmark)
    spec = ask_for(recognizer, weights)
    loaded, identity = keep_recognizer(spec)
    contents = Contents(benchmark.digest, load_noises(noise_folder).digest, recognizer=identity)
    root = str(Cache(cache).root.resolve())
    setup = Setup(
        benchmark=str(benchmark.manifest_path.resolve()),
        submission="",
        cache=root,
        recognizer=spec,
        renderer="software",
        noise=None if noise_folder is None else str(noise_folder.resolve()),
        contents=contents,
        vocabularies=find_vocabularies(benchmark, loaded, root),
    )
    return setup, loaded


def _check_others(others: int, loaded: Recognizer, benchmark: Benchmark, clips: Sequence[Clip]) -> None:
    if others < 0:
        raise UsageError(f"{others} other clips' faces are asked for; give a number from 0 on")
    if others and not isinstance(loaded, ReferenceScorer):
        raise UsageError(
            f"other clips' faces are for readability_bits, and {loaded.name} does not tell how probable the reference "
            "is to it (it has no transcribe_scored, see docs/own-recognizer.md); leave them out"
        )
    for clip in clips:
        choose_others(benchmark, clip, others)


def _choose_clips(
    benchmark: Benchmark, loaded: Recognizer, languages: Sequence[str] | None, quick: bool
) -> tuple[list[Clip], dict[str, str]]:
    """Return the clips that can take part, and the reasons why others cannot."""
    wanted = {language_code(name) for name in languages} if languages else set(benchmark.languages)
    if absent := sorted(wanted - set(benchmark.languages)):
        there = ", ".join(benchmark.languages)
        raise UsageError(f"benchmark {benchmark.ref} has no clips of {', '.join(absent)}; it has {there}")
    clips: list[Clip] = []
    reasons: dict[str, str] = {}
    for clip in benchmark.clips:
        if clip.language not in wanted:
            continue
        if clip.language not in loaded.languages:
            reasons[clip.id] = f"language {clip.language} not covered by {loaded.name}"
        elif clip.motion_path is None:
            reasons[clip.id] = "no ground truth"
        elif not quick or sum(c.language == clip.language for c in clips) < QUICK_CLIPS:
            clips.append(clip)
    if not clips:
        why = next(iter(reasons.values()), "it has no clips")
        raise UsageError(
            f"no clip of benchmark {benchmark.ref} can be degraded and read ({why}); a meta-evaluation needs "
            "ground-truth motion in languages of the recognizer"
        )
    topology = load_topology(clips[0].topology or "")
    require_renderable(topology)
    return clips, reasons


def _find_obstacle(benchmark: Benchmark, clips: Sequence[Clip]) -> str | None:
    """Return why the families that change phones are impossible, None where they are possible for all clips."""
    for clip in clips:
        obstacle = find_obstacle(GroundTruth(benchmark, clip))
        if obstacle is not None:
            return obstacle
    return None


def headline_noise(names: Sequence[str]) -> str | None:
    """Return the noise that every system is presented in: babble, or else the first.

    Examples
    --------
    >>> headline_noise(["babble", "music"]), headline_noise(["hum", "music"]), headline_noise([])
    ('babble', 'hum', None)
    """
    return "babble" if "babble" in names else next(iter(names), None)


def _list_conditions(setup: Setup, system: System, quick: bool) -> tuple[str, ...]:
    names = load_resources(setup).noises.names
    main = headline_noise(names)
    out = ["v"]
    if main is not None:
        out.append(Condition("av", HEADLINE_SNR, main).name)
    if system.name in CURVE_SYSTEMS:
        snrs = QUICK_SNRS if quick else CURVE_SNRS
        noises = [n for n in names if n == main or not quick]
        for modality in ("av", "a") if system.name == GROUND_TRUTH else ("av",):
            out.append(Condition(modality).name)
            out += [Condition(modality, snr, noise).name for noise in noises for snr in snrs]
    return tuple(dict.fromkeys(out))


def _describe(
    setup: Setup,
    benchmark: Benchmark,
    loaded: Recognizer,
    clips: Sequence[Clip],
    obstacle: str | None,
    left_out: dict[str, str],
    quick: bool,
) -> dict[str, Any]:
    from mtbench.renderers import SIGNATURE
    from mtbench.version import __version__

    resources = load_resources(setup)
    topology = load_topology(clips[0].topology or "")
    renderer = f"{resources.renderer.name}@{resources.renderer.version}"
    normalizer = ROMAN if writes_roman(loaded) else DEFAULT_NORMALIZER
    return {
        "recognizer": loaded.name,
        "recognizer_digest": loaded.digest,
        "benchmark": benchmark.ref,
        "benchmark_digest": benchmark.digest,
        "noises": {noise.name: noise.digest for noise in resources.noises.noises},
        "headline_noise": headline_noise(resources.noises.names),
        "headline_snr_db": HEADLINE_SNR,
        "quick": quick,
        "seeds": {"degradations": SEED, "noise": NOISE_SEED},
        "degradations": VERSION,
        "normalizer": normalizer,
        "topology": f"{topology.name}#{topology.digest}",
        "render": renderer,
        "crop": SIGNATURE,
        "version": __version__,
        "sources": [clip.source for clip in clips],
        "frames": [clip.frames for clip in clips],
        "fps": benchmark.fps,
        "clips_left_out": left_out,
        "families_left_out": {}
        if obstacle is None
        else {name: obstacle for name, family in FAMILIES.items() if family.curves_only},
        "made_with": [
            identify(loaded),
            f"{benchmark.ref}#{benchmark.digest}",
            resources.noises.digest,
            f"{renderer}#{SIGNATURE}#{topology.digest}",
            normalizer,
            *([] if not setup.vocabularies else [name_word_lists(benchmark, setup.vocabularies)]),
        ],
    }


def _look_at_truth(
    setup: Setup, benchmark: Benchmark, clips: Sequence[Clip], executor: Executor, reporter: Progress
) -> Sight | None:
    """Return what a score of the benchmark finds about its true motion, in the languages of *clips*."""
    spoken = {clip.language for clip in clips}
    candidates = [clip for clip in benchmark.clips if clip.language in spoken]
    noises = load_resources(setup).noises
    return look_at_truth(setup, candidates, noises, (HEADLINE_SNR,), executor, reporter)


def _run_tasks(
    setup: Setup,
    systems: Sequence[System],
    clips: Sequence[Clip],
    conditions: dict[str, tuple[str, ...]],
    folder: Path,
    facts: dict[str, Any],
    executor: Executor,
    reporter: Progress,
    others: int,
) -> dict[str, dict[str, ClipRecord]]:
    """Return the records of all systems by clip; a system's file is written when its last clip is done."""
    records: dict[str, dict[str, ClipRecord]] = {}
    open_clips: dict[str, set[str]] = {}
    settings = {"degradations": VERSION, "seed": SEED, **name_additions()}
    key = stage_key("meta", RUNS_VERSION, settings, facts["made_with"])
    keys = {s.name: stage_key("system", "1", asdict(s), [key]) for s in systems}
    tasks = []
    for system in systems:
        needed = conditions[system.name]
        found = read_records(folder, system.name, keys[system.name])
        beside = needed[:2] if others else ()
        records[system.name] = {
            clip: record for clip, record in found.items() if _is_complete(record, needed, beside, others)
        }
        missing = [clip.id for clip in clips if clip.id not in records[system.name]]
        open_clips[system.name] = set(missing)
        tasks += [ClipTask(setup, system, clip, needed, beside, others) for clip in missing]
    recognizer = load_resources(setup).recognizer
    here = recognizer is not None and not describe_traits(recognizer).shares_cores
    cached = len(systems) * len(clips) - len(tasks)
    with reporter.stage("reading lips", len(tasks), cached) as advance:
        for index, record in executor.run(read_clip, tasks, here):
            name, clip = tasks[index].system.name, tasks[index].clip
            records[name][clip] = record
            open_clips[name].discard(clip)
            if not open_clips[name]:
                write_records(folder, name, keys[name], records[name])
            advance()
    return records


def _is_complete(record: ClipRecord, needed: Sequence[str], beside: Sequence[str], others: int) -> bool:
    """Whether *record* holds all *needed* conditions, and so many *others* under those *beside*."""
    return set(needed) <= set(record.errors) and all(len(record.others.get(n, ())) == others for n in beside)
