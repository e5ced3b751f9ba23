"""The command ``mtbench import``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_note


def import_motion(
    source: Annotated[Path, typer.Argument(help="Folder with a motion file for each clip.")],
    benchmark: Annotated[str, typer.Option("--benchmark", "-b", help="Benchmark name or folder.")],
    out: Annotated[Path, typer.Option(callback=writable_folder, help="Folder of the submission.")],
    format: Annotated[
        str,
        typer.Option("--from", "--format", help="Whose files they are, or what: see 'mtbench ls formats'."),
    ] = "vertices",
    system: Annotated[str | None, typer.Option(help="Display name; default: the folder's.")] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second; default: the project's.", min=1e-3)
    ] = None,
    condition: Annotated[
        str | None, typer.Option(help="Which file of a clip, by the speaker, style or emotion in its name.")
    ] = None,
    sample: Annotated[int | None, typer.Option(help="Which file of a clip, by its number.", min=0)] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="Resting faces: templates.pkl, npz, a mesh, or a folder; for displacements."),
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="Whose resting face is everyone's.")] = None,
    positions: Annotated[
        str, typer.Option(help="'absolute' or 'displacements'; 'auto': what the project writes.")
    ] = "auto",
    scale: Annotated[
        float | None, typer.Option(help="What makes metres of positions, e.g. 0.001.", min=1e-9)
    ] = None,
    rotations: Annotated[
        str, typer.Option(help="'axis-angle', or '6d-rows', '6d-columns', '6d-interleaved'.")
    ] = "axis-angle",
    uv_mesh: Annotated[
        Path | None, typer.Option(help="head_template.obj, for FLAME with 5,118 vertices.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Make a submission of other projects' motion, and say what was assumed and what is wrong with it."""
    from mtbench.errors import Note, list_some, summarize_notes
    from mtbench.importers import ImportOptions, import_submission

    options = ImportOptions(fps, scale, positions, template, speaker, condition, sample, rotations, uv_mesh)
    done = import_submission(source, benchmark, out, format=format, system=system, fps=fps, options=options)
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
                "assumed": list(done.assumed),
                "contradicted": list(done.contradicted),
            }
        )
    else:
        state = f"{len(done.problems)} problem(s)" if done.problems else "valid"
        say(f"{done.folder}: {len(done.clips)} of {len(done.clips) + len(done.missing)} clips, {state}")
        for problem in done.problems:
            say(f"  - {problem}")
        for line in warnings:
            say(f"warning: {line}")
        _say_list("assumed", done.assumed)
        _say_list("the files contradict that", done.contradicted)
    if done.problems:
        raise typer.Exit(3)
    say_note(f"score it with: mtbench score {done.folder} --benchmark {benchmark}")


def _say_list(title: str, lines: Sequence[str]) -> None:
    if lines:
        say(f"{title}:")
    for line in lines:
        say(f"  - {line}")


def _to_json(problem: Any) -> dict[str, Any]:
    from mtbench.cli.entries import problem_to_json

    return problem_to_json(problem)
