"""The paper's ablations: what the language embedding and a multilingual speech encoder are worth.

Variants of one model (:mod:`mtbench.reference_model.ablation.variants`), same data, same stage 1, same steps and seed:
(a) without the language embedding; (b) with a speech encoder that learned English only; (c) in full, which is a
reproduction (:mod:`mtbench.reference_model.reproduction`); and (c) given the label of another language for every
clip. All are scored like any entry, and compared clip by clip.

At size ``mini`` the English encoder is trained here (:mod:`mtbench.reference_model.training.encoder_training`), for
less long than the bundled one. What that costs is told by variant (b′), on request: the same training in all languages.

Conventions
-----------
A folder holds one ablation::

    encoder-eng/, encoder-all/   the speech encoders' runs
    <variant>/stage2/            the run
    <variant>/submission/        the entry for the benchmark
    results/                     its scores
    ablation.md, .json, .csv, .png   the tables, what they support, and a picture

A step whose result is there is skipped, one that was stopped goes on; other settings need another folder.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtbench.errors import UsageError
from mtbench.files import claim_folder
from mtbench.reference_model.ablation.page import write_ablation
from mtbench.reference_model.ablation.results import Ablation, collect_ablation
from mtbench.reference_model.ablation.text import EncoderFacts, Facts, read_encoder_facts
from mtbench.reference_model.ablation.variants import (
    ENGLISH,
    FULL,
    MATCHED,
    NO_LANGUAGE,
    SWAPPED,
    VARIANTS,
    Variant,
    swap_labels,
)
from mtbench.reference_model.corpora import CORPUS_VERSION, open_corpus
from mtbench.reference_model.encoders import BUNDLED, load_speech_encoder
from mtbench.reference_model.reproduction import BENCHMARK, HOURS, is_scored, reproduce, require_parts
from mtbench.reference_model.training import (
    EncoderTraining,
    Size,
    apply_overrides,
    load_size,
    train_speech_encoder,
)

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

log = logging.getLogger(__name__)

#: What is made unless told otherwise; (c) always is.
DEFAULT_VARIANTS = (NO_LANGUAGE.key, ENGLISH.key, SWAPPED.key)
#: English encoders of the same form and size as multilingual ones.
ENGLISH_ENCODERS = {"facebook/wav2vec2-large-xlsr-53": "facebook/wav2vec2-large-lv60"}
#: How the encoders of a size are trained, where that is not the default.
ENCODER_TRAININGS = {"smoke": EncoderTraining(steps=2, batch=2, warmup=1)}

#: Folders of encoders that are trained here; they may be there before all else.
_ENCODERS = {ENGLISH.key: "encoder-eng", MATCHED.key: "encoder-all"}


@dataclass(frozen=True)
class _Plan:
    """Everything that the steps share."""

    size: Size
    folder: Path
    base: Path
    benchmark: Benchmark
    recognizer: str | None
    english: str | None
    workers: int | None
    threads: int | None
    cache: str | Path | None


@dataclass(frozen=True)
class _Made:
    """What is there of the variants.

    Attributes
    ----------
    results : dict of str to Path
        Result folders by variant.
    encoders : dict of str to EncoderFacts
        How the speech encoders came about, by the variant that they were first used in.
    labels : dict of str to str
        Language that each language is animated as where the labels are swapped.
    """

    results: dict[str, Path]
    encoders: dict[str, EncoderFacts]
    labels: dict[str, str]


def ablate(
    size: str,
    out: str | Path,
    *,
    base: str | Path | None = None,
    variants: Sequence[str] = DEFAULT_VARIANTS,
    english_encoder: str | None = None,
    overrides: Sequence[str] = (),
    hours: float | None = None,
    seed: int = 1,
    benchmark: str | Path = BENCHMARK,
    recognizer: str | None = "openhead-av",
    workers: int | None = None,
    threads: int | None = None,
    cache: str | Path | None = None,
) -> Ablation:
    """Make, score and compare the variants, and write the tables.

    Parameters
    ----------
    size : str
        See :mod:`mtbench.reference_model.training.sizes`.
    out : str or Path
        The folder described above.
    base : str or Path, optional
        Folder of a reproduction of the same settings, whose data, stage 1 and model are used, and which is made first
        where it is not complete; by default ``base`` in *out*.
    variants : sequence of str
        Keys, see :data:`~mtbench.reference_model.ablation.variants.VARIANTS`.
    english_encoder : str, optional
        Speech encoder of (b), as :func:`~mtbench.reference_model.encoders.registry.load_speech_encoder` takes it; by
        default one is trained (where the size has the bundled encoder), or follows from the size's encoder.
    overrides, hours, seed, benchmark, recognizer, workers, threads, cache
        As for :func:`~mtbench.reference_model.reproduction.reproduce`.

    Returns
    -------
    Ablation

    Raises
    ------
    UsageError
        For unknown settings or variants, or a folder that was begun with others.
    PrerequisiteError
        Without the extra ``[synth]``, or a speech encoder.
    """
    from mtbench.benchmarks import bundled_benchmarks, load_benchmark

    chosen = apply_overrides(load_size(size), overrides)
    wanted = _choose(variants, chosen)
    folder = Path(out)
    home = folder / "base" if base is None else Path(base)
    loaded = load_benchmark(benchmark)
    plan = _Plan(chosen, folder, home, loaded, recognizer, english_encoder, workers, threads, cache)
    _claim(plan, wanted, HOURS[size] if hours is None else hours, seed)
    run = reproduce(
        size,
        home,
        overrides=overrides,
        hours=hours,
        seed=seed,
        benchmark=benchmark,
        recognizer=recognizer,
        workers=workers,
        threads=threads,
        cache=cache,
    )
    assert run.folder is not None
    made = _Made({FULL.key: run.folder}, {FULL.key: read_encoder_facts(chosen.encoder)}, {})
    for variant in wanted:
        log.info("%s %s", variant.mark, variant.title)
        made = _make(plan, variant, made)
    ablation = collect_ablation(made.results)
    generated = loaded.name in bundled_benchmarks()
    facts = Facts(size, made.encoders, made.labels, open_corpus(home / "data").name, generated)
    write_ablation(folder, ablation, facts)
    return ablation


def _claim(plan: _Plan, variants: Sequence[Variant], hours: float, seed: int) -> None:
    """Check that everything needed later is there, and that the folder is of these settings."""
    require_parts(plan.size, plan.recognizer)
    if plan.english is not None and ENGLISH in variants:
        load_speech_encoder(plan.english)
    claim_folder(
        plan.folder,
        {
            "size": asdict(plan.size),
            "hours": hours,
            "seed": seed,
            "benchmark": plan.benchmark.digest,
            "english_encoder": plan.english,
            "version of the training data": CORPUS_VERSION,
        },
        besides=_ENCODERS.values(),
    )


def _make(plan: _Plan, variant: Variant, made: _Made) -> _Made:
    """Train a variant, where there is something to train, and score it; return what is there then."""
    encoders, labels = made.encoders, made.labels
    if variant is SWAPPED:
        model = plan.base / f"multitalk-{plan.size.name}.safetensors"
        labels = swap_labels(plan.size.settings.languages, plan.benchmark.languages)
    else:
        changed = _change(plan, variant)
        if changed.encoder != plan.size.encoder:
            encoders = {**encoders, variant.key: read_encoder_facts(changed.encoder)}
        model = _train(plan, variant, changed)
    scored = _score(plan, variant, model, labels if variant is SWAPPED else {})
    return _Made({**made.results, variant.key: scored}, encoders, labels)


def _choose(keys: Sequence[str], size: Size) -> list[Variant]:
    """Return the variants to make beside (c), cheap ones first."""
    known = {v.key: v for v in VARIANTS}
    if unknown := [key for key in keys if key not in known]:
        raise UsageError(f"unknown variant {', '.join(map(repr, unknown))}; known: {', '.join(known)}")
    if MATCHED.key in keys and size.encoder != BUNDLED:
        raise UsageError(
            f"{MATCHED.key} is the control of an encoder that is trained here, and {size.encoder} is not; leave it out"
        )
    if not size.settings.languages:
        raise UsageError(
            "this size has no languages, so there is no embedding to leave out; see settings.languages"
        )
    return [v for v in (SWAPPED, NO_LANGUAGE, ENGLISH, MATCHED) if v.key in keys]


def _change(plan: _Plan, variant: Variant) -> Size:
    """Return the size of a variant, whose speech encoder is trained where there is none yet."""
    if variant is NO_LANGUAGE:
        return dataclasses.replace(plan.size, settings=dataclasses.replace(plan.size.settings, languages=()))
    if variant is ENGLISH and plan.english is not None:
        return dataclasses.replace(plan.size, encoder=plan.english)
    if plan.size.encoder != BUNDLED:
        if plan.size.encoder not in ENGLISH_ENCODERS:
            raise UsageError(
                f"no English counterpart of the speech encoder {plan.size.encoder} is known; name one with "
                "--english-encoder (a hub name, a folder, or a .safetensors file)"
            )
        return dataclasses.replace(plan.size, encoder=ENGLISH_ENCODERS[plan.size.encoder])
    training = ENCODER_TRAININGS.get(plan.size.name, EncoderTraining())
    languages = ("eng",) if variant is ENGLISH else plan.size.settings.languages
    run = plan.folder / _ENCODERS[variant.key]
    weights = train_speech_encoder(run, dataclasses.replace(training, languages=languages))
    return dataclasses.replace(plan.size, encoder=str(weights.resolve()))


def _train(plan: _Plan, variant: Variant, size: Size) -> Path:
    """Train stage 2 of a variant unless that is done; return the model, stored as the full one is."""
    from mtbench.reference_model.model_files import load_model, save_model
    from mtbench.reference_model.training import STAGE1, STAGE2, train_stage2

    folder = plan.folder / variant.key
    path = folder / f"multitalk-{plan.size.name}-{variant.key}.safetensors"
    if path.is_file():
        return path
    trained = folder / "stage2" / STAGE2
    if not trained.is_file():
        train_stage2(
            trained.parent,
            size,
            open_corpus(plan.base / "data"),
            plan.base / "stage1" / STAGE1,
            plan.base / "prepared",
            plan.threads,
        )
    model = dataclasses.replace(load_model(trained), name=path.stem)
    return save_model(path, model, half=plan.size.name != "paper")


def _score(plan: _Plan, variant: Variant, model: Path, labels: dict[str, str]) -> Path:
    """Animate the benchmark and score it unless that is done; return the result folder."""
    from mtbench.reference_model.entry import predict_benchmark
    from mtbench.reference_model.model_files import load_model
    from mtbench.results import results_folder
    from mtbench.scoring import score
    from mtbench.submissions import load_submission
    from mtbench.work import make_progress

    system = f"multitalk-{plan.size.name}-{variant.key}"
    entry = predict_benchmark(
        load_model(model),
        plan.benchmark,
        plan.folder / variant.key / "submission",
        instead=labels or None,
        system=system,
        progress=make_progress(),
    )
    where = results_folder(plan.folder / "results", system, plan.benchmark.name)
    digest = load_submission(entry, plan.benchmark).digest
    if is_scored(where, digest, plan.recognizer):
        return where
    run = score(
        entry,
        plan.benchmark,
        recognizer=plan.recognizer,
        out=plan.folder / "results",
        workers=plan.workers,
        cache=plan.cache,
    )
    assert run.folder is not None
    return run.folder
