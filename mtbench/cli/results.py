"""Commands on result folders: rescore, compare, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_tables

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def rescore(
    results: Annotated[Path, typer.Argument(help="Result folder with run.json and clips.jsonl.")],
    normalizer: Annotated[
        str | None, typer.Option(help="'uni-v1', 'multitalk' or 'muavic-13a'; default: as before.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Count by this profile's rules: averages, headline rate, normalizer.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder,
            help="Folder of results to write to; default: in place.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count and aggregate the rows of a result again, without rendering or recognizing."""
    from mtbench.results import run_to_text
    from mtbench.scoring import rescore as run_rescore

    run = run_rescore(results, normalizer=normalizer, profile=profile, out=out)
    if as_json:
        say(run_to_text(run))
    else:
        say_tables([run])
    if run.status == "partial":
        raise typer.Exit(5)


def compare(
    a: Annotated[Path, typer.Argument(help="Result folder.")],
    b: Annotated[Path, typer.Argument(help="Result folder.")],
    metric: Annotated[str | None, typer.Option(help="Only this metric, e.g. headline or lve_mm.")] = None,
    language: Annotated[str, typer.Option(help="A language, 'all', or 'each'.")] = "all",
    as_json: JsonOption = False,
) -> None:
    """Say by how much two entries differ, with paired intervals and corrected p-values."""
    from dataclasses import asdict

    from mtbench.errors import UsageError
    from mtbench.metrics import METRICS
    from mtbench.results import compare as run_compare
    from mtbench.results import round_floats
    from mtbench.speech import any_code, display_name

    wanted = language if language in ("all", "each") else any_code(language)
    if metric is not None and metric not in METRICS:
        raise UsageError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
    comparison = run_compare(a, b)
    present = {d.language for d in comparison.differences} - {"all"}
    if wanted not in {"all", "each", *present}:
        raise UsageError(
            f"these results have no numbers in {display_name(wanted)}; they have {', '.join(sorted(present)) or 'none'}"
        )
    if as_json:
        say_json(round_floats(asdict(comparison)))
    else:
        say(comparison.table(metric, None if wanted == "each" else wanted))


def show(
    results: Annotated[list[Path], typer.Argument(help="Result folders, or folders that hold some.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Print the tables of results again; of several entries, one table over all."""
    from mtbench.errors import UsageError
    from mtbench.results import find_runs, group_runs, read_run

    runs = [read_run(folder) for root in results for folder in find_runs(root)]
    if not runs:
        places = ", ".join(map(str, results))
        raise UsageError(f"{places}: no run.json below it; 'mtbench score --out {results[0]}' writes some")
    groups = group_runs(runs)
    for group in groups:
        others = [run for other in groups if other is not group for run in other]
        say_tables(group, others, markdown)


def report(
    results: Annotated[list[Path], typer.Argument(help="Result folders, or folders that hold some.")],
    language: Annotated[
        list[str] | None,
        typer.Option("--language", "-l", help="Only this language; repeatable. Default: all."),
    ] = None,
    out: Annotated[Path, typer.Option(callback=writable_folder, help="Folder to write to.")] = Path("report"),
    tex: Annotated[
        bool, typer.Option("--tex", help="Tables as LaTeX, too, as a paper would print them.")
    ] = False,
    meta: Annotated[
        Path | None,
        typer.Option(help="Folder that 'mtbench validate-metric' wrote: how far the metric can be trusted."),
    ] = None,
) -> None:
    """Write what entries score by language, what goes wrong, and how far it can be trusted: pages, figures, tables."""
    from mtbench.cli.output import say_note
    from mtbench.leaderboard.report import write_report

    paths = write_report(results, out, language or (), tex=tex, meta=meta, told=say_note)
    say(str(out / "index.html"))
    say_note(f"{len(paths)} files in {out}")
