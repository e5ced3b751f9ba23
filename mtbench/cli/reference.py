"""Commands on the reference model: import, data; those that predict and train are registered here too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli import reference_predict, reference_training
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


app.command()(reference_predict.predict)


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
    """Generate training data: speech and motion, disjoint from every bundled benchmark (extra [synth]).

    Faces move as those of openhead-20@3 do: by the varied articulation in its style everyday.
    """
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
