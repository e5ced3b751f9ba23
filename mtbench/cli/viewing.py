"""Commands to look at motion: a page with entries side by side, and a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.entries import BenchmarkOption
from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_note


def view(
    submissions: Annotated[list[Path], typer.Argument(help="Submission folders, one to three.")],
    benchmark: BenchmarkOption = None,
    clip: Annotated[
        list[str] | None,
        typer.Option(
            help="This clip; repeatable; 'all' for all. Default: the first of each language, 8 at most."
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder of results: shows what was recognized, errors marked."),
    ] = None,
    truth: Annotated[
        bool, typer.Option("--truth/--no-truth", help="Whether the ground truth is shown, too.")
    ] = True,
    out: Annotated[Path, typer.Option(callback=writable_folder, help="Folder to write to.")] = Path("view"),
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Look at submissions side by side in a browser, with their errors. Nothing is scored."""
    from mtbench.viewing import write_viewer

    sizes: list[int] = []

    def tell(name: str, size: int) -> None:
        sizes.append(size)
        say_note(f"{name}: {size / 1e6:.1f} MB")

    pages = write_viewer(out, submissions, benchmark, clips=clip, results=results, truth=truth, told=tell)
    index = out / "index.html"
    many = "1 page" if len(pages) == 1 else f"{len(pages)} pages"
    say(f"{index}: {many}, {sum(sizes) / 1e6:.1f} MB; open it in a browser, no server is needed")
    if open_page:
        import webbrowser

        shown = out / next(iter(pages.values())) if len(pages) == 1 else index
        if not webbrowser.open(shown.resolve().as_uri()):
            say_note("no browser was found here")
