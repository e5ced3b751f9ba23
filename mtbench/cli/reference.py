"""Commands on the reference model: import, predict, data; those that train are registered here too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli import reference_training
from mtbench.cli.options import writable_folder
from mtbench.cli.output import log_lines, say, say_note

app = typer.Typer(
    help="The reference model MultiTalk: predict, train, reproduce, import the released one; simple baselines.",
    no_args_is_help=True,
)


@app.command(name="import")
def import_(
    stage1: Annotated[Path, typer.Argument(help="Released checkpoint of stage 1 (.pth.tar).")],
    stage2: Annotated[Path, typer.Argument(help="Released checkpoint of stage 2 (.pth.tar).")],
    speech_encoder: Annotated[
        str,
        typer.Option(help="Folder or hub name of the wav2vec 2.0 model whose form the encoder has."),
    ] = "facebook/wav2vec2-large-xlsr-53",
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("multitalk.safetensors"),
    config: Annotated[
        Path | None,
        typer.Option(help="JSON with the published YAML's keys, where sizes are not the published."),
    ] = None,
) -> None:
    """Check the released checkpoints key by key and write them as one safetensors file (extra [reference])."""
    from mtbench.reference_model.released import import_released

    path = import_released(stage1, stage2, speech_encoder, out, config)
    say(str(path))
    say_note(
        f"animate a sound file: mtbench reference predict --model {path} --audio F.wav --language Italian"
    )


@app.command()
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
    renderer: Annotated[str, typer.Option(help="Of the video: 'software' or 'pyrender'.")] = "software",
    size: Annotated[int, typer.Option(help="Width and height of the video, pixels.", min=16)] = 512,
) -> None:
    """Animate a sound file, a folder of them, or a benchmark: vertices (T, V, 3) in metres at 25 fps."""
    import time

    from mtbench.errors import UsageError
    from mtbench.reference_model import describe_cost, load_model, parse_blend, read_template
    from mtbench.work import make_progress

    if (audio is None) == (benchmark is None):
        raise UsageError("give either --audio (a sound file or a folder of them) or --benchmark")
    if language is not None and blend is not None:
        raise UsageError("give either --language or --blend")
    spoken = parse_blend(blend) if blend is not None else language
    if benchmark is not None and video:
        raise UsageError("--video goes with --audio; of a submission: mtbench render submission/ --video")
    if benchmark is None and system is not None:
        raise UsageError("--system: only with --benchmark")
    if audio is not None and not audio.exists():
        raise UsageError(f"{audio}: there is no such sound file or folder")
    instead = _parse_map(language_map or [])
    loaded = load_model(model)
    start = time.perf_counter()
    face = None if template is None else read_template(template, loaded.network.settings.vertices)
    if benchmark is not None:
        from mtbench.benchmarks import load_benchmark
        from mtbench.reference_model import predict_benchmark

        bench, submission = load_benchmark(benchmark), out or Path("submission")
        made = [c for c in bench.clips if not (submission / "motion" / f"{c.id}.npz").is_file()]
        folder = predict_benchmark(
            loaded,
            bench,
            submission,
            language=spoken,
            instead=instead,
            fallback=language_fallback,
            template=face,
            system=system,
            gate=gate,
            progress=make_progress(),
        )
        say(str(folder))
        if made:
            seconds = sum(clip.frames for clip in made) / 25
            say_note(describe_cost(len(made), seconds, time.perf_counter() - start))
        say_note(f"score it: mtbench score {folder} --benchmark {benchmark}")
        return
    from mtbench.reference_model import predict_file, predict_folder, require_video, write_video

    assert audio is not None
    if video:
        require_video(loaded)
    target = out or Path("predictions")
    if audio.is_dir():
        predictions = predict_folder(
            loaded, audio, target, spoken, face, instead=instead, fallback=language_fallback, gate=gate,
            progress=make_progress(),
        )  # fmt: skip
    else:
        predictions = iter([
            predict_file(
                loaded, audio, target, spoken, face, instead=instead, fallback=language_fallback, gate=gate,
                progress=make_progress(),
            )
        ])  # fmt: skip
    done, seconds, drawing = 0, 0.0, 0.0
    try:
        for prediction in predictions:
            done, seconds = done + 1, seconds + prediction.frames / 25
            say(str(prediction.path))
            for note in prediction.notes:
                say_note(f"{prediction.source}: {note}")
            if video:
                before = time.perf_counter()
                say(str(write_video(prediction, loaded, renderer, size)))
                drawing += time.perf_counter() - before
    finally:
        if done:
            say_note(describe_cost(done, seconds, time.perf_counter() - start - drawing))


def _parse_map(items: list[str]) -> dict[str, str]:
    from mtbench.errors import UsageError

    pairs = {}
    for item in items:
        code, _, name = (part.strip() for part in item.partition("="))
        if not code or not name or code in pairs:
            raise UsageError(f"--language-map {item!r}: expected CODE=NAME, e.g. cat=Spanish, each code once")
        pairs[code] = name
    return pairs


@app.command()
def data(
    hours: Annotated[float, typer.Option(help="Hours of speech and motion.", min=0.001)],
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Folder to write to; parts that are there are kept.",
        ),
    ],
    seed: Annotated[int, typer.Option(help="The clips follow from it.", min=0)] = 1,
    language: Annotated[
        list[str] | None, typer.Option(help="Only this language; repeatable. Default: the twenty.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; default: one per core, at most 8.", min=1)
    ] = None,
) -> None:
    """Generate training data: speech and motion, disjoint from every bundled benchmark (extra [synth])."""
    from mtbench.reference_model.corpora import generate_corpus
    from mtbench.work import default_workers

    log_lines()
    corpus = generate_corpus(out, hours, seed, language or None, workers or default_workers())
    seconds = int(corpus.lengths.sum()) / 25
    say(f"{out}: {len(corpus)} clips, {seconds / 3600:.2f} h, {len(corpus.languages)} languages")


app.add_typer(reference_training.train, name="train")
app.command()(reference_training.reproduce)
app.command()(reference_training.ablate)
app.command()(reference_training.baseline)
