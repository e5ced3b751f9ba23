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
            "0.7 MB each; repeatable."
        ),
    ] = None,
    benchmark: BenchmarkOption = None,
) -> None:
    """Write a site (open index.html), and leaderboard.md, .json and .csv, from result folders alone."""
    from mtbench.leaderboard import build_leaderboard

    viewers = _write_viewers(out, submissions, results, benchmark) if submissions else {}
    faces = [out / address for pages in viewers.values() for address in pages.values()]
    _say_site([*build_leaderboard(results, out, viewers), *faces], out)


def _say_site(written: list[Path], out: Path) -> None:
    for path in written:
        if path.parent == out:
            say(str(path))
    entries = sum(path.parent == out / "entries" for path in written)
    clips = sum(out / "viewer" in path.parents for path in written)
    pages = "1 page of an entry" if entries == 1 else f"{entries} pages of entries"
    faces = f", {clips} clip{'' if clips == 1 else 's'} to look at" if clips else ""
    say_note(f"and {pages}{faces}; open {out / 'index.html'}, or: mtbench leaderboard serve {out}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(callback=writable_folder, help="Folder of the site.")] = Path("site"),
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name or folder, with ground truth.")
    ] = "openhead-20",
    entries: Annotated[
        str | None,
        typer.Option(help="Only these, e.g. ground-truth,static,multitalk-mini; default: all nine."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder,
            help="Keeps submissions, training data and results; default: a folder in the cache.",
        ),
    ] = None,
    recognizer: Annotated[str, typer.Option(help="As for 'mtbench score'.")] = "openhead-av",
    clips: Annotated[
        int, typer.Option(help="So many of each entry's worst and best clips can be looked at.", min=0)
    ] = 1,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, at most 8.")] = None,
    cache: Annotated[
        Path | None, typer.Option(callback=writable_cache, help="Folder of the stage cache.")
    ] = None,
) -> None:
    """Make the controls, the reference model's entry and simple baselines, score them, and build their board.

    The first time takes a quarter of an hour on two cores; what is there is not made again.
    """
    from mtbench.benchmarks import load_benchmark
    from mtbench.showcase import ENTRIES, show_board
    from mtbench.work import default_cache_dir, make_progress

    loaded = load_benchmark(benchmark)
    names = ENTRIES if entries is None else tuple(name.strip() for name in entries.split(",") if name.strip())
    place = work or (cache or default_cache_dir()) / "board" / f"{loaded.name}-{loaded.digest[:8]}"
    progress = make_progress()
    progress.title = "board"
    written = show_board(
        loaded,
        out,
        place,
        names=names,
        recognizer=None if recognizer == "none" else recognizer,
        clips=clips,
        workers=workers,
        cache=cache,
        progress=progress,
    )
    _say_site(written, out)
    say_note(f"submissions and results: {place}")


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
