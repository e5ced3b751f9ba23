"""Commands about studies with people: planning one, making its page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_note

app = typer.Typer(help="Ask people: plan a study, make its page.", no_args_is_help=True)


@app.command()
def make(
    submissions: Annotated[list[Path], typer.Argument(help="Two submissions or more.")],
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name or folder, for the sound and the clips' languages.")
    ] = "openhead-20",
    out: Annotated[
        Path,
        typer.Option(
            callback=writable_folder,
            help="Gets page/, which raters open, and study.json, which says whose faces it shows.",
        ),
    ] = Path("study"),
    languages: Annotated[
        list[str] | None, typer.Option("--language", "--languages", help="Clips of these only, e.g. ita,eng.")
    ] = None,
    clips: Annotated[int, typer.Option(help="Clips of each language, drawn by the seed.")] = 6,
    raters: Annotated[
        int, typer.Option(help="Schedules, of each language; rater N gets one by index.html#rater=N.")
    ] = 24,
    trials: Annotated[int, typer.Option(help="Most pairs that one rater sees.")] = 40,
    aspects: Annotated[
        list[str] | None,
        typer.Option(
            "--aspect", "--aspects", help="lip-sync, realism, or NAME=QUESTION of your own; default: both."
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="The system that all others are compared with; default: every pair.")
    ] = None,
    ties: Annotated[bool, typer.Option(help="Whether 'no difference' may be answered.")] = True,
    checks: Annotated[int, typer.Option(help="Attention checks for each rater.")] = 2,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="The faces speak one after the other, not together.")
    ] = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Raters judge clips of all languages, not of the one they choose.")
    ] = False,
    consent: Annotated[
        Path | None, typer.Option(help="Text file that raters agree to, in place of the page's own text.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
) -> None:
    """Make a page on which people say which of two submissions speaks better.

    The page works from a disk or any web server and sends nothing: each rater saves a CSV, which 'mtbench
    preference' reads.
    """
    from mtbench.studies import Design, make_study, read_aspects, write_study
    from mtbench.work import make_progress

    extra = {} if aspects is None else {"aspects": read_aspects(aspects)}
    design = Design(
        clips=clips,
        raters=raters,
        trials=trials,
        ties=ties,
        checks=checks,
        seed=seed,
        against=against,
        turns=one_by_one,
        mixed=mixed,
        **extra,
    )
    wanted = [part.strip() for value in languages or () for part in value.split(",") if part.strip()] or None
    with make_progress() as progress:
        text = None if consent is None else _read_text(consent)
        study = make_study(submissions, benchmark, design, wanted, text, out, progress)
    for line in study.describe():
        say_note(line)
    page = write_study(study, out)
    say(f"Page: {page}")
    say(f"Plan: {out / 'study.json'} (keep it: it says whose faces are whose)")


def _read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; ``UsageError`` where it is none."""
    from mtbench.errors import UsageError
    from mtbench.studies import LONGEST_CONSENT

    with path.open("rb") as file:
        data = file.read(4 * LONGEST_CONSENT + 1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text; save it as UTF-8 (plain text)") from None


@app.command()
def plan(
    share: Annotated[
        float, typer.Option(help="Wanted share of judgements for the better system, ties as half.")
    ] = 0.65,
    power: Annotated[float, typer.Option(help="Probability of finding it.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Level of significance, over all pairs.")] = 0.05,
    pairs: Annotated[int, typer.Option(help="Pairs of systems that are tested, in each aspect.")] = 1,
    ties: Annotated[float, typer.Option(help="Expected share of 'no difference'.")] = 0.0,
    votes: Annotated[int, typer.Option(help="Judgements of one rater on one pair.")] = 5,
    rater_spread: Annotated[
        float, typer.Option(help="How far raters differ: standard deviation of their logits.")
    ] = 0.5,
    clip_spread: Annotated[float, typer.Option(help="The same of clips.")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say how many raters and clips a wanted difference needs, by simulating studies and their tests."""
    from dataclasses import asdict

    from mtbench.people import describe_plan, plan_study

    found = plan_study(
        share,
        power=power,
        alpha=alpha,
        pairs=pairs,
        ties=ties,
        votes=votes,
        rater_spread=rater_spread,
        clip_spread=clip_spread,
    )
    if as_json:
        say_json(asdict(found))
    else:
        say(describe_plan(found))
