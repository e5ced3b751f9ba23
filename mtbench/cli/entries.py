"""Commands on submissions: validate, score, render, controls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtbench.cli.decibels import parse_snrs
from mtbench.cli.options import writable_cache, writable_folder
from mtbench.cli.output import say, say_json, say_note, say_tables

if TYPE_CHECKING:
    from mtbench.avsr import RecognizerSpec
    from mtbench.results import Run

BenchmarkOption = Annotated[
    str | None,
    typer.Option("--benchmark", "-b", help="Benchmark name or folder; default: what the manifest names."),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option(help="Metrics to measure besides, NAME,NAME or 'all' ('mtbench ls metrics')."),
]
#: LANGUAGE=FILE, not a file whose path has an equals sign in it.
_NAMES_LANGUAGE = re.compile(r"[^=./\\]*=")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def validate(
    submission: Annotated[Path, typer.Argument(help="Submission folder.")],
    benchmark: BenchmarkOption = None,
    as_json: JsonOption = False,
) -> None:
    """List everything wrong with a submission: what, where, expected, likely cause, what to do."""
    from mtbench.errors import summarize_notes
    from mtbench.submissions import inspect_submission

    found, problems = inspect_submission(submission, benchmark)
    notes = found.notes if found is not None else ()
    if as_json:
        warnings = [problem_to_json(note) for note in notes]
        say_json(
            {"valid": not problems, "problems": [problem_to_json(p) for p in problems], "warnings": warnings}
        )
    elif problems:
        say(f"{submission}: {len(problems)} problem(s)")
        for problem in problems:
            say(f"  - {problem}")
    else:
        say(f"{submission}: valid")
    if not as_json:
        for line in summarize_notes(notes):
            say(f"warning: {line}")
    if problems:
        raise typer.Exit(3)


def problem_to_json(problem: Any) -> dict[str, Any]:
    """Return a :class:`mtbench.errors.Problem` or :class:`~mtbench.errors.Note` as a JSON object."""
    return {
        "code": problem.code,
        "where": problem.where,
        "message": problem.message,
        "hint": problem.hint,
        "clip": problem.clip,
    }


def score(
    submission: Annotated[Path, typer.Argument(help="Submission folder.")],
    benchmark: BenchmarkOption = None,
    recognizer: Annotated[
        str,
        typer.Option(
            help="NAME or NAME:VARIANT ('mtbench ls recognizers'), module:function or program:PATH of your own, "
            "'none', or several with commas between."
        ),
    ] = "openhead-av",
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="The recognizer's weights in place of its own: FILE, or LANGUAGE=FILE, repeatable."
        ),
    ] = None,
    decoding: Annotated[
        str | None, typer.Option(help="The recognizer's search, e.g. 'beam'; 'own' in place of a profile's.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where the recognizer computes, e.g. 'cuda'.")] = None,
    profile: Annotated[
        str, typer.Option(help="Settings by name ('mtbench ls profiles'); options change them.")
    ] = "recommended",
    renderer: Annotated[str | None, typer.Option(help="'software' (the profile's) or 'pyrender'.")] = None,
    squash: Annotated[
        bool, typer.Option("--squash", help="Squeeze pictures to 4:3 first, as MultiTalk's script does.")
    ] = False,
    snr: Annotated[
        list[str] | None, typer.Option(help="Decibels: -7.5,-10 (the default) or -7.5 -10.")
    ] = None,
    noise: Annotated[
        Path | None,
        typer.Option(help="Folder of noise recordings, or 'none'; default: the benchmark's, else bundled."),
    ] = None,
    noise_name: Annotated[list[str] | None, typer.Option(help="Only this recording; repeatable.")] = None,
    normalizer: Annotated[
        str | None,
        typer.Option(help="'uni-v1' (the profile's), 'multitalk', 'muavic-13a' or 'uroman-1.3.1.1'."),
    ] = None,
    out: Annotated[Path, typer.Option(callback=writable_folder, help="Folder of results.")] = Path("results"),
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, at most 8.")] = None,
    allow_partial: Annotated[
        bool, typer.Option(help="Score although clips are missing; not rankable.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(callback=writable_cache, help="Folder of the stage cache.")
    ] = None,
    metrics: MetricsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Render, mix, recognize and measure a submission; write results and print the tables."""
    from mtbench.results import run_to_text

    settings = {
        "profile": profile,
        "renderer": renderer,
        "squash": squash or None,
        "snr": parse_snrs(snr) if snr else None,
        "noise": noise,
        "noise_names": noise_name or None,
        "normalizer": normalizer,
        "out": out,
        "workers": workers,
        "allow_partial": allow_partial,
        "cache": cache,
        "metrics": _split(metrics),
    }
    asked = _ask(recognizer, weights, decoding, device)
    runs = [_score_with(spec, submission, benchmark, settings, as_json) for spec in asked]
    if as_json:
        texts = [run_to_text(run) for run in runs]
        say(texts[0] if len(texts) == 1 else f"[{','.join(texts)}]")
    if any(run.status == "partial" for run in runs):
        raise typer.Exit(5)


def _score_with(
    recognizer: RecognizerSpec | None,
    submission: Path,
    benchmark: str | None,
    settings: dict[str, Any],
    as_json: bool,
) -> Run:
    """Score with one recognizer, and print its tables unless JSON is wanted."""
    from mtbench.errors import SubmissionError
    from mtbench.scoring import score as run_score

    try:
        run = run_score(submission, benchmark, recognizer=recognizer, progress=None, **settings)
    except SubmissionError as error:
        if as_json:
            say_json({"status": "invalid", "problems": [problem_to_json(p) for p in error.problems]})
        raise
    if not as_json:
        say_tables([run])
        say(f"Results: {run.folder}")
    return run


def _split(texts: list[str] | None) -> list[str]:
    """Return the names in texts that may hold several with commas between."""
    return [name.strip() for text in texts or () for name in text.split(",") if name.strip()]


def _ask(
    names: str, weights: list[str] | None, decoding: str | None, device: str | None
) -> list[RecognizerSpec | None]:
    """Return the recognizers that were asked for on the command line, having looked whether each can be had."""
    from mtbench.avsr import load_recognizer, split_names
    from mtbench.errors import UsageError

    found = split_names(names)
    if len(found) == 1:
        return [_ask_one(names.strip(), weights, decoding, device)]
    if weights or decoding:
        raise UsageError(
            f"--weights and --decoding are of one recognizer, and {names} are {len(found)}; score with each by itself"
        )
    asked = [_ask_one(name, None, None, None if name == "none" else device) for name in found]
    for spec in asked:  # before the first has computed for hours, the last is known to be there
        if spec is not None:
            load_recognizer(spec)
    return asked


def _ask_one(
    name: str, weights: list[str] | None, decoding: str | None, device: str | None
) -> RecognizerSpec | None:
    """Return the recognizer that was asked for on the command line."""
    from mtbench.avsr import ask_for
    from mtbench.errors import UsageError

    if name == "none":
        if weights or decoding or device:
            raise UsageError(
                "--weights, --decoding and --device are of a recognizer, and --recognizer none asks for none"
            )
        return None
    files = weights or []
    if len(files) == 1 and not _NAMES_LANGUAGE.match(files[0]):
        return ask_for(name, files[0], decoding, device)
    named = [text.partition("=") for text in files]
    if any(not equals or not file for _, equals, file in named):
        raise UsageError(
            f"--weights takes one FILE, or LANGUAGE=FILE for each language, not {' '.join(files)}"
        )
    if len({code for code, _, _ in named}) < len(named):
        raise UsageError(f"--weights names a language twice: {' '.join(files)}")
    return ask_for(name, {code: file for code, _, file in named} or None, decoding, device)


def render(
    submission: Annotated[Path, typer.Argument(help="Submission folder.")],
    benchmark: BenchmarkOption = None,
    clip: Annotated[list[str] | None, typer.Option(help="Only this clip; repeatable. Default: all.")] = None,
    video: Annotated[
        bool, typer.Option("--video", help="Write an mp4 with sound instead of mouth crops.")
    ] = False,
    truth: Annotated[
        bool, typer.Option("--truth", help="With --video: the ground truth beside it, to the right.")
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Folder to write to.",
        ),
    ] = Path("renders"),
    renderer: Annotated[str, typer.Option(help="'software' or 'pyrender'.")] = "software",
    size: Annotated[int, typer.Option(help="Width and height of a face in the video, pixels.")] = 512,
) -> None:
    """Write pictures of a submission: videos to look at, or the mouth crops that are scored (npy)."""
    from mtbench.submissions import render_submission

    for path in render_submission(
        submission, benchmark, clips=clip, out=out, video=video, truth=truth, renderer=renderer, size=size
    ):
        say(str(path))


controls = typer.Typer(
    help="Control entries: submissions whose rank is known beforehand.", no_args_is_help=True
)


@controls.callback()
def _controls() -> None:
    """Control entries: submissions whose rank is known beforehand."""


@controls.command()
def make(
    benchmark: Annotated[str, typer.Argument(help="Benchmark name or folder, with ground truth.")],
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Folder that gets one submission folder per control.",
        ),
    ] = Path("controls"),
    only: Annotated[list[str] | None, typer.Option(help="Only this control; repeatable.")] = None,
) -> None:
    """Write ground-truth, half-amplitude, lag-200ms, shuffled and static as submission folders."""
    from mtbench.submissions import CONTROLS, make_controls

    for path in make_controls(benchmark, out, tuple(only) if only else CONTROLS):
        say(str(path))
    say_note(f"score one with: mtbench score {out / (only or CONTROLS)[0]} --benchmark {benchmark}")
