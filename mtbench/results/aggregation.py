"""From per-clip rows to the summary of a run: estimates, intervals, counts and signatures.

Conventions
-----------
``language`` is an ISO 639-3 code or ``"all"``; ``noise`` is a name, ``"all"`` (pooled over the noises) or
None. Aggregations: ``corpus`` (sum of errors over sum of reference units), ``frame`` (sum over all frames
over their number), ``clip`` (mean over clips, of quantities that exist per clip only), ``macro-clip`` (mean
of the clips' own ratios), ``macro-language`` (mean of the languages' default estimates; language ``"all"``
only). The headline rate of ``"all"`` is never ``corpus``: words and characters cannot be pooled. Where a run
averages over clips (:mod:`mtbench.results.averaging`), ``macro-clip`` takes the place of ``corpus`` as the default, and
is the mean over noises last; ``corpus`` stands beside it.

``ci95`` is the 95 % percentile interval of a bootstrap over sources, drawn within each language; None where
a language that enters has fewer than two sources. A number that does not exist has ``estimate`` None and a
``reason``; a number over fewer clips than the benchmark has says so by ``n_clips`` < ``n_expected`` and a
``reason``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mtbench.conditions import Condition
from mtbench.metrics import METRICS
from mtbench.results.averaging import RATES, Averaging
from mtbench.results.rows import Row
from mtbench.results.series import MISSING, ClipInfo, Series, collect_series
from mtbench.results.signature import Signature
from mtbench.results.summary import SignatureContext, SummaryRow, find_number, list_signatures, name_bootstrap
from mtbench.speech import headline_rate
from mtbench.statistics import REPLICATES, SEED, bootstrap_sums, percentile_interval

__all__ = ["SignatureContext", "SummaryRow", "aggregate", "find_number", "list_signatures"]


def aggregate(
    rows: Iterable[Row],
    clips: Sequence[ClipInfo],
    context: SignatureContext | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> list[SummaryRow]:
    """Return every number of a run.

    Parameters
    ----------
    rows : iterable of Row
        Per-clip rows of one entry.
    clips : sequence of ClipInfo
        *All* clips of the benchmark (``id``, ``language``, ``source``), whether or not there are rows of
        them.
    context : SignatureContext or None
        What the run was made with.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    list of SummaryRow
        Ordered by metric, condition, language (``"all"`` first, then codes), aggregation. The same for any
        order of *rows*.

    Raises
    ------
    ValueError
        For rows of clips that the benchmark lacks, or duplicate rows.
    """
    context = context or SignatureContext()
    columns = _collect_columns(list(rows), clips, Averaging.of(context.recognition))
    languages = sorted({clip.language for clip in clips})
    index = {lang: np.array([i for i, c in enumerate(clips) if c.language == lang]) for lang in languages}

    parts: list[dict[str, _Part]] = [{} for _ in columns]
    for lang in languages:
        sources = [clips[i].source for i in index[lang]]
        _measure_language(columns, parts, lang, index[lang], sources, replicates, seed)

    summary = []
    for column, part in zip(columns, parts, strict=True):
        bootstrap = name_bootstrap(replicates, seed)
        for lang in languages:
            summary.append(_language_row(column, lang, part[lang], index[lang], context, bootstrap))
        for aggregation in (column.aggregation, *(["macro-language"] if column.default else [])):
            if column.series.metric == "headline" and aggregation not in ("macro-language", column.overall):
                continue
            summary.append(_overall_row(column, aggregation, part, languages, len(clips), context, bootstrap))
    return sorted(summary, key=_row_order)


@dataclass(frozen=True)
class _Column:
    """A series with one way to average it within a language and the run's way over all; *own*: it is the run's."""

    series: Series
    aggregation: str
    overall: str
    default: bool
    values: np.ndarray
    own: bool = True


@dataclass(frozen=True)
class _Part:
    """One language's share in a column: sums (2,), replicates (B, 2) or None, number of clips."""

    sums: np.ndarray
    samples: np.ndarray | None
    n_clips: int


def _collect_columns(rows: list[Row], clips: Sequence[ClipInfo], averaging: Averaging) -> list[_Column]:
    out = []
    for series in collect_series(rows, clips, averaging):
        metric = METRICS[series.metric]
        default, overall = averaging.within(metric), averaging.overall(metric)
        out.append(_Column(series, default, overall, True, series.values))
        if default not in ("clip", "macro-clip"):
            out.append(_Column(series, "macro-clip", overall, False, series.per_clip()))
    pooled = Averaging(rate=averaging.rate)
    for series in collect_series(rows, clips, pooled) if averaging != pooled else ():
        metric = METRICS[series.metric]
        if averaging.averages(metric):
            out.append(_Column(series, metric.aggregation, metric.overall, False, series.values, own=False))
    return out


def _measure_language(
    columns: list[_Column],
    parts: list[dict[str, _Part]],
    language: str,
    index: np.ndarray,
    sources: list[str],
    replicates: int,
    seed: int,
) -> None:
    """Fill *parts* for one language; columns that have the same clips are resampled together."""
    groups: dict[bytes, list[int]] = {}
    for k, column in enumerate(columns):
        groups.setdefault(column.series.available[index].tobytes(), []).append(k)
    for mask, members in groups.items():
        available = np.frombuffer(mask, dtype=bool)
        chosen = index[available]
        values = np.concatenate([columns[k].values[chosen] for k in members], axis=1)
        kept = [s for s, a in zip(sources, available, strict=True) if a]
        samples = (
            bootstrap_sums(values, kept, replicates=replicates, seed=seed, name=language) if kept else None
        )
        for position, k in enumerate(members):
            pair = slice(2 * position, 2 * position + 2)
            parts[k][language] = _Part(
                sums=np.array([_sum(values[:, 2 * position]), _sum(values[:, 2 * position + 1])]),
                samples=None if samples is None else samples[:, pair],
                n_clips=len(chosen),
            )


def _sum(values: np.ndarray) -> float:
    return float(np.sum(np.ascontiguousarray(values)))


def _ratio(sums: np.ndarray) -> np.ndarray:
    """Numerator over denominator, NaN where there is nothing to divide by."""
    denominator = np.where(sums[..., 1] > 0, sums[..., 1], np.nan)
    return sums[..., 0] / denominator


def _interval(samples: np.ndarray | None, scale: float) -> tuple[float, float] | None:
    return None if samples is None else percentile_interval(scale * samples)


def _language_row(
    column: _Column,
    language: str,
    part: _Part,
    index: np.ndarray,
    context: SignatureContext,
    bootstrap: dict[str, object],
) -> SummaryRow:
    estimate = float(_ratio(part.sums))
    samples = None if part.samples is None else _ratio(part.samples)
    reasons = [column.series.reasons[i] for i in index]
    return _row(
        column,
        column.aggregation,
        language,
        estimate,
        samples,
        part.n_clips,
        len(index),
        _explain(reasons),
        context,
        bootstrap,
    )


def _overall_row(
    column: _Column,
    aggregation: str,
    parts: dict[str, _Part],
    languages: list[str],
    n_expected: int,
    context: SignatureContext,
    bootstrap: dict[str, object],
) -> SummaryRow:
    present = [parts[lang] for lang in languages if parts[lang].n_clips]
    known = bool(present) and all(p.samples is not None for p in present)
    if aggregation == "macro-language":
        estimate = float(np.mean([_ratio(p.sums) for p in present])) if present else np.nan
        samples = np.mean([_ratio(p.samples) for p in present], axis=0) if known else None  # type: ignore[arg-type]
    else:
        estimate = float(_ratio(np.sum([p.sums for p in present], axis=0))) if present else np.nan
        samples = _ratio(np.sum([p.samples for p in present], axis=0)) if known else None  # type: ignore[arg-type]
    n_clips = sum(p.n_clips for p in present)
    reason = _explain(column.series.reasons)
    absent = [lang for lang in languages if not parts[lang].n_clips]
    if reason and absent and present:
        reason += f"; without {', '.join(absent)}"
    return _row(
        column, aggregation, "all", estimate, samples, n_clips, n_expected, reason, context, bootstrap
    )


def _explain(reasons: Sequence[str | None]) -> str | None:
    """Return what keeps clips out, most frequent first, or None where all are in."""
    counts = Counter(reason for reason in reasons if reason is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{reason} ({n} clip{'s' if n > 1 else ''})" for reason, n in ordered) or None


def _row(
    column: _Column,
    aggregation: str,
    language: str,
    estimate: float,
    samples: np.ndarray | None,
    n_clips: int,
    n_expected: int,
    reason: str | None,
    context: SignatureContext,
    bootstrap: dict[str, object],
) -> SummaryRow:
    metric, condition = METRICS[column.series.metric], column.series.condition
    exists = bool(np.isfinite(estimate))
    ci95 = _interval(samples, metric.scale) if exists else None
    settings = context.settings(metric.name, condition.modality) | {
        "lang": language,
        "mod": condition.modality,
        "snr": condition.snr_db,
        "noise": context.name_noise(condition.noise),
        "agg": aggregation,
        "n": n_clips,
    }
    if not column.own:
        settings.pop("mean", None)
    if settings.get("rate") == RATES[0] and language != "all":
        settings["rate"] = headline_rate(language)
    if ci95 is not None:
        settings |= bootstrap
    return SummaryRow(
        metric=metric.name,
        modality=condition.modality,
        snr_db=condition.snr_db,
        noise=condition.noise,
        language=language,
        aggregation=aggregation,
        estimate=metric.scale * estimate if exists else None,
        ci95=ci95,
        n_clips=n_clips,
        n_expected=n_expected,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        signature=Signature.of(metric.name, settings).short(),
        reason=reason if exists or reason else "every reference is empty" if n_clips else MISSING,
    )


def _row_order(row: SummaryRow) -> tuple:
    condition = Condition(row.modality, row.snr_db, row.noise)
    aggregation = (row.aggregation.startswith("macro"), row.aggregation)
    return list(METRICS).index(row.metric), condition.order, row.language != "all", row.language, aggregation
