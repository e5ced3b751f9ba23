"""Metrics' scores of systems, clip by clip, from result folders, turned so that larger is better.

Conventions
-----------
One metric under one condition of noise is one measure; noises are pooled, sound alone is left out (no system is in it).
Numerators are negative where smaller is better. Metrics whose best value is zero have no direction and are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mtbench.conditions import Condition
from mtbench.errors import UsageError, did_you_mean, list_some
from mtbench.metrics import METRICS
from mtbench.results import collect_series, find_runs, group_runs, list_clips, read_results
from mtbench.statistics import Ratios, collect_ratios

#: What is looked at where no metric is named: what tables show.
DEFAULT_METRICS = (
    *("headline", "readability_bits"),
    *(metric.name for metric in METRICS.every_geometric() if metric.column is not None),
)


@dataclass(frozen=True)
class Measure:
    """One metric under one condition: scores of S systems on N clips.

    Attributes
    ----------
    name : str
        Metric and condition, e.g. ``"headline av-7.5"``.
    metric : str
        The metric alone.
    values : (S, N) float64
        Numerators, larger is better; NaN where a system has no score.
    lengths : (N,) float64
        Denominators; NaN where no system has one.
    """

    name: str
    metric: str
    values: np.ndarray
    lengths: np.ndarray

    @property
    def has_score(self) -> np.ndarray:
        """(S, N) bool: which systems have a score on which clips."""
        return np.isfinite(self.values) & np.isfinite(self.lengths)

    @cached_property
    def ratios(self) -> Ratios:
        """The scores, of systems that have one on every clip that any system has one on."""
        return collect_ratios(self.values, self.lengths)


@dataclass(frozen=True)
class MetricScores:
    """All measures of some results.

    Attributes
    ----------
    systems : tuple of str
        S of them.
    clips, languages, sources : tuple of str
        Of N clips.
    measures : tuple of Measure
    left_out : tuple of str
        Metrics without a direction.
    """

    systems: tuple[str, ...]
    clips: tuple[str, ...]
    languages: tuple[str, ...]
    sources: tuple[str, ...]
    measures: tuple[Measure, ...]
    left_out: tuple[str, ...]


def read_metric_scores(
    folders: Sequence[Path | str], metrics: Collection[str] = (), languages: Collection[str] = ()
) -> MetricScores:
    """Return the scores in result folders, or in folders that hold some.

    Parameters
    ----------
    folders : sequence of path
    metrics : collection of str
        Names of metrics; none: those of :data:`DEFAULT_METRICS` that the results have and that have a direction.
    languages : collection of str
        Only clips in these; none: all.

    Raises
    ------
    UsageError
        For results that were scored differently, two results of one system, or an unknown metric.
    """
    for name in metrics:
        if name not in METRICS:
            raise UsageError(
                f"unknown metric {name!r}{did_you_mean(name, METRICS)}; see 'mtbench ls metrics'"
            )
        if METRICS[name].higher_is_better is None:
            raise UsageError(f"{name}: its best value is zero, so that it puts no systems in order")
    found = [folder for root in folders for folder in find_runs(root)]
    if not found:
        raise UsageError(f"{', '.join(map(str, folders))}: no run.json below; 'mtbench score' writes some")
    loaded = [read_results(folder) for folder in dict.fromkeys(found)]
    names = [run.system.name for run, _ in loaded]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise UsageError(f"two results of {list_some(double)}; name the folders that are meant")
    groups = group_runs([run for run, _ in loaded])
    if len(groups) > 1:
        told = "; ".join(list_some([run.system.name for run in group]) for group in groups)
        raise UsageError(f"these results were scored differently and cannot be set in one order: {told}")
    return _collect(loaded, metrics, languages)


def _collect(loaded: Sequence, metrics: Collection[str], languages: Collection[str]) -> MetricScores:
    clips = list(list_clips([row for _, rows in loaded for row in rows]))
    kept = np.array([not languages or clip.language in languages for clip in clips], dtype=bool)
    if not kept.any():
        raise UsageError(f"the results have no clip in {', '.join(languages)}")
    cells: dict[tuple[str, Condition], dict[int, np.ndarray]] = {}
    for row, (run, rows) in enumerate(loaded):
        for series in collect_series(rows, clips, run.averaging):
            wanted = series.metric in (metrics or DEFAULT_METRICS)
            if wanted and series.condition.modality != "a" and series.condition.noise in (None, "all"):
                cells.setdefault((series.metric, series.condition), {})[row] = series.values[kept]
    measures, left_out = [], []
    for (name, condition), found in cells.items():
        metric = METRICS[name]
        if metric.higher_is_better is None:
            left_out.append(name)
            continue
        empty = np.full((int(kept.sum()), 2), np.nan)
        values = np.array([found.get(row, empty) for row in range(len(loaded))])
        with np.errstate(all="ignore"):
            lengths = np.nanmax(np.where(np.isfinite(values[:, :, 1]), values[:, :, 1], -np.inf), axis=0)
        sign = metric.scale if metric.higher_is_better else -metric.scale
        label = name if condition == Condition() else f"{name} {_name(condition)}"
        measures.append(
            Measure(label, name, sign * values[:, :, 0], np.where(np.isfinite(lengths), lengths, np.nan))
        )
    if not measures:
        raise UsageError("the results have no such number that puts systems in order")
    chosen = [clip for clip, keep in zip(clips, kept, strict=True) if keep]
    return MetricScores(
        tuple(run.system.name for run, _ in loaded),
        tuple(clip.id for clip in chosen),
        tuple(clip.language for clip in chosen),
        tuple(clip.source for clip in chosen),
        tuple(measures),
        tuple(dict.fromkeys(left_out)),
    )


def _name(condition: Condition) -> str:
    """Return a condition's name, without the noise where all are pooled."""
    return condition.name.partition("/")[0]
