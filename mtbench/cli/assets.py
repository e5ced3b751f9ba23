"""Commands on assets that mtbench may not ship: add, list."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.output import say, say_json

app = typer.Typer(help="Models that mtbench may not ship, such as FLAME.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="'flame' or 'biwi'.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="FLAME model (pkl, npz) or template mesh (ply, obj); BIWI: folder of lve.txt, fdd.txt."
        ),
    ],
) -> None:
    """Check a file of yours and keep it in the user's data folder."""
    from mtbench.errors import UsageError
    from mtbench.faces import add_biwi, add_flame

    if name == "biwi":
        counts = ", ".join(f"{region} {count} vertices" for region, count in add_biwi(file).items())
        say(f"biwi-23370: {counts}")
        return
    if name != "flame":
        raise UsageError(f"unknown asset {name!r}; known: flame, biwi")
    record = add_flame(file)
    say(f"{record.name}: {record.kind}, {record.edition}, license: {record.license}, digest {record.digest}")


@app.command(name="list")
def list_assets(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Print which assets are installed."""
    from mtbench.faces import data_folder, flame_record

    record = flame_record()
    if as_json:
        say_json([] if record is None else [asdict(record)])
    elif record is None:
        say("flame: not installed; 'mtbench assets add flame FILE' takes a FLAME model or a template mesh")
    else:
        made = f"made from {record.source}, digest {record.digest}"
        say(f"{record.name}: {record.kind}, {record.edition}, {made}")
        say(f"folder: {data_folder()}")
