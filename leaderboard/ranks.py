"""What a board orders entries by, and their ranks.

Conventions
-----------
Entries are ordered by the audio-visual headline rate at the least noise; where the recognizer does not understand the
speech or cannot read the motion, or none was asked, by LVE. Ranks need ``clips.jsonl`` beside ``run.json``; where they
cannot be told, nothing is said of them and the order stays. Controls have no rank, and take none away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtbench.conditions import ENTRY, Condition
from mtbench.results import Rank, Row, Run, rank_entries, read_rows_under, role_of


def order_entries(runs: Sequence[Run]) -> list[Run]:
    """Return *runs* best first: rankable before partial, then by rate, then by name."""

    def place(run: Run) -> tuple[bool, float, str]:
        metric, condition = choose_number(run)
        row = run.numbers.find(
            metric, modality=condition.modality, snr_db=condition.snr_db, noise=condition.noise
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


def choose_heard(run: Run) -> Condition | None:
    """Return under which condition clips are shown, with any noise; None where nothing was recognized."""
    found = {(row.modality, row.snr_db) for row in run.summary if row.metric == "headline"}
    snrs = [snr for modality, snr in found if modality == "av" and snr is not None]
    if snrs:
        return Condition("av", max(snrs), face=ENTRY)
    return next((Condition(m, face=ENTRY) for m in ("av", "v") if (m, None) in found), None)


def read_board_rows(run: Run) -> list[Row] | None:
    """Return the rows of *run* that ranks and shown clips follow from; None where it has none beside it.

    Raises
    ------
    UsageError
        Where ``clips.jsonl`` is damaged or does not belong to its ``run.json``.
    """
    return read_rows_under(run, choose_heard(run), geometry=choose_number(run)[0] == "lve_mm")


def rank_group(
    runs: Sequence[Run], rows: Mapping[int, Sequence[Row] | None]
) -> tuple[list[Rank | None], str]:
    """Return the rank of each of *runs*, which stand in one table, and by what; no ranks where they cannot be told.

    Ranks are told where at least two entries are complete, all of them have their rows, the same number orders them,
    and error rates are not counted without a word list.

    Parameters
    ----------
    runs : sequence of Run
        That may be compared.
    rows : mapping of int to sequence of Row or None
        What :func:`read_board_rows` gives for each, by ``id(run)``.
    """
    complete = [run for run in runs if run.rankable and role_of(run) != "control"]
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
    there = [found for run in complete if (found := rows[id(run)]) is not None]
    if len(there) < len(complete):
        return [], ""
    ranked = rank_entries(there, metric, condition, complete[0].averaging)
    if ranked is None:
        return [], ""
    ranks = dict(zip(map(id, complete), ranked, strict=True))
    return [ranks.get(id(run)) for run in runs], what
