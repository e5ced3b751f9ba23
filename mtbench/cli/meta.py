"""The command that validates the metric itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.options import writable_cache, writable_folder
from mtbench.cli.output import say, say_json, say_note

if TYPE_CHECKING:
    from mtbench.meta import MetaScores, Report


def validate_metric(
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name or folder, with ground truth.")
    ] = "openhead-20",
    recognizer: Annotated[
        str, typer.Option(help="'openhead-av', or module:function or program:PATH of your own.")
    ] = "openhead-av",
    weights: Annotated[
        Path | None, typer.Option(help="Weights of openhead-av (safetensors); default: the bundled ones.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder, help="Folder of scores and report; what it holds is not made again."
        ),
    ] = Path("meta"),
    languages: Annotated[
        list[str] | None, typer.Option("--language", "--languages", help="Only these, e.g. ita,eng.")
    ] = None,
    systems: Annotated[
        list[str] | None, typer.Option("--system", "--systems", help="Only these, and the ground truth.")
    ] = None,
    families: Annotated[
        list[str] | None,
        typer.Option("--family", "--families", help="Only these families, and the ground truth."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A smaller grid: 3 clips a language, 31 systems, 3 SNRs.")
    ] = False,
    others: Annotated[
        int,
        typer.Option(
            min=0,
            help="Also show each clip so many other clips' faces, for the second form of readability bits; each "
            "costs one more recognition.",
        ),
    ] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, at most 8.")] = None,
    cache: Annotated[
        Path | None, typer.Option(callback=writable_cache, help="Folder of the stage cache.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Degrade the ground truth in known ways and see whether the metric puts the systems in order."""
    from mtbench.benchmarks import load_benchmark
    from mtbench.meta import make_report, run_systems, write_report

    loaded = load_benchmark(benchmark)
    scores = run_systems(
        loaded,
        recognizer,
        out=out,
        weights=weights,
        languages=_split(languages),
        systems=_split(systems),
        families=_split(families),
        quick=quick,
        others=others,
        workers=workers,
        cache=cache,
    )
    for note in _notes(scores):
        say_note(note)
    report = make_report(scores, loaded)
    paths = write_report(report, out)
    if as_json:
        say_json(report.to_json())
    else:
        for line in _summary(report):
            say(line)
        say(f"Report: {paths[0]}")


def _split(values: list[str] | None) -> list[str] | None:
    """Return *values*, each one name or several separated by commas, as a flat list; None for none."""
    return [part.strip() for value in values or () for part in value.split(",") if part.strip()] or None


def _notes(scores: MetaScores) -> list[str]:
    """Return what was left out, a line each."""
    families, clips = scores.facts["families_left_out"], scores.facts["clips_left_out"]
    notes = [f"left out: {', '.join(families)}: {next(iter(families.values()))}"] if families else []
    for reason in dict.fromkeys(clips.values()):
        ids = [clip for clip, why in clips.items() if why == reason]
        notes.append(f"left out: {len(ids)} clip(s), {reason}")
    return notes


def _summary(report: Report) -> list[str]:
    """Return what the report says of the metric as a whole, a line each."""
    lines = [
        f"{report.facts['recognizer']} on {report.facts['benchmark']}: {len(report.systems)} systems, "
        f"{report.n_clips} clips, {report.condition}"
    ]
    for target in (*report.targets, *report.bits_targets):
        reached = "n/a" if target.reached is None else f"{target.reached:.3g}"
        met = target.reason or ("met" if target.met else "MISSED")
        lines.append(f"  {target.name}: {reached} (target {target.wanted:g}): {met}")
    return [*lines, *report.verdict]
