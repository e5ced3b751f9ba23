"""How far metrics agree with people: at named levels, with intervals and tests, and metric against metric.

Conventions
-----------
Both sides are turned so that larger is better. Only systems that both sides have enter; where people scored clips, only
clips that they scored. Scores over all clips are means over languages (a metric's of its ratio of sums, people's of
their mean). Levels, intervals, tests and what is left out are said in :mod:`mtbench.statistics.associations`.
Pairwise accuracy says of two systems who is better, or that they tie; its threshold is calibrated on half of the
sources. PERM-BOTH compares metrics by Spearman's correlation; clusters of metrics use its p-values as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from mtbench.errors import UsageError, did_you_mean
from mtbench.people.human_scores import HumanScores
from mtbench.people.metric_scores import Measure, MetricScores
from mtbench.people.published_scores import PublishedScores
from mtbench.people.scored_pairs import PairAccuracy, measure_pair_accuracy
from mtbench.people.two_sides import Sides, set_sides
from mtbench.statistics import (
    FEWEST,
    LEVELS,
    REPLICATES,
    SEED,
    TRIALS,
    Association,
    Scores,
    associate,
    cluster_metrics,
    permute_both,
)

STATISTICS = ("spearman", "kendall", "pearson")


@dataclass(frozen=True)
class MetricAgreement:
    """How far one metric agrees with people at one level.

    Attributes
    ----------
    measure : str
        Metric and condition.
    level : {"system", "clip", "pooled"}
    correlations : mapping of str to Association
        By statistic.
    accuracy : PairAccuracy or None
        Pairwise accuracy with ties, and at the level of systems the soft one; None where pairs are not known.
    cluster : int or None
        Significance cluster among the metrics, 1 is best; None where nothing was tested.
    printed : float or None
        Correlation that somebody else printed.
    """

    measure: str
    level: str
    correlations: Mapping[str, Association]
    accuracy: PairAccuracy | None
    cluster: int | None
    printed: float | None = None


@dataclass(frozen=True)
class MetricComparison:
    """Whether one metric agrees better with people than another.

    Attributes
    ----------
    level : str
    better, worse : str
        The measures, as their Spearman correlations have it.
    difference : float
        Of the correlations as this test takes them.
    p : float
        One-sided, by PERM-BOTH.
    """

    level: str
    better: str
    worse: str
    difference: float
    p: float


@dataclass(frozen=True)
class Agreement:
    """How far metrics agree with people.

    Attributes
    ----------
    systems : tuple of str
        Systems that both sides have.
    n_clips : int
        Clips that entered; 0 where nothing is known by clip.
    human, human_by_clip : str
        What people's score of a system is, over all clips and on one.
    n_ratings : int
    rows : tuple of MetricAgreement
        By level, then measure.
    comparisons : tuple of MetricComparison
    notes : tuple of str
    """

    systems: tuple[str, ...]
    n_clips: int
    human: str
    human_by_clip: str
    n_ratings: int
    rows: tuple[MetricAgreement, ...]
    comparisons: tuple[MetricComparison, ...]
    notes: tuple[str, ...]


def correlate_results(
    metrics: MetricScores,
    human: HumanScores,
    *,
    names: Mapping[str, str] | None = None,
    levels: Sequence[str] = LEVELS,
    compare: bool = True,
    replicates: int = REPLICATES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> Agreement:
    """Return how far the metrics of scored results agree with people.

    Parameters
    ----------
    metrics : MetricScores
    human : HumanScores
    names : mapping of str to str, optional
        Names of systems in the results by their names in people's file, where they differ.
    levels : sequence of {"system", "clip", "pooled"}
    compare : bool
        Whether metrics are compared with each other.
    replicates, trials, seed : int
        Of the bootstrap and the tests.

    Raises
    ------
    UsageError
        Where fewer than two systems are in both, or a name looks misspelled.
    """
    _check_levels(levels)
    sides = set_sides(metrics, human, names or {}, replicates, seed)
    rows, comparisons = [], []
    for level in levels:
        found = [_measure(sides, measure, level, trials) for measure in sides.measures]
        places: list[int] | None = None
        if compare and len(sides.systems) >= FEWEST:
            places, tested = _compare_measures(sides, found, level, trials, seed)
            comparisons += tested
        for k, (row, accuracy) in enumerate(found):
            cluster = None if places is None or not places[k] else places[k]
            rows.append(MetricAgreement(sides.measures[k].name, level, row, accuracy, cluster))
    return Agreement(
        sides.systems,
        sides.n_clips,
        human.kind,
        human.kind_by_clip,
        human.n_ratings,
        tuple(rows),
        tuple(comparisons),
        sides.notes,
    )


def correlate_published(
    published: PublishedScores, human: HumanScores | None, *, names: Mapping[str, str] | None = None
) -> Agreement:
    """Return how far published scores of systems agree with people: of systems alone, without intervals.

    Parameters
    ----------
    published : PublishedScores
    human : HumanScores or None
        None where there is nothing to compute: what was printed is shown beside what it could have been.
    names : mapping of str to str, optional
        As for :func:`correlate_results`.
    """
    names = names or {}
    totals = {} if human is None else {names.get(k, k): v for k, v in (human.total or {}).items()}
    if human is not None and not totals:
        raise UsageError("published scores are of systems; people's file has scores of clips only")
    rows, all_systems = [], dict[str, None]()
    for metric, scores in published.scores.items():
        systems = tuple(s for s in scores if human is None or s in totals)
        all_systems |= dict.fromkeys(systems)
        sign = 1 if published.higher_is_better[metric] else -1
        mine = np.array([sign * scores[s] for s in systems])
        theirs = np.array([totals.get(s, np.nan) for s in systems])
        found = {}
        if human is not None:
            if len(systems) < 2:
                known, wanted = ", ".join(scores), ", ".join(totals)
                raise UsageError(
                    f"{metric}: fewer than two systems in both; printed: {known}; people's: {wanted}"
                )
            found = {s: associate(Scores(mine), Scores(theirs), None, statistic=s) for s in STATISTICS}
        rows.append(MetricAgreement(metric, "system", found, None, None, published.printed.get(metric)))
    notes = [*published.remarks, *(() if human is None else human.remarks)]
    if human is None:
        notes.append("nothing to compute without people's scores (--human); what was printed stands beside")
    return Agreement(
        tuple(all_systems),
        0,
        "not given" if human is None else human.kind,
        "not given",
        0 if human is None else human.n_ratings,
        tuple(rows),
        (),
        tuple(notes),
    )


def _check_levels(levels: Sequence[str]) -> None:
    for level in levels:
        if level not in LEVELS:
            raise UsageError(
                f"unknown level {level!r}{did_you_mean(level, LEVELS)}; there are {', '.join(LEVELS)}"
            )


def _measure(
    sides: Sides, measure: Measure, level: str, trials: int
) -> tuple[dict[str, Association], PairAccuracy | None]:
    metric = sides.score(measure)
    found = {
        statistic: associate(
            metric,
            sides.people,
            sides.weights,
            statistic=statistic,
            level=level,
            clusters=sides.n_clusters,
            trials=trials,
        )
        for statistic in STATISTICS
    }
    return found, measure_pair_accuracy(sides, measure, level)


def _compare_measures(
    sides: Sides,
    found: Sequence[tuple[dict[str, Association], PairAccuracy | None]],
    level: str,
    trials: int,
    seed: int,
) -> tuple[list[int] | None, list[MetricComparison]]:
    """Return the cluster of each measure (0: not tested) and all comparisons; None without scores by clip."""
    people = sides.people.per_item
    usable = [k for k, (row, _) in enumerate(found) if row["spearman"].value.estimate is not None]
    if people is None or len(usable) < 2:
        return None, []
    per_item = {k: sides.score(sides.measures[k]).per_item for k in usable}
    complete = np.isfinite(people).all(axis=0)
    for scores in per_item.values():
        assert scores is not None  # a measure of results is always known by clip
        complete &= np.isfinite(scores).all(axis=0)
    if complete.sum() < 2:
        return None, []
    clusters = [c for c, keep in zip(sides.bootstrap.clusters, complete, strict=True) if keep]
    p_values = np.ones((len(usable), len(usable)))
    estimates, comparisons = [found[k][0]["spearman"].value.estimate or 0.0 for k in usable], []
    for i, j in combinations(range(len(usable)), 2):
        if estimates[i] < estimates[j]:
            i, j = j, i
        one, two = (np.asarray(per_item[usable[k]])[:, complete] for k in (i, j))
        name = f"{sides.measures[usable[i]].name}\x1f{sides.measures[usable[j]].name}"
        gap, p = permute_both(
            one, two, people[:, complete], clusters, level=level, trials=trials, seed=seed, name=name
        )
        p_values[i, j] = p
        names = sides.measures[usable[i]].name, sides.measures[usable[j]].name
        comparisons.append(MetricComparison(level, *names, gap, p))
    placed = cluster_metrics(estimates, p_values)
    out = [0] * len(found)
    for k, cluster in zip(usable, placed, strict=True):
        out[k] = cluster
    return out, comparisons


def rename_systems(pairs: Sequence[str]) -> dict[str, str]:
    """Return names in the results by names in people's file, from texts ``PEOPLE=RESULT``.

    Examples
    --------
    >>> rename_systems(["SelfTalk=selftalk-v1"])
    {'SelfTalk': 'selftalk-v1'}
    """
    out = {}
    for text in pairs:
        before, sign, after = text.partition("=")
        if not sign or not before or not after:
            raise UsageError(
                f"--rename {text!r}: expected PEOPLE=RESULT, e.g. --rename 'SelfTalk=selftalk-v1'"
            )
        out[before] = after
    return out


def is_table(path: Path | str) -> bool:
    """Return whether *path* is a file, of published scores, not a folder of results."""
    return Path(path).is_file()
