"""From nothing to a scored entry: data, both stages, weights, motion, scores.

Conventions
-----------
A folder holds one reproduction::

    data/                        the training corpus (`mtbench reference data`)
    prepared/                    what is computed once from it
    stage1/, stage2/             the runs
    multitalk-<size>.safetensors the model, and the .json beside it
    submission/                  its entry for the benchmark
    results/                     its scores

A step whose result is there is skipped, one that was stopped goes on; other settings need another folder.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.files import claim_folder
from mtbench.reference_model.corpora import CORPUS_VERSION, GeneratedCorpus, generate_corpus
from mtbench.reference_model.corpora import MANIFEST as CORPUS
from mtbench.reference_model.training import Size, apply_overrides, load_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtbench.benchmarks import Benchmark
    from mtbench.results import Run

log = logging.getLogger(__name__)

#: Hours of generated speech that a size learns from, unless told otherwise.
HOURS = {"mini": 6.0, "paper": 100.0, "smoke": 0.02}
#: The version of the bundled benchmark that is animated as the training data are.
BENCHMARK = "openhead-20@3"


def reproduce(
    size: str,
    out: str | Path,
    *,
    overrides: Sequence[str] = (),
    hours: float | None = None,
    seed: int = 1,
    benchmark: str | Path = BENCHMARK,
    recognizer: str | None = "openhead-av",
    workers: int | None = None,
    threads: int | None = None,
    cache: str | Path | None = None,
) -> Run:
    """Make the training data, train both stages, animate a benchmark and score it.

    Parameters
    ----------
    size : str
        See :mod:`mtbench.reference_model.training.sizes`.
    out : str or Path
        The folder described above.
    overrides : sequence of str
        Changes of the size, ``"stage2.steps=500"``.
    hours : float, optional
        Hours of training data; default :data:`HOURS`.
    seed : int
        Seed of the training data; those of the trainings are the size's.
    benchmark : str or Path
        Name or folder; default :data:`BENCHMARK`.
    recognizer : str or None
        As for :func:`mtbench.score`.
    workers : int, optional
        Processes that make data and score; default: one per core, at most 8.
    threads : int, optional
        Cores to train on; default: all.
    cache : str or Path, optional
        Folder of the stage cache.

    Returns
    -------
    Run
        The scores, as ``results/`` holds them.

    Raises
    ------
    UsageError
        For unknown settings, or a folder that was begun with others, or with an earlier version of the training data.
    PrerequisiteError
        Without the extra ``[synth]``, or the size's speech encoder.
    """
    from mtbench.benchmarks import load_benchmark
    from mtbench.work import default_workers

    chosen = apply_overrides(load_size(size), overrides)
    hours = HOURS[size] if hours is None else hours
    loaded = load_benchmark(benchmark)
    workers = default_workers() if workers is None else workers
    folder = Path(out)
    require_parts(chosen, recognizer)
    claim_folder(
        folder,
        {
            "size": dataclasses.asdict(chosen),
            "hours": hours,
            "seed": seed,
            "benchmark": loaded.digest,
            "version of the training data": CORPUS_VERSION,
        },
    )
    corpus = _make_data(folder / "data", hours, seed, workers)
    trained = _train(folder, chosen, corpus, threads)
    model = _keep(folder, chosen, trained)
    submission = _predict(folder, model, loaded)
    return _score(folder, submission, loaded, recognizer, workers, cache)


def require_parts(size: Size, recognizer: str | None) -> None:
    """Check that what is needed last is there, before the hours that come first.

    Parameters
    ----------
    size : Size
        Whose speech encoder is loaded.
    recognizer : str or None
        As for :func:`mtbench.score`; loaded too.

    Raises
    ------
    UsageError, PrerequisiteError
        As :func:`~mtbench.reference_model.encoders.registry.load_speech_encoder` and
        :func:`~mtbench.avsr.registry.load_recognizer`.
    """
    from mtbench.avsr import load_recognizer
    from mtbench.reference_model.encoders import load_speech_encoder

    load_speech_encoder(size.encoder)
    if recognizer is not None:
        load_recognizer(recognizer)


@contextmanager
def _step(what: str, where: Path, done: bool) -> Iterator[None]:
    """Say what is made, or that it is there already; and how long it took."""
    if done:
        log.info("%s: %s is there", what, where)
        yield
        return
    log.info("%s", what)
    start = time.perf_counter()
    yield
    log.info("%s done in %.0f s: %s", what.split(" ")[0], time.perf_counter() - start, where)


def is_scored(where: Path, digest: str, recognizer: str | None) -> bool:
    """Return whether a result folder holds the scores of a submission by a recognizer.

    Parameters
    ----------
    where : Path
    digest : str
        The submission's.
    recognizer : str or None
        As for :func:`mtbench.score`.
    """
    from mtbench.avsr import load_recognizer
    from mtbench.results import read_run

    if not (where / "run.json").is_file():
        return False
    run = read_run(where)
    if run.system.digest != digest:
        return False
    if recognizer is None or run.recognizer is None:
        return recognizer is None and run.recognizer is None
    return run.recognizer.digest == load_recognizer(recognizer).digest


def _make_data(folder: Path, hours: float, seed: int, workers: int) -> GeneratedCorpus:
    done = (folder / CORPUS).is_file()
    with _step(f"1/6 data, {hours:g} h of speech and motion", folder, done):
        return GeneratedCorpus(folder) if done else generate_corpus(folder, hours, seed, workers=workers)


def _train(folder: Path, size: Size, corpus: GeneratedCorpus, threads: int | None) -> Path:
    from mtbench.reference_model.training import STAGE1, STAGE2, train_stage1, train_stage2

    first, second = folder / "stage1" / STAGE1, folder / "stage2" / STAGE2
    with _step("2/6 stage 1, motion to codes and back", first, first.is_file()):
        if not first.is_file():
            train_stage1(first.parent, size, corpus, folder / "prepared", threads)
    with _step("3/6 stage 2, speech to codes", second, second.is_file()):
        if not second.is_file():
            train_stage2(second.parent, size, corpus, first, folder / "prepared", threads)
    return second


def _keep(folder: Path, size: Size, trained: Path) -> Path:
    """Write the trained model under its own name, in half precision where it is to be shipped."""
    from mtbench.reference_model.model_files import load_model, save_model

    path = folder / f"multitalk-{size.name}.safetensors"
    with _step("4/6 weights", path, path.is_file()):
        if not path.is_file():
            model = dataclasses.replace(load_model(trained), name=path.stem)
            save_model(path, model, half=size.name != "paper")
    return path


def _predict(folder: Path, model: Path, benchmark: Benchmark) -> Path:
    from mtbench.reference_model.entry import predict_benchmark
    from mtbench.reference_model.model_files import load_model
    from mtbench.submissions import MANIFEST
    from mtbench.work import make_progress

    out = folder / "submission"
    done = (out / MANIFEST).is_file()
    with _step(f"5/6 motion for {benchmark.ref}", out, done):
        return out if done else predict_benchmark(load_model(model), benchmark, out, progress=make_progress())


def _score(
    folder: Path,
    submission: Path,
    benchmark: Benchmark,
    recognizer: str | None,
    workers: int,
    cache: str | Path | None,
) -> Run:
    from mtbench.results import read_run, results_folder
    from mtbench.scoring import score
    from mtbench.submissions import load_submission

    entry = load_submission(submission, benchmark)
    where = results_folder(folder / "results", entry.system, benchmark.name)
    done = is_scored(where, entry.digest, recognizer)
    with _step("6/6 scores", where, done):
        if done:
            return read_run(where)
        return score(
            submission,
            benchmark,
            recognizer=recognizer,
            out=folder / "results",
            workers=workers,
            cache=cache,
        )
