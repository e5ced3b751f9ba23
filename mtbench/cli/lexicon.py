"""The command ``mtbench avsr lexicon``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json


def lexicon(
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name or folder, with ground truth and lexicons.")
    ] = "openhead-20",
    weights: Annotated[
        Path | None, typer.Option(help="Weights (safetensors); default: the bundled ones.")
    ] = None,
    sizes: Annotated[
        str, typer.Option(help="Frequent words to add to the lexicon (extra [synth]); 'none' adds none.")
    ] = "1000,2000,5000,10000,20000",
    condition: Annotated[
        list[str] | None,
        typer.Option(help="E.g. av-clean, a-7.5, v; repeatable. Default: av-clean, av-7.5, v."),
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language; repeatable.")] = None,
    clips: Annotated[int | None, typer.Option(help="Only so many clips of each language.", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, at most 8.")] = None,
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Folder for lexicon.md, lexicon.csv and lexicon.png.",
        ),
    ] = Path("lexicon-sweep"),
    card: Annotated[
        bool, typer.Option("--card", help="Put the tables into the model card beside the weights.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
) -> None:
    """Report how much of the word error is the lexicon's doing: phone error beside it, lexicon size swept."""
    from dataclasses import asdict

    from mtbench.avsr.evaluation import CONDITIONS, format_sweep, sweep_lexicon, write_sweep
    from mtbench.errors import UsageError
    from mtbench.speech import language_code

    if card and (language or clips or benchmark != "openhead-20"):
        raise UsageError("--card writes all languages: leave out --language, --clips and --benchmark with it")
    try:
        added = () if sizes == "none" else tuple(int(part) for part in sizes.split(",") if part.strip())
    except ValueError:
        added = (0,)
    if any(size < 1 for size in added):
        raise UsageError(f"--sizes takes whole numbers of words between commas, or 'none', not {sizes!r}")
    rows = sweep_lexicon(
        benchmark,
        weights,
        added,
        condition or CONDITIONS,
        [language_code(name) for name in language] if language else None,
        clips,
        workers,
    )
    files = write_sweep(rows, out)
    if card:
        from mtbench.avsr.evaluation import write_lexicon_part
        from mtbench.avsr.openhead import find_bundled

        files.append(write_lexicon_part(weights or find_bundled(), format_sweep(rows)))
    if as_json:
        say_json([asdict(row) for row in rows])
    else:
        say(format_sweep(rows))
        say("\n".join(str(file) for file in files))
