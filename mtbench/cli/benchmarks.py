"""Commands on benchmarks: new, build, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.output import say, say_json, say_note

app = typer.Typer(help="Benchmarks: make, build, look at.", no_args_is_help=True)


@app.command()
def new(
    directory: Annotated[Path, typer.Argument(help="The new benchmark folder.")],
    audio: Annotated[
        Path, typer.Option(help="Folder with x.wav and x.txt (and x.npy or x.npz ground truth).")
    ],
    language: Annotated[
        str | None, typer.Option(help="Language of all clips; default: by file or folder name.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name; default: the folder's.")] = None,
    version: Annotated[str, typer.Option(help="Version.")] = "1",
    topology: Annotated[
        str | None, typer.Option(help="Of the ground truth; default: by vertex count.")
    ] = None,
    motion: Annotated[
        Path | None, typer.Option(help="Folder of ground truth; default: beside the sound.")
    ] = None,
    noise: Annotated[Path | None, typer.Option(help="Folder of noise recordings to include.")] = None,
    lexicons: Annotated[Path | None, typer.Option(help="Folder of word lists <code>.tsv to include.")] = None,
    group: Annotated[
        bool, typer.Option("--group", help="Clips named alike up to a last _<number> are of one recording.")
    ] = False,
    license: Annotated[str, typer.Option(help="Noted in the manifest.")] = "",
) -> None:
    """Make a benchmark from recordings and their texts."""
    from mtbench.benchmark_folder import create_benchmark

    benchmark = create_benchmark(
        directory,
        audio,
        language=language,
        name=name,
        version=version,
        topology=topology,
        motion=motion,
        noise=noise,
        lexicons=lexicons,
        group=group,
        license=license,
    )
    say(f"{directory}: {len(benchmark.clips)} clips, languages {', '.join(benchmark.languages)}")
    if benchmark.noise_folder is None:
        say_note(
            "no noise recordings in it: the bundled ones are used, unless --noise DIR is given when scoring"
        )
    say_note(f"score with: mtbench score SUBMISSION --benchmark {directory}")


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="Name of the bundled benchmark.")] = "openhead-20",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: NAME here.")] = None,
) -> None:
    """Build the bundled benchmark again from texts and voices (extra [synth]); its bytes do not change."""
    from mtbench.errors import PrerequisiteError, UsageError

    if name != "openhead-20":
        raise UsageError(f"unknown benchmark {name!r}; 'openhead-20' can be built")
    try:
        from mtbench.synth.build import build_openhead20
    except ImportError as error:
        raise PrerequisiteError(
            f"building needs the extra [synth] ({error}): pip install 'multitalk-bench[synth]'"
        ) from error
    folder = Path(out) if out is not None else Path(name)
    build_openhead20(folder)
    say(str(folder))


@app.command()
def show(
    benchmark: Annotated[str, typer.Argument(help="Name or folder.")] = "openhead-20",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Print a benchmark's clips: id, language, frames, transcript, audio file."""
    from mtbench.benchmark import load_benchmark
    from mtbench.noise import load_noises

    loaded = load_benchmark(benchmark)
    clips = [
        {
            "id": clip.id,
            "language": clip.language,
            "frames": clip.frames,
            "seconds": clip.frames / clip.fps,
            "source": clip.source,
            "transcript": clip.transcript,
            "audio": str(clip.audio_path),
            "motion": None if clip.motion_path is None else str(clip.motion_path),
        }
        for clip in loaded.clips
    ]
    if as_json:
        say_json(
            {
                "name": loaded.name,
                "version": loaded.version,
                "digest": loaded.digest,
                "topology": loaded.topology,
                "fps": loaded.fps,
                "noises": list(load_noises(loaded.noise_folder).names),
                "clips": clips,
            }
        )
        return
    for clip in clips:
        head = f"{clip['id']:<12} {clip['language']}  {clip['frames']:>4} frames"
        say(f"{head}  {clip['transcript']}  {clip['audio']}")
    seconds = sum(clip.frames for clip in loaded.clips) / loaded.fps
    noises = ", ".join(load_noises(loaded.noise_folder).names) or "none"
    say(
        f"{loaded.ref}: {len(clips)} clips, {seconds:.0f} s, {len(loaded.languages)} languages, "
        f"topology {loaded.topology or 'none'}, noises {noises}, digest {loaded.digest}"
    )
