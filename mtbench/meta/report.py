"""The report of a meta-evaluation: every statistic as one JSON value, a page and plots.

Conventions
-----------
``report.json`` holds all numbers, each with its 95 % interval and, where it is a correlation or an accuracy, its
level; ``report.html`` shows them in one file without links to others; ``plots/`` holds the plots alone. All
three are functions of the scores (and the benchmark's lexicons and durations): equal scores give equal bytes.
A target that is missed or cannot be judged says so (:mod:`mtbench.meta.verdicts`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import write_atomically
from mtbench.meta.bits import report_bits
from mtbench.meta.correlation import Correlation, CorrelationTable, correlate
from mtbench.meta.curves import trace_curves
from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
    bootstrap_scores,
    default_measures,
    headline_condition,
)
from mtbench.meta.fairness import judge_fairness
from mtbench.meta.language_traits import describe_languages
from mtbench.meta.noise_curves import NoiseCurves, trace_noise
from mtbench.meta.nuisances import compare_with_truth
from mtbench.meta.pairwise import AccuracyTable, PairwiseAccuracy, measure_accuracy
from mtbench.meta.report_data import SCHEMA, Accuracies, MeasureInfo, Report, ScoredSystem
from mtbench.meta.scores import MetaScores
from mtbench.meta.sensitivity import Sensitivity, compare_amplitudes, compare_conditions, default_contrasts
from mtbench.meta.systems import GROUND_TRUTH, SHUFFLED, STATIC
from mtbench.meta.truth_confusions import confuse_ground_truth
from mtbench.meta.verdicts import check_bits, check_targets, say_verdict
from mtbench.results import Confusions
from mtbench.statistics import REPLICATES, SEED, Number, percentile_interval, summarize

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

REPORT_JSON, REPORT_HTML, PLOTS = "report.json", "report.html", "plots"


def make_report(
    scores: MetaScores,
    benchmark: Benchmark | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Report:
    """Return everything that the scores say.

    Parameters
    ----------
    scores : MetaScores
    benchmark : Benchmark, optional
        Benchmark whose durations and lexicons are traits of languages.
    replicates, seed : int
        Number of replicates and seed of the cluster bootstrap.

    Raises
    ------
    UsageError
        Where the scores have no audio-visual condition in noise, or no two systems.
    """
    bootstrap = bootstrap_scores(scores, replicates=replicates, seed=seed)
    condition = headline_condition(scores)
    measures = default_measures(scores, condition)
    if not measures or measures[0].name != "avlr":
        raise UsageError(f"fewer than two systems were scored under {condition}: there is nothing to compare")
    rates = [measure for measure in measures if measure.unit == "%"]
    judged = [measure for measure in measures if measure.unit in ("%", "bits")]
    phones = any(measure.name == "avlr_phones" for measure in rates)
    units = ("words", "phones") if phones else ("words",)
    systems = scores.systems
    nuisances = [row for row, system in enumerate(systems) if system.nuisance]
    controls = [row for row, system in enumerate(systems) if system.name in (STATIC, SHUFFLED)]
    traits = describe_languages(scores, benchmark)
    contrasts = default_contrasts(bootstrap)
    noise = {unit: trace_noise(bootstrap, unit) for unit in units}
    report = Report(
        schema=SCHEMA,
        facts=dict(scores.facts),
        condition=condition,
        n_clips=len(scores.clips),
        languages=bootstrap.languages,
        replicates=replicates,
        seed=seed,
        measures=tuple(_describe(measure, bootstrap) for measure in measures),
        systems=_list_systems(bootstrap, measures),
        spearman_system=_correlate_all(bootstrap, measures, "spearman", "system"),
        spearman_clip=_correlate_all(bootstrap, measures, "spearman", "clip"),
        kendall_system=_correlate_all(bootstrap, measures, "kendall", "system"),
        kendall_clip=_correlate_all(bootstrap, measures, "kendall", "clip"),
        pairwise_accuracy=Accuracies(
            _measure_pairs(bootstrap, measures, "system"), _measure_pairs(bootstrap, measures, "clip")
        ),
        curves=trace_curves(bootstrap, measures, [m.name for m in rates]),
        noise=NoiseCurves(words=noise["words"], phones=noise.get("phones")),
        nuisances=tuple(compare_with_truth(bootstrap, judged, nuisances)),
        controls=tuple(compare_with_truth(bootstrap, judged, controls)),
        sensitivity=Sensitivity(
            amplitudes={m.name: tuple(compare_amplitudes(bootstrap, m)) for m in judged},
            conditions={unit: compare_conditions(bootstrap, contrasts, unit) for unit in units},
        ),
        confusions=_confusions(scores),
        fairness={unit: judge_fairness(bootstrap, condition, traits, unit=unit) for unit in units},
        bits=report_bits(bootstrap, measures, condition),
        sight=scores.sight,
    )
    report = replace(report, targets=check_targets(report), bits_targets=check_bits(report))
    report = replace(report, verdict=say_verdict(report))
    # Page and plots show the numbers that are written.
    return Report.from_json(report.to_json())


def write_report(report: Report, out: Path | str) -> list[Path]:
    """Write ``report.json``, ``plots/*.svg`` and ``report.html``; without matplotlib a page without plots.

    Parameters
    ----------
    report : Report
        Made by :func:`make_report`.
    out : Path or str
        Folder to write to.

    Returns
    -------
    list of Path
        The page first.
    """
    from mtbench.meta.plots import draw_plots
    from mtbench.meta.report_page import render_page

    out = Path(out)
    text = json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(out / REPORT_JSON, f"{text}\n".encode())
    try:
        plots = draw_plots(report)
    except PrerequisiteError:  # the page says what is missing; hours of recognition are not thrown away
        plots = {}
    for name, data in plots.items():
        write_atomically(out / PLOTS / f"{name}.svg", data)
    write_atomically(out / REPORT_HTML, render_page(report, plots).encode())
    return [out / REPORT_HTML, out / REPORT_JSON, *(out / PLOTS / f"{name}.svg" for name in plots)]


def _describe(measure: Measure, bootstrap: BootstrappedScores) -> MeasureInfo:
    systems = bootstrap.scores.systems
    return MeasureInfo(
        name=measure.name,
        title=measure.title,
        unit=measure.unit,
        condition=measure.condition,
        n_systems=int(measure.scored.sum()),
        n_clips=int(measure.usable.sum()),
        not_scored=tuple(s.name for s, scored in zip(systems, measure.scored) if not scored),
    )


def _list_systems(bootstrap: BootstrappedScores, measures: Sequence[Measure]) -> tuple[ScoredSystem, ...]:
    columns = [(m, bootstrap.estimate(m), bootstrap.resample(m)) for m in measures]
    return tuple(
        ScoredSystem(
            **vars(system),
            scores={
                m.name: summarize(float(scores[row]), None if samples is None else samples[:, row], m.unit)
                for m, scores, samples in columns
            },
        )
        for row, system in enumerate(bootstrap.scores.systems)
    )


def _correlate_all(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], statistic: str, level: str
) -> CorrelationTable:
    """Correlations of all measures; the first measure's stands on top."""
    found = [correlate(bootstrap, m, level=level, statistic=statistic) for m in measures]
    led = [replace(other, lead_of_avlr=_lead(found[0], other)) for other in found]
    return CorrelationTable(**vars(found[0]), measures={row.measure: row for row in led})


def _measure_pairs(
    bootstrap: BootstrappedScores, measures: Sequence[Measure], level: str
) -> AccuracyTable | None:
    """Pairwise accuracies of all measures; the first measure's stands on top."""
    found = [a for m in measures if (a := measure_accuracy(bootstrap, m, level=level)) is not None]
    if not found:
        return None
    led = [replace(other, lead_of_avlr=_lead(found[0], other)) for other in found]
    return AccuracyTable(**vars(found[0]), measures={row.measure: row for row in led})


T = TypeVar("T", Correlation, PairwiseAccuracy)


def _lead(first: T, other: T) -> Number | None:
    """By how much the estimate of *first* is larger than that of *other*, paired."""
    if other is first or first.estimate is None or other.estimate is None:
        return None
    gap = None
    if first.samples is not None and other.samples is not None:
        gap = percentile_interval(np.asarray(first.samples - other.samples))
    return Number(first.estimate - other.estimate, gap, "")


def _confusions(scores: MetaScores) -> Confusions | None:
    """Confusions seen through video alone, or None where no phones of the ground truth were kept."""
    if (GROUND_TRUTH, "v") not in scores.hypotheses or not any(scores.references):
        return None
    return confuse_ground_truth(scores)
