"""Commands about people: what they prefer, and whether metrics agree with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.options import writable_folder
from mtbench.cli.output import say, say_json, say_note

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def split_list(values: list[str] | None) -> list[str]:
    """Return the parts of options that may be given more than once and with commas."""
    return [part.strip() for value in values or () for part in value.split(",") if part.strip()]


def preference(
    judgements: Annotated[
        list[Path],
        typer.Argument(help="CSV files of judgements or of counts, or an example: multitalk-table4."),
    ],
    aspects: Annotated[
        list[str] | None, typer.Option("--aspect", "--aspects", help="Only these, e.g. lip-sync.")
    ] = None,
    languages: Annotated[
        list[str] | None, typer.Option("--language", "--languages", help="Only these, e.g. ita,eng.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="System with strength 0; default: the one that all were compared with.")
    ] = None,
    ties: Annotated[str, typer.Option(help="How the scale takes ties: 'half' or 'davidson'.")] = "half",
    least_right: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Raters who answer fewer of their attention checks right are left out."
        ),
    ] = 0.8,
    out: Annotated[
        Path | None, typer.Option(callback=writable_folder, help="Folder for JSON, Markdown and CSV.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which systems people prefer: pairs with tests, a scale with intervals, agreement, warnings."""
    from mtbench.errors import UsageError
    from mtbench.people import (
        find_people_file,
        list_remarks,
        measure_preference,
        preference_tables,
        preference_to_json,
        read_judgements,
        write_preference,
    )
    from mtbench.speech import any_code

    if ties not in ("half", "davidson"):
        raise UsageError(f"--ties {ties}: expected 'half' or 'davidson'")
    found = measure_preference(
        read_judgements([find_people_file(path) for path in judgements]),
        aspects=split_list(aspects),
        languages=[any_code(language) for language in split_list(languages)],
        reference=reference,
        ties=ties,
        least_right=least_right,
    )
    if as_json:
        say_json(preference_to_json(found))
    else:
        for table in preference_tables(found):
            say(table.to_text())
    for line in list_remarks(found):
        say_note(line)
    if out is not None:
        for path in write_preference(found, out):
            say_note(f"written: {path}")


def correlate(
    results: Annotated[
        list[Path],
        typer.Argument(help="Result folders, or folders that hold some; or one table of printed scores."),
    ],
    human: Annotated[
        list[Path] | None,
        typer.Option(
            "--human", help="CSV of people's scores or judgements, or an example: multitalk-table4."
        ),
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", "--metrics", help="Only these, e.g. headline,lve_mm.")
    ] = None,
    levels: Annotated[
        list[str] | None, typer.Option("--level", "--levels", help="Only these of system,clip,pooled.")
    ] = None,
    languages: Annotated[
        list[str] | None, typer.Option("--language", "--languages", help="Only clips in these, e.g. ita,eng.")
    ] = None,
    aspect: Annotated[str | None, typer.Option(help="Aspect of judgements, where there are several.")] = None,
    scale: Annotated[
        str, typer.Option(help="A system's score from judgements: 'bt' (strength) or 'wins' (share won).")
    ] = "bt",
    rename: Annotated[
        list[str] | None, typer.Option(help="PEOPLE=RESULT: a system that people's file names otherwise.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare/--no-compare", help="Whether metrics are tested against each other.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Say how far metrics agree with people: of systems, on clips, pooled, always named."""
    from mtbench.errors import UsageError
    from mtbench.people import (
        agreement_tables,
        agreement_to_json,
        correlate_published,
        correlate_results,
        find_people_file,
        is_table,
        read_human_scores,
        read_metric_scores,
        read_published,
        rename_systems,
    )
    from mtbench.speech import any_code

    if scale not in ("bt", "wins"):
        raise UsageError(f"--scale {scale}: expected 'bt' or 'wins'")
    names = rename_systems(rename or [])
    people = None
    if human:
        people = read_human_scores([find_people_file(path) for path in human], aspect=aspect, scale=scale)
    if len(results) == 1 and not results[0].is_dir() and is_table(find_people_file(results[0])):
        found = correlate_published(read_published(find_people_file(results[0])), people, names=names)
    elif people is None:
        raise UsageError("people's scores are needed: --human FILE")
    else:
        codes = [any_code(language) for language in split_list(languages)]
        scores = read_metric_scores(results, split_list(metrics), codes)
        chosen = split_list(levels) or ("system", "clip", "pooled")
        found = correlate_results(scores, people, names=names, levels=chosen, compare=compare)
    if as_json:
        say_json(agreement_to_json(found))
    else:
        for table in agreement_tables(found):
            say(table.to_text())
    for note in found.notes:
        say_note(f"note: {note}")
