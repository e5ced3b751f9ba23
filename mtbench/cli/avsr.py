"""Commands on the bundled recognizer: train, evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtbench.cli.captured import evaluate_banks, refuse_options
from mtbench.cli.decibels import SnrCommand, parse_snrs
from mtbench.cli.lexicon import lexicon
from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_note

if TYPE_CHECKING:
    from mtbench.avsr.evaluation import ErrorRow

app = typer.Typer(help="The bundled recognizer: train, evaluate.", no_args_is_help=True)


@app.command()
def train(
    config: Annotated[
        str,
        typer.Option(
            help="'openhead-av' (two cores), 'openhead-av-large' (an accelerator) or 'smoke' (shows that it runs)."
        ),
    ] = "openhead-av",
    out: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder, help="Run folder, default runs/CONFIG; a checkpoint in it is resumed."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of weights, batches and dropout; default: the configuration's.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Optimizer steps; default: the configuration's.", min=1)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Utterances per step; default: the configuration's.", min=1)
    ] = None,
    flame: Annotated[
        float | None,
        typer.Option(
            help="Share of the faces rendered on the FLAME template of 'mtbench assets add flame'; "
            "default: the configuration's.",
            min=0,
            max=1,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that make batches.", min=1)] = 1,
    threads: Annotated[int | None, typer.Option(help="Cores to optimize on; default: all.", min=1)] = None,
    initial: Annotated[
        Path | None,
        typer.Option(help="Weights to begin with: a checkpoint.pt or a recognizer (safetensors)."),
    ] = None,
    motion_bank: Annotated[
        list[Path] | None,
        typer.Option(help="Motion bank to train on too (docs/motion-bank.md); repeatable."),
    ] = None,
    bank_share: Annotated[
        float | None,
        typer.Option(help="Share of the utterances from motion banks, above 0; default: 0.3.", max=1),
    ] = None,
) -> None:
    """Train openhead-av on generated speech (extra [synth]) and people's motion, on an accelerator if there is one.

    Logs step, losses and the time left; writes checkpoint, losses.csv, losses.png and the recognizer.
    """
    import logging
    from dataclasses import replace

    from mtbench.avsr.openhead import load_config, open_captured
    from mtbench.avsr.openhead import train as run_training
    from mtbench.errors import UsageError

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    named = load_config(config)
    given: dict[str, Any] = {"seed": seed, "steps": steps, "batch": batch, "flame": flame}
    training = replace(named.training, **{key: value for key, value in given.items() if value is not None})
    folder = Path("runs") / named.name if out is None else out
    if bank_share is not None and not motion_bank:
        raise UsageError("--bank-share without --motion-bank: name the bank that the share is drawn from")
    captured = open_captured(motion_bank, 0.3 if bank_share is None else bank_share) if motion_bank else None
    weights = run_training(
        folder,
        training,
        workers=workers,
        threads=threads,
        initial=initial,
        sizes=named.sizes,
        captured=captured,
    )
    say(str(weights))


@app.command(cls=SnrCommand)
def evaluate(
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name or folder, with ground truth.")
    ] = "openhead-20",
    weights: Annotated[Path | None, typer.Option(help="Weights (safetensors); default: bundled.")] = None,
    snr: Annotated[
        list[str] | None, typer.Option(help="Decibels: -7.5,-10 (the default) or -7.5 -10.")
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(help="Name of the benchmark's noise; default: babble, and all of them with --bank."),
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language; repeatable.")] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="Only this condition, e.g. av-clean; repeatable.")
    ] = None,
    flame: Annotated[
        Path | None,
        typer.Option(help="FLAME template or model for flame-clay; default: that of 'mtbench assets add'."),
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of the GRID videos for real-speech-av-clean (bbaf2n.mpg, …).")
    ] = None,
    sentences: Annotated[
        Path | None,
        typer.Option(help="Folder of unpacked packages for real-sentences-a-clean; default: /usr/share."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; default: one per core, at most 8.", min=1)
    ] = None,
    bank: Annotated[
        list[Path] | None,
        typer.Option(help="Measure on this motion bank of people instead (docs/motion-bank.md); repeatable."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Of the banks: 'development' or 'all'; default: development, all where none is."),
    ] = None,
    chains: Annotated[
        bool, typer.Option("--chains", help="Degrade the banks' motion too: is the order found?")
    ] = False,
    card: Annotated[bool, typer.Option("--card", help="Write the model card beside the weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print the recognizer's error table: a benchmark's ground truth, and what it never met in training.

    With --bank: what it reads of people's captured motion, beside a face at rest and other motion.
    """
    from mtbench.avsr.evaluation import evaluate as evaluate_recognizer
    from mtbench.errors import UsageError
    from mtbench.scoring import RECOMMENDED
    from mtbench.work import make_progress

    if bank:
        unused = {"--language": language, "--condition": condition, "--flame": flame, "--workers": workers}
        refuse_options(unused | {"--recordings": recordings, "--sentences": sentences})
        heard = parse_snrs(snr) if snr else []
        evaluate_banks(bank, split, benchmark, weights, heard, noise, chains, card, as_json)
        return
    if split or chains:
        raise UsageError("--split and --chains belong to motion banks: name one with --bank")
    if card and (language or condition or benchmark != "openhead-20"):
        raise UsageError(
            "--card writes a whole card: leave out --language, --condition and --benchmark with it"
        )
    ratios = parse_snrs(snr) if snr else RECOMMENDED.snrs
    rows = evaluate_recognizer(
        benchmark,
        weights=weights,
        snr=ratios,
        noise=noise or "babble",
        languages=language or None,
        conditions=_name_all(ratios) if card else condition or None,
        flame=flame,
        recordings=recordings,
        sentences=sentences,
        workers=workers,
        progress=make_progress(),
    )
    _report_rows(rows, not language and benchmark == "openhead-20", weights, card, as_json)


def _name_all(ratios: Sequence[float]) -> list[str]:
    """Return the conditions of a whole card: those of all tables, and both halves of the held-out engines' clips."""
    from mtbench.avsr.evaluation import list_conditions

    return [asked.name for asked in list_conditions(ratios, halves=True)]


def _report_rows(
    rows: Sequence[ErrorRow], aims: bool, weights: Path | None, card: bool, as_json: bool
) -> None:
    """Print an error table, and write the model card where that was asked for."""
    from mtbench.avsr.evaluation import format_summary, format_table, write_model_card

    if as_json:
        say_json([row.to_json() for row in rows])
    else:
        say(format_summary(rows, aims=aims))
        say(f"\nPhone error by language, per cent\n\n{format_table(rows, 'per')}")
        say(f"\nWord error by language, per cent\n\n{format_table(rows, 'wer')}")
    if card:
        from mtbench.avsr.openhead import find_bundled

        say_note(str(write_model_card(weights or find_bundled(), rows)))


app.command()(lexicon)


@app.command(name="check-bank")
def check_bank(
    folder: Annotated[Path, typer.Argument(help="Motion bank: a folder with bank.toml.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check a motion bank before training on it: files, phones, and whether lips close where p b m are said."""
    from dataclasses import asdict

    from mtbench.banks import check_bank as check
    from mtbench.banks import load_bank
    from mtbench.errors import BankError
    from mtbench.synth import PHONES

    bank = load_bank(folder)
    report = check(bank, PHONES)
    if as_json:
        say_json(
            {
                "recordings": [asdict(r) for r in report.recordings],
                "problems": list(map(str, report.problems)),
            }
        )
    else:
        say(
            f"{bank.name} ({bank.license}): {len(bank)} recordings, {report.seconds:.0f} s\n\n{report.table()}"
        )
        for line in report.doubts():
            say_note(line)
    if report.problems:
        told = "".join(f"\n  - {problem}" for problem in report.problems)
        raise BankError(f"{folder}: {len(report.problems)} problem(s){told}")
