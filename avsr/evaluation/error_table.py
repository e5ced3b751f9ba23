"""The error table of a recognizer: how well it understands a benchmark's ground truth, and what it never met.

Every clip is transcribed under every condition of :mod:`mtbench.avsr.evaluation.conditions`: clean and in noise,
with both modalities and with each alone, articulated as never in training, spoken by engines that training never
heard, on another mesh, and by people. Nothing is left out: what cannot be measured is a row with a reason.

Conventions
-----------
Error rates are fractions (0.12 is 12 %). A language's rate is corpus-level: errors of all its clips over the
length of all their references. The rate of ``"all"`` is the plain mean over the languages, so that no language
counts more because its words are short. Sound in noise is rounded to 16 bits, as in a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from mtbench.avsr.evaluation.conditions import NOISY, CorpusCondition, Supplies, list_conditions, render_face
from mtbench.avsr.evaluation.error_rows import ClipErrors, ErrorRow, make_rows
from mtbench.avsr.evaluation.material import Material, gather_material
from mtbench.avsr.presentation import ClipSound, transcribe_clip
from mtbench.avsr.registry import RecognizerSpec, ask_for, keep_recognizer, kept_recognizer
from mtbench.avsr.traits import describe_traits
from mtbench.avsr.worker_count import count_workers
from mtbench.benchmarks import Benchmark, find_noises, load_benchmark
from mtbench.conditions import Condition
from mtbench.errors import UsageError
from mtbench.speech import language_code
from mtbench.work import Progress


@dataclass(frozen=True)
class ClipTask:
    """One clip under some conditions; picklable.

    Attributes
    ----------
    recognizer : RecognizerSpec
        What was asked for.
    recognizer_identity, benchmark_digest : str
        What they were when the evaluation began.
    benchmark : str
        Folder.
    clip : str
    conditions : tuple of CorpusCondition
    noise : str
        Name of the noise.
    supplies : Supplies
        Files that the user has to have.
    """

    recognizer: RecognizerSpec
    recognizer_identity: str
    benchmark: str
    benchmark_digest: str
    clip: str
    conditions: tuple[CorpusCondition, ...]
    noise: str
    supplies: Supplies


def evaluate(
    benchmark: str | Path = "openhead-20",
    recognizer: str = "openhead-av",
    weights: str | Path | None = None,
    snr: Sequence[float] = (NOISY, -10.0),
    noise: str = "babble",
    languages: Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
    flame: str | Path | None = None,
    recordings: str | Path | None = None,
    sentences: str | Path | None = None,
    workers: int | None = 1,
    progress: Progress | None = None,
) -> list[ErrorRow]:
    """Measure a recognizer on a benchmark's ground truth and under the held-out conditions.

    Parameters
    ----------
    benchmark : str or Path
        Name or folder; its clips need ground-truth motion for everything but audio alone.
    recognizer, weights : str, path
        As for :func:`mtbench.avsr.registry.load_recognizer`.
    snr : sequence of float
        Decibels, on the benchmark's own faces and voices.
    noise : str
        Name of one of the benchmark's noises.
    languages, conditions : sequence of str, optional
        Only these. Conditions on the held-out engines' development half, and on both halves, are measured only where
        they are named (``list_conditions(halves=True)`` of :mod:`mtbench.avsr.evaluation.conditions`).
    flame : path, optional
        A FLAME template, for the condition on its geometry; the registered asset by default.
    recordings : path, optional
        Folder with the videos of the real speech, for the condition that shows them.
    sentences : path, optional
        Folder into which Debian's packages with people's sentences were unpacked; by default ``/usr/share``.
    workers : int, optional
        Number of processes; None: as many as cores and memory allow. Results do not depend on it.
    progress : Progress, optional
        Told about every clip.

    Returns
    -------
    list of ErrorRow
        In the order of the conditions, ``"all"`` before its languages.

    Raises
    ------
    UsageError
        For an unknown name, or where no clip is left.
    """
    chosen = _choose(conditions, snr)
    supplies = Supplies(*(None if given is None else str(given) for given in (flame, recordings, sentences)))
    codes = None if languages is None else [language_code(name) for name in languages]
    with TemporaryDirectory(prefix="mtbench-sentences-") as scratch:
        material = gather_material(chosen, load_benchmark(benchmark), codes, supplies, Path(scratch))
        return _evaluate(material, ask_for(recognizer, weights), noise, supplies, workers, progress)


def _evaluate(
    material: Material,
    spec: RecognizerSpec,
    noise: str,
    supplies: Supplies,
    workers: int | None,
    progress: Progress | None,
) -> list[ErrorRow]:
    loaded, identity = keep_recognizer(spec)
    tasks = []
    for name, corpus in material.corpora.items():
        asked = tuple(
            c for c in material.conditions if c.corpus == name and material.obstacles[c.name] is None
        )
        if any(c.condition.is_noisy for c in asked):
            find_noises(corpus).select([noise])  # an unknown name is an error now, not in a worker
        for clip in material.clips[name]:
            shown = tuple(c for c in asked if c.pick([clip]))
            if shown and clip.language in loaded.languages:
                place = str(corpus.manifest_path), corpus.digest
                tasks.append(ClipTask(spec, identity, *place, clip.id, shown, noise, supplies))
    workers = count_workers(loaded, progress or Progress()) if workers is None else workers
    found = _measure_clips(tasks, workers, progress, here=not describe_traits(loaded).shares_cores)
    rows = []
    for c in material.conditions:
        clips, lacking = material.clips.get(c.corpus, []), material.lacking.get(c.corpus, {})
        rows += make_rows(
            c.name, material.obstacles[c.name], c.pick(clips), found.get(c.name, {}), loaded.name, lacking
        )
    return rows


def _measure_clips(
    tasks: Sequence[ClipTask], workers: int | None, progress: Progress | None, here: bool
) -> dict[str, dict[str, list[ClipErrors]]]:
    """Return the errors of all clips by condition and language, in the order of the tasks."""
    from mtbench.work import Executor

    results: dict[int, dict[str, ClipErrors]] = {}
    with (
        progress or Progress() as reporter,
        reporter.stage("clips", len(tasks)) as advance,
        Executor(workers) as executor,
    ):
        for index, errors in executor.run(measure_clip, tasks, here):
            results[index] = errors
            advance()
    found: dict[str, dict[str, list[ClipErrors]]] = {}
    for index, task in enumerate(tasks):
        language = _load_benchmark(task.benchmark, task.benchmark_digest).clip(task.clip).language
        for condition, values in results[index].items():
            found.setdefault(condition, {}).setdefault(language, []).append(values)
    return found


def _choose(names: Sequence[str] | None, snr: Sequence[float]) -> tuple[CorpusCondition, ...]:
    if names is None:
        return list_conditions(snr)
    every = list_conditions(snr, halves=True)
    known = [c.name for c in every]
    wanted = [name if name in known else _spell(name) for name in names]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UsageError(f"unknown condition {', '.join(unknown)}; known: {', '.join(known)}")
    return tuple(c for c in every if c.name in wanted)


def _spell(name: str) -> str:
    """Return a condition's name with the sign that a person may have left out."""
    try:
        return Condition.parse(name).name
    except ValueError:
        return name


def measure_clip(task: ClipTask) -> dict[str, ClipErrors]:
    """Transcribe one clip under its conditions and count the errors, by condition."""
    from mtbench.metrics import count_character_edits, count_phone_edits, count_word_edits

    bench = _load_benchmark(task.benchmark, task.benchmark_digest)
    recognizer = kept_recognizer(task.recognizer, task.recognizer_identity)
    clip = bench.clip(task.clip)
    lexicon = bench.lexicon(clip.language)
    # Without a list it answers with phones, which are no words: their errors would be a wrong number.
    wordless = lexicon is None and describe_traits(recognizer).needs_lexicon
    out: dict[str, ClipErrors] = {}
    presented = {c.name: _add_noise(c.condition, task.noise) for c in task.conditions}
    found = transcribe_clip(
        recognizer,
        clip,
        list(dict.fromkeys(presented.values())),
        see=lambda face: render_face(bench, clip, face, task.supplies),
        hear=ClipSound(clip, find_noises(bench)).hear,
        lexicon=lexicon,
    )
    for name, condition in presented.items():
        said = found[condition]
        out[name] = {
            "per": count_phone_edits(clip.phones, said.phones),
            "wer": None if wordless else count_word_edits(clip.transcript, said.text, clip.language),
            "cer": None if wordless else count_character_edits(clip.transcript, said.text, clip.language),
        }
    return out


def _add_noise(condition: Condition, noise: str) -> Condition:
    return replace(condition, noise=noise) if condition.is_noisy else condition


@lru_cache(maxsize=4)
def _load_benchmark(folder: str, digest: str) -> Benchmark:
    """Load a benchmark once per process and content."""
    return load_benchmark(Path(folder))
