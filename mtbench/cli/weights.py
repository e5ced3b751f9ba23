"""Commands on published weights: what is known, adding, converting, verifying and removing what a user brings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtbench.cli.output import say, say_json, say_note

if TYPE_CHECKING:
    from mtbench.avsr.published import InstalledCheckpoint, PublishedCheckpoint

app = typer.Typer(
    help="Weights of published recognizers, which mtbench may not ship: list, add, convert, verify, remove.",
    no_args_is_help=True,
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="RECOGNIZER:VARIANT, e.g. muavic:ita.")]


@app.command(name="ls")
def list_weights(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """List every known checkpoint: languages, size, license, where it is published, what it needs."""
    from mtbench.avsr.published import CATALOG

    found = [(checkpoint, *_look_up(checkpoint)) for checkpoint in CATALOG.values()]
    if as_json:
        say_json([_to_json(*each) for each in found])
        return
    width = max(len(checkpoint.ref) for checkpoint, *_ in found)
    for checkpoint, record, damage in found:
        size = f"{checkpoint.gigabytes:g} GB" if checkpoint.gigabytes else "size unknown"
        told = damage or ("installed" if record is not None else "not installed")
        languages = ",".join(checkpoint.languages)
        say(
            f"{checkpoint.ref:<{width}}  {told}; {languages}; {size}; {checkpoint.license}; {checkpoint.page}; "
            f"extra [{checkpoint.extra}]"
        )
    say_note("add one with: mtbench weights add NAME FILE...   (or NAME --accept-licence, to fetch it)")


@app.command()
def add(
    name: NameArgument,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="The published files, in any order.")
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept-licence",
            "--accept-license",
            help="Fetch the files, having read the terms that the page names.",
        ),
    ] = False,
) -> None:
    """Check files of yours and keep them in the data folder; without files, fetch them once the terms are accepted."""
    from mtbench.avsr.published import add_checkpoint, checkpoint_folder, explain_by_hand, fetched_files
    from mtbench.errors import UsageError

    checkpoint = _find(name)
    say_note(f"{checkpoint.ref}: {checkpoint.license}, terms and files at {checkpoint.page}")
    if files:
        record = add_checkpoint(checkpoint, files)
    elif not accept:
        raise UsageError(
            explain_by_hand(checkpoint, "nothing is fetched before its terms are accepted (--accept-licence)")
        )
    else:
        with fetched_files(checkpoint, checkpoint_folder(checkpoint).parent) as fetched:
            record = add_checkpoint(checkpoint, fetched)
    for role, file in record.files.items():
        say(f"{role}: {file.source}, {file.bytes:,} bytes, digest {file.digest}")
    say(f"{record.ref}: {record.parameters:,} parameters, {record.memory / 1e9:.2f} GB in memory")
    say(f"folder: {record.folder}")


@app.command()
def convert(name: NameArgument) -> None:
    """Write weights that lie in a pickle as safetensors, once; what signatures call them stays."""
    from mtbench.avsr.published import convert_checkpoint

    record = _find_record(name)
    converted = convert_checkpoint(record)
    if converted is record:
        say(f"{record.ref}: safetensors already")
        return
    say(f"{record.ref}: {converted.paths()['weights']}, {converted.files['weights'].bytes:,} bytes")


@app.command()
def verify(
    name: NameArgument,
    video: Annotated[Path | None, typer.Option(help="The published clip's mouth crops.")] = None,
    audio: Annotated[Path | None, typer.Option(help="The published clip's sound.")] = None,
) -> None:
    """Compare every byte with what was added; and where its authors publish an answer, see whether it gives that."""
    from mtbench.avsr.published import ACCEPTANCES, run_acceptance, verify_checkpoint
    from mtbench.errors import PrerequisiteError, UsageError

    record = _find_record(name)
    test = ACCEPTANCES.get(record.ref)
    if (video is None) != (audio is None) or (video is not None and test is None):
        raise UsageError(
            f"--video and --audio are the published clip of {', '.join(ACCEPTANCES)}: both there, neither elsewhere"
        )
    verify_checkpoint(record)
    say(f"{record.ref}: its files are what was added")
    if test is None:
        say(f"{record.ref}: its authors publish no clip with an answer, so more cannot be verified")
        return
    if video is None or audio is None:
        say(
            f"{record.ref}: an answer is published: fetch {test.video} and {test.audio} from {test.page} and type\n"
            f"  mtbench weights verify {record.ref} --video {test.video} --audio {test.audio}"
        )
        return
    beam, tokens = run_acceptance(record, video, audio)
    if not beam:
        raise PrerequisiteError(
            f"{record.ref} answers {list(tokens)}, published is {list(test.tokens)}: these are other weights or "
            "another clip"
        )
    say(f"{record.ref}: the published answer, {'greedily' if beam == 1 else f'with {beam} beams'}")


@app.command()
def remove(name: NameArgument) -> None:
    """Delete what is kept of a checkpoint."""
    from mtbench.avsr.published import remove_checkpoint

    checkpoint = _find(name)
    gone = remove_checkpoint(checkpoint)
    say(f"{checkpoint.ref}: {'removed' if gone else 'was not installed'}")


def _find(name: str) -> PublishedCheckpoint:
    """Return the one checkpoint called *name*."""
    from mtbench.avsr.published import find_published
    from mtbench.errors import UsageError

    recognizer, _, variant = name.partition(":")
    known = find_published(recognizer, variant)
    if len(known) > 1:
        raise UsageError(f"{name}: which of {', '.join(c.ref for c in known)}? Name one, e.g. {known[0].ref}")
    return known[0]


def _find_record(name: str) -> InstalledCheckpoint:
    from mtbench.avsr.published import find_installed
    from mtbench.errors import PrerequisiteError

    checkpoint = _find(name)
    record = find_installed(checkpoint)
    if record is None:
        raise PrerequisiteError(f"{checkpoint.ref} is not installed: {checkpoint.add_line}")
    return record


def _look_up(checkpoint: PublishedCheckpoint) -> tuple[InstalledCheckpoint | None, str]:
    """Return what is kept of *checkpoint*, and what is wrong with it: one that is damaged is no reason to list none."""
    from mtbench.avsr.published import find_installed
    from mtbench.errors import PrerequisiteError

    try:
        return find_installed(checkpoint), ""
    except PrerequisiteError as error:
        return None, str(error)


def _to_json(
    checkpoint: PublishedCheckpoint, record: InstalledCheckpoint | None, damage: str
) -> dict[str, Any]:
    from dataclasses import asdict

    installed = None if record is None else record.model_dump()
    return {**asdict(checkpoint), "installed": installed, "damage": damage}
