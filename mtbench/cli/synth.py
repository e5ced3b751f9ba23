"""The commands ``mtbench synth``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json

app = typer.Typer(help="Synthetic motion: how its lips move beside people's.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``statistics`` a command of its own though it is the only one."""


@app.command()
def statistics(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Benchmarks (ground truth), motion files or folders of them (units, vertices, FLAME parameters); "
            "LABEL=SOURCE names one."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A style of the model, 'rules:' and a manner of the rules, or 'all'; repeatable."),
    ] = None,
    phones: Annotated[
        str, typer.Option(help="Benchmark whose phones the model says: name or folder, with phone times.")
    ] = "openhead-20",
    language: Annotated[
        list[str] | None, typer.Option(help="Only phones of this language; repeatable.")
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames per second of motion files.", min=1.0)] = 25.0,
    out: Annotated[
        Path | None,
        typer.Option(callback=writable_folder, help="Folder for lip-statistics.md, .json and .png."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
) -> None:
    """Measure how lips move: spread, speed, spectrum, correlations, contacts; people's and the model's."""
    from dataclasses import asdict

    from mtbench.errors import UsageError
    from mtbench.synth import format_statistics, measure_source, summarize_lips, write_lip_report

    if not sources and not model:
        raise UsageError(
            "nothing to measure: give a benchmark or a folder of motion, or --model everyday (see --help)"
        )
    measured = {}
    for given in sources or ():
        label, found, source = given.partition("=")
        if not found or Path(given).exists():
            label, source = Path(given).name or given, given
        if label in measured:
            raise UsageError(f"two sources are called {label!r}; name one of them, as in other={source}")
        measured[label] = measure_source(source, fps)
    measured |= _measure_models(model or [], phones, language or [])
    files = write_lip_report(measured, out) if out is not None else []
    columns = {label: summarize_lips(clips) for label, clips in measured.items()}
    if as_json:
        say_json({label: asdict(one) for label, one in columns.items()})
    else:
        say(format_statistics(columns).rstrip())
        for file in files:
            say(str(file))


def _measure_models(names: list[str], benchmark: str, languages: list[str]) -> dict:
    """Measure the models called *names* on the phones of *benchmark*."""
    if not names:
        return {}
    from mtbench.benchmarks import load_benchmark
    from mtbench.errors import UsageError
    from mtbench.speech import language_code
    from mtbench.synth import list_models, measure_model

    wanted = {language_code(name) for name in languages}
    clips = [clip for clip in load_benchmark(benchmark).clips if not wanted or clip.language in wanted]
    if not clips:
        raise UsageError(f"{benchmark} has no clips in {', '.join(sorted(wanted))}")
    chosen = list_models() if "all" in names else dict.fromkeys(names)
    return {name: measure_model(name, clips) for name in chosen}
