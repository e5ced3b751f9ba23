"""What a board orders entries by, and their ranks.

Conventions
-----------
Entries are ordered by the audio-visual headline rate at the least noise; where the recognizer does not understand the
speech or cannot read the motion, or none was asked, by LVE. Ranks need ``clips.jsonl`` beside ``run.json``; where they
cannot be told, nothing is said of them and the order stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtbench.conditions import Condition
from mtbench.results import Rank, Run, find_number, rank_entries, read_results


def order_entries(runs: Sequence[Run]) -> list[Run]:
    """Return *runs* best first: rankable before partial, then by rate, then by name."""

    def place(run: Run) -> tuple[bool, float, str]:
        metric, condition = choose_number(run)
        row = find_number(
            run.summary, metric, modality=condition.modality, snr_db=condition.snr_db, noise=condition.noise
        )
        value = None if row is None else row.estimate
        return not run.rankable, float("inf") if value is None else value, run.system.name

    return sorted(runs, key=place)


def choose_number(run: Run) -> tuple[str, Condition]:
    """Return metric and condition of the number that *run* is ordered by."""
    snrs = [row.snr_db for row in run.summary if row.modality == "av" and row.snr_db is not None]
    understood = run.understanding is None or bool(run.understanding.understood)
    blind = run.sight is not None and run.sight.reads is False
    if not snrs or not understood or blind:
        return "lve_mm", Condition()
    return "headline", Condition("av", max(snrs), "all")


def rank_group(runs: Sequence[Run]) -> tuple[list[Rank | None], str]:
    """Return the rank of each of *runs*, which stand in one table, and by what; no ranks where they cannot be told.

    Ranks are told where at least two entries are complete, all of them have their rows, the same number orders them,
    and error rates are not counted without a word list.

    Raises
    ------
    UsageError
        Where ``clips.jsonl`` of an entry is damaged or does not belong to its ``run.json``.
    """
    complete = [run for run in runs if run.rankable]
    numbers = {choose_number(run) for run in complete}
    if len(complete) < 2 or len(numbers) > 1:
        return [], ""
    ((metric, condition),) = numbers
    if metric == "headline":
        if any(run.understanding is not None and run.understanding.no_words for run in complete):
            return [], ""
        what = f"AV {condition.snr_db:g} dB"
    else:
        if len({run.system.topology for run in complete}) > 1:
            return [], ""
        what = "LVE"
    folders = [run.folder for run in complete]
    if any(folder is None or not (folder / "clips.jsonl").exists() for folder in folders):
        return [], ""
    found = rank_entries(
        [read_results(folder)[1] for folder in folders if folder is not None],
        metric,
        condition,
        complete[0].averaging,
    )
    if found is None:
        return [], ""
    ranks = iter(found)
    return [next(ranks) if run.rankable else None for run in runs], what
