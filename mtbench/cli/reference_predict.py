"""The command that animates with the reference model: a sound file, a folder of them, or a benchmark."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.output import say, say_note
from mtbench.errors import UsageError
from mtbench.timing import FPS

if TYPE_CHECKING:
    import numpy as np

    from mtbench.reference_model import ReferenceModel
    from mtbench.reference_model.predict import Prediction


@dataclass(frozen=True)
class _Request:
    """What is asked of the model, whatever it animates.

    Attributes
    ----------
    model : ReferenceModel
    language : str, mapping of str to float, or None
        Language that is spoken, or languages with their weights.
    instead : dict of str to str
        Language that a language is animated as.
    fallback : str or None
        Language for those that the model was not trained on.
    face : (V, 3) float32 or None
        Resting face in metres.
    gate : bool or None
        Whether faces rest where nobody speaks.
    """

    model: ReferenceModel
    language: str | Mapping[str, float] | None
    instead: dict[str, str]
    fallback: str | None
    face: np.ndarray | None
    gate: bool | None


@dataclass(frozen=True)
class _Video:
    """How videos are drawn: the renderer's name, width and height in pixels."""

    renderer: str
    size: int


def predict(
    audio: Annotated[
        Path | None, typer.Option(help="Sound or video file, or folder of them and of subfolders.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("--benchmark", "-b", help="Name or folder: write a submission for it.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            help="Language that is spoken; default: what a file's name (Italian_…) or folder says. With --benchmark: "
            "for every clip, instead of its own."
        ),
    ] = None,
    blend: Annotated[
        str | None, typer.Option(help="Several languages with weights, e.g. Italian:0.7,English:0.3.")
    ] = None,
    language_map: Annotated[
        list[str] | None,
        typer.Option(
            help="Language that a language is animated as, e.g. cat=Spanish; repeatable.",
            metavar="CODE=NAME",
        ),
    ] = None,
    language_fallback: Annotated[
        str | None,
        typer.Option(help="For recordings and clips in languages that the model was not trained on."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Model (safetensors); default: the bundled multitalk-mini.")
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="Resting face in metres (npy, npz, ply, obj, MultiTalk's templates.pkl)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder (for one sound file also an .npz file); default: predictions, with --benchmark submission."
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="With --benchmark: name of the entry; default: the model's.")
    ] = None,
    gate: Annotated[
        bool | None,
        typer.Option(
            "--gate/--no-gate",
            help="Whether faces rest where nobody speaks. Default: they do, but with the published weights.",
        ),
    ] = None,
    video: Annotated[bool, typer.Option("--video", help="Also write an mp4 with sound, to look at.")] = False,
    renderer: Annotated[
        str, typer.Option(help="Renderer of the video: 'software' or 'pyrender'.")
    ] = "software",
    size: Annotated[int, typer.Option(help="Width and height of the video, pixels.", min=16)] = 512,
) -> None:
    """Animate a sound file, a folder of them, or a benchmark: vertices (T, V, 3) in metres at 25 fps."""
    from mtbench.reference_model import load_model, parse_blend, read_template

    _check_options(audio, benchmark, language, blend, system, video)
    spoken = parse_blend(blend) if blend is not None else language
    instead = _parse_map(language_map or [])
    loaded = load_model(model)
    start = time.perf_counter()
    face = None if template is None else read_template(template, loaded.network.settings.vertices)
    request = _Request(loaded, spoken, instead, language_fallback, face, gate)
    if benchmark is not None:
        _predict_benchmark(request, benchmark, out or Path("submission"), system, start)
    elif audio is not None:
        drawn = _Video(renderer, size) if video else None
        _predict_recordings(request, audio, out or Path("predictions"), drawn, start)


def _check_options(
    audio: Path | None,
    benchmark: str | None,
    language: str | None,
    blend: str | None,
    system: str | None,
    video: bool,
) -> None:
    """Refuse options that contradict each other, before anything is loaded."""
    if (audio is None) == (benchmark is None):
        raise UsageError("give either --audio (a sound file or a folder of them) or --benchmark")
    if language is not None and blend is not None:
        raise UsageError("give either --language or --blend")
    if benchmark is not None and video:
        raise UsageError("--video goes with --audio; of a submission: mtbench render submission/ --video")
    if benchmark is None and system is not None:
        raise UsageError("--system: only with --benchmark")
    if audio is not None and not audio.exists():
        raise UsageError(f"{audio}: there is no such sound file or folder")


def _predict_benchmark(
    request: _Request, benchmark: str, folder: Path, system: str | None, start: float
) -> None:
    """Write a submission for a benchmark, and say what it took since *start* (``time.perf_counter()``)."""
    from mtbench.benchmarks import load_benchmark
    from mtbench.reference_model import describe_cost, predict_benchmark
    from mtbench.work import make_progress

    loaded = load_benchmark(benchmark)
    missing = [clip for clip in loaded.clips if not (folder / "motion" / f"{clip.id}.npz").is_file()]
    written = predict_benchmark(
        request.model,
        loaded,
        folder,
        language=request.language,
        instead=request.instead,
        fallback=request.fallback,
        template=request.face,
        system=system,
        gate=request.gate,
        progress=make_progress(),
    )
    say(str(written))
    if missing:
        seconds = sum(clip.frames for clip in missing) / FPS
        say_note(describe_cost(len(missing), seconds, time.perf_counter() - start))
    say_note(f"score it: mtbench score {written} --benchmark {benchmark}")


def _predict_recordings(
    request: _Request, audio: Path, out: Path, video: _Video | None, start: float
) -> None:
    """Animate a recording or a folder of them, and say what it took since *start*, drawing videos left out."""
    from mtbench.reference_model import describe_cost, require_video, write_video

    if video is not None:
        require_video(request.model)
    predictions = _animate(request, audio, out)
    done, seconds, drawing = 0, 0.0, 0.0
    try:
        for prediction in predictions:
            done, seconds = done + 1, seconds + prediction.frames / FPS
            say(str(prediction.path))
            for note in prediction.notes:
                say_note(f"{prediction.source}: {note}")
            if video is not None:
                before = time.perf_counter()
                say(str(write_video(prediction, request.model, video.renderer, video.size)))
                drawing += time.perf_counter() - before
    finally:
        if done:
            say_note(describe_cost(done, seconds, time.perf_counter() - start - drawing))


def _animate(request: _Request, audio: Path, out: Path) -> Iterator[Prediction]:
    """Yield what is made of a recording, or of each of a folder, as soon as it is done."""
    from mtbench.reference_model import predict_file, predict_folder
    from mtbench.work import make_progress

    given = (request.model, audio, out, request.language, request.face)
    if audio.is_dir():
        yield from predict_folder(
            *given,
            instead=request.instead,
            fallback=request.fallback,
            gate=request.gate,
            progress=make_progress(),
        )
    else:
        yield predict_file(
            *given,
            instead=request.instead,
            fallback=request.fallback,
            gate=request.gate,
            progress=make_progress(),
        )


def _parse_map(items: list[str]) -> dict[str, str]:
    pairs = {}
    for item in items:
        code, _, name = (part.strip() for part in item.partition("="))
        if not code or not name or code in pairs:
            raise UsageError(f"--language-map {item!r}: expected CODE=NAME, e.g. cat=Spanish, each code once")
        pairs[code] = name
    return pairs
