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


def export(
    submission: Annotated[Path, typer.Argument(help="Submission folder.")],
    clip: Annotated[str, typer.Argument(help="Clip.")],
    benchmark: BenchmarkOption = None,
    glb: Annotated[
        bool, typer.Option("--glb", help="Write a GLB file: morph targets, animated, with the sound.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="File to write to, ending in .glb; default: <clip>.glb here.")
    ] = None,
) -> None:
    """Write a clip's motion and sound for other programs: Blender, <model-viewer> (extra [glb])."""
    from mtbench.benchmarks import as_benchmark
    from mtbench.errors import UsageError
    from mtbench.submissions import load_submission
    from mtbench.viewing import export_glb

    if not glb:
        raise UsageError("say what to write: --glb (the one format there is)")
    target = Path(f"{clip}.glb") if out is None else out
    if target.suffix.lower() != ".glb":
        raise UsageError(f"{target}: expected a file that ends in .glb")
    entry = load_submission(submission, benchmark, allow_partial=True)
    found = as_benchmark(entry.benchmark_ref if benchmark is None else benchmark)
    sound = found.clip(clip).load_audio()
    about = {"system": entry.system, "benchmark": found.ref, "clip": clip}
    made = export_glb(target, entry.motion(clip), sound, about)
    close = f"no vertex more than {made.error_mm:.3f} mm off"
    say(f"{made.path}: {made.size / 1e6:.1f} MB, {made.targets} morph targets, {close}")
    say(
        f"{made.sound_path}: the sound, for programs that do not play the one inside (Blender, <model-viewer>)"
    )
