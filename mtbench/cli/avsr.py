"""Commands on the bundled recognizer: train, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.output import say, say_json

app = typer.Typer(help="The bundled recognizer: train, evaluate.", no_args_is_help=True)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Run folder; a checkpoint in it is resumed.")] = Path(
        "runs/openhead-av"
    ),
    seed: Annotated[int, typer.Option(help="Of weights, batches and dropout.")] = 1,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps; default: the recognizer's.")] = None,
    batch: Annotated[int | None, typer.Option(help="Utterances per step; default: the recognizer's.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that make batches.")] = 1,
    threads: Annotated[int | None, typer.Option(help="Threads of the optimizer; default: all cores.")] = None,
    initial: Annotated[Path | None, typer.Option(help="Checkpoint to take weights from.")] = None,
) -> None:
    """Train openhead-av on generated speech (extra [synth]); uses an accelerator where there is one."""
    import logging

    from mtbench.avsr.train import TrainingConfig
    from mtbench.avsr.train import train as run_training

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = {"seed": seed, "steps": steps, "batch": batch}
    config = TrainingConfig(**{key: value for key, value in given.items() if value is not None})
    say(str(run_training(out, config, workers=workers, threads=threads, initial=initial)))


@app.command()
def evaluate(
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name or folder, with ground truth.")
    ] = "openhead-20",
    weights: Annotated[
        Path | None, typer.Option(help="Weights (safetensors); default: the bundled ones.")
    ] = None,
    snr: Annotated[list[str] | None, typer.Option(help="Decibels, e.g. -7.5,-10 (the default).")] = None,
    noise: Annotated[str, typer.Option(help="Name of the benchmark's noise.")] = "babble",
    language: Annotated[list[str] | None, typer.Option(help="Only this language; repeatable.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Write the model card beside the weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Print the recognizer's error table on a benchmark's ground truth."""
    from mtbench.avsr import evaluate as module
    from mtbench.cli.entries import parse_snrs
    from mtbench.scoring import DEFAULT_SNRS

    rows = module.evaluate(
        benchmark,
        weights=weights,
        snr=parse_snrs(snr) if snr else DEFAULT_SNRS,
        noise=noise,
        languages=language or None,
    )
    if as_json:
        say_json(rows)
    else:
        say(module.format_table(rows))
    if card:
        from mtbench.avsr.openhead_av import WEIGHTS

        say(str(module.write_model_card(weights or WEIGHTS / "openhead-av.safetensors", rows)))
