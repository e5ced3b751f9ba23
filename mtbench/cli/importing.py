"""The command ``mtbench import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_note


def import_motion(
    source: Annotated[Path, typer.Argument(help="Folder with a motion file for each clip.")],
    benchmark: Annotated[str, typer.Option("--benchmark", "-b", help="Benchmark name or folder.")],
    out: Annotated[Path, typer.Option(callback=writable_folder, help="Folder of the submission.")],
    format: Annotated[str, typer.Option(help="What the files are, see 'mtbench ls formats'.")] = "vertices",
    system: Annotated[str | None, typer.Option(help="Display name; default: the folder's.")] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second, where the format does not tell it.", min=1e-3)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Make a submission of other projects' motion, and say what is wrong with it."""
    from mtbench.errors import Note, list_some, summarize_notes
    from mtbench.importers import import_submission

    done = import_submission(source, benchmark, out, format=format, system=system, fps=fps)
    warnings = [note for note in done.notes if isinstance(note, str)]
    warnings += summarize_notes(note for note in done.notes if isinstance(note, Note))
    if done.unknown:
        names = list_some([path.name for path in done.unknown])
        warnings.append(f"no clip of the benchmark: {names}")
    if as_json:
        say_json(
            {
                "folder": str(done.folder),
                "clips": list(done.clips),
                "missing": list(done.missing),
                "unknown": [str(path) for path in done.unknown],
                "problems": [_to_json(problem) for problem in done.problems],
                "warnings": warnings,
            }
        )
    else:
        state = f"{len(done.problems)} problem(s)" if done.problems else "valid"
        say(f"{done.folder}: {len(done.clips)} of {len(done.clips) + len(done.missing)} clips, {state}")
        for problem in done.problems:
            say(f"  - {problem}")
        for line in warnings:
            say(f"warning: {line}")
    if done.problems:
        raise typer.Exit(3)
    say_note(f"score it with: mtbench score {done.folder} --benchmark {benchmark}")


def _to_json(problem: Any) -> dict[str, Any]:
    from mtbench.cli.entries import problem_to_json

    return problem_to_json(problem)
