"""Metrics' and people's scores of the same systems on the same clips, with one bootstrap for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mtbench.errors import UsageError, did_you_mean, list_some
from mtbench.people.human_scores import HumanScores
from mtbench.people.metric_scores import Measure, MetricScores
from mtbench.statistics import ClusterBootstrap, Scores


@dataclass(frozen=True)
class Sides:
    """Both sides' scores of S systems on N clips.

    Attributes
    ----------
    systems : tuple of str
    measures : tuple of Measure
        Of these systems and clips alone.
    people : Scores
    bootstrap : ClusterBootstrap
        Of sources within languages.
    weights : (B, N) float64 or None
    notes : tuple of str
        What was left out.
    """

    systems: tuple[str, ...]
    measures: tuple[Measure, ...]
    people: Scores
    bootstrap: ClusterBootstrap
    weights: np.ndarray | None
    notes: tuple[str, ...]

    @property
    def n_clips(self) -> int:
        """Number of clips."""
        return len(self.bootstrap.strata)

    @property
    def n_clusters(self) -> int:
        """Number of sources."""
        return len(set(zip(self.bootstrap.strata, self.bootstrap.clusters, strict=True)))

    def score(self, measure: Measure) -> Scores:
        """Return a measure's scores with their replicates."""
        ratios = measure.ratios
        return Scores(self.bootstrap.estimate(ratios), self.bootstrap.resample(ratios), ratios.per_item)


def set_sides(
    metrics: MetricScores, human: HumanScores, names: Mapping[str, str], replicates: int, seed: int
) -> Sides:
    """Return both sides' scores of the systems and clips that both have.

    Raises
    ------
    UsageError
        Where there is too little in both, with what was probably meant.
    """
    theirs = {names.get(system, system): system for system in human.systems}
    systems, notes = _match_systems(metrics.systems, theirs)
    clips = list(range(len(metrics.clips)))
    if human.by_clip:
        judged = {clip for _, clip in human.by_clip}
        clips = [i for i in clips if metrics.clips[i] in judged]
        if not clips:
            raise UsageError(
                f"no clip in both: people's file has {list_some(sorted(judged))}, "
                f"the results {list_some(metrics.clips)}"
            )
        strangers = len(judged - set(metrics.clips))
        if strangers:
            notes.append(f"{strangers} clip(s) of people's file are not in the results and left out")
        if len(clips) < len(metrics.clips):
            notes.append(f"only the {len(clips)} of {len(metrics.clips)} clips that people judged enter")
    rows = [metrics.systems.index(system) for system in systems]
    measures, clips, told = _find_common(metrics, rows, clips)
    notes += told
    bootstrap = ClusterBootstrap(
        tuple(metrics.languages[i] for i in clips),
        tuple(metrics.sources[i] for i in clips),
        replicates=replicates,
        seed=seed,
    )
    if metrics.left_out:
        notes.append(f"left out, for its best value is zero: {list_some(metrics.left_out)}")
    if bootstrap.weights is None:
        notes.append("no intervals: some language has a single source")
    people = _people(human, [theirs[s] for s in systems], [metrics.clips[i] for i in clips], bootstrap)
    return Sides(systems, measures, people, bootstrap, bootstrap.weights, (*notes, *human.remarks))


def _match_systems(known: tuple[str, ...], theirs: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]]:
    systems = tuple(system for system in known if system in theirs)
    strangers = [system for system in theirs if system not in known]
    left = [system for system in known if system not in theirs]
    suspects = [(name, did_you_mean(name, left)) for name in strangers]
    suspects += [(n, f"; did you mean {m}?") for n in strangers for m in left if n.casefold() == m.casefold()]
    lines = [f"\n  - {name!r}{hint}" for name, hint in dict(suspects).items() if hint]
    if lines:
        raise UsageError(
            f"people's file has systems that the results name otherwise:{''.join(lines)}\n"
            "Say which are the same by --rename 'PEOPLE=RESULT', or rename them in the file."
        )
    if len(systems) < 2:
        raise UsageError(
            f"fewer than two systems in both; people's file has {list_some(list(theirs), 10)}; the results have "
            f"{list_some(known, 10)}. Where names differ, say --rename 'PEOPLE=RESULT'"
        )
    notes = []
    if strangers:
        notes.append(f"in people's file alone, left out: {list_some(strangers, 10)}")
    if left:
        notes.append(f"in the results alone, left out: {list_some(left, 10)}")
    return systems, notes


def _find_common(
    metrics: MetricScores, rows: list[int], clips: list[int]
) -> tuple[tuple[Measure, ...], list[int], list[str]]:
    """Return the measures that all systems have, on the clips that all have, and what was left out.

    A clip that a system has no score on by any measure leaves for all measures and for people; one that it lacks by
    some leaves for these.
    """
    has = {measure.name: measure.has_score[np.ix_(rows, clips)] for measure in metrics.measures}
    whole = [m for m in metrics.measures if has[m.name].any(axis=1).all()]
    gone = [m.name for m in metrics.measures if m not in whole]
    notes = []
    if gone:
        notes.append(f"left out, for lack of a score of some system: {list_some(gone)}")
    if whole:
        lacking = {m.name: has[m.name].any(axis=0) & ~has[m.name] for m in whole}
        nowhere = ~np.any([has[m.name] for m in whole], axis=0) & np.any(
            [has[m.name] for m in whole], axis=(0, 1)
        )
        keep = ~nowhere.any(axis=0)
        notes += _tell_lacking(metrics, rows, {"": nowhere})
        notes += _tell_lacking(metrics, rows, {name: cells[:, keep] for name, cells in lacking.items()})
        clips = [clip for clip, kept in zip(clips, keep, strict=True) if kept]
        measures = tuple(m for measure in whole if (m := _narrow(measure, rows, clips)) is not None)
        if measures:
            empty = [m.name for m in whole if m.name not in {kept.name for kept in measures}]
            if empty:
                notes.append(f"left out, for no clip has a score of every system: {list_some(empty)}")
            return measures, clips, notes
    raise UsageError(_name_unscored(metrics, rows, has))


def _tell_lacking(metrics: MetricScores, rows: list[int], lacking: Mapping[str, np.ndarray]) -> list[str]:
    """Return a note for each system that lacks clips, once for all measures by which it lacks as many."""
    out = []
    for place, row in enumerate(rows):
        alike: dict[int, list[str]] = {}
        for name, cells in lacking.items():
            if n := int(cells[place].sum()):
                alike.setdefault(n, []).append(name)
        for n, names in alike.items():
            by = f" by {list_some(names, 4)}" if any(names) else ""
            out.append(
                f"left out for all systems: {n} clip(s) on which {metrics.systems[row]} has no score{by}"
            )
    return out


def _narrow(measure: Measure, rows: list[int], clips: list[int]) -> Measure | None:
    """Return a measure of some systems, on the clips that they all have a score on; None where there is none."""
    values, complete = measure.values[np.ix_(rows, clips)], measure.has_score[np.ix_(rows, clips)].all(axis=0)
    if not complete.any():
        return None
    kept = np.where(complete, values, np.nan)
    return replace(measure, values=kept, lengths=np.where(complete, measure.lengths[clips], np.nan))


def _name_unscored(metrics: MetricScores, rows: list[int], has: Mapping[str, np.ndarray]) -> str:
    """Return the error where no measure has a clip that all judged systems have: what each has, and what to do."""
    told = []
    for place, row in enumerate(rows):
        found = {name: int(cells[place].sum()) for name, cells in has.items()}
        names = list_some([f"{name} ({n})" for name, n in found.items()])
        told.append(f"\n  - {metrics.systems[row]}: {names}")
    return (
        "no metric has a clip on which every system that people judged has a score; clips with a score:"
        f"{''.join(told)}\nA partial result lacks clips, or was scored with other metrics: score it whole, or leave "
        "its folder out."
    )


def _people(human: HumanScores, names: list[str], clips: list[str], bootstrap: ClusterBootstrap) -> Scores:
    per_item = None
    if human.by_clip:
        per_item = np.array([[human.by_clip.get((n, c), np.nan) for c in clips] for n in names])
    if human.total is not None:
        samples = None if human.samples is None else np.stack([human.samples[n] for n in names], axis=1)
        return Scores(np.array([human.total[n] for n in names]), samples, per_item)
    assert per_item is not None  # scores without totals are scores by clip
    samples = None if bootstrap.weights is None else _average(per_item, bootstrap.weights, bootstrap)
    return Scores(_average(per_item, bootstrap.once, bootstrap)[0], samples, per_item)


def _average(per_item: np.ndarray, weights: np.ndarray, bootstrap: ClusterBootstrap) -> np.ndarray:
    """Mean of each system over the clips that have a score, then over languages: (B, S)."""
    total, count = np.zeros((len(weights), len(per_item))), np.zeros((len(weights), len(per_item)))
    known = np.isfinite(per_item)
    for language in bootstrap.names:
        members = bootstrap.members(language)
        sums = weights[:, members] @ np.where(known, per_item, 0.0)[:, members].T
        n = weights[:, members] @ known[:, members].T.astype(np.float64)
        total += np.where(n > 0, sums / np.where(n > 0, n, 1.0), 0.0)
        count += n > 0
    return total / np.where(count > 0, count, np.nan)
