"""Paired differences between two entries, clip by clip, with intervals and corrected p-values.

Conventions
-----------
A difference is always *b minus a*, in the metric's unit. Both entries are compared on the same clips and
mixtures, so the interval (cluster bootstrap over sources, the same draws for both entries) and the p-value
(paired approximate randomization, whole sources swapped) are sharper than two separate intervals. Only clips
that both entries have enter, and ``n_clips`` says how many. Holm's correction runs over the languages of one
metric and condition; language ``"all"`` is one test and stays as it is. Noises are pooled (``"all"``).

The effect is the difference over its spread from clip to clip (Cohen's d of paired observations, d_z): by how many
standard deviations of a clip's share in the difference the two differ. A clip's share is linearised as in
:mod:`mtbench.statistics.power`, so that the effect says how many clips a comparison needs; where every clip has the
same length it is the mean of the clips' differences over their standard deviation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtbench.errors import UsageError
from mtbench.metrics import METRICS
from mtbench.results.averaging import Averaging
from mtbench.results.rows import Row
from mtbench.results.series import Series, collect_series
from mtbench.statistics import (
    REPLICATES,
    SEED,
    TRIALS,
    adjust_holm,
    bootstrap_sums,
    measure_effect,
    paired_randomization,
    percentile_interval,
    sum_by_cluster,
    take_moments,
)

#: Level at which a difference counts.
ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """One metric under one condition in one language, entry *b* against entry *a*.

    Attributes
    ----------
    metric, modality, snr_db, noise, language, aggregation
        As in :class:`mtbench.results.summary.SummaryRow`.
    a, b : float
        Estimates over the clips that both entries have.
    difference : float
        b - a.
    ci95 : (float, float) or None
        Paired 95 % interval; None with fewer than two sources in a language.
    p : float
        Two-sided p-value.
    p_holm : float
        Corrected over languages.
    n_clips, n_expected : int
        Clips that entered, and clips that either entry has a row of.
    unit : str
        Unit of estimates and difference.
    better : {"a", "b"} or None
        The entry that is better at the 5 % level after correction; None: not separable, or no direction.
    effect : float or None
        Difference over its spread from clip to clip; None where no clip differs from another, or there is one only.
    effect_ci95 : (float, float) or None
        Its 95 % interval.
    """

    metric: str
    modality: str | None
    snr_db: float | None
    noise: str | None
    language: str
    aggregation: str
    a: float
    b: float
    difference: float
    ci95: tuple[float, float] | None
    p: float
    p_holm: float
    n_clips: int
    n_expected: int
    unit: str
    better: str | None
    effect: float | None = None
    effect_ci95: tuple[float, float] | None = None

    @property
    def spread(self) -> float | None:
        """Standard deviation of a clip's share in the difference, in *unit*; None where there is no effect."""
        return None if not self.effect else abs(self.difference / self.effect)


def compare_rows(
    a: Iterable[Row],
    b: Iterable[Row],
    averaging: Averaging | None = None,
    *,
    metrics: Collection[str] | None = None,
    replicates: int = REPLICATES,
    trials: int = TRIALS,
    seed: int = SEED,
) -> list[Difference]:
    """Return the differences between two entries, from their per-clip rows.

    Parameters
    ----------
    a, b : iterable of Row
        Rows of each entry on the same benchmark.
    averaging : Averaging, optional
        How error rates are put together; by default they are pooled.
    metrics : collection of str, optional
        Only these.
    replicates, trials, seed : int
        As in :func:`mtbench.results.comparison.compare`.

    Returns
    -------
    list of Difference
        Ordered by metric, condition, language. Audio-only numbers are left out: no entry is in them.

    Raises
    ------
    UsageError
        Where the same clip has references of different lengths.
    """
    rows_a, rows_b = list(a), list(b)
    clips = list_clips((*rows_a, *rows_b))
    averaging = averaging or Averaging()
    series_b = {(s.metric, s.condition): s for s in collect_series(rows_b, clips, averaging)}
    out: list[Difference] = []
    for mine in collect_series(rows_a, clips, averaging):
        theirs = series_b.get((mine.metric, mine.condition))
        if theirs is None or mine.condition.modality == "a" or mine.condition.noise not in (None, "all"):
            continue
        if metrics is not None and mine.metric not in metrics:
            continue
        out += _compare_series(mine, theirs, clips, averaging, replicates, trials, seed)
    return out


@dataclass(frozen=True)
class _ClipKey:
    id: str
    language: str
    source: str


def list_clips(rows: Iterable[Row]) -> list[_ClipKey]:
    """Return the clips that *rows* of one benchmark are of, by language and id.

    Raises
    ------
    UsageError
        Where a clip has two languages or sources.
    """
    clips = sorted(
        {_ClipKey(row.clip, row.language, row.source) for row in rows},
        key=lambda clip: (clip.language, clip.id),
    )
    if len({clip.id for clip in clips}) < len(clips):
        raise UsageError(
            "the results disagree about the language or source of a clip; "
            "was one of them edited by hand, or scored on another version of the benchmark?"
        )
    return clips


@dataclass(frozen=True)
class _Share:
    """One language: sums (3,), replicates (B, 3) or None, difference of each source, counts of clips.

    *moments* (6,) and their replicates (B, 6) are what the effect follows from.
    """

    sums: np.ndarray
    samples: np.ndarray | None
    by_source: np.ndarray
    n_clips: int
    n_expected: int
    moments: np.ndarray
    moment_samples: np.ndarray | None


def _compare_series(
    a: Series,
    b: Series,
    clips: Sequence[_ClipKey],
    averaging: Averaging,
    replicates: int,
    trials: int,
    seed: int,
) -> list[Difference]:
    both = a.available & b.available
    if not np.array_equal(a.values[both, 1], b.values[both, 1]):
        raise UsageError(
            f"{a.metric}: the two results disagree about the length of references or clips; "
            "was one of them scored with another normalizer or on another version of the benchmark?"
        )
    # Numerator of a, numerator of b, common denominator.
    values = np.column_stack([a.values[:, 0], b.values[:, 0], a.values[:, 1]])
    shares: dict[str, _Share] = {}
    for language in sorted({clip.language for clip in clips}):
        inside = np.array([clip.language == language for clip in clips])
        chosen = values[inside & both]
        sources = [clip.source for clip, keep in zip(clips, inside & both, strict=True) if keep]
        if not sources or chosen[:, 2].sum() <= 0:
            continue
        by_source, _ = sum_by_cluster(chosen, sources)
        every = np.hstack([chosen, take_moments(chosen[:, 1] - chosen[:, 0], chosen[:, 2])])
        samples = bootstrap_sums(every, sources, replicates=replicates, seed=seed, name=language)
        sums = np.array([float(np.sum(np.ascontiguousarray(every[:, i]))) for i in range(every.shape[1])])
        shares[language] = _Share(
            sums=sums[:3],
            samples=None if samples is None else samples[:, :3],
            by_source=by_source[:, 1] - by_source[:, 0],
            n_clips=len(chosen),
            n_expected=int(inside.sum()),
            moments=sums[3:],
            moment_samples=None if samples is None else samples[:, 3:],
        )
    if not shares:
        return []
    metric = METRICS[a.metric]
    parts = list(shares.values())
    out = []
    for aggregation in dict.fromkeys((averaging.overall(metric), "macro-language")):
        macro = aggregation == "macro-language"
        total = sum(s.sums[2] for s in parts)
        weights = [1 / (len(parts) * s.sums[2] if macro else total) for s in parts]
        out.append(_difference(a, "all", aggregation, parts, weights, len(clips), trials, seed))
    single = [
        _difference(a, lang, averaging.within(metric), [s], [1 / s.sums[2]], s.n_expected, trials, seed)
        for lang, s in shares.items()
    ]
    return out + _correct(single)


def _difference(
    series: Series,
    language: str,
    aggregation: str,
    parts: list[_Share],
    weights: list[float],
    n_expected: int,
    trials: int,
    seed: int,
) -> Difference:
    metric, condition = METRICS[series.metric], series.condition
    a = metric.scale * sum(w * s.sums[0] for w, s in zip(weights, parts))
    b = metric.scale * sum(w * s.sums[1] for w, s in zip(weights, parts))
    p = paired_randomization(
        np.concatenate([w * s.by_source for w, s in zip(weights, parts)]),
        trials=trials,
        seed=seed,
        name=language,
    )
    effect, effect_ci95 = _measure_effect(parts, aggregation == "macro-language")
    return Difference(
        metric=metric.name,
        modality=condition.modality,
        snr_db=condition.snr_db,
        noise=condition.noise,
        language=language,
        aggregation=aggregation,
        a=a,
        b=b,
        difference=b - a,
        ci95=_paired_interval(parts, metric.scale, aggregation == "macro-language"),
        p=p,
        p_holm=p,
        n_clips=sum(s.n_clips for s in parts),
        n_expected=n_expected,
        unit=metric.unit,
        better=_name_better(metric.higher_is_better, b - a, p),
        effect=effect,
        effect_ci95=effect_ci95,
    )


def _measure_effect(parts: list[_Share], macro: bool) -> tuple[float | None, tuple[float, float] | None]:
    samples = [s.moment_samples for s in parts if s.moment_samples is not None]
    stacked = np.stack(samples, axis=1) if len(samples) == len(parts) else None
    return measure_effect(np.array([s.moments for s in parts]), stacked, macro=macro)


def _paired_interval(parts: list[_Share], scale: float, macro: bool) -> tuple[float, float] | None:
    samples = [s.samples for s in parts if s.samples is not None]
    if len(samples) < len(parts):
        return None
    if macro:
        ratios = [_paired_ratio(s) for s in samples]
        return percentile_interval(scale * np.mean(ratios, axis=0))
    return percentile_interval(scale * _paired_ratio(np.sum(samples, axis=0)))


def _paired_ratio(sums: np.ndarray) -> np.ndarray:
    return (sums[:, 1] - sums[:, 0]) / np.where(sums[:, 2] > 0, sums[:, 2], np.nan)


def _correct(differences: list[Difference]) -> list[Difference]:
    adjusted = adjust_holm([d.p for d in differences])
    return [
        replace(d, p_holm=p, better=_name_better(METRICS[d.metric].higher_is_better, d.difference, p))
        for d, p in zip(differences, adjusted, strict=True)
    ]


def _name_better(higher_is_better: bool | None, difference: float, p: float) -> str | None:
    if higher_is_better is None or p >= ALPHA or difference == 0:
        return None
    return "b" if (difference > 0) == higher_is_better else "a"
