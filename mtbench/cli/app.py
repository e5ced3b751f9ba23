"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from mtbench.cli import (
    assets,
    avsr,
    benchmarks,
    entries,
    importing,
    leaderboard,
    meta,
    motion_metrics,
    people,
    reference,
    results,
    study,
    synth,
    tools,
    viewing,
    weights,
)
from mtbench.cli.decibels import SnrCommand

EPILOG = (
    "Exit codes: 0 fine, 1 the machine failed, 2 usage, 3 invalid submission, 4 missing prerequisite, "
    "5 partial result. Start with 'mtbench demo'."
)

app = typer.Typer(
    name="mtbench",
    help="Score speech-driven 3D talking heads: lip readability (AVLR) and lip vertex error, 20 languages.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from mtbench.cli.output import say
        from mtbench.version import __version__

        say(f"mtbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="One log line per stage.")] = False,
) -> None:
    if verbose:
        import logging

        logging.basicConfig(level=logging.INFO, format="%(message)s")


app.command()(tools.demo)
app.command(name="import")(importing.import_motion)
app.command()(entries.validate)
app.command(cls=SnrCommand)(entries.score)
app.command()(results.rescore)
app.command()(results.compare)
app.command()(results.show)
app.command()(results.report)
app.command()(people.preference)
app.command()(people.correlate)
app.command()(entries.render)
app.command()(viewing.view)
app.command()(viewing.export)
app.command()(motion_metrics.takes)
app.command()(motion_metrics.curves)
app.add_typer(entries.controls, name="controls")
app.add_typer(benchmarks.app, name="benchmark")
app.add_typer(study.app, name="study")
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(assets.app, name="assets")
app.add_typer(weights.app, name="weights")
app.add_typer(avsr.app, name="avsr")
app.add_typer(reference.app, name="reference")
app.add_typer(synth.app, name="synth")
app.command(name="validate-metric")(meta.validate_metric)
app.command(name="ls")(tools.list_things)
app.command()(tools.doctor)
app.command()(tools.cache)
