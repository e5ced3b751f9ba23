"""Commands on benchmarks: new, import, lexicon, build, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_note

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

app = typer.Typer(help="Benchmarks: make, build, look at.", no_args_is_help=True)


@app.command()
def new(
    directory: Annotated[Path, typer.Argument(callback=writable_folder, help="The new benchmark folder.")],
    audio: Annotated[
        Path, typer.Option(help="Folder with x.wav and x.txt (and x.npy or x.npz ground truth).")
    ],
    language: Annotated[
        str | None, typer.Option(help="Language of all clips; default: by file or folder name.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name; default: the folder's.")] = None,
    version: Annotated[str, typer.Option(help="Version.")] = "1",
    topology: Annotated[
        str | None, typer.Option(help="Topology of the ground truth; default: by vertex count.")
    ] = None,
    motion: Annotated[
        Path | None, typer.Option(help="Folder of ground truth; default: beside the sound.")
    ] = None,
    motion_fps: Annotated[
        float, typer.Option(help="Frames per second of the ground truth (20 to 120), brought to 25.")
    ] = 25.0,
    templates: Annotated[
        Path | None,
        typer.Option(help="Speakers' resting faces: VOCASET's templates.pkl, npz, or a folder of files."),
    ] = None,
    noise: Annotated[Path | None, typer.Option(help="Folder of noise recordings to include.")] = None,
    lexicons: Annotated[Path | None, typer.Option(help="Folder of word lists <code>.tsv to include.")] = None,
    words: Annotated[
        str, typer.Option(help="'auto' makes word lists and reference phones (extra [synth]), or 'none'.")
    ] = "none",
    group: Annotated[
        bool, typer.Option("--group", help="Clips named alike up to a last _<number> are of one recording.")
    ] = False,
    license: Annotated[str, typer.Option(help="Noted in the manifest.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="What is skipped, guessed, converted or altered is an error.")
    ] = False,
) -> None:
    """Make a benchmark from recordings and their texts."""
    from mtbench.making import create_benchmark

    benchmark = create_benchmark(
        directory,
        audio,
        language=language,
        name=name,
        version=version,
        topology=topology,
        motion=motion,
        motion_fps=motion_fps,
        templates=templates,
        noise=noise,
        lexicons=lexicons,
        words=words,
        group=group,
        license=license,
        strict=strict,
        tell=say_note,
    )
    say(f"{directory}: {len(benchmark.clips)} clips, languages {', '.join(benchmark.languages)}")
    _advise(directory, benchmark)


@app.command(name="import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="The data set's folder: wav/, motion, templates.pkl, lists.")
    ],
    layout: Annotated[
        str,
        typer.Option("--from", help="'multitalk', 'vocaset', 'biwi', or 'folder' for one laid out alike."),
    ],
    out: Annotated[Path, typer.Option(callback=writable_folder, help="The new benchmark folder.")],
    split: Annotated[
        str, typer.Option(help="'test', 'val' or 'train', by the list of that name, or 'all'.")
    ] = "test",
    annotations: Annotated[
        Path | None, typer.Option(help="What is said: JSON as MultiTalk's, or a folder of them.")
    ] = None,
    without_texts: Annotated[
        bool, typer.Option("--without-texts", help="Take clips without words: geometry only.")
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="Language of all clips; default: the layout's, or by file name.")
    ] = None,
    motion_fps: Annotated[
        float | None, typer.Option(help="Frames per second of the ground truth; default: the layout's.")
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="What makes metres of positions; default: the layout's.", min=1e-9)
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name; default: the folder's.")] = None,
    version: Annotated[str, typer.Option(help="Version.")] = "1",
    noise: Annotated[Path | None, typer.Option(help="Folder of noise recordings to include.")] = None,
    words: Annotated[
        str, typer.Option(help="'auto' makes word lists and reference phones (extra [synth]), or 'none'.")
    ] = "none",
    license: Annotated[str, typer.Option(help="Noted in the manifest.")] = "",
) -> None:
    """Make a benchmark out of a data set as it is released: MultiTalk's, VOCASET, BIWI."""
    from mtbench.making import import_benchmark

    benchmark = import_benchmark(
        out,
        source,
        layout,
        split=split,
        annotations=annotations,
        without_texts=without_texts,
        language=language,
        motion_fps=motion_fps,
        scale=scale,
        name=name,
        version=version,
        noise=noise,
        words=words,
        license=license,
        tell=say_note,
    )
    say(f"{out}: {len(benchmark.clips)} clips, languages {', '.join(benchmark.languages)}")
    _advise(out, benchmark)


def _advise(directory: Path, benchmark: Benchmark) -> None:
    """Say what a new benchmark lacks, and how it is scored with."""
    from mtbench.benchmarks import find_untemplated, warn_of_unlisted
    from mtbench.speech import display_name

    if benchmark.noise_folder is None:
        say_note(
            "no noise recordings in it: the bundled ones are used, unless --noise DIR is given when scoring"
        )
    if untemplated := find_untemplated(benchmark.clips):
        say_note(
            f"no template for the ground truth of {len(untemplated)} clips: FDD is n/a there; give the speakers' "
            "resting faces with --templates"
        )
    unlisted = [display_name(code) for code in benchmark.languages if code not in benchmark.lexicons]
    if unlisted:
        say_note(
            f"no word list for {', '.join(unlisted)}: openhead-av answers with words of an open vocabulary (extra "
            "[synth]); a list of what is said has lower errors: "
            f"mtbench benchmark lexicon {directory}  (extra [synth]), or include your own with --lexicons DIR"
        )
    for code in benchmark.languages:
        if (warning := warn_of_unlisted(benchmark, code)) is not None:
            say_note(warning)
    say_note(f"score with: mtbench score SUBMISSION --benchmark {directory}")


@app.command()
def lexicon(
    benchmark: Annotated[str, typer.Argument(help="Benchmark folder.")],
    language: Annotated[list[str] | None, typer.Option(help="Only this language; repeatable.")] = None,
    common: Annotated[
        int | None,
        typer.Option(help="Common words besides those of the transcripts; default: 500.", min=0, max=20_000),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace lists and phones that this command did not make.")
    ] = False,
) -> None:
    """Make word lists and reference phones from a benchmark's transcripts (extra [synth])."""
    from mtbench.benchmarks import load_benchmark, warn_of_unlisted
    from mtbench.making import make_word_lists

    made = make_word_lists(benchmark, language, common=common, force=force)
    for line in made.describe():
        say(line)
    for line in made.remarks():
        say_note(line)
    loaded = load_benchmark(benchmark)
    for code in made.kept:
        if (warning := warn_of_unlisted(loaded, code)) is not None:
            say_note(warning)
    if not made.changed:
        say(f"{benchmark}: nothing has changed")
    else:
        say_note("results that were made with other word lists, or none, are not comparable: score again")


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="'openhead-20' or 'openhead-engines'.")] = "openhead-20",
    out: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder,
            help="Folder to write to; default: NAME here, with --all in the user's data folder.",
        ),
    ] = None,
    every_voice: Annotated[
        bool,
        typer.Option(
            "--all",
            help="openhead-engines in all voices, those that are not shipped too: openhead-engines-all.",
        ),
    ] = False,
) -> None:
    """Build a bundled benchmark again from texts and voices (extra [synth]); its bytes do not change.

    With --all, openhead-engines-all is built, whose sound is not shipped; it is then found by its name.
    """
    from mtbench.errors import PrerequisiteError, UsageError

    if name not in ("openhead-20", "openhead-engines"):
        raise UsageError(f"unknown benchmark {name!r}; 'openhead-20' and 'openhead-engines' can be built")
    if every_voice and name != "openhead-engines":
        raise UsageError(f"--all is for openhead-engines: all of {name} is shipped")
    try:
        from mtbench.synth import build_openhead20
    except ImportError as error:
        raise PrerequisiteError(
            f"building needs the extra [synth] ({error}): pip install 'multitalk-bench[synth]'"
        ) from error
    if name == "openhead-engines":
        _build_engines(out, every_voice)
        return
    folder = Path(out) if out is not None else Path(name)
    build_openhead20(folder)
    say(str(folder))


def _build_engines(out: Path | None, every_voice: bool) -> None:
    """Build ``openhead-engines`` here, or in all voices in the user's data folder, unless another folder is named."""
    from mtbench.benchmarks import installed_folder, load_benchmark
    from mtbench.synth import build_engines_benchmark, part_name

    name = part_name(every_voice)
    default = installed_folder(name) if every_voice else Path(name)
    folder = build_engines_benchmark(default if out is None else out, every_voice)
    built = load_benchmark(folder)
    say(f"{folder}: {built.ref}, {len(built.clips)} clips, languages {', '.join(built.languages)}")
    if every_voice and out is None:
        say_note(f"it is found by its name: mtbench benchmark show {name}, mtbench avsr evaluate")
    elif every_voice:
        say_note(f"'mtbench avsr evaluate' looks for it in {default}: leave out --out to build it there")
    if every_voice:
        say_note("some of its voices are under the GPL: see VOICES.txt there before passing its sound on")


@app.command()
def show(
    benchmark: Annotated[str, typer.Argument(help="Name or folder.")] = "openhead-20",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Print a benchmark's clips: id, language, frames, transcript, audio file."""
    from mtbench.benchmarks import load_benchmark
    from mtbench.speech import load_noises

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
            "speaker": clip.speaker,
            "template": None if clip.template_path is None else str(clip.template_path),
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
                "motion_fps": loaded.manifest.motion_fps,
                "motion_resampling": loaded.manifest.motion_resampling or None,
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
