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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.files import write_atomically
from mtbench.meta.confusions import confuse_ground_truth
from mtbench.meta.correlation import Correlation, correlate
from mtbench.meta.curves import compare_with_truth, trace_curves, trace_noise
from mtbench.meta.estimates import (
    BootstrappedScores,
    Measure,
    bootstrap_scores,
    default_measures,
    headline_condition,
)
from mtbench.meta.fairness import describe_languages, judge_fairness
from mtbench.meta.json_values import to_json_value
from mtbench.meta.pairwise import PairwiseAccuracy, measure_accuracy
from mtbench.meta.scores import MetaScores
from mtbench.meta.sensitivity import compare_amplitudes, compare_conditions, default_contrasts
from mtbench.meta.systems import GROUND_TRUTH, SHUFFLED, STATIC
from mtbench.meta.verdicts import check_targets, say_verdict
from mtbench.results import (
    round_floats,
)
from mtbench.statistics import REPLICATES, SEED, percentile_interval, summarize

if TYPE_CHECKING:
    from mtbench.benchmarks import Benchmark

SCHEMA = 1
REPORT_JSON, REPORT_HTML, PLOTS = "report.json", "report.html", "plots"


def make_report(
    scores: MetaScores,
    benchmark: Benchmark | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return everything that the scores say, as plain JSON.

    Parameters
    ----------
    scores : MetaScores
    benchmark : Benchmark, optional
        For the traits of languages: durations and lexicons.
    replicates, seed : int
        Of the cluster bootstrap.

    Returns
    -------
    dict
        Keys ``systems``, ``measures``, ``spearman_system``, ``spearman_clip``, ``kendall_system``,
        ``kendall_clip``, ``pairwise_accuracy``, ``curves``, ``nuisances``, ``controls``, ``sensitivity``,
        ``confusions``, ``fairness``, ``targets``, ``verdict`` (in words) and what was scored. The top of
        ``spearman_system`` and the like is AVLR's; ``measures`` below it has every metric.

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
    phones = any(measure.name == "avlr_phones" for measure in rates)
    units = ("words", "phones") if phones else ("words",)
    systems = scores.systems
    nuisances = [row for row, system in enumerate(systems) if system.nuisance]
    controls = [row for row, system in enumerate(systems) if system.name in (STATIC, SHUFFLED)]
    curves = trace_curves(bootstrap, measures, [m.name for m in rates])
    curves["snr"] = {"title": "signal-to-noise ratio", "unit": "dB", "kind": "noise"} | {
        unit: trace_noise(bootstrap, unit) for unit in units
    }
    traits = describe_languages(scores, benchmark)
    contrasts = default_contrasts(bootstrap)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "facts": dict(scores.facts),
        "condition": condition,
        "n_clips": len(scores.clips),
        "languages": bootstrap.languages,
        "replicates": replicates,
        "seed": seed,
        "measures": [_describe(measure, bootstrap) for measure in measures],
        "systems": _list_systems(bootstrap, measures),
        **_judge_order(bootstrap, measures),
        "curves": curves,
        "nuisances": compare_with_truth(bootstrap, rates, nuisances),
        "controls": compare_with_truth(bootstrap, rates, controls),
        "sensitivity": {
            "amplitudes": {m.name: [s.to_json() for s in compare_amplitudes(bootstrap, m)] for m in rates},
            "conditions": {unit: compare_conditions(bootstrap, contrasts, unit) for unit in units},
        },
        "confusions": _confusions(scores),
        "fairness": {unit: judge_fairness(bootstrap, condition, traits, unit=unit) for unit in units},
    }
    report["targets"] = check_targets(report)
    report["verdict"] = say_verdict(report)
    clean: dict[str, Any] = round_floats(report)
    return clean


def write_report(report: dict[str, Any], out: Path | str) -> list[Path]:
    """Write ``report.json``, ``plots/*.svg`` and ``report.html``; without matplotlib a page without plots.

    Parameters
    ----------
    report : dict
        Of :func:`make_report`.
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
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(out / REPORT_JSON, f"{text}\n".encode())
    try:
        plots = draw_plots(report)
    except PrerequisiteError:  # the page says what is missing; hours of reading lips are not thrown away
        plots = {}
    for name, data in plots.items():
        write_atomically(out / PLOTS / f"{name}.svg", data)
    write_atomically(out / REPORT_HTML, render_page(report, plots).encode())
    return [out / REPORT_HTML, out / REPORT_JSON, *(out / PLOTS / f"{name}.svg" for name in plots)]


def _describe(measure: Measure, bootstrap: BootstrappedScores) -> dict[str, Any]:
    return {
        "name": measure.name,
        "title": measure.title,
        "unit": measure.unit,
        "condition": measure.condition,
        "n_systems": int(measure.scored.sum()),
        "n_clips": int(measure.usable.sum()),
        "not_scored": [s.name for s, scored in zip(bootstrap.scores.systems, measure.scored) if not scored],
    }


def _list_systems(bootstrap: BootstrappedScores, measures: Sequence[Measure]) -> list[dict[str, Any]]:
    columns = [(m, bootstrap.estimate(m), bootstrap.resample(m)) for m in measures]
    return [
        asdict(system)
        | {
            "scores": {
                m.name: summarize(
                    float(scores[row]), None if samples is None else samples[:, row], m.unit
                ).to_json()
                for m, scores, samples in columns
            }
        }
        for row, system in enumerate(bootstrap.scores.systems)
    ]


def _judge_order(bootstrap: BootstrappedScores, measures: Sequence[Measure]) -> dict[str, Any]:
    """Rank correlations and pairwise accuracies of all measures; the first measure's stand on top."""
    out: dict[str, Any] = {}
    for statistic in ("spearman", "kendall"):
        for level in ("system", "clip"):
            found = [correlate(bootstrap, m, level=level, statistic=statistic) for m in measures]
            out[f"{statistic}_{level}"] = _with_rivals(found)
    accuracies: dict[str, Any] = {}
    for level in ("system", "clip"):
        judged = [a for m in measures if (a := measure_accuracy(bootstrap, m, level=level)) is not None]
        accuracies[level] = _with_rivals(judged) if judged else None
    out["pairwise_accuracy"] = accuracies
    return out


def _with_rivals(found: Sequence[Correlation] | Sequence[PairwiseAccuracy]) -> dict[str, Any]:
    first = found[0]
    rivals = {}
    for other in found:
        row = to_json_value(other)
        if other is not first and first.estimate is not None and other.estimate is not None:
            gap = None
            if first.samples is not None and other.samples is not None:
                gap = percentile_interval(np.asarray(first.samples - other.samples))
            row["lead_of_avlr"] = {"estimate": first.estimate - other.estimate, "ci95": gap, "unit": ""}
        rivals[other.measure] = row
    return to_json_value(first) | {"measures": rivals}


def _confusions(scores: MetaScores) -> dict[str, Any] | None:
    """Confusions seen through video alone, or None where no phones of the ground truth were kept."""
    if (GROUND_TRUTH, "v") not in scores.hypotheses or not any(scores.references):
        return None
    return confuse_ground_truth(scores).to_json()
