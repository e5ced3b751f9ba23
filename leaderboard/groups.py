"""Results of many entries, read once, in groups that may stand in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.leaderboard.ranks import order_entries, rank_group, read_board_rows
from mtbench.results import Rank, Row, Run, find_runs, group_runs, read_run

#: The profile of results that name none.
PLAIN_PROFILE = "recommended"


@dataclass(frozen=True)
class Group:
    """Entries whose numbers may be compared, best first.

    Attributes
    ----------
    runs : tuple of Run
    ranks : tuple of (Rank or None)
        Of each run, None for one that is not ranked; empty where ranks cannot be told.
    ranked_by : str
        What they are ranked by, for people.
    rows : tuple of (tuple of Row or None)
        Rows of each run under the headline condition, None where it has none beside it.
    """

    runs: tuple[Run, ...]
    ranks: tuple[Rank | None, ...]
    ranked_by: str
    rows: tuple[tuple[Row, ...] | None, ...]


def profile_of(run: Run) -> str:
    """Return the name of the profile that *run* was scored by."""
    return str(run.settings.get("recognition", {}).get("profile") or PLAIN_PROFILE)


def read_groups(results: Path | str) -> list[Group]:
    """Return all results below a folder.

    Parameters
    ----------
    results : Path or str
        Folder with ``<system>/<benchmark>/run.json`` below it.

    Raises
    ------
    UsageError
        Where there is no result, or one that cannot be read.
    """
    folders = find_runs(results)
    if not folders:
        raise UsageError(f"{results}: no run.json below it; 'mtbench score --out {results}' writes some")
    runs = [read_run(folder) for folder in folders]
    return [_make_group(part) for group in group_runs(runs) for part in _part_by_profile(group)]


def _part_by_profile(runs: Sequence[Run]) -> list[list[Run]]:
    """Return *runs* by profile: two names may stand for equal settings today, and the board still keeps them apart."""
    parts: dict[str, list[Run]] = {}
    for run in runs:
        parts.setdefault(profile_of(run), []).append(run)
    return list(parts.values())


def _make_group(runs: Sequence[Run]) -> Group:
    ordered = order_entries(runs)
    rows = {id(run): read_board_rows(run) for run in ordered}
    ranks, ranked_by = rank_group(ordered, rows)
    told = tuple(None if (found := rows[id(run)]) is None else tuple(found) for run in ordered)
    return Group(tuple(ordered), tuple(ranks), ranked_by, told)
