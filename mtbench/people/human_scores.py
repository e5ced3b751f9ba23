"""People's scores of systems: from a table of scores, or from judgements of pairs.

Conventions
-----------
A table has ``system,score`` (one row a system) or ``system,clip,language,score`` (as many rows a clip as raters; they
are averaged); larger is better. From judgements come a score of each system over all clips (strength by Bradley and
Terry, or the share of votes it won, ties as half) and on each clip the share of votes it won there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError
from mtbench.people.attention import LEAST_RIGHT, leave_out_raters
from mtbench.people.judgements import Judgements, kind_of, read_judgements
from mtbench.people.published_scores import read_number
from mtbench.people.table_files import Problems, TableFile, read_table, require_columns
from mtbench.people.vote_tables import Votes, tabulate_counts, tabulate_rows
from mtbench.statistics import REPLICATES, SEED, examine_comparisons, scale_candidates

_COLUMNS = ("system", "clip", "language", "score", "rater")


@dataclass(frozen=True)
class HumanScores:
    """What people think of systems; larger is better.

    Attributes
    ----------
    kind : str
        What a system's score is, in words.
    total : mapping of str to float or None
        Scores of systems that are known over all clips; None where they are means over clips.
    by_clip : mapping of (str, str) to float
        Scores by system and clip; empty where they are not known by clip.
    samples : mapping of str to (B,) float64 or None
        Replicates of *total*, by redrawing raters or votes.
    n_ratings : int
        Rows or votes that entered.
    remarks : tuple of str
        What the file says about itself, and what was left out.
    """

    kind: str
    total: Mapping[str, float] | None
    by_clip: Mapping[tuple[str, str], float]
    samples: Mapping[str, np.ndarray] | None = field(repr=False, compare=False)
    n_ratings: int
    remarks: tuple[str, ...]

    @property
    def kind_by_clip(self) -> str:
        """What a system's score on a clip is, in words."""
        return self.kind if self.total is None else "share of votes won on the clip"

    @property
    def systems(self) -> tuple[str, ...]:
        """Systems that people scored, in the order of first occurrence."""
        return tuple(dict.fromkeys([*(self.total or ()), *(system for system, _ in self.by_clip)]))


def read_human_scores(
    paths: Sequence[Path | str],
    *,
    aspect: str | None = None,
    scale: str = "bt",
    least_right: float = LEAST_RIGHT,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> HumanScores:
    """Return people's scores, from tables of scores or from judgements.

    Parameters
    ----------
    paths : sequence of path
    aspect : str, optional
        Aspect of judgements; needed where there are several.
    scale : {"bt", "wins"}
        What a system's score over all clips is: Bradley–Terry's strength or the share of votes it won.
    least_right : float
        Share of attention checks that a rater has to answer right.
    replicates, seed : int
        Of the bootstrap over raters.
    """
    tables = [read_table(path) for path in paths]
    if all("score" in table.columns for table in tables):
        if aspect is not None:
            raise UsageError("--aspect belongs to judgements; these are scores")
        return _read_scores(tables)
    if any({"system", "score"} & set(table.columns) for table in tables):
        raise UsageError(
            f"{tables[0].path}: scores need columns system,score or system,clip,language,score; "
            f"there are {', '.join(tables[0].columns)}"
        )
    kinds = sorted({kind_of(table) for table in tables})
    judgements = read_judgements(paths)
    if "rows" in kinds:
        judgements, attention = leave_out_raters(judgements, least_right)
        gone = (f"{len(attention.left_out)} rater(s) left out: {attention.rule}",) * bool(attention.left_out)
    else:
        gone = ()
    if aspect is None and len(judgements.aspects) > 1:
        raise UsageError(f"the judgements are about {', '.join(judgements.aspects)}; choose one by --aspect")
    if aspect is not None and aspect not in judgements.aspects:
        raise UsageError(f"no aspect {aspect!r} in the judgements; there are {', '.join(judgements.aspects)}")
    return _score_judgements(
        judgements, scale, (*judgements.remarks, *judgements.notes, *gone), aspect, replicates, seed
    )


def _read_scores(tables: Sequence[TableFile]) -> HumanScores:
    problems = Problems()
    sums: dict[tuple[str, str], list[float]] = {}
    n, by_clip = 0, "clip" in tables[0].columns
    for table in tables:
        if not require_columns(table, ("system", "score"), _COLUMNS, problems):
            continue
        if ("clip" in table.columns) != by_clip:
            problems.add(str(table.path), "some tables have a column 'clip' and others have none")
            continue
        for row in table.rows:
            if not row["system"] or (by_clip and not row["clip"]):
                problems.add(row.where, "system or clip is empty")
                continue
            score = read_number(row, "score", problems)
            key = row["system"], row["clip"]
            if not by_clip and key in sums:
                problems.add(
                    row.where, f"{row['system']!r} has two scores; with a column 'clip' they are averaged"
                )
            if score is not None:
                n += 1
                sums.setdefault(key, []).append(score)
    problems.raise_any("people's scores")
    if not sums:
        raise UsageError(f"{tables[0].path}: no scores in it")
    remarks = tuple(dict.fromkeys(r for table in tables for r in table.remarks))
    means = {key: float(np.mean(found)) for key, found in sums.items()}
    if by_clip:
        return HumanScores("mean of people's scores", None, means, None, n, remarks)
    totals = {system: score for (system, _), score in means.items()}
    return HumanScores("people's scores, as given", totals, {}, None, n, remarks)


def _score_judgements(
    judgements: Judgements,
    scale: str,
    remarks: tuple[str, ...],
    aspect: str | None,
    replicates: int,
    seed: int,
) -> HumanScores:
    rows = [row for row in judgements.rows if aspect is None or row.aspect == aspect]
    counts = [c for c in judgements.counts if aspect is None or c.aspect == aspect]
    if not rows and not counts:
        raise UsageError("no judgements are left after attention checks")
    votes = tabulate_rows(rows) if rows else tabulate_counts(counts)
    graph = examine_comparisons(votes.wins.sum(axis=0), votes.ties.sum(axis=0))
    if scale == "bt" and (graph.is_separated or not graph.is_connected):
        why = (
            "some systems won every comparison" if graph.is_connected else "some systems were never compared"
        )
        remarks = (*remarks, f"scores are shares of votes won, not strengths by Bradley and Terry: {why}")
        scale = "wins"
    by_voter = len(votes.raters) > 1
    if scale == "bt":
        kind = "strength by Bradley and Terry"
        found = scale_candidates(
            votes.wins, votes.ties, reference=0, by_voter=by_voter, replicates=replicates, seed=seed
        )
        total, samples = found.theta, found.samples
    else:
        kind, total, samples = "share of votes won", _shares(votes), None
    by_clip: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        won = (row.outcome + 1) / 2
        by_clip.setdefault((row.a, row.clip), []).append(won)
        by_clip.setdefault((row.b, row.clip), []).append(1 - won)
    return HumanScores(
        kind,
        dict(zip(votes.systems, map(float, total), strict=True)),
        {key: float(np.mean(found)) for key, found in by_clip.items()},
        None if samples is None else dict(zip(votes.systems, samples.T, strict=True)),
        len(rows) or sum(c.wins + c.ties + c.losses for c in counts),
        remarks,
    )


def _shares(votes: Votes) -> np.ndarray:
    wins, ties = votes.wins.sum(axis=0), votes.ties.sum(axis=0)
    n = (wins + wins.T + ties).sum(axis=1)
    return (wins + ties / 2).sum(axis=1) / np.maximum(n, 1)
