"""Commands on boards over many entries: build, serve, add, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.entries import BenchmarkOption
from mtbench.cli.options import writable_cache, writable_folder
from mtbench.cli.output import say, say_json, say_note

app = typer.Typer(help="Boards over many entries.", no_args_is_help=True)


@app.callback()
def _leaderboard() -> None:
    """Boards over many entries."""


@app.command()
def build(
    results: Annotated[Path, typer.Argument(help="Folder with <system>/<benchmark>/run.json below it.")],
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Folder to write to.",
        ),
    ] = Path("board"),
    submissions: Annotated[
        list[Path] | None,
        typer.Option(
            help="Submission, or folder of submissions: the clips that pages of entries show can be looked at, about "
            "1 MB each; repeatable."
        ),
    ] = None,
    benchmark: BenchmarkOption = None,
) -> None:
    """Write a site (open index.html), and leaderboard.md, .json and .csv, from result folders alone."""
    from mtbench.leaderboard import build_leaderboard

    viewers = _write_viewers(out, submissions, results, benchmark) if submissions else None
    written = build_leaderboard(results, out, viewers)
    for path in written:
        if path.parent == out:
            say(str(path))
    pages = sum(path.parent != out for path in written)
    say_note(f"and {pages} pages of entries; open {out / 'index.html'}, or: mtbench leaderboard serve {out}")


def _write_viewers(
    out: Path, submissions: list[Path], results: Path, benchmark: str | None
) -> dict[str, dict[str, str]]:
    from mtbench.leaderboard.site import list_shown_clips
    from mtbench.viewing import write_entry_viewers

    clips = list_shown_clips(results)
    return write_entry_viewers(out, submissions, clips, results=results, benchmark=benchmark, told=say_note)


@app.command()
def serve(
    site: Annotated[Path, typer.Argument(help="Folder that 'leaderboard build' wrote.")],
    port: Annotated[int, typer.Option(help="0: any that is free.")] = 8000,
) -> None:
    """Show a site to browsers that refuse local files: on this machine only, until Ctrl-C."""
    from mtbench.cli.output import finish_output
    from mtbench.leaderboard.site import SiteServer
    from mtbench.work import Stopped

    with SiteServer(site, port) as server:
        say(server.address)
        finish_output()
        say_note("Ctrl-C ends it")
        try:
            server.serve_forever()
        except Stopped as reason:
            if reason.exit_code != 130:
                raise


@app.command()
def add(
    result: Annotated[Path, typer.Argument(help="Result folder that somebody sends.")],
    results: Annotated[
        Path, typer.Option(callback=writable_folder, help="Folder of results that it is taken into.")
    ] = Path("results"),
    replace: Annotated[
        bool, typer.Option("--replace", help="It is a new version of a system that has a result there.")
    ] = False,
) -> None:
    """Check a result (fields, digests, numbers against rows) and take it into a folder of results."""
    from mtbench.leaderboard import add_result

    folder, note = add_result(result, results, replace=replace)
    say(str(folder))
    say_note(note)


@app.command()
def verify(
    result: Annotated[Path, typer.Argument(help="Result folder.")],
    submission: Annotated[Path, typer.Option(help="The submission that it was made of.")],
    benchmark: Annotated[
        str | None,
        typer.Option("--benchmark", "-b", help="Benchmark name or folder; default: what the manifest names."),
    ] = None,
    clips: Annotated[int, typer.Option(help="How many clips are scored again.")] = 5,
    seed: Annotated[int, typer.Option(help="Of their choice; another one, other clips.")] = 1,
    recognizer: Annotated[
        str | None, typer.Option(help="Where to find the result's recognizer, e.g. module:function.")
    ] = None,
    noise: Annotated[
        Path | None, typer.Option(help="Folder of noise recordings; default: the benchmark's, else bundled.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, at most 8.")] = None,
    cache: Annotated[
        Path | None, typer.Option(callback=writable_cache, help="Folder of the stage cache.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Score a sample of clips again and compare: is the result what the submission gives? Exit code 1 where not."""
    from dataclasses import asdict

    from mtbench.scoring import verify_result

    found = verify_result(
        result,
        submission,
        benchmark,
        clips=clips,
        seed=seed,
        recognizer=recognizer,
        noise=noise,
        workers=workers,
        cache=cache,
    )
    if as_json:
        say_json({**asdict(found), "holds": found.holds})
    else:
        rows = found.equal + found.close + len({(d.clip, d.condition) for d in found.differences})
        say(f"{found.system}: {len(found.clips)} clips scored again: {', '.join(found.clips)}")
        say(f"{rows} rows: {found.equal} equal, {found.close} equal but for rounding")
        for line in found.differences[:20]:
            say(f"  - {line.clip}, {line.condition}: {line.field} is {line.told}, scored again {line.found}")
        if len(found.differences) > 20:
            say(f"  and {len(found.differences) - 20} more")
        say("the result holds" if found.holds else "the result does NOT hold")
    if not found.holds:
        raise typer.Exit(1)
