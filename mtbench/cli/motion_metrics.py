"""Commands on the motion of submissions: several takes, and curves over the frames of a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.entries import BenchmarkOption, JsonOption
from mtbench.cli.output import say, say_json


def takes(
    submissions: Annotated[list[Path], typer.Argument(help="Submission folders, two or more.")],
    benchmark: BenchmarkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure several takes of one system: diversity, and the lip error of their mean and of the best."""
    from dataclasses import asdict

    from mtbench.submissions import measure_takes

    found = measure_takes(submissions, benchmark)
    if as_json:
        say_json(asdict(found))
        return
    say(f"{found.takes} takes of {found.clips} clips")
    say(f"diversity          {found.diversity_mm:.3f} mm; of the lips {found.lip_diversity_mm:.3f} mm")
    for name, value in (("mean estimate", found.mean_estimate_m2), ("coverage", found.coverage_m2)):
        told = "n/a: no ground truth of this topology" if value is None else f"{value:.4g} m² (squared LVE)"
        say(f"{name + ' error':<18} {told}")


def curves(
    submission: Annotated[Path, typer.Argument(help="Submission folder.")],
    clip: Annotated[str, typer.Argument(help="Clip.")],
    benchmark: BenchmarkOption = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write to (csv); default: standard output.")
    ] = None,
) -> None:
    """Print a clip's errors of lips, jaw and upper face, the apertures and the loudness, frame by frame."""
    from mtbench.files import write_atomically
    from mtbench.submissions import curves_of_clip, format_curves

    text = format_curves(curves_of_clip(submission, clip, benchmark))
    if out is None:
        say(text.rstrip())
    else:
        write_atomically(out, text.encode())
        say(str(out))
