"""Commands that make reference models and what they are compared with: train, reproduce, ablate, baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_cache, writable_folder
from mtbench.cli.output import log_lines, say, say_note

train = typer.Typer(help="Train a stage; a run that was stopped goes on.", no_args_is_help=True)

SizeOption = Annotated[
    str, typer.Option(help="'mini' (two cores), 'paper' (an accelerator) or 'smoke' (shows that it runs).")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a setting, e.g. stage2.steps=500; repeatable.", metavar="KEY=VALUE"),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(help="Processes that make data and score; default: one per core, at most 8.", min=1),
]
HoursOption = Annotated[
    float | None, typer.Option(help="Hours of training data; default: the size's.", min=0.001)
]
SeedOption = Annotated[int, typer.Option(help="Seed of the training data.", min=0)]
BenchmarkOption = Annotated[str, typer.Option("--benchmark", "-b", help="Name or folder.")]
RecognizerOption = Annotated[str, typer.Option(help="As for 'mtbench score'.")]
CacheOption = Annotated[Path | None, typer.Option(callback=writable_cache, help="Folder of the stage cache.")]
ThreadsOption = Annotated[int | None, typer.Option(help="Cores to train on; default: all.", min=1)]
DataOption = Annotated[
    Path,
    typer.Option(help="Folder of 'mtbench reference data', or of training data as MultiTalk's or VOCASET's."),
]


@train.command(name="stage1")
def train_stage1(
    data: DataOption,
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Run folder; a checkpoint in it is resumed.",
        ),
    ],
    size: SizeOption = "mini",
    settings: SetOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Train the motion autoencoder and its codebook; writes stage1.safetensors, losses.csv and losses.png."""
    from mtbench.reference_model.corpora import open_corpus
    from mtbench.reference_model.training import apply_overrides, load_size
    from mtbench.reference_model.training import train_stage1 as run

    log_lines()
    chosen = apply_overrides(load_size(size), settings or ())
    say(str(run(out, chosen, open_corpus(data), threads=threads)))


@train.command(name="stage2")
def train_stage2(
    data: DataOption,
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Run folder; a checkpoint in it is resumed.",
        ),
    ],
    size: SizeOption = "mini",
    stage1: Annotated[
        Path | None, typer.Option(help="Stage 1's run folder; default: 'stage1' beside --out.")
    ] = None,
    settings: SetOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Train the speech-driven decoder; writes stage2.safetensors (both stages), losses.csv and losses.png."""
    from mtbench.reference_model.corpora import open_corpus
    from mtbench.reference_model.training import apply_overrides, load_size
    from mtbench.reference_model.training import train_stage2 as run

    log_lines()
    chosen = apply_overrides(load_size(size), settings or ())
    path = run(out, chosen, open_corpus(data), stage1 or out.parent / "stage1", threads=threads)
    say(str(path))
    say_note(
        f"animate a sound file: mtbench reference predict --model {path} --audio F.wav --language Italian"
    )


def reproduce(
    size: SizeOption = "mini",
    out: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder,
            help="Folder of everything; default: runs/multitalk-SIZE.",
        ),
    ] = None,
    hours: HoursOption = None,
    seed: SeedOption = 1,
    settings: SetOption = None,
    benchmark: BenchmarkOption = "openhead-20@3",
    recognizer: RecognizerOption = "openhead-av",
    workers: WorkersOption = None,
    threads: ThreadsOption = None,
    cache: CacheOption = None,
) -> None:
    """From nothing to a scored entry: data, stage 1, stage 2, weights, motion, scores. Finished steps are skipped."""
    from mtbench.reference_model import reproduce as run_steps
    from mtbench.results import entries_table, languages_table

    log_lines()
    run = run_steps(
        size,
        Path("runs") / f"multitalk-{size}" if out is None else out,
        overrides=settings or (),
        hours=hours,
        seed=seed,
        benchmark=benchmark,
        recognizer=None if recognizer == "none" else recognizer,
        workers=workers,
        threads=threads,
        cache=cache,
    )
    say(languages_table([run]).to_text())
    say(entries_table([run]).to_text())


def ablate(
    size: SizeOption = "mini",
    out: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder, help="Folder of everything; default: runs/multitalk-SIZE-ablation."
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            help="Folder of 'mtbench reference reproduce' with these settings; default: made in --out."
        ),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this variant beside the full model: no-language, english-encoder, matched-encoder, "
            "swapped-labels; repeatable. Default: all but matched-encoder."
        ),
    ] = None,
    english_encoder: Annotated[
        str | None,
        typer.Option(
            help="English-only speech encoder: file, folder or hub name; default: trained or known."
        ),
    ] = None,
    hours: HoursOption = None,
    seed: SeedOption = 1,
    settings: SetOption = None,
    benchmark: BenchmarkOption = "openhead-20@3",
    recognizer: RecognizerOption = "openhead-av",
    workers: WorkersOption = None,
    threads: ThreadsOption = None,
    cache: CacheOption = None,
) -> None:
    """Train and score the paper's ablations: no language embedding, English speech encoder, swapped labels.

    Writes ablation.md (LVE and AVLR by language, intervals, paired tests, what they support), .json, .csv and .png.
    """
    from mtbench.reference_model.ablation import DEFAULT_VARIANTS
    from mtbench.reference_model.ablation import ablate as run_variants

    log_lines()
    folder = Path("runs") / f"multitalk-{size}-ablation" if out is None else out
    run_variants(
        size,
        folder,
        base=base,
        variants=variant or DEFAULT_VARIANTS,
        english_encoder=english_encoder,
        overrides=settings or (),
        hours=hours,
        seed=seed,
        benchmark=benchmark,
        recognizer=None if recognizer == "none" else recognizer,
        workers=workers,
        threads=threads,
        cache=cache,
    )
    page = folder / "ablation.md"
    say(page.read_text("utf-8"))
    say_note(str(page))


def baseline(
    name: Annotated[str, typer.Argument(help="'retrieval', 'linear-map', 'phone-rules' or 'all'.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of training data to learn from, as for training; phone-rules needs none."),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Folder that gets one submission folder per baseline.",
        ),
    ] = Path("baselines"),
    benchmark: BenchmarkOption = "openhead-20",
) -> None:
    """Write simple systems' submissions: nearest training sound, linear map of the sound, rules for phones."""
    from mtbench.reference_model.baselines import BASELINES, make_baseline
    from mtbench.reference_model.corpora import open_corpus

    log_lines()
    names = BASELINES if name == "all" else (name,)
    corpus = None if data is None else open_corpus(data)
    paths = []
    for each in names:
        paths.append(make_baseline(each, benchmark, out / each, corpus))
        say(str(paths[-1]))
    say_note(f"score one with: mtbench score {paths[0]} --benchmark {benchmark}")
